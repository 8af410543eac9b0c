# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which way a log runs: some viewers show the newest line first."""

from __future__ import annotations

import re

from .records import Record

_KILL = re.compile(r"(?:Memory cgroup out of memory|Out of memory): Killed process (\d+) ")
_BEFORE_KILL = re.compile(r"oom-kill:constraint=.*,pid=(\d+),uid=\d+$")


def newest_first(records: list[Record]) -> bool:
    """Whether the log runs backwards, by its stamps, and where they say little by a report's parts."""
    up = down = 0
    last = None
    for record in records:
        moment = record.message.moment
        if moment is None or type(moment) is not type(last):
            last = moment if moment is not None else last
            continue
        up += moment > last
        down += moment < last
        last = moment
    if not down or down <= 5 * up:
        return False
    return down >= 2 or _kill_stands_first(records)


def in_order(records: list[Record]) -> list[Record]:
    """The records, the oldest first."""
    return records[::-1] if newest_first(records) else records


def _kill_stands_first(records: list[Record]) -> bool:
    killed: set[str] = set()
    for record in records:
        kill = _KILL.match(record.message.text)
        if kill is not None:
            killed.add(kill[1])
        chosen = _BEFORE_KILL.match(record.message.text)
        if chosen is not None:
            return chosen[1] in killed
    return False
