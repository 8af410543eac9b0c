# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is measured before and after, and when a difference is one.

Kills are few, so they are judged as what they are, rare events: with the two
counts given and equal rates, each kill falls into the second window with the
probability of its share of the time. A split as uneven as the one found, which
chance brings about in at most 5 of 100 cases, is a difference; otherwise nobody
can tell yet (conditional test of two Poisson rates; Przyborowski and Wilenski,
Biometrika 31, 1940).

Rates and shares of time need ten minutes on both sides, and count as different
from a fifth on; below a floor that nobody would feel they are the same.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .windows import Windows

LEAST_SECONDS = 600
DIFFERENCE = 0.2
CHANCE = 0.05


class Measure(NamedTuple):
    """Something of which less is better. per_seconds: the rate's unit of time; counters: of /proc/vmstat, summed; floor: in its unit."""

    name: str
    unit: str
    counters: tuple[str, ...]
    floor: float


KILLS = Measure("oom_kills", "per hour", ("oom_kill",), 0)
RATES = (
    Measure("direct_reclaim_stalls", "per second", ("allocstall",), 0.01),
    Measure("pages_scanned", "per second", ("pgscan_direct", "pgscan_kswapd"), 10),
    Measure("pages_reclaimed", "per second", ("pgsteal_direct", "pgsteal_kswapd"), 10),
    Measure("swapped_in", "pages per second", ("pswpin",), 1),
    Measure("swapped_out", "pages per second", ("pswpout",), 1),
    Measure("major_faults", "per second", ("pgmajfault",), 1),
    Measure("refaults", "pages per second", ("workingset_refault_anon", "workingset_refault_file"), 10),
)
STALLS = (Measure("memory_stall_some", "percent of the time", (), 0.1), Measure("memory_stall_full", "percent of the time", (), 0.1))


def measured(before: dict[str, Any], after: dict[str, Any], spans: Windows) -> list[dict[str, Any]]:
    """[{measure, unit, before, after, verdict, why}] of all measures: better, worse, same or cannot_tell.

    before, after: documents of evidence. Numbers are null where the evidence lacks them.
    """
    rows = [_kills(_count(before, KILLS), _count(after, KILLS), spans)]
    for measure in STALLS:
        kind = measure.name.rsplit("_", 1)[-1]
        first, second = _stall(before, kind), _stall(after, kind)
        rows.append(_rate(measure, first, second, spans, 100, "the kernel does not count stalls on memory (no PSI)"))
    for measure in RATES:
        rows.append(_rate(measure, _count(before, measure), _count(after, measure), spans, 1, "/proc/vmstat was not read, or this kernel does not count it"))
    return rows


def _count(evidence: dict[str, Any], measure: Measure) -> int | None:
    events = ((evidence.get("memory") or {}).get("vmstat") or {}).get("events") or {}
    found = [events[name] for name in measure.counters if name in events]
    return sum(found) if found else None


def _stall(evidence: dict[str, Any], kind: str) -> float | None:
    return (((evidence.get("pressure") or {}).get("memory") or {}).get(kind) or {}).get("total_seconds")


def _since(first: float, second: float, spans: Windows) -> float:
    return second if spans.rebooted else max(0, second - first)


def _row(measure: Measure, before: float | None, after: float | None, verdict: str, why: str) -> dict[str, Any]:
    return {"measure": measure.name, "unit": measure.unit, "before": _rounded(before), "after": _rounded(after), "verdict": verdict, "why": why}


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)


def _kills(first: int | None, second: int | None, spans: Windows) -> dict[str, Any]:
    if first is None or second is None:
        return _row(KILLS, None, None, "cannot_tell", "the kernel does not count OOM kills (before 4.13), or /proc/vmstat was not read")
    later = int(_since(first, second, spans))
    hours = spans.before_seconds / 3600, spans.after_seconds / 3600
    rates = first / hours[0], later / hours[1]
    told = f"{first} in {_hours(hours[0])}, then {later} in {_hours(hours[1])}"
    if first + later == 0:
        return _row(KILLS, 0, 0, "same", told)
    share = spans.after_seconds / (spans.before_seconds + spans.after_seconds)
    fewer = rates[1] < rates[0]
    chance = _at_most(later, first + later, share) if fewer else 1 - _at_most(later - 1, first + later, share)
    if chance <= CHANCE:
        return _row(KILLS, *rates, "better" if fewer else "worse", told)
    expected = rates[0] * hours[1]
    return _row(KILLS, *rates, "cannot_tell", f"{told}: at the former rate {expected:.1f} would be expected in that time, too few to tell from chance")


def _rate(measure: Measure, first: float | None, second: float | None, spans: Windows, factor: float, lacking: str) -> dict[str, Any]:
    if first is None or second is None:
        return _row(measure, None, None, "cannot_tell", lacking)
    before = factor * first / spans.before_seconds
    after = factor * _since(first, second, spans) / spans.after_seconds
    short = min(spans.before_seconds, spans.after_seconds)
    if short < LEAST_SECONDS:
        side = "before" if spans.before_seconds == short else "after"
        return _row(measure, before, after, "cannot_tell", f"the time {side} is {short:.0f} s, and {LEAST_SECONDS} s are needed")
    if max(before, after) < measure.floor:
        return _row(measure, before, after, "same", f"below {measure.floor:g} {measure.unit} on both sides")
    change = (after - before) / max(before, measure.floor)
    told = f"{change:+.0%}" if before >= measure.floor else f"from below {measure.floor:g}"
    return _row(measure, before, after, "same" if abs(change) < DIFFERENCE else "better" if change < 0 else "worse", told)


def _at_most(number: int, of: int, share: float) -> float:
    """The probability that at most ``number`` of ``of`` fall into a part of that share."""
    terms = (
        math.exp(math.lgamma(of + 1) - math.lgamma(one + 1) - math.lgamma(of - one + 1) + one * math.log(share) + (of - one) * math.log1p(-share))
        for one in range(number + 1)
    )
    return min(1.0, math.fsum(terms))


def _hours(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{hours * 60:.0f} min" if hours >= 1 / 60 else f"{hours * 3600:.0f} s"
