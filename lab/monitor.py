"""Speak to a running QEMU through its monitor socket (QMP)."""

from __future__ import annotations

import json
import os
import pathlib
import re
import socket
import typing

from .errors import LabError

SOCKET = "monitor.sock"


def command(folder: pathlib.Path, name: str, arguments: dict[str, typing.Any] | None = None, timeout_seconds: float = 30) -> typing.Any:
    """What the machine in ``folder`` returns for a QMP command. Raises LabError, OSError."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_seconds)
            # A socket's path holds 107 bytes, a home folder's may not.
            connection.connect(f"/proc/self/fd/{descriptor}/{SOCKET}")
            with connection.makefile("rw", encoding="utf-8") as stream:
                _answer(stream, "QMP")
                _send(stream, "qmp_capabilities", None)
                return _send(stream, name, arguments)
    finally:
        os.close(descriptor)


def human_command(folder: pathlib.Path, line: str) -> str:
    """The text that QEMU's own monitor answers: ``info usernet``, ``balloon 512``, ``system_reset``."""
    return command(folder, "human-monitor-command", {"command-line": line})


def forwarded_port(folder: pathlib.Path) -> int:
    """The port of 127.0.0.1 that leads to the guest's ssh. The kernel chose it when QEMU bound it, so no one else has it."""
    text = human_command(folder, "info usernet")
    found = re.search(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)", text)
    if not found:
        raise LabError(f"QEMU forwards no port: {text.strip()}")
    return int(found[1])


def _send(stream: typing.TextIO, name: str, arguments: dict[str, typing.Any] | None) -> typing.Any:
    stream.write(json.dumps({"execute": name, **({"arguments": arguments} if arguments else {})}) + "\n")
    stream.flush()
    return _answer(stream, "return")


def _answer(stream: typing.TextIO, key: str) -> typing.Any:
    for line in stream:
        message = json.loads(line)
        if "error" in message:
            raise LabError(f"QEMU refused: {message['error'].get('desc', message['error'])}")
        if key in message:
            return message[key]
    raise LabError("QEMU closed its monitor")
