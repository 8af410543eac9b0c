# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was set differently: tunables, swap, limits of cgroups and containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_LARGE_PAGES = {"transparent_hugepages": ("enabled", "defrag", "khugepaged_defrag"), "zswap": ("enabled", "max_pool_percent", "compressor"), "ksm": ("run",)}
_CGROUP = ("max_bytes", "high_bytes", "low_bytes", "min_bytes", "swap_max_bytes", "memsw_max_bytes", "oom_group")
_CONTAINER = ("memory_limit_bytes", "memory_swap_limit_bytes", "memory_reservation_bytes", "oom_score_adj", "shm_bytes", "cgroup_parent")
_SECTIONS = ("tunables", "memory", "swap", "cgroups", "containers")


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """[{area, key, before, after}] in the order of area and key; null: it was not there.

    Groups and containers that only one side lists say nothing of a limit: the evidence lists the notable ones.
    """
    sides = [dict(_settings(evidence)) for evidence in (before, after)]
    both = [section for section in _SECTIONS if before.get(section) is not None and after.get(section) is not None]
    rows = []
    for area, key in sorted({*sides[0], *sides[1]}):
        values = [side.get((area, key)) for side in sides]
        listed = (area, key) in sides[0] and (area, key) in sides[1]
        if values[0] == values[1] or _section(area) not in both or (area in ("cgroup", "container", "huge pages") and not listed):
            continue
        rows.append({"area": area, "key": key, "before": values[0], "after": values[1]})
    return rows


def lacking(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Sentences on what could not be compared."""
    said = []
    for section in _SECTIONS:
        sides = [name for name, evidence in (("before", before), ("after", after)) if evidence.get(section) is None]
        if sides:
            said.append(f"{section}: not compared, for the evidence {' and '.join(sides)} lacks it")
    return said


def _section(area: str) -> str:
    return {"tunable": "tunables", "tunable at boot": "tunables", "huge pages": "memory", "swap": "swap", "cgroup": "cgroups"}.get(area, "containers")


def _settings(evidence: dict[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    tunables = evidence.get("tunables") or {}
    for key, value in (tunables.get("values") or {}).items():
        yield ("tunable", key), value
    for file in tunables.get("files") or []:
        yield ("tunable at boot", file["key"]), file["value"]
    memory = evidence.get("memory") or {}
    for name, fields in _LARGE_PAGES.items():
        for field in fields:
            if memory.get(name):
                yield ("huge pages", f"{name}.{field}"), memory[name].get(field)
    for pool in memory.get("hugepages") or []:
        yield ("huge pages", f"pages of {pool['size_bytes']} bytes"), pool["total"]
    for device in (evidence.get("swap") or {}).get("devices") or []:
        for field in ("size_bytes", "priority"):
            yield ("swap", f"{device['path']}: {field}"), device[field]
    for group in (evidence.get("cgroups") or {}).get("groups") or []:
        for field in _CGROUP:
            yield ("cgroup", f"{group['path']}: {field}"), group.get(field)
    yield from _containers(evidence.get("containers") or {})


def _containers(section: dict[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    for container in section.get("containers") or []:
        for field in _CONTAINER:
            yield ("container", f"{container['name'] or container['id'][:12]}: {field}"), container.get(field)
    for engine in section.get("engines") or []:
        settings = engine.get("settings") or {}
        yield ("engine", f"{engine['engine']}: live_restore"), settings.get("live_restore")
        for key, value in (settings.get("daemon_config") or {}).items():
            yield ("engine", f"{engine['engine']}: {key}"), value
