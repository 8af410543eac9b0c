# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of an incident, each with the line that it stands in, so that whoever draws them can show where they are from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..events.model import Line
from .case import Case
from .memory_use import MemoryUse

#: Figures of ``MemoryUse`` that stand in a line of another name, or in several.
_CGROUP_LINES = {
    "total_bytes": ("usage",),
    "used_bytes": ("usage",),
    "swap_total_bytes": ("swap", "memsw"),
    "swap_used_bytes": ("swap", "memsw"),
    "swap_free_bytes": ("swap",),
    "kernel_bytes": ("figure_kernel_bytes", "kmem"),
    "unaccounted_bytes": ("usage",),
}
_HOST_LINES = {
    "total_bytes": ("ram",),
    "used_bytes": ("figure_free_bytes",),
    "anon_bytes": ("figure_active_anon_bytes",),
    "file_bytes": ("figure_active_file_bytes",),
    "file_dirty_bytes": ("figure_dirty_bytes",),
    "file_writeback_bytes": ("figure_writeback_bytes",),
    "hugepages_bytes": ("hugepages",),
    "hugepages_free_bytes": ("hugepages",),
    "swap_total_bytes": ("swap_total",),
    "swap_free_bytes": ("swap_free",),
    "swap_used_bytes": ("swap_free",),
    "unaccounted_bytes": ("ram",),
}


def zones(case: Case) -> list[dict[str, Any]]:
    """The zones of the report with their watermarks and free blocks; blocks is None where the report does not list them whole."""
    return [
        {
            "node": zone.node,
            "zone": zone.zone,
            "free_bytes": zone.free_bytes,
            "min_bytes": zone.min_bytes,
            "low_bytes": zone.low_bytes,
            "high_bytes": zone.high_bytes,
            "managed_bytes": zone.managed_bytes,
            "blocks": [{"size_bytes": size, "count": count} for size, count in sorted(zone.free_blocks.items())] if zone.blocks_complete else None,
        }
        for zone in (case.memory.zones if case.memory is not None else ())
    ]


def sources(case: Case, tasks: list[dict[str, Any]], number: Callable[[Line], int]) -> dict[str, int]:
    """Name of a figure -> number of the quote that it stands in, of those whose line is known.

    Names: ``memory.anon_bytes`` (a figure of memory), ``task.7`` (by pid),
    ``zone.0.DMA``, ``blocks.0.DMA`` (by node and zone), ``trigger``, ``victim``.
    """
    roles: dict[str, tuple[str, ...]] = {"trigger": ("trigger",), "victim": ("kill", "selected")}
    if case.use is not None:
        roles |= {f"memory.{name}": lines for name, lines in _memory(case.use).items()}
    for task in tasks:
        roles[f"task.{task['pid']}"] = (f"task_{task['pid']}",)
    for zone in case.memory.zones if case.memory is not None else ():
        place = f"{zone.node}_{zone.zone}"
        roles[f"zone.{zone.node}.{zone.zone}"] = (f"zone_{place}",)
        if zone.blocks_complete:
            roles[f"blocks.{zone.node}.{zone.zone}"] = (f"free_blocks_{place}",)
    found = {name: next(iter(case.quoted(*lines)), None) for name, lines in roles.items()}
    return {name: number(line) for name, line in found.items() if line is not None}


def _memory(use: MemoryUse) -> dict[str, tuple[str, ...]]:
    own = _CGROUP_LINES if use.scope == "cgroup" else _HOST_LINES
    known = (field.name for field in dataclasses.fields(use) if field.name != "scope" and getattr(use, field.name) is not None)
    return {name: own.get(name, (f"figure_{name}",)) for name in known}
