# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes into the reading of a log, and what comes out.

    path ──log_places──▶ LogFile ──log_lines──▶ LogReading ──saved_logs──▶ diagnosis

A log is read in blocks of bytes, so it may be larger than memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from ..events.model import Event, ServiceEvent


class DamagedLog(Exception):
    """A log ends before its end, with the reason; what was read before it counts."""


@dataclasses.dataclass(frozen=True)
class LogFile:
    """One log, wherever it lies.

    name: as it is shown with each quote ("messages.1", "var/log/messages").
    blocks: opens it and gives its unpacked bytes, some 1 MiB at a time; raises
        OSError, or DamagedLog after the last byte that could be had.
    modified_at: seconds since the epoch; the newest moment that a stamp without
        a year can mean. None if unknown.
    path: of a plain file on this disk, which may be read in any order; else None.
    """

    name: str
    blocks: Callable[[], Iterator[bytes]]
    modified_at: float | None = None
    path: str | None = None


@dataclasses.dataclass
class LogReading:
    """What one log says.

    events, services: in the order of the log. first_at, last_at: ISO 8601 of the
    first and last line that has a time. bytes_read, lines_read: how much was
    searched. stamped_lines: of the lines looked at closely, how many carry a
    log's prefix or are a kernel's words: 0 means that this is no log.
    notes: what the reader of the report should know (no year in the stamps, damage).
    """

    events: list[Event] = dataclasses.field(default_factory=list)
    services: list[ServiceEvent] = dataclasses.field(default_factory=list)
    first_at: str | None = None
    last_at: str | None = None
    bytes_read: int = 0
    lines_read: int = 0
    stamped_lines: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)
