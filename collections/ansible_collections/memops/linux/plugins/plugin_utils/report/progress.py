# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far a large fleet is: a line every few seconds, whichever of ansible's forks finishes a host.

The forks share nothing but the run's folder. A byte for each finished host in a
file there counts them: appending is atomic, and reading ten thousand bytes is
cheap. The file's lock lets one fork at a time speak, and its time of change is
that of the last line.
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import time
from typing import NamedTuple

#: A smaller fleet is done before anybody asks.
HOSTS_TOLD_OF = 20
SAY_EACH_SECONDS = 5
_DONE, _SPOKEN = ".progress", ".progress-told"


class Progress(NamedTuple):
    """Hosts that are finished, those among them that gave no evidence, and those to come."""

    done: int
    failed: int
    left: int

    def __str__(self) -> str:
        return f"{self.done} hosts done, {self.failed} of them failed, {self.left} left"


def finished(run_folder: str, failed: bool, of_all: int) -> Progress | None:
    """Count one host; the progress if it is time to say it.

    Counting is no reason to fail: where the folder cannot be written, None.
    """
    if of_all <= HOSTS_TOLD_OF:
        return None
    folder = pathlib.Path(run_folder)
    try:
        with open(folder / _DONE, "ab") as stream:
            stream.write(b"x" if failed else b".")
        return _said(folder, of_all)
    except OSError:
        return None


def clear(run_folder: str) -> None:
    """Remove what counted, at the end of a run."""
    for name in (_DONE, _SPOKEN):
        (pathlib.Path(run_folder) / name).unlink(missing_ok=True)


def _said(folder: pathlib.Path, of_all: int) -> Progress | None:
    handle = os.open(folder / _SPOKEN, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        begun = os.fstat(handle).st_size == 0
        if not begun and time.time() - os.fstat(handle).st_mtime < SAY_EACH_SECONDS:
            return None
        os.pwrite(handle, b"1", 0)
        if begun:
            return None  # the first host only starts the clock
        done = (folder / _DONE).read_bytes()
        return Progress(len(done), done.count(b"x"), max(0, of_all - len(done)))
    finally:
        os.close(handle)
