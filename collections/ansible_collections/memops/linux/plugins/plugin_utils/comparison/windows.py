# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two stretches of time that two pieces of evidence tell of.

Counters count since boot. Before is from that boot to the first evidence. After
is from there to the second evidence, or, where the host was rebooted between
the two, from the second boot on.
"""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

SAME_BOOT_SECONDS = 60


class CannotCompare(ValueError):
    """There are no two stretches of time; the text says why."""


class Windows(NamedTuple):
    """Lengths in seconds. rebooted: the counters of the second evidence began anew."""

    before_seconds: float
    after_seconds: float
    rebooted: bool


def windows(before: dict[str, Any], after: dict[str, Any]) -> Windows:
    """The windows of two documents of evidence. Raises CannotCompare."""
    first, second = before.get("uptime_seconds"), after.get("uptime_seconds")
    if not first or not second:
        raise CannotCompare("evidence does not say how long the host was up")
    if _at(after["collected_at"]) <= _at(before["collected_at"]):
        raise CannotCompare(f"the second evidence ({after['collected_at']}) is not newer than the first ({before['collected_at']})")
    if _same_boot(before, after) and second > first:
        return Windows(first, second - first, False)
    return Windows(first, second, True)


def _same_boot(before: dict[str, Any], after: dict[str, Any]) -> bool:
    if before.get("boot_id") and after.get("boot_id"):
        return before["boot_id"] == after["boot_id"]
    if not before.get("booted_at") or not after.get("booted_at"):
        return False
    return abs((_at(after["booted_at"]) - _at(before["booted_at"])).total_seconds()) < SAME_BOOT_SECONDS


def _at(stamp: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(stamp)
