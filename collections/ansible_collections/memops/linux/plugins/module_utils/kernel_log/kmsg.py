# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kernel's own ring buffer, ``/dev/kmsg`` (Documentation/ABI/testing/dev-kmsg)."""

import errno
import os
import re
import time

from .scanning import CHUNK_BYTES, Scanner, chunks_of_lines
from .streaming import opened

PATH = "/dev/kmsg"
RECORD_BYTES = 16384
LIMIT_BYTES = 32 << 20

_ESCAPE = rb"\\x([0-9a-f]{2})"
_FRAGMENT = rb"\n(?: [^\n]*\n)*\d+,\d+,\d+,\+[^;\n]*;"


def collect(reader, kept):
    """The Log of this boot, or None where the buffer cannot be read (dmesg_restrict)."""
    descriptor = opened(reader, PATH)
    if descriptor is None:
        return None
    parse, stamp = parser(booted_at())
    scanner = Scanner(parse, stamp)
    try:
        for chunk in chunks_of_lines(_blocks(reader, descriptor)):
            kept.add(scanner.feed(joined_fragments(chunk), (PATH, None)))
    finally:
        os.close(descriptor)
    kept.add(scanner.finish())
    return kept.log("kmsg", PATH, scanner)


def booted_at():
    """The wall clock at the kernel's time 0.

    Record times leave out the time a host was suspended, so those from before
    a suspension come out too late by its length.
    """
    return time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)


def parser(zero):
    """``(parse, stamp)`` for Scanner. zero: seconds since the epoch at the kernel's time 0.

    A record is ``priority,sequence,microseconds,flags;text``. Messages that
    user space wrote have another facility than 0 and are foreign; lines with a
    leading space are a record's properties.
    """

    def stamp(line):
        fields = line.split(b";", 1)[0].split(b",", 3)
        try:
            return zero + int(fields[2]) / 1e6
        except (IndexError, ValueError, OverflowError):
            return None

    def parse(line):
        head, _semicolon, text = line.partition(b";")
        fields = head.split(b",", 3)
        if line[:1] == b" " or len(fields) < 4 or not fields[0].isdigit() or int(fields[0]) > 7:
            return None
        if b"\\x" in text:
            text = re.sub(_ESCAPE, lambda found: bytes((int(found.group(1), 16),)), text)
        return stamp(line), text.decode("utf-8", "replace")

    return parse, stamp


def joined_fragments(chunk):
    """Records that continue the one before (flag "+", kernels before 5.10) joined to it."""
    return re.sub(_FRAGMENT, b"", chunk) if b",+" in chunk else chunk


def _blocks(reader, descriptor):
    """The records in blocks; each read gives one record."""
    block, size, total = [], 0, 0
    while total < LIMIT_BYTES:
        try:
            record = os.read(descriptor, RECORD_BYTES)
        except OSError as error:
            if error.errno == errno.EPIPE:  # overwritten as we read; the next read goes on with the oldest there is
                reader.note(PATH, "messages were overwritten while it was read")
                continue
            if error.errno != errno.EAGAIN:
                reader.note(PATH, error.strerror)
            break
        if not record:
            break
        block.append(record)
        size += len(record)
        if size >= CHUNK_BYTES:
            reader.announce(PATH)
            yield b"".join(block)
            total += size
            block, size = [], 0
    yield b"".join(block)
