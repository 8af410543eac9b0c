# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Codes of the diagnosis in words, for every form of the report alike."""

from __future__ import annotations

from typing import Any

KINDS = {
    "global_oom": "OOM kill: the host was out of memory",
    "memcg_oom": "OOM kill: a memory cgroup was at its limit",
    "cpuset_oom": "OOM kill: the nodes of a cpuset were out of memory",
    "mempolicy_oom": "OOM kill: the nodes of a memory policy were out of memory",
    "panic_on_oom": "The kernel panicked when memory ran out",
    "userspace_oom_daemon": "Ended by a user-space OOM daemon",
    "kubelet_eviction": "Evicted by the kubelet",
    "page_allocation_failure": "The kernel refused an allocation",
    "enomem": "A program was refused memory",
    "hung_task": "A task hung",
    "segfault": "A program crashed",
    "sigkill_not_oom": "Ended by SIGKILL, not by the OOM killer",
    "unknown_oom": "OOM kill of unknown scope",
    "unknown_death": "Ended by SIGKILL, by whom is unknown",
    "not_oom": "No OOM kill",
}


def place(incident: dict[str, Any]) -> str | None:
    """Where it happened, by the most telling name: container, unit or cgroup."""
    return (incident["container"] or {}).get("name") or incident["unit"] or incident["cgroup"]


def concerned(incident: dict[str, Any]) -> str | None:
    """Whom it is about: the process, else the unit."""
    return (incident["concerned"] or {}).get("process") or incident["unit"]


def moment(time: str | None) -> str | None:
    """``2026-11-25T14:46:13.906Z`` as ``2026-11-25 14:46:13``."""
    return None if time is None else time[:19].replace("T", " ")


def alike(incident: dict[str, Any]) -> tuple[Any, ...]:
    """What incidents of one host have in common that are told only once."""
    return incident["kind"], incident["cause"], place(incident), (incident["concerned"] or {}).get("process")


def told(diagnosis: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """The incidents to tell: the one that the verdict speaks of first, and of those that are alike only one."""
    lead = diagnosis["verdict"]["incident"]
    incidents = diagnosis["incidents"]
    ordered = incidents if lead is None else [incidents[lead], *incidents[:lead], *incidents[lead + 1 :]]
    by_kind: dict[tuple, dict[str, Any]] = {}
    for incident in ordered:
        by_kind.setdefault(alike(incident), incident)
    return list(by_kind.values())[:most]
