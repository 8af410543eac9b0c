# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Times as the documents hold them: ISO 8601 text in UTC."""

from __future__ import annotations

import datetime


def seconds_between(one: str | None, other: str | None) -> float | None:
    """The distance of two times in seconds, or None if one is unknown or no time."""
    first, second = _parsed(one), _parsed(other)
    if first is None or second is None:
        return None
    return abs((first - second).total_seconds())


def within(one: str | None, other: str | None, seconds: float) -> bool:
    """Whether both times are known and no further apart than this."""
    distance = seconds_between(one, other)
    return distance is not None and distance <= seconds


def earlier(one: str | None, other: str | None) -> bool:
    """Whether the first time is known to be before the second."""
    first, second = _parsed(one), _parsed(other)
    return first is not None and second is not None and first < second


def _parsed(text: str | None) -> datetime.datetime | None:
    if not text:
        return None
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
