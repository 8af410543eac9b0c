# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds where a log of any size may hold an event, and gives only those lines.

Nearly all lines of a large log are about other things, and reading one costs a
thousand times more than searching it for a few words.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from .line_chunks import LineChunks
from .needles import Hits

#: A log up to this size is given whole.
SMALL = 4 << 20
#: What is given around a line with a needle: the lines that interrupted or announced it.
BEFORE_BYTES, BEFORE_LINES = 16 << 10, 20
AFTER_LINES = 12
#: The same where an entry has a line for each of its fields, as the journal exports it.
ENTRY_LINES = 60
_FIELD_OF_ENTRY = b"\n_BOOT_ID=", b"\n    _BOOT_ID="
#: How much is given at once while an event is open: at least and at most, and this part of what was given of it.
LEAST_FOLLOW_BYTES, MOST_FOLLOW_BYTES = 2 << 10, 64 << 10
FOLLOW_PART = 8
EDGE_BYTES = 64 << 10


class Piece(NamedTuple):
    """Whole lines; the number of the first, from 1; whether they follow the piece before without a gap."""

    data: bytes
    line_number: int
    contiguous: bool


class Scanner:
    """Iterates over the pieces of one log that are worth reading.

    blocks: the log, in blocks of any size. still_open: asked after each piece
    was consumed, whether an event has begun that has not ended; then the next
    lines follow. bytes_read, lines_read: of the lines so far, and of the whole
    log at the end. whole: the log is given in one piece. head: whole lines from
    its first 64 KiB.
    """

    def __init__(self, blocks: Iterable[bytes], still_open: Callable[[], bool]) -> None:
        self.bytes_read = self.lines_read = 0
        self.whole = False
        self.head = b""
        self._chunks = LineChunks(blocks)
        self._still_open = still_open
        self._last = b"", b""  # chunks
        self._kept = b""  # the last lines so far, as far as they were not given
        self._kept_follow = False  # on what was given last
        self._open_bytes = 0  # given since an event began that is still open
        self._before, self._after = BEFORE_LINES, AFTER_LINES

    @property
    def tail(self) -> bytes:
        """Whole lines from the last 64 KiB so far."""
        end = self._last[1] if len(self._last[1]) > EDGE_BYTES else b"".join(self._last)
        return end[end.find(b"\n", len(end) - EDGE_BYTES - 1) + 1 :] if len(end) > EDGE_BYTES else end

    @property
    def dropped_bytes(self) -> int:
        """How much was cut off lines that are longer than any that says something."""
        return self._chunks.dropped_bytes

    def __iter__(self) -> Iterator[Piece]:
        chunks = iter(self._chunks)
        start: list[bytes] = []
        for chunk in chunks:
            start.append(chunk)
            if sum(map(len, start)) > SMALL:
                break
        else:
            yield from self._whole(start)
            return
        if any(field in start[0] for field in _FIELD_OF_ENTRY):
            self._before = self._after = ENTRY_LINES
        while start:
            chunk = start.pop(0)
            yield from self._found(chunk)
            self._count(chunk)
            if not start:
                start.extend(itertools.islice(chunks, 1))

    def _whole(self, chunks: list[bytes]) -> Iterator[Piece]:
        self.whole = True
        for chunk in chunks:
            self._count(chunk)
        if chunks:
            yield Piece(b"".join(chunks), 1, False)

    def _count(self, chunk: bytes) -> None:
        self.bytes_read += len(chunk)
        self.lines_read += chunk.count(b"\n") + (not chunk.endswith(b"\n"))
        self._last = self._last[1], chunk
        if not self.head:
            self.head = chunk[: chunk.rfind(b"\n", 0, EDGE_BYTES) + 1 or EDGE_BYTES]

    def _found(self, chunk: bytes) -> Iterator[Piece]:
        """The pieces in a chunk, which may begin in the lines kept from the one before."""
        data = self._kept + chunk
        size, counted = len(data), 0
        line_number = self.lines_read - self._kept.count(b"\n") + 1
        hits = Hits(data, len(self._kept))
        begin, end, contiguous, given = 0, 0, self._kept_follow, 0
        if not self.bytes_read:  # a log may begin inside a report
            end = _line_end(data, EDGE_BYTES)
        while given < size:
            if self._open_bytes:
                begin, end = given, _line_end(data, given + min(MOST_FOLLOW_BYTES, max(LEAST_FOLLOW_BYTES, self._open_bytes // FOLLOW_PART)))
            elif not end:
                hit = hits.next(given)
                if hit is None:
                    break
                begin = _lines_back(data, given, data.rfind(b"\n", 0, hit) + 1, self._before)
                end, contiguous = _lines_on(data, hit, self._after), contiguous and begin == given
            line_number, counted = line_number + data.count(b"\n", counted, begin), begin
            yield Piece(data[begin:end], line_number, contiguous)
            self._open_bytes = self._open_bytes + end - begin if self._still_open() else 0
            given, end, contiguous = end, 0, True
        kept = _lines_back(data, given, size, self._before)
        self._kept, self._kept_follow = data[kept:], kept == given and (given > 0 or self._kept_follow)


def _line_end(data: bytes, position: int) -> int:
    """The end of the line in which the byte before ``position`` stands."""
    return data.find(b"\n", position - 1) + 1 or len(data)


def _lines_back(data: bytes, least: int, start: int, number: int) -> int:
    """Where the ``number`` lines begin that are given before the one at ``start``; none of them before ``least``."""
    lowest = max(least, start - BEFORE_BYTES)
    for _line in range(number):
        before = data.rfind(b"\n", lowest, max(lowest, start - 1)) + 1
        if not before:
            return lowest if lowest == least else start
        start = before
    return start


def _lines_on(data: bytes, position: int, number: int) -> int:
    """The end of the line at ``position`` and of the ``number`` lines that are given after it."""
    for _line in range(number + 1):
        position = _line_end(data, position + 1)
        if position >= len(data):
            break
    return position
