"""Which process is ours, and ending exactly that one.

A machine's QEMU names a file in the machine's folder on its command line; that is how it is found, also
when whoever started it was killed before writing anything down. A number alone is never trusted: it may
be another process by now. It is signalled through a pidfd, taken first and compared after.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import select
import signal


@dataclasses.dataclass(frozen=True)
class Process:
    """``started`` is the kernel's start time in clock ticks since boot: with the pid it names one process."""

    pid: int
    started: int


def of(pid: int) -> Process | None:
    """The living process of that number; a zombie is dead."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else Process(pid, int(fields[19]))


def lives(process: Process) -> bool:
    return of(process.pid) == process


def with_argument(argument: str) -> list[Process]:
    """Processes that have exactly this word on their command line."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        process = of(int(folder.name))
        with contextlib.suppress(OSError):
            if process and argument.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append(process)
    return found


def ancestor_running(program: str, argument: str) -> Process | None:
    """The outermost of our ancestors that runs ``program`` with ``argument``, such as molecule with test."""
    found, pid = None, os.getppid()
    while pid > 1:
        process = of(pid)
        if not process:
            break
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            break
        if any(pathlib.Path(word).name == program for word in words[:3]) and argument in words:
            found = process
        pid = int(stat.rpartition(")")[2].split()[1])
    return found


def end(process: Process, patience_seconds: float = 10) -> bool:
    """Ask it to end, then make it; True when it is gone. A process that took its number since is left alone."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            if not lives(process):
                return True
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal_number)
            if select.select([handle], [], [], patience_seconds)[0]:
                return True
        return False
    finally:
        os.close(handle)
