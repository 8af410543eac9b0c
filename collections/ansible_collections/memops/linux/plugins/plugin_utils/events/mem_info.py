# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mem-Info: the host's memory as OOM reports and allocation failures print it.

``__show_mem`` and ``show_free_areas``, mm/show_mem.c (mm/page_alloc.c before
6.4): totals in pages, nodes and zones in kB, free blocks by size, huge pages,
swap; then, in OOM reports, ``dump_unreclaimable_slab``, mm/slab_common.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .model import Line, MemInfo, Zone
from .pattern import Pattern

_TOTALS = {
    "active_anon": "active_anon_bytes",
    "inactive_anon": "inactive_anon_bytes",
    "isolated_anon": "isolated_anon_bytes",
    "active_file": "active_file_bytes",
    "inactive_file": "inactive_file_bytes",
    "isolated_file": "isolated_file_bytes",
    "unevictable": "unevictable_bytes",
    "dirty": "dirty_bytes",
    "writeback": "writeback_bytes",
    "slab_reclaimable": "slab_reclaimable_bytes",
    "slab_unreclaimable": "slab_unreclaimable_bytes",
    "mapped": "mapped_bytes",
    "shmem": "shmem_bytes",
    "pagetables": "page_tables_bytes",
    "bounce": "bounce_bytes",
    "kernel_misc_reclaimable": "kernel_misc_reclaimable_bytes",
    "free": "free_bytes",
    "free_pcp": "free_pcp_bytes",
    "free_cma": "free_cma_bytes",
}
#: Where the kernels break the totals' lines. Another figure that ends a line may have lost its last digits.
_ENDS = frozenset(
    ("isolated_anon", "isolated_file", "writeback", "unstable", "slab_unreclaimable", "pagetables", "sec_pagetables", "bounce")
    + ("kernel_misc_reclaimable", "free_pcp", "free_cma")
)
_ROLES = {"active_anon": "mem_info", "slab_unreclaimable": "slab_unreclaimable", "shmem": "shmem"}
_PAGES = {
    "total pagecache pages": "page_cache_bytes",
    "pages in swap cache": "swap_cache_bytes",
    "pages RAM": "ram_bytes",
    "pages of RAM": "ram_bytes",
    "pages HighMem/MovableOnly": "high_mem_bytes",
    "pages HighMem": "high_mem_bytes",
    "pages of HIGHMEM": "high_mem_bytes",
    "pages reserved": "reserved_bytes",
    "pages cma reserved": "cma_reserved_bytes",
    "reserved pages": "reserved_bytes",
    "pages hwpoisoned": "hwpoisoned_bytes",
}
#: Sums that only the nodes' lines hold (until 4.7 the zones').
_SUMS = {"kernel_stack": "kernel_stack_bytes", "mlocked": "mlocked_bytes", "Balloon": "balloon_bytes", "gpu_active": "gpu_bytes", "gpu_reclaim": "gpu_bytes"}
_NEARLY = 0.97
#: The letters of migrate types stand for in which list a free block is.
_TYPES = Pattern(r"\(([A-Z]+)\)$")


