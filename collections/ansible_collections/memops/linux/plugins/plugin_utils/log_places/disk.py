# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files on this disk, opened so that nothing that is no file can block or act."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from .unpacking import BLOCK_BYTES, Allowance, unpacked

_KINDS = (
    (stat.S_ISFIFO, "it is a named pipe, not a file: save what it gives to a file first"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file: save what it gives to a file first"),
    (stat.S_ISBLK, "it is a device, not a file"),
    (stat.S_ISDIR, "it is a folder"),
)


def why_no_file(mode: int) -> str | None:
    """Why something with this st_mode is not read, or None for a file."""
    return next((why for test, why in _KINDS if test(mode)), None if stat.S_ISREG(mode) else "it is not a file")


def raw_blocks(path: str) -> Iterator[bytes]:
    """A file's bytes as they lie on the disk.

    Raises OSError, also for whatever is no file; that is looked at first, for
    opening a pipe may wait and opening a device may act.
    """
    refused = why_no_file(os.stat(path).st_mode)
    if refused:
        raise OSError(errno.EINVAL, refused)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        refused = why_no_file(os.fstat(descriptor).st_mode)
        if refused:
            raise OSError(errno.EINVAL, refused)
        while True:
            block = file.read(BLOCK_BYTES)
            if block is None:
                raise OSError(errno.EAGAIN, "reading it would wait for somebody to write")
            if not block:
                return
            yield block


def plain_blocks(path: str, limit_bytes: int) -> Iterator[bytes]:
    """A file's bytes, unpacked where it is packed. Raises OSError or DamagedLog."""
    return unpacked(raw_blocks(path), Allowance(limit_bytes))


def why(error: BaseException) -> str:
    """An error in the words of a person."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error) or type(error).__name__
