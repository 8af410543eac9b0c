# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One host at a time is changed by itself: whose turn it is, across all runs on this controller.

The turn outlasts the task that takes it, so it is a file that names the run's
process rather than a lock that dies with a fork; a run that was killed gives its
turn back by being gone. The file's own lock only guards reading and writing it.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..report.host_files import write_file
from .rates import Rates, changes, line, refusal

RECORD = "remediations.jsonl"
RECORD_READ_BYTES = 1 << 20
_HOLDER, _LOCK = "remediation.holder.json", "remediation.lock"
_POLL_SECONDS = 1.0


def default_folder() -> str:
    """Where the record is kept if nobody says where: the system's place for root, else the user's own."""
    return "/var/lib/memops/respond" if os.geteuid() == 0 else "~/.local/state/memops"


def take(
    state: str, host: str, alert: str, run: str, process: int, rates: Rates, wait_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> str | None:
    """Take the turn to change this host; None, or why it is not to be changed now.

    state: the folder of the record. process: of the run that goes on holding the turn. Raises OSError.
    """
    folder = pathlib.Path(state).expanduser()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    waited = 0.0
    while True:
        with _guarded(folder):
            holder = _holder(folder)
            if holder is None:
                now = datetime.datetime.now(datetime.UTC)
                reason = refusal(changes(_lines(folder)), host, rates, now)
                if reason is None:
                    _append(folder, line("begun", host, run, now, alert=alert))
                    write_file(folder / _HOLDER, json.dumps({"process": process, "begun": _process_begun(process), "host": host, "run": run}))
                return reason
        if waited >= wait_seconds:
            return f"{holder['host']} is being changed by run {holder['run']}, and still was after {wait_seconds:g} s"
        sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS


def give_back(state: str, host: str, run: str, outcome: str) -> None:
    """Note how the change ended and let the next host have its turn. Raises OSError."""
    folder = pathlib.Path(state).expanduser()
    with _guarded(folder):
        _append(folder, line("ended", host, run, datetime.datetime.now(datetime.UTC), outcome=outcome))
        holder = _holder(folder)
        if holder is not None and (holder["host"], holder["run"]) == (host, run):
            (folder / _HOLDER).unlink()


@contextlib.contextmanager
def _guarded(folder: pathlib.Path) -> Iterator[None]:
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _holder(folder: pathlib.Path) -> dict[str, Any] | None:
    """Whose turn it is; None where that run is gone."""
    try:
        holder = json.loads((folder / _HOLDER).read_text())
        begun = _process_begun(int(holder["process"]))
        return {"host": str(holder["host"]), "run": str(holder["run"])} if begun is not None and begun == holder["begun"] else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _process_begun(process: int) -> str | None:
    """When a process began, in the kernel's own count, so that another one with its number is not taken for it; None where it is gone."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _lines(folder: pathlib.Path) -> list[str]:
    try:
        with open(folder / RECORD, "rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - RECORD_READ_BYTES))
            return stream.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []


def _append(folder: pathlib.Path, text: str) -> None:
    handle = os.open(folder / RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