class MemInfoReading:
    """One Mem-Info block, as its lines come in; pages become bytes at the end."""

    def __init__(self) -> None:
        self.begun = False
        self.pages: dict[str, int] = {}
        self.bytes: dict[str, int] = {}
        self.zones: dict[tuple[int, str], Zone] = {}
        self.slab: list[tuple[str, int]] = []
        self.hugepages: list[dict] = []
        self.smallest_block: int | None = None
        self.quotes: dict[str, Line] = {}
        self.pages_of_zones: dict[tuple[int, str], tuple[int, ...]] = {}
        self.unreclaimable_nodes: list[int] = []
        self._zone_at_hand: tuple[int, str] | None = None
        self._broken_reserves: tuple[int, str] | None = None
        self._broken = False
        self._in_slab = False
        self._largest_pool = self._largest_cache = -1

    def read(self, text: str, line: Line) -> bool:
        """Takes a line in; False if it is none of Mem-Info's."""
        if self._broken_reserves is not None:
            if text.isdecimal():
                self.pages_of_zones[self._broken_reserves] += (int(text),)
                return True
            self._broken_reserves = None
        for key, pattern, take in _FORMS:
            if key in text:
                match = pattern.match(text)
                if match is not None:
                    return take(self, match, line) is not False
        return False

    @property
    def complete(self) -> bool:
        """Begin, middle and end are there: totals, zones, swap and the size of RAM."""
        return "free_bytes" in self.pages and "ram_bytes" in self.pages and "swap_total_bytes" in self.bytes and bool(self.zones)

    def finish(self, page_bytes: int) -> MemInfo:
        totals = {name: pages * page_bytes for name, pages in self.pages.items()} | self.bytes
        slab = sorted(self.slab, key=lambda cache: -cache[1])
        if self._broken:  # of equal numbers in a row the log may have kept one
            self.pages_of_zones = {key: (max(reserves),) for key, reserves in self.pages_of_zones.items() if reserves}
        for key, reserves in self.pages_of_zones.items():
            self.zones[key].reserves_bytes = tuple(pages * page_bytes for pages in reserves)
        zones = list(self.zones.values())
        present = [zone.present_bytes for zone in zones]
        known = sum(present) if self.complete and None not in present else 0
        whole = known > 0 and known == totals["ram_bytes"]
        nearly = known >= _NEARLY * totals.get("ram_bytes", 0) > 0 and zones[0].zone == "DMA"
        return MemInfo(totals, zones, slab, self.hugepages, self.unreclaimable_nodes, whole, nearly)

    def _begin(self, _match: re.Match[str], _line: Line) -> None:
        self.begun = True

    def _total(self, match: re.Match[str], line: Line) -> bool:
        items = [item.partition(":") for item in match.string.split()]
        if not all(number.isdecimal() for _key, _colon, number in items):
            return False
        if items[-1][0] not in _ENDS and len(items) > 1:
            items.pop()
        for key, _colon, number in items:
            if key in _TOTALS:
                self.pages.setdefault(_TOTALS[key], int(number))
                self.quotes.setdefault(f"figure_{_TOTALS[key]}", line)
            if key in _ROLES:
                self.quotes.setdefault(_ROLES[key], line)
        return True

    def _node(self, match: re.Match[str], line: Line) -> None:
        figures = self._figures(match[2])
        for name in _SUMS:
            if name in figures:
                self.quotes.setdefault(f"figure_{_SUMS[name]}", line)
        if figures.get("all_unreclaimable?") == 1:
            self.unreclaimable_nodes.append(int(match[1]))

    def _figures(self, text: str) -> dict[str, int]:
        """The "name:5kB" of a node's or zone's line, in bytes; a size without its unit is one that the line's end cut off."""
        figures = {}
        words = text.split()
        for word in words:
            name, _colon, value = word.partition(":")
            if value[-2:] in ("kB", "KB") and value[:-2].isdecimal():
                figures[name] = int(value[:-2]) * 1024
            elif name == "pages_scanned" and value.isdecimal():
                figures[name] = int(value)
        for name, total in _SUMS.items():
            if name in figures:
                self.bytes[total] = self.bytes.get(total, 0) + figures[name]
        if "all_unreclaimable?" in words[:-1]:
            figures["all_unreclaimable?"] = int(words[words.index("all_unreclaimable?") + 1] == "yes")
        return figures

    def _zone(self, match: re.Match[str], line: Line) -> None:
        node, name = int(match[1] or 0), match[2]
        figures = self._figures(match[8])
        unreclaimable = figures.get("all_unreclaimable?")
        free, least, low, high = (int(match[index]) * 1024 for index in (3, 5, 6, 7))
        self.zones[node, name] = Zone(
            node,
            name,
            free,
            least,
            low,
            high,
            figures.get("managed"),
            figures.get("present"),
            boost_bytes=int(match[4]) * 1024 if match[4] else None,
            reserved_highatomic_bytes=figures.get("reserved_highatomic"),
            free_cma_bytes=figures.get("free_cma"),
            all_unreclaimable=None if unreclaimable is None else bool(unreclaimable),
            pages_scanned=figures.get("pages_scanned"),
        )
        self._zone_at_hand = node, name
        self.quotes.setdefault(f"zone_{node}_{name}", line)

    def _reserves(self, match: re.Match[str], _line: Line) -> None:
        """It names no zone, but follows its zone's line. Kernels 4.8 and 4.9 break it: each number is a message of its own."""
        key, self._zone_at_hand = self._zone_at_hand, None
        if key is not None:
            self.pages_of_zones[key] = tuple(int(pages) for pages in match[1].split())
            self._broken_reserves = None if match[1] else key
            self._broken |= not match[1]

    def _free_blocks(self, match: re.Match[str], line: Line) -> None:
        blocks, types, size_bytes = {}, {}, 0
        for item in match[3].split():
            count, _times, size = item.partition("*")
            if count.isdecimal() and size.endswith("kB") and size[:-2].isdecimal():
                size_bytes = int(size[:-2]) * 1024
                blocks[size_bytes] = int(count)
            elif size_bytes and (letters := _TYPES.match(item)):
                types[size_bytes] = letters[1]
        # Sizes go up in each line, so its first block is a page.
        smallest = next(iter(blocks), None)
        if smallest and self.smallest_block is None:
            self.smallest_block = smallest
        node, name = int(match[1] or 0), match[2]
        zone = self.zones.get((node, name))
        if zone is not None:
            zone.free_blocks, zone.block_types = blocks, types
            words = match[3].rsplit(None, 2)
            total = sum(size * count for size, count in blocks.items())
            zone.blocks_complete = words[-2:] == ["=", f"{total // 1024}kB"]
            self.quotes.setdefault(f"free_blocks_{node}_{name}", line)

    def _hugepages(self, match: re.Match[str], line: Line) -> None:
        total, free, surplus, size = int(match[2]), int(match[3]), int(match[4]), int(match[5]) * 1024
        self.hugepages.append({"node": int(match[1] or 0), "size_bytes": size, "total": total, "free": free, "surplus": surplus})
        if total * size > self._largest_pool:
            self._largest_pool = total * size
            self.quotes["hugepages"] = line

    def _swap(self, match: re.Match[str], line: Line) -> None:
        name = "swap_free" if match[1] == "Free" else "swap_total"
        self.bytes.setdefault(name + "_bytes", int(match[2]) * 1024)
        self.quotes.setdefault(name, line)

    def _count(self, match: re.Match[str], line: Line) -> bool:
        name = _PAGES.get(match[2].rstrip())
        if name is None:
            return False
        self.pages.setdefault(name, int(match[1]))
        self.quotes.setdefault(name.removesuffix("_bytes"), line)
        return True

    def _slab_header(self, _match: re.Match[str], line: Line) -> None:
        self._in_slab = True
        self.quotes.setdefault("slab_table", line)

    def _slab_row(self, match: re.Match[str], line: Line) -> bool:
        words = match.string.rsplit(None, 2)  # name, used, total
        if not self._in_slab or len(words) < 3 or not words[2][:-2].isdecimal():
            return False
        name, held = words[0], int(words[2][:-2]) * 1024
        if held > self._largest_cache:
            self._largest_cache = held
            self.quotes["slab_table"] = line
        self.slab.append((name, held))
        return True


