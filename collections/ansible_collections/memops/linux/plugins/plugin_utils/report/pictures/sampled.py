# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pressure and reclaim as they were when the evidence was collected."""

from __future__ import annotations

from typing import Any

from ..view.figure import Figure
from . import svg
from .picture import Head, Picture, Row

#: Rates that tell of reclaim, in the order in which to read them, each with its meaning.
RATES = {
    "allocstall": "allocations that had to reclaim themselves",
    "pgscan_direct": "pages looked at by allocations themselves",
    "pgsteal_direct": "pages freed by allocations themselves",
    "pgscan_kswapd": "pages looked at by kswapd",
    "pgsteal_kswapd": "pages freed by kswapd",
    "pswpin": "pages read from swap",
    "pswpout": "pages written to swap",
    "workingset_refault_anon": "anonymous pages needed again soon after reclaim",
    "workingset_refault_file": "file pages needed again soon after reclaim",
    "pgmajfault": "faults that had to read from disk",
}


def pressure(evidence: dict[str, Any], facts: list[dict[str, Any]]) -> Picture:
    """Pressure stall information by resource."""
    title = "Pressure when it was examined"
    rows = []
    for resource in ("memory", "io", "cpu"):
        for share in ("some", "full"):
            line = ((evidence.get("pressure") or {}).get(resource) or {}).get(share)
            if line is not None:
                means = ("avg10", "avg60", "avg300")
                quote = _fact(f"pressure.{resource}.{share}: {' '.join(f'{name}={line[name]}' for name in means)}", facts)
                figures = [Figure(f"{line[name]:g} %", quote) for name in means]
                drawing = svg.picture([svg.block(0, 1, "c-back"), svg.block(0, line["avg60"] / 100, "c-level")])
                rows.append(Row([f"{resource}, {share}", drawing, *figures]))
    if not rows:
        return Picture("pressure", title, "The evidence holds no pressure stall information.")
    head = (Head("resource", "psi"), Head("last 60 s", css="wide"), Head("10 s", css="number"), Head("60 s", css="number"), Head("300 s", css="number"))
    return Picture("pressure", title, "Share of the time in which some, or all, tasks stood still for want of it.", head, tuple(rows))


def reclaim(evidence: dict[str, Any], facts: list[dict[str, Any]]) -> Picture:
    """Rates of the kernel's reclaim counters, those that are not zero."""
    title = "Reclaim when it was examined"
    sampled = (evidence.get("memory") or {}).get("vmstat") or {}
    rates = sampled.get("rates_per_second") or {}
    known = {name: rates[name] for name in RATES if name in rates}
    if not known:
        return Picture("reclaim", title, "The evidence holds no rates of reclaim.")
    moving = {name: rate for name, rate in known.items() if rate}
    seconds = f"{sampled.get('interval_seconds', 0):.1f} s"
    if not moving:
        return Picture("reclaim", title, f"Nothing was reclaimed, and nothing went to or came from swap, in the {seconds} of sampling.")
    rows = tuple(
        Row([text, name, Figure(f"{moving[name]:g} /s", _fact(f"memory.vmstat.rates_per_second.{name} {moving[name]}", facts))])
        for name, text in RATES.items()
        if name in moving
    )
    return Picture(
        "reclaim", title, f"Over {seconds}; counters that stood still are left out.", (Head("what"), Head("counter"), Head("rate", css="number")), rows
    )


def _fact(text: str, facts: list[dict[str, Any]]) -> int:
    fact = {"text": text, "where": "evidence.json", "time": None}
    if fact not in facts:
        facts.append(fact)
    return facts.index(fact)
