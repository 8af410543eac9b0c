# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why an allocation failed, as the kernel decides it.

The kernel looks at the zones that a request may use, one after the other, and
takes the first in which enough stays free after it (``__zone_watermark_ok``,
mm/page_alloc.c): more than the min watermark and what the zone keeps back from
requests that could use a higher one (lowmem_reserve); a request for more than
one page also needs a free block of that size on a list that it may take from.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ..events.gfp import ZONES, Request, in_words
from ..events.model import MemInfo, Zone
from .wording import size

#: Lists of free blocks that any request may take from in the end (U, M, E; R before 4.4).
_ANYBODYS = frozenset("UMER")
ZONES_TOLD = 4


@dataclasses.dataclass(frozen=True)
class ZoneVerdict:
    """What one zone could give.

    usable_bytes: free, less what this request may not touch (CMA areas, blocks
        kept for atomic requests). must_stay_bytes: the min watermark and the
        reserve together, as they hold for this request.
    blocks: how many free blocks of at least the size asked for it could take;
        None where the report has no list of them.
    verdict: "not_allowed" (the request may not use this zone or node),
        "below_min", "no_block" (enough free, in pieces that are too small),
        "enough", or "unknown".
    """

    node: int
    zone: str
    free_bytes: int
    usable_bytes: int
    min_bytes: int
    reserve_bytes: int | None
    must_stay_bytes: int
    blocks: int | None
    verdict: str


@dataclasses.dataclass(frozen=True)
class Allocation:
    """A request against the zones that it could use.

    verdict: "below_min" (no zone had enough), "no_block" (enough was free, but not
    in one piece), "enough" (a zone would have been enough when the report was
    printed), "limit" (a cgroup's limit refused it, zones do not matter), or
    "unknown". whole: all zones of the host are known, so that "no zone" is proven;
    nearly_whole: as far as kernels before 3.15 let one know.
    """

    order: int | None
    size_bytes: int | None
    request: Request | None
    zones: tuple[ZoneVerdict, ...]
    verdict: str
    whole: bool
    nearly_whole: bool = False

    def allowed(self) -> list[ZoneVerdict]:
        """The zones that it could use."""
        return [zone for zone in self.zones if zone.verdict != "not_allowed"]

    def forbidden(self) -> list[ZoneVerdict]:
        """The zones that it could not."""
        return [zone for zone in self.zones if zone.verdict == "not_allowed"]


def against_limit(order: int | None, request: Request | None) -> Allocation | None:
    """An allocation that a memory cgroup's limit refused; None where nothing is known of it."""
    return Allocation(order, None, request, (), "limit", False) if request is not None or order is not None else None


def against_zones(order: int, request: Request | None, memory: MemInfo, nodes: frozenset[int] | None, page_bytes: int) -> Allocation | None:
    """An allocation against the host's zones; None where the report has none.

    nodes: those that a cpuset or memory policy leaves it, or None for all.
    """
    if not memory.zones:
        return None
    block = page_bytes << max(order, 0)
    places = _Places(memory.zones)
    zones = tuple(_judge(zone, request, nodes, block, page_bytes, places) for zone in memory.zones)
    nearly = memory.nearly_complete and request is not None and request.old
    return Allocation(order, block, request, zones, _overall(zones), memory.complete, memory.complete or nearly)


class _Places:
    """The place of each zone in lowmem_reserve[]: kernels leave out the kinds that they are not built for."""

    def __init__(self, zones: list[Zone]) -> None:
        self.populated = {zone.zone for zone in zones}
        built = self.populated | {"Normal", "Movable"}
        self.numbers = {name: number for number, name in enumerate(name for name in ZONES if name in built)}
        # Lists of different lengths: one of them is cut off.
        self.trusted = len({len(zone.reserves_bytes) for zone in zones}) == 1

    def reserve(self, zone: Zone, request: Request | None) -> int | None:
        """What the zone keeps from this request because that could use a higher zone."""
        if request is None or not zone.reserves_bytes or not self.trusted:
            return None
        wanted = request.highest_zone
        higher = self.populated & set(ZONES[ZONES.index(wanted) + 1 :])
        if not higher and wanted not in ("DMA", "DMA32"):
            # The reserves grow with each zone that has memory, so the largest is that of the highest.
            return max(zone.reserves_bytes)
        if len(zone.reserves_bytes) == 1:
            return None
        index = self.numbers.get(wanted, len(self.numbers))
        return zone.reserves_bytes[index] if index < len(zone.reserves_bytes) else 0


