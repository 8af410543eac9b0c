# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel messages in /var/log: the files of a syslog daemon and their rotated forms."""

import collections
import os
import re
import stat
import time

from . import syslog_format
from .excerpts import select
from .keeping import Kept
from .scanning import CHUNK_BYTES, Scanner, chunks_of_lines, first_time
from .streaming import opened, status

FOLDER = "/var/log"
PLAIN_LIMIT_BYTES = 2 << 30
UNPACKED_LIMIT_BYTES = 512 << 20
PART_BYTES = 128 << 20
TIME_LIMIT_SECONDS = 12
#: Stamps of one file are in order but for clock corrections of this size.
DISORDER_SECONDS = 600
#: A report that is cut by the end of a file or part ends within this time.
CUT_SECONDS = 600

_NAME = re.compile(r"^(messages|syslog|kern\.log)(?:[-.]\d[\d.-]*?)?(?:\.(gz|xz|bz2))?$")

#: A file, or the part of a large one from line begin at or after offset ``begin`` on.
_File = collections.namedtuple("_File", "modified_at path family packing begin end")


def collect(reader, since, limit_bytes):
    """Logs of the files that may reach into the window, the newest first.

    A large file gives several, its newest part first: when time runs out,
    what is oldest is missing.
    since: seconds since the epoch. limit_bytes: of excerpts kept.
    """
    deadline = time.monotonic() + TIME_LIMIT_SECONDS
    left = {False: PLAIN_LIMIT_BYTES, True: UNPACKED_LIMIT_BYTES}
    logs, newer = [], {}
    for file in _files(reader, since):
        packed = bool(file.packing)
        for part in [file] if packed else _parts(reader, file, since):
            if left[packed] <= 0 or time.monotonic() > deadline:
                reader.note(part.path, "was not read, or only its end: the limit of bytes or seconds for log files was reached")
                break
            kept = Kept(since, limit_bytes)
            log = _read(reader, part, kept, left[packed], deadline)
            if log is None:
                break
            left[packed] -= log.scanner.bytes_read
            limit_bytes = max(0, limit_bytes - kept.bytes)
            if file.family in newer and log.excerpts and log.excerpts[-1].unfinished:
                _join(reader, log, *newer[file.family])
            newer[file.family] = log, part
            logs.append(log)
    return logs


def _files(reader, since):
    files = []
    for name in reader.names(FOLDER, expected=False):
        found = _NAME.match(name)
        path = "%s/%s" % (FOLDER, name)
        state = status(reader, path) if found else None
        if state and stat.S_ISREG(state.st_mode) and state.st_mtime >= since:
            files.append(_File(state.st_mtime, path, found.group(1), found.group(2), 0, state.st_size))
    return sorted(files, key=lambda file: file.modified_at, reverse=True)


def _parts(reader, file, since):
    """A plain file's parts within the window, the newest first."""
    begin = 0
    if file.end > 4 * CHUNK_BYTES:
        descriptor = opened(reader, file.path)
        if descriptor is None:
            return
        with os.fdopen(descriptor, "rb") as handle:
            try:
                begin = start_of_window(handle, file.end, syslog_format.parser(file.modified_at)[1], since - DISORDER_SECONDS)
            except OSError as error:
                reader.note(file.path, error.strerror or str(error))
    end = file.end
    while end - begin > PART_BYTES:
        yield file._replace(begin=end - PART_BYTES, end=end)
        end -= PART_BYTES
    yield file._replace(begin=begin, end=end)


def _read(reader, file, kept, limit_bytes, deadline):
    descriptor = opened(reader, file.path)
    if descriptor is None:
        return None
    parse, stamp = syslog_format.parser(file.modified_at)
    scanner = Scanner(parse, stamp, syslog_format.TAG)
    with os.fdopen(descriptor, "rb") as handle:
        try:
            for chunk in chunks_of_lines(_blocks(reader, file, handle, limit_bytes)):
                kept.add(scanner.feed(chunk, (file.path, None)))
                if time.monotonic() > deadline:
                    reader.note(file.path, "reading stopped after %d s for all log files" % TIME_LIMIT_SECONDS)
                    break
        except OSError as error:
            reader.note(file.path, error.strerror or str(error))
    kept.add(scanner.finish())
    return kept.log("file", file.path, scanner, "%s/%s" % (FOLDER, file.family))


def start_of_window(handle, size, stamp, since):
    """An offset at most some chunks before the first line of ``since``, by bisection over the stamps."""
    low, high = 0, size
    while high - low > 4 * CHUNK_BYTES:
        middle = (low + high) // 2
        handle.seek(middle)
        at = first_time(handle.read(65536).split(b"\n")[1:], stamp)
        if at is not None and at < since:
            low = middle
        else:
            high = middle
    return low


def _blocks(reader, file, handle, limit_bytes):
    return _unpacked_blocks(reader, file, handle, limit_bytes) if file.packing else _plain_blocks(reader, file, handle)


def _plain_blocks(reader, file, handle):
    if file.begin:
        handle.seek(file.begin)
        handle.readline(CHUNK_BYTES)  # belongs to the part before
    left = file.end - handle.tell()
    while left > 0:
        reader.announce(file.path)
        block = handle.read(min(CHUNK_BYTES, left))
        if not block:
            return
        left -= len(block)
        yield block
    yield handle.readline(CHUNK_BYTES)  # the line that reaches into the next part


def _unpacked_blocks(reader, file, handle, limit_bytes):
    """A damaged file gives what it holds, and a note."""
    try:
        source, damage = _unpacked(handle, file.packing)
    except ImportError as error:
        reader.note(file.path, "cannot be unpacked here: %s" % error)
        return
    left, part = limit_bytes, b"."
    while left > 0 and part:
        reader.announce(file.path)
        block, size = [], min(CHUNK_BYTES, left)
        try:
            while size > 0 and part:
                part = source.read1(size)  # read() would lose what stands before the damage
                block.append(part)
                size -= len(part)
        except damage as error:
            reader.note(file.path, "is damaged: %s" % error)
            part = b""
        left -= min(CHUNK_BYTES, left) - size
        yield b"".join(block)
    if part:
        reader.note(file.path, "only the first %d bytes were unpacked" % limit_bytes)


def _unpacked(handle, packing):
    """``(binary file, exceptions that damage raises)``; imports what few hosts need."""
    if packing == "gz":
        import gzip
        import zlib

        return gzip.GzipFile(fileobj=handle), (OSError, EOFError, zlib.error)
    if packing == "xz":
        import lzma

        return lzma.LZMAFile(handle), (OSError, EOFError, lzma.LZMAError)
    import bz2

    return bz2.BZ2File(handle), (OSError, EOFError, ValueError)


def _join(reader, older, newer, newer_file):
    """Complete a report that the end of one file or part cut, from the begin of the next one."""
    begin = older.excerpts[-1]
    parse, _stamp = syslog_format.parser(newer_file.modified_at)
    descriptor = opened(reader, newer_file.path)
    if descriptor is None:
        return
    with os.fdopen(descriptor, "rb") as handle:
        try:
            head = next(chunks_of_lines(_blocks(reader, newer_file, handle, CHUNK_BYTES)), b"")
        except OSError:
            return
    records = [record for record in map(parse, head.split(b"\n")) if record]
    whole = next(select(begin.lines + records))
    older.excerpts[-1] = whole._replace(where=begin.where, omitted_lines=whole.omitted_lines + begin.omitted_lines)
    rest = newer.excerpts[0] if newer.excerpts else None
    if rest and rest.lines[-1] in whole.lines and rest.time - begin.time < CUT_SECONDS:
        newer.excerpts.pop(0)