_Take = Callable[[MemInfoReading, re.Match[str], Line], bool | None]
_FORMS: tuple[tuple[str, Pattern, _Take], ...] = (
    ("Mem-", Pattern(r"Mem-[Ii]nfo:"), MemInfoReading._begin),
    (" active_anon:", Pattern(r"Node (\d+) (active_anon:.*)"), MemInfoReading._node),
    (
        " free:",
        # "boost:" since 5.12; without "Node 0" where the kernel knows no nodes.
        Pattern(r"(?:Node (\d+) )?([A-Z]\w*) free:(\d+)kB (?:boost:(\d+)kB )?min:(\d+)kB low:(\d+)kB high:(\d+)kB(.*)"),
        MemInfoReading._zone,
    ),
    ("lowmem_reserve[]:", Pattern(r"lowmem_reserve\[\]:((?: \d+)*)$"), MemInfoReading._reserves),
    ("kB", Pattern(r"(?:Node (\d+) )?([A-Z]\w*): (\d+\*\d+kB .*)"), MemInfoReading._free_blocks),
    (
        "hugepages_total=",
        Pattern(r"(?:Node (\d+) )?hugepages_total=(\d+) hugepages_free=(\d+) hugepages_surp=(\d+) hugepages_size=(\d+)kB"),
        MemInfoReading._hugepages,
    ),
    (" swap ", Pattern(r"(Free|Total) swap  ?= (\d+)kB"), MemInfoReading._swap),
    # Whoever shows a log may mark such a line at its end.
    ("pages", Pattern(r"(\d+) ([a-zA-Z/ ]+)(?![\w-])"), MemInfoReading._count),
    ("slab info", Pattern(r"Unreclaimable slab info:"), MemInfoReading._slab_header),
    ("KB", Pattern(r".*KB$"), MemInfoReading._slab_row),
    (":", Pattern(r"(?:active|unevictable|slab_|mapped|sec_pagetables|kernel_misc|bounce|free)\w*:\d"), MemInfoReading._total),
)
