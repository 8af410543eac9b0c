# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kills over time, host by host."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from typing import Any

from .occurrences import KILLS, Occurrence

HOSTS_SHOWN = 20
BINS = 72


def kills(found: Iterable[Occurrence]) -> dict[str, Any] | None:
    """{from, to, bin_seconds, all: [count], hosts: [{host, kills, first, last, bins: [count]}], other_hosts, other_kills, untimed}.

    bins: counts in BINS steps of equal length from ``from`` to ``to``. None where nothing was killed.
    """
    times: dict[str, list[float]] = {}
    untimed = 0
    for each in found:
        if each.kind in KILLS:
            read = [_seconds(time) for time in each.times]
            times.setdefault(each.host, []).extend(read)
            untimed += each.repeats - len(read)
    everything = [time for of_host in times.values() for time in of_host]
    if not everything:
        return (
            {"from": None, "to": None, "bin_seconds": None, "all": [], "hosts": [], "other_hosts": 0, "other_kills": 0, "untimed": untimed} if untimed else None
        )
    start, end = min(everything), max(everything)
    width = max(60.0, (end - start) / BINS)
    ordered = sorted(((host, of_host) for host, of_host in times.items() if of_host), key=lambda item: (-len(item[1]), item[0]))
    return {
        "from": _text(start),
        "to": _text(end),
        "bin_seconds": round(width),
        "all": _bins(everything, start, width),
        "hosts": [
            {"host": host, "kills": len(of_host), "first": _text(min(of_host)), "last": _text(max(of_host)), "bins": _bins(of_host, start, width)}
            for host, of_host in ordered[:HOSTS_SHOWN]
        ],
        "other_hosts": max(0, len(ordered) - HOSTS_SHOWN),
        "other_kills": sum(len(of_host) for _host, of_host in ordered[HOSTS_SHOWN:]),
        "untimed": untimed,
    }


def _bins(times: list[float], start: float, width: float) -> list[int]:
    counted = Counter(min(BINS - 1, int((time - start) / width)) for time in times)
    return [counted[place] for place in range(BINS)]


def _seconds(time: str) -> float:
    read = datetime.datetime.fromisoformat(time)
    return (read if read.tzinfo else read.replace(tzinfo=datetime.UTC)).timestamp()


def _text(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
