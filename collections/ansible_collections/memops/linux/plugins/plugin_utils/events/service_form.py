# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A form of a user-space line, and the line it is matched against."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .model import Line
from .pattern import Pattern

if TYPE_CHECKING:
    from .services import ServiceReader


_UNIT = (".service", ".scope", ".slice", ".mount", ".socket")
_NO_PROGRAMS = frozenset(("ERROR", "FATAL", "PANIC", "Reason", "reason", "Message", "message", "runtime", "zsh", "PID", "Name"))


class ServiceRecord:
    """One line. process: the program that wrote it, "" if unknown; unit: where that runs.

    What stands before a colon looks like a program, also where a line has no prefix.
    """

    def __init__(self, record: Mapping[str, Any], text: str) -> None:
        self.text = text
        self.process: str = record.get("process") or ""
        if self.process in _NO_PROGRAMS or self.process.endswith(_UNIT):
            self.text, self.process = f"{self.process}: {text}", ""
        self.unit: str | None = record.get("unit")
        where = record.get("where") or self.unit or self.process
        self.line = Line(self.text, record.get("time"), str(where))


class ServiceForm(NamedTuple):
    """One kind of line.

    key: a word that every such line holds.
    pattern: searched for; begins with ^ where the line must.
    take: puts the line into the reader; False if it is none of this form after all.
    """

    key: str
    pattern: Pattern
    take: Callable[[ServiceReader, ServiceRecord, re.Match[str]], bool | None]
