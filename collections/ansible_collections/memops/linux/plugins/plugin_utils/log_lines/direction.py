# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which way a log runs: some viewers show the newest line first."""

from __future__ import annotations

import datetime
import functools
import math
import re
from collections.abc import Iterator

from .records import Record

_KILL = re.compile(r"(?:Memory cgroup out of memory|Out of memory): Killed process (\d+) ")
_BEFORE_KILL = re.compile(r"oom-kill:constraint=.*,pid=(\d+),uid=\d+$")


def in_order(records: list[Record]) -> tuple[list[Record], bool]:
    """(the records with each part that runs backwards turned round, whether there was any).

    Several logs may stand in one file, so the direction is that of a run of
    stamps of one kind, not of the file.
    """
    ordered = list(records)
    turned = False
    for begin, end, falls in _falling_runs(records):
        part = records[begin:end]
        if _runs_backwards(part, falls):
            ordered[begin:end] = part[::-1]
            turned = True
    return ordered, turned


def _falling_runs(records: list[Record]) -> Iterator[tuple[int, int, int]]:
    """(first, behind the last, number of falls) of each run in which no stamp rises, from a stamp to a stamp."""
    begin, end, falls, rise = 0, 0, 0, math.inf
    kind, value = "", 0.0
    for number, record in enumerate(records):
        if record.message.moment is None:
            continue
        following, at = record.message.moment[0], _seconds(*record.message.moment)
        if following != kind or at > value:
            yield begin, end, falls
            begin, falls, rise = number, 0, at - value if following == kind else math.inf
        elif at < value:
            if not falls and rise < value - at:  # the highest stamp ends what rose before
                yield begin, end, 0
                begin = number
            falls += 1
        kind, value, end = following, at, number + 1
    yield begin, end, falls


@functools.lru_cache(maxsize=8)
def _seconds(kind: str, stamp: str | float) -> float:
    if isinstance(stamp, float):
        return stamp
    if kind == "time":
        return datetime.datetime.fromisoformat(stamp).timestamp()
    hours, minutes, seconds = stamp.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _runs_backwards(records: list[Record], falls: int) -> bool:
    """By its stamps, and where they say little or a report says otherwise, by the order of a report's parts."""
    killed: set[str] = set()
    chosen: set[str] = set()
    for record in records:
        kill, choice = _KILL.match(record.message.text), _BEFORE_KILL.match(record.message.text)
        if kill is not None:
            if kill[1] in chosen:
                return False
            killed.add(kill[1])
        if choice is not None:
            if choice[1] in killed:
                return True
            chosen.add(choice[1])
    return falls > 1
