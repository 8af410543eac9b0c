# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pieces of a log in, messages out: whatever form it has, and however its lines were broken or run together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from . import journal_forms, quoted_printable, unwrapping
from .prefix import KERNEL, Message, cleaned, message
from .scanning import Piece
from .stamps import Clock

#: Far more than the kernel prints on one line.
LONGEST = 16384

#: The next line's stamp within a line: its newline was lost.
_GLUED = re.compile(
    r"(?<=[^\s\[])(?=\[ *\d{1,9}\.\d{6}\] |\[[^\[\]]{0,24}\d\d:\d\d:\d\d \d{4}\] |"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d \S{1,64} kernel: )"
)
_GLUED_TAG = re.compile(r"(?<=\S) (?=kernel: \S)")
#: The same where no stamp follows: the kernel's own words on a kill.
_GLUED_KILL = re.compile(r"(?<=[\w).])(?=(?:Memory cgroup out of memory|Out of memory): [Kk]ill(?:ed)? process \d|Killed process \d{1,10} \()")
#: A mail's or a page's title quotes a log; it is no line of it.
_HEADLINES = ("Subject: ", "Re: ", "RE: ", "Fwd: ", "Title: ", "title: ")
_REPEATED = re.compile(r"message repeated \d+ times: \[ ?(.*)\]$")


class Record(NamedTuple):
    """A message and the number of its (first) line."""

    number: int
    message: Message


class Records:
    """The state between two lines of one log."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._export: bool | None = None
        self._verbose: dict[str, str] | None = None
        self._verbose_number = 0
        self._stamped: Message | None = None  # the last line with a stamp
        self._pending: list[Record] = []  # the last record, which may go on
        self._pieces = 0
        self._width = 0  # of a terminal that broke lines, when one was seen

    @property
    def unfinished(self) -> bool:
        """Whether the last line may go on in the next."""
        return bool(self._pending) and unwrapping.unfinished(self._pending[0].message.text)

    def of_piece(self, piece: Piece) -> Iterator[Record]:
        """The records that are complete by this piece's end."""
        if not piece.contiguous:
            yield from self.finish()
            self._stamped = None
        if self._export is None:
            self._export = journal_forms.is_export(piece.data)
        if self._export:
            for number, fields in journal_forms.export_entries(piece.data, piece.line_number):
                found = journal_forms.of_fields(fields, self._clock)
                if found is not None:
                    yield Record(number, found)
            return
        text = piece.data.decode("utf-8", "replace")
        for number, line in quoted_printable.decoded(text.split("\n"), piece.line_number, text):
            if len(line) > LONGEST:
                line = line[:LONGEST]
            glued = not line.startswith("{") and ("[" in line or " kernel: " in line)
            for part in _parts(line) if glued else (line,):
                yield from self._line(number, part)

    def finish(self) -> Iterator[Record]:
        """The log, or this part of it, is over."""
        if self._verbose is not None:
            yield from self._end_of_verbose()
        yield from self._pending
        self._pending = []

    def _line(self, number: int, raw: str) -> Iterator[Record]:
        line = cleaned(raw)
        if line.startswith("{") or (line.startswith("\x1e{") and line[1:]):
            found = journal_forms.of_json(line, self._clock)
            if found is not None:
                yield from self._next(Record(number, found))
                return
        if self._verbose is not None or journal_forms.is_verbose(line):
            if journal_forms.is_verbose(line):
                yield from self._end_of_verbose()
                self._verbose, self._verbose_number = {"": line}, number
                return
            field = journal_forms.verbose_field(line)
            if field is not None:
                self._verbose[field[0]] = field[1]
                return
            yield from self._end_of_verbose()
        found = message(line, self._clock)
        if found.program == "" and self._stamped is not None and not found.stamped:
            found = found._replace(program=None)
        if found.text.startswith(_HEADLINES) and not found.stamped:
            found = found._replace(text="")
        if found.program in (None, KERNEL) and found.text.count("ill") > 1:
            found, *more = (found._replace(text=text) for text in _GLUED_KILL.split(found.text))
            if more:
                yield from self._next(Record(number, found))
                for part in more[:-1]:
                    yield from self._next(Record(number, part))
                found = more[-1]
        repeated = _REPEATED.match(found.text)
        if repeated is not None:
            found = found._replace(text=repeated[1])
        if found.stamped:
            self._stamped = found
            yield from self._next(Record(number, found))
        else:
            yield from self._without_stamp(number, line, found)

    def _without_stamp(self, number: int, line: str, found: Message) -> Iterator[Record]:
        """The rest of a broken line, a further line of one message, or a line of a log without stamps."""
        if self._pending:
            before = self._pending[0]
            text = before.message.text
            if (not text and before.message.stamped and found.text) or unwrapping.continues(text, found.text):
                self._pieces += 1
                if not unwrapping.too_many(self._pieces):
                    self._pending = [Record(before.number, before.message._replace(text=unwrapping.joined(text, found.text).strip()))]
                    return
        above = self._stamped
        if above is not None and found.text:
            if above.program == KERNEL or above.of_ring_buffer or above.program is None:
                found = above._replace(text=found.text, program=None, of_ring_buffer=True, moment=None, stamped=False)
            elif line.startswith("  "):
                found = above._replace(text=found.text, moment=None, stamped=False)
        yield from self._next(Record(number, found))

    def _next(self, record: Record) -> Iterator[Record]:
        yield from self._pending
        self._pending = [record]
        self._pieces = 0

    def _end_of_verbose(self) -> Iterator[Record]:
        entry, self._verbose = self._verbose, None
        if entry:
            found = journal_forms.of_fields({**entry, "time": entry.get("", "")}, self._clock)
            if found is not None:
                yield from self._next(Record(self._verbose_number, found))


def _parts(line: str) -> Iterator[str]:
    for part in _GLUED.split(line):
        if part.startswith("kernel: "):
            yield from _GLUED_TAG.split(part)
        else:
            yield part
