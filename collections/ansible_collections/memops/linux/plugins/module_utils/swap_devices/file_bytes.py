# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A swap file's bytes: written, so that no file system leaves a hole, and bounded in time.

All blocks are written with zeros: extents that are only allocated are no swap
area for older kernels on XFS, and mkswap(8) warns of them. The file is
allocated first, so that a full disk shows before the writing does, and what is
written is put on disk piece by piece, so that it does not fill the page cache
of a host that is short of memory. On btrfs the file must not be copied on
write, which can be set only while it is empty (btrfs(5), swap files).
"""

import contextlib
import fcntl
import os
import platform
import struct
import time

from .errors import SwapError
from .sizes import MIB, told

CHUNK_BYTES = MIB
PIECE_BYTES = 16 * MIB
SLOWEST_BYTES_PER_SECOND = 2 * MIB

_NO_COPY_ON_WRITE = 0x00800000


def beside(path, what):
    """The path of a file that is not in its place yet (what: "new") or not any more ("old")."""
    folder, _slash, name = path.rpartition("/")
    return "%s/.%s.memops-%s" % (folder, name, what)


def make(files, path, size_bytes, copy_on_write_off):
    """A new file of zeros for root alone; one that is there is a leftover and goes. Raises SwapError and OSError; what was begun is the caller's to remove."""
    target = files.path(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(target)
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        if copy_on_write_off:
            _set_no_copy_on_write(descriptor)
        _fill(descriptor, path, 0, size_bytes)
    finally:
        os.close(descriptor)


def grow(files, path, old_bytes, size_bytes):
    """Zeros up to this size. A file that cannot be filled gets its old length back. Raises SwapError and OSError."""
    descriptor = _open(files, path)
    try:
        _fill(descriptor, path, old_bytes, size_bytes)
    except BaseException:
        os.ftruncate(descriptor, old_bytes)
        raise
    finally:
        os.close(descriptor)


def cut(files, path, size_bytes):
    descriptor = _open(files, path)
    try:
        os.ftruncate(descriptor, size_bytes)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(files, old, new):
    """Rename, on disk when this returns."""
    os.rename(files.path(old), files.path(new))
    folder = os.open(os.path.dirname(files.path(new)) or "/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _open(files, path):
    return os.open(files.path(path), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)


def _fill(descriptor, path, start, end):
    limit = 60 + (end - start) // SLOWEST_BYTES_PER_SECOND
    deadline = time.monotonic() + limit
    os.posix_fallocate(descriptor, start, end - start)
    zeros = bytes(CHUNK_BYTES)
    at, piece = start, start
    while at < end:
        at += os.pwrite(descriptor, zeros[: min(CHUNK_BYTES, end - at)], at)
        if at - piece >= PIECE_BYTES or at >= end:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, piece, at - piece, os.POSIX_FADV_DONTNEED)
            piece = at
            if time.monotonic() > deadline:
                raise SwapError("%s: only %s of %s were written in %d s; the disk is too slow now" % (path, told(at), told(end), limit))
    os.fsync(descriptor)


def _set_no_copy_on_write(descriptor):
    """chattr(1) +C, by ioctl_iflags(2)."""
    words = struct.calcsize("l")
    old_style = platform.machine().startswith(("ppc", "mips", "sparc", "alpha"))
    get, put = (0x40006601, 0x80006602) if old_style else (0x80006601, 0x40006602)
    flags = bytearray(words)
    fcntl.ioctl(descriptor, get | words << 16, flags, True)
    value = struct.unpack("=I", bytes(flags[:4]))[0] if words == 4 else struct.unpack("=Q", bytes(flags))[0]
    packed = struct.pack("=I" if words == 4 else "=Q", value | _NO_COPY_ON_WRITE)
    fcntl.ioctl(descriptor, put | words << 16, packed)
