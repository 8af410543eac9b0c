# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds where a log of any size may hold an event, and gives only those lines.

Nearly all lines of a large log are about other things, and reading one costs a
hundred times more than searching it for a few words.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .line_chunks import LineChunks

#: At least one stands in each line that begins an event or is one by itself, in any log's format.
NEEDLES = (
    b"oom-kill", b"ut of memory", b"illed process ", b"ill process ", b"oom_reaper: ", b"memory.oom.group", b"is already exiting",
    b"Kernel panic - not", b"Manual OOM exec", b"OOM request ", b"page allocation ", b": vmalloc", b"vmap allocation ", b"allocate memory",
    b"segfault at ", b": unhandled ", b"general protection", b"] trap ", b" for more than ", b"soft lockup", b"fork rejected", b"__vm_enough_memory",
    b"Mem-Info", b"Mem-info", b" total_vm ",
    b"OOM killer", b"code=killed", b"code=dumped", b"'core-dump'", b" due to memory ", b" due to swap ", b"systemd-oomd killed", b"sending SIG",
    b", badness: ", b" to the victim", b"viction manager", b"evicted successfully", b"EvictionThresholdMet", b"low on resource", b"SystemOOM",
    b"ENOMEM", b"bad_alloc", b"MemoryError", b"memory allocation of", b"OOMKilled", b"TaskOOM", b"exit status 137", b"code 137",
)  # fmt: skip
#: A log up to this size is given whole.
SMALL = 4 << 20
#: What is given before a line with a needle, and after it before anybody asks.
BEFORE_BYTES, BEFORE_LINES = 16 << 10, 60
AFTER_LINES = 10
#: How much is given at once while an event is open.
FOLLOW_BYTES = 64 << 10
EDGE_BYTES = 64 << 10


class Piece(NamedTuple):
    """Whole lines; the number of the first, from 1; whether they follow the piece before without a gap."""

    data: bytes
    line_number: int
    contiguous: bool


class Scanner:
    """Iterates over the pieces of one log that are worth reading.

    blocks: the log, in pieces of any size. still_open: asked after each piece,
    whether an event has begun in it that has not ended; then the next lines
    follow. bytes_read, lines_read: of the lines so far, of the whole log at the
    end. whole: the log is given in one piece. head, tail: whole lines from its first and last 64 KiB. dropped_bytes:
    of lines that were too long.
    """

    def __init__(self, blocks: Iterator[bytes], still_open: Callable[[], bool]) -> None:
        self.bytes_read = self.lines_read = 0
        self.whole = False
        self.head = self.tail = b""
        self._chunks = LineChunks(blocks)
        self._still_open = still_open
        self._kept = b""  # the last lines so far, as far as they were not given
        self._all_given = self._follow = False

    @property
    def dropped_bytes(self) -> int:
        return self._chunks.dropped_bytes

    def __iter__(self) -> Iterator[Piece]:
        chunks = iter(self._chunks)
        start: list[bytes] = []
        for chunk in chunks:
            start.append(chunk)
            if sum(map(len, start)) > SMALL:
                break
        else:
            yield from self._whole(b"".join(start))
            return
        while start:
            yield from self._found(start.pop(0))
            if not start:
                start.extend(itertools.islice(chunks, 1))

    def _whole(self, log: bytes) -> Iterator[Piece]:
        self.whole = True
        if log:
            yield Piece(log, 1, False)
        self._count(log)

    def _found(self, chunk: bytes) -> Iterator[Piece]:
        """The pieces in a chunk, which may begin in the lines kept from the one before."""
        data, searched = self._kept + chunk, len(self._kept)
        size, first_line = len(data), self.lines_read - self._kept.count(b"\n") + 1
        hits = _Hits(data)
        given, end, contiguous, follow = 0, 0, self._all_given, self._follow
        if not self.bytes_read:  # a log may begin inside a report
            end = _line_end(data, EDGE_BYTES)
        while True:
            if follow:
                end = _line_end(data, given + FOLLOW_BYTES)
            elif not end:
                hit = hits.next(max(given, searched))
                if hit < 0:
                    break
                begin = _lines_back(data, given, data.rfind(b"\n", 0, hit) + 1)
                end, contiguous = _lines_on(data, hit), contiguous and begin == given
                given = begin
            yield Piece(data[given:end], first_line + data.count(b"\n", 0, given), contiguous)
            given, end, contiguous, follow = end, 0, True, self._still_open()
            if given == size:
                break
        self._follow, self._all_given = follow, given == size
        self._kept = data[_lines_back(data, given, size) :]
        self._count(chunk)

    def _count(self, chunk: bytes) -> None:
        self.bytes_read += len(chunk)
        self.lines_read += chunk.count(b"\n") + (chunk[-1:] not in (b"", b"\n"))
        if not self.head:
            self.head = chunk[: chunk.rfind(b"\n", 0, EDGE_BYTES) + 1 or EDGE_BYTES]
        edge = chunk if len(chunk) >= EDGE_BYTES else self.tail + chunk
        cut = max(0, len(edge) - EDGE_BYTES)
        self.tail = edge[edge.find(b"\n", cut - 1) + 1 if cut else 0 :]


class _Hits:
    """Where needles stand in ``data``; each is searched for once, up to its next place."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._next = dict.fromkeys(NEEDLES, -1)
        self._begun = False

    def next(self, position: int) -> int:
        """The first place from ``position`` on, or -1."""
        for needle, place in list(self._next.items()):
            if place < position:
                place = self._data.find(needle, position)
                if place < 0:
                    del self._next[needle]
                else:
                    self._next[needle] = place
        return min(self._next.values(), default=-1)


def _line_end(data: bytes, position: int) -> int:
    """The end of the line in which the byte before ``position`` stands."""
    return data.find(b"\n", position - 1) + 1 or len(data)


def _lines_back(data: bytes, least: int, start: int) -> int:
    """Where the lines begin that are given before the one at ``start``; none of them before ``least``."""
    lowest = max(least, start - BEFORE_BYTES)
    for _line in range(BEFORE_LINES):
        before = data.rfind(b"\n", lowest, max(lowest, start - 1)) + 1
        if not before:
            return lowest if lowest == least else start
        start = before
    return start


def _lines_on(data: bytes, position: int) -> int:
    """The end of the line at ``position`` and of the lines that are given after it."""
    for _line in range(AFTER_LINES + 1):
        position = _line_end(data, position + 1)
        if position >= len(data):
            break
    return position
