# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Regular expressions that cost nothing until a line asks for them."""

from __future__ import annotations

import re


class Pattern:
    """A regular expression, compiled once, at its first use.

    Compiling all forms takes longer than reading a report, and a log holds few
    of them. No pattern may backtrack beyond linear time, since anybody can
    write into a log.
    """

    __slots__ = ("_source", "match", "search")

    def __init__(self, source: str) -> None:
        self._source = source
        self.match = self._first_match
        self.search = self._first_search

    def _first_match(self, text: str) -> re.Match[str] | None:
        self._compile()
        return self.match(text)

    def _first_search(self, text: str) -> re.Match[str] | None:
        self._compile()
        return self.search(text)

    def _compile(self) -> None:
        compiled = re.compile(self._source)
        self.match, self.search = compiled.match, compiled.search
