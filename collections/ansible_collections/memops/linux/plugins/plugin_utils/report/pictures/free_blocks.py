# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Free blocks by size: whether what was free lay in pieces large enough."""

from __future__ import annotations

from typing import Any

from ...diagnosis.wording import size
from ..view.figure import Figure, quote_of
from . import svg
from .picture import Head, Picture, Row

TITLE = "Free blocks by size"
_HEIGHT = 36


def picture(incident: dict[str, Any]) -> Picture | None:
    """A column for each size and a row for each zone; None where zones do not matter."""
    if incident["kind"] == "memcg_oom":
        return None
    zones = incident.get("zones") or []
    listed = [zone for zone in zones if zone["blocks"]]
    if not listed:
        return Picture("blocks", TITLE, "The log does not show free blocks by order.")
    sizes = sorted({block["size_bytes"] for zone in listed for block in zone["blocks"]})
    wanted = (incident["allocation"] or {}).get("size_bytes") or 0
    order = (incident["allocation"] or {}).get("order") or 0
    head = [Head("zone", "zone")] + [Head(size(each), "order" if each == sizes[0] else None, css="column") for each in sizes]
    said = "Counts of free blocks; a column's height is the share of the zone's free memory that lies in blocks of this size."
    if order > 0:
        said += f" The request needed one of {size(wanted)} (order {order}) or larger."
    silent = [f"{zone['zone']} of node {zone['node']}" for zone in zones if not zone["blocks"]]
    note = f"The log does not show free blocks by order for {', '.join(silent)}." if silent else ""
    return Picture("blocks", TITLE, said, tuple(head), tuple(_row(incident, zone, sizes, wanted if order > 0 else 0) for zone in listed), note=note)


def _row(incident: dict[str, Any], zone: dict[str, Any], sizes: list[int], wanted: int) -> Row:
    counts = {block["size_bytes"]: block["count"] for block in zone["blocks"]}
    free = sum(each * count for each, count in counts.items()) or 1
    quote = quote_of(incident, f"blocks.{zone['node']}.{zone['zone']}")
    cells = []
    for each in sizes:
        count = counts.get(each)
        height = 0 if not count else max(2.0, _HEIGHT * each * count / free)
        enough = "c-level" if each >= wanted else "c-level-soft"
        drawing = svg.picture([svg.block(0.1, 0.8, enough, _HEIGHT - height, height)], _HEIGHT)
        cells.append((drawing, None if count is None else Figure(str(count), quote)))
    return Row([f"{zone['zone']}, node {zone['node']}", *cells])
