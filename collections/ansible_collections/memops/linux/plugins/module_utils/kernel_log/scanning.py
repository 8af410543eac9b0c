# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds memory events in a log of any size, a chunk of bytes at a time.

Almost no chunk holds an event, so a chunk is first searched for a few rare
words; lines are cut and parsed only where one was found, and from there on
until the event is over.
"""

from . import phrases
from .excerpts import Selector

CHUNK_BYTES = 1 << 20
LINE_BYTES = 16384
#: Lines before a report's header that can belong to it ("callbacks suppressed").
LINES_BEFORE = 2
#: With fewer kernel lines than this in a chunk it is cheaper to cut them out first.
FEW_KERNEL_LINES = 1500


class Scanner:
    """Takes the chunks of one log; counts what it saw.

    parse: ``line bytes -> (seconds or None, text)``, or None for a foreign line.
    stamp: ``line bytes -> seconds or None`` for any line, foreign ones too.
    tag: bytes that stand in each line worth parsing, or b"" for all lines.
    """

    def __init__(self, parse, stamp, tag=b""):
        self.bytes_read = self.lines_read = 0
        self.first_at = self.last_at = None
        self._parse, self._stamp, self._tag = parse, stamp, tag
        self._selector = Selector()
        self._begun = False

    def feed(self, chunk, where=None):
        """Take whole lines (bytes, newlines within); return finished excerpts."""
        self.bytes_read += len(chunk)
        self.lines_read += chunk.count(b"\n")
        self._note_times(chunk)
        excerpts = []
        if self._tag:
            chunk = _tagged_lines(chunk, self._tag)
        position = 0
        if self._selector.open:
            position = self._follow(chunk, 0, where, excerpts)
        starts = [start for start in _line_starts(chunk) if start >= position and self._role_at(chunk, start)]
        if starts and not self._begun:
            starts[0] = 0  # the log may begin inside a report
        for start in starts:
            if start < position:
                continue
            if start:
                start = max(position, _lines_back(chunk, start))
            position = self._follow(chunk, start, where, excerpts)
        self._begun = True
        return excerpts

    def finish(self):
        """The log ended: return what is left."""
        return self._selector.finish()

    def _follow(self, chunk, position, where, excerpts):
        """Parse lines until no event is open and the line that was found is behind; where that was."""
        least = LINES_BEFORE + 1
        if not self._begun and position == 0:
            least = chunk.count(b"\n")
        while position < len(chunk) and (least > 0 or self._selector.open):
            record = self._parse(_line(chunk, position))
            if record:
                excerpts += self._selector.feed(record[0], record[1], where)
            position = (chunk.find(b"\n", position) + 1) or len(chunk)
            least -= 1
        return position

    def _role_at(self, chunk, start):
        record = self._parse(_line(chunk, start))
        return record and phrases.role(record[1])

    def _note_times(self, chunk):
        if self.first_at is None:
            self.first_at = first_time(chunk[:4096].split(b"\n", 8)[:8], self._stamp)
        last = first_time(chunk[-4096:].rsplit(b"\n", 8)[::-1], self._stamp)
        self.last_at = self.last_at if last is None else last


def first_time(lines, stamp):
    """The time of the first line that has one."""
    for line in lines:
        time = stamp(line)
        if time is not None:
            return time
    return None


def chunks_of_lines(blocks):
    """Blocks of bytes as chunks that end with a line; a line too long for memory is cut out."""
    rest = b""
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            rest = (rest + block)[:CHUNK_BYTES]
    if rest:
        yield rest


def _tagged_lines(chunk, tag):
    if chunk.count(tag) > FEW_KERNEL_LINES:
        return chunk
    lines = []
    position = chunk.find(tag)
    while position >= 0:
        end = chunk.find(b"\n", position) + 1 or len(chunk)
        lines.append(chunk[chunk.rfind(b"\n", 0, position) + 1:end])
        position = chunk.find(tag, end)
    return b"".join(lines)


def _line_starts(chunk):
    """Where lines begin that hold one of the needles, in order."""
    starts = set()
    for needle in phrases.NEEDLES:
        position = chunk.find(needle)
        while position >= 0:
            starts.add(chunk.rfind(b"\n", 0, position) + 1)
            end = chunk.find(b"\n", position)
            position = chunk.find(needle, end) if end >= 0 else -1
    return sorted(starts)


def _line(chunk, start):
    end = chunk.find(b"\n", start)
    return chunk[start:min(len(chunk) if end < 0 else end, start + LINE_BYTES)]


def _lines_back(chunk, start):
    for _line in range(LINES_BEFORE):
        start = chunk.rfind(b"\n", 0, max(0, start - 1)) + 1
    return start
