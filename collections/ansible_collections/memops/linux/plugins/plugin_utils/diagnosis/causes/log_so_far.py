# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What other incidents of the same log tell: a rule looks back a little, never at the whole log."""

from __future__ import annotations

from collections.abc import Iterator

from ...events.model import Line
from ..case import Case
from ..times import seconds_between

#: A log may hold ten thousand reports, and each is judged.
LOOK_BACK = 12


def before(case: Case) -> Iterator[Case]:
    """The incidents before this one in its log, the nearest first."""
    for place in range(case.place - 1, max(-1, case.place - 1 - LOOK_BACK), -1):
        yield case.log[place]


def around(case: Case, seconds: float) -> Iterator[Case]:
    """The incidents of the log that are known to lie within so many seconds of this one."""
    for place in range(max(0, case.place - LOOK_BACK), min(len(case.log), case.place + LOOK_BACK + 1)):
        distance = apart(case, case.log[place]) if place != case.place else None
        if distance is not None and distance <= seconds:
            yield case.log[place]


def apart(one: Case, other: Case) -> float | None:
    """Seconds between two incidents, by clock or by uptime; None where neither is known."""
    by_clock = seconds_between(one.time, other.time)
    if by_clock is not None:
        return by_clock
    first, second = uptime(one), uptime(other)
    return abs(first - second) if first is not None and second is not None else None


def uptime(case: Case) -> float | None:
    """Seconds since boot of the incident's first line."""
    return next((line.uptime_seconds for line in (case.event.lines[:3] if case.event else ()) if line.uptime_seconds is not None), None)


def host_swap_in_log(case: Case) -> tuple[int | None, Line | None]:
    """The host's swap by the last report of this log that shows it, and the line."""
    for other in before(case):
        total = other.memory.totals.get("swap_total_bytes") if other.memory else None
        if total is not None:
            return total, next(iter(other.quoted("swap_total")), None)
    return None, None