def _judge(zone: Zone, request: Request | None, nodes: frozenset[int] | None, block: int, page: int, places: _Places) -> ZoneVerdict:
    reserve = places.reserve(zone, request)
    least = zone.min_bytes
    if request is not None and request.reserves:
        least -= least // 2
        if not request.may_sleep:
            least -= least // 4
    usable = zone.free_bytes
    if request is None or not request.movable:
        usable -= zone.free_cma_bytes or 0
    if request is None or not request.reserves:
        usable -= zone.reserved_highatomic_bytes or 0
    blocks = _blocks(zone, request, block)
    must_stay = least + (reserve or 0)
    too_high = request is not None and zone.zone in ZONES and ZONES.index(zone.zone) > ZONES.index(request.highest_zone)
    if too_high or (nodes is not None and zone.node not in nodes):
        verdict = "not_allowed"
    elif usable - block + page <= must_stay:
        verdict = "below_min"
    elif request is None or reserve is None:
        verdict = "unknown"
    elif block == page:
        verdict = "enough"
    elif blocks is None:
        verdict = "unknown"
    elif request.old:
        verdict = "enough" if _enough_in_large_blocks(zone, usable - block + page, least, block) else "no_block"
    else:
        verdict = "enough" if blocks else "no_block"
    return ZoneVerdict(zone.node, zone.zone, zone.free_bytes, max(0, usable), least, reserve, must_stay, blocks, verdict)


def _enough_in_large_blocks(zone: Zone, free: int, least: int, block: int) -> bool:
    """Before 4.4 not one block of the size had to be free, but half of the watermark for each order, in blocks beyond it."""
    for size_bytes, count in zone.free_blocks.items():
        if size_bytes >= block:
            break
        free -= size_bytes * count
        least //= 2
        if free <= least:
            return False
    return True


def _blocks(zone: Zone, request: Request | None, block: int) -> int | None:
    if not zone.blocks_complete:
        return None
    usable = set(_ANYBODYS)
    if request is not None and request.movable:
        usable.add("C")
    if request is not None and request.reserves:
        usable.add("H")
    return sum(
        count
        for size_bytes, count in zone.free_blocks.items()
        if size_bytes >= block and (not zone.block_types or usable & set(zone.block_types.get(size_bytes, "")))
    )


def _overall(zones: tuple[ZoneVerdict, ...]) -> str:
    verdicts = {zone.verdict for zone in zones} - {"not_allowed"}
    for verdict in ("enough", "unknown", "no_block", "below_min"):
        if verdict in verdicts:
            return verdict
    return "unknown"


def told(allocation: Allocation) -> list[str]:
    """The decision in sentences: what was asked for, and what each zone had."""
    texts = []
    if allocation.request is not None:
        amount = f"{size(allocation.size_bytes)} in one piece (order {allocation.order})" if allocation.order else "one page"
        kind = f" ({allocation.request.kind})" if allocation.request.kind else ""
        texts.append(f"It asked for {amount}{kind}: {in_words(allocation.request)}.")
    allowed = allocation.allowed()
    if allowed and allocation.verdict != "unknown":
        texts.append(_LEAD[allocation.verdict] + "; ".join(_zone_told(zone) for zone in allowed[:ZONES_TOLD]) + ".")
    return texts


_LEAD = {
    "below_min": "Each zone that it could use was at the end of what it may give: ",
    "no_block": "Enough was free, but not in one piece: ",
    "enough": "When the report was printed, a zone that it could use had enough again: ",
}


def _zone_told(zone: ZoneVerdict) -> str:
    kept = f" and {size(zone.reserve_bytes)} are kept for requests that can use nothing else" if zone.reserve_bytes else ""
    text = f"{zone.zone} of node {zone.node} had {size(zone.usable_bytes)} free, {size(zone.min_bytes)} must stay free{kept}"
    if zone.verdict == "no_block":
        text += ", and no free block was large enough" if not zone.blocks else ", too little of that in blocks of such a size"
    return text


def as_document(allocation: Allocation) -> dict[str, Any]:
    """The allocation as the diagnosis document holds it."""
    request = allocation.request
    return {
        "order": allocation.order,
        "size_bytes": allocation.size_bytes,
        "kind": request.kind if request else None,
        "words": in_words(request) if request else None,
        "may_sleep": request.may_sleep if request else None,
        "may_do_io": request.may_do_io if request else None,
        "may_enter_fs": request.may_enter_fs if request else None,
        "accounted": request.accounted if request else None,
        "highest_zone": request.highest_zone if request else None,
        "verdict": allocation.verdict,
        "zones": [dict(vars(zone)) for zone in allocation.zones],
    }
