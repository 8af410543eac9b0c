# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kills over time: a strip for each host, a bar for each stretch of time."""

from __future__ import annotations

from typing import Any

from . import svg
from .picture import Head, Picture, Row

_HEIGHT = 18


def picture(kills: dict[str, Any] | None) -> Picture | None:
    """The strips under one axis; None where nothing was killed."""
    if kills is None:
        return None
    untimed = f" {kills['untimed']} more are in logs without a clock." if kills["untimed"] else ""
    if not kills["hosts"]:
        return Picture("kills", "Kills over time", f"No log has a clock.{untimed}")
    total = sum(kills["all"])
    rows = [Row(["all hosts", _strip(kills["all"]), str(total), kills["from"], kills["to"]], (("sum", "all"),))]
    rows += [Row([host["host"], _strip(host["bins"]), str(host["kills"]), host["first"], host["last"]]) for host in kills["hosts"]]
    if kills["other_hosts"]:
        rows.append(Row([f"{kills['other_hosts']} other hosts", "", str(kills["other_kills"]), "", ""]))
    said = f"{total} kills from {kills['from']} to {kills['to']} UTC; a bar is {_span(kills['bin_seconds'])}, its height the count (square root).{untimed}"
    head = (Head("host"), Head("when", css="wide"), Head("kills", css="number"), Head("first (UTC)", css="time"), Head("last (UTC)", css="time"))
    return Picture("kills", "Kills over time", said, head, tuple(rows))


def _strip(bins: list[int]):
    most = max(bins) ** 0.5 or 1
    width = 1 / len(bins)
    shapes = [svg.block(0, 1, "c-back", _HEIGHT - 1, 1)]
    for place, count in enumerate(bins):
        if count:
            height = max(4.0, _HEIGHT * count**0.5 / most)
            shapes.append(svg.block(place * width, width * 0.85, "c-kill", _HEIGHT - height, height))
    return svg.picture(shapes, _HEIGHT)


def _span(seconds: int) -> str:
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds} s"
