# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the fleet's views need of each host's incidents, small enough to be held for ten thousand hosts."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...diagnosis.case import KERNEL_OOM_KINDS
from ...diagnosis.rule import CONFIDENCES
from ...enforcement.remedies import VARIABLES, shape_error
from . import words

#: Kinds in which something was killed for want of memory.
KILLS = KERNEL_OOM_KINDS | {"userspace_oom_daemon", "kubelet_eviction"}
#: The playbook applies remedies of causes that are at least this sure.
_SURE = CONFIDENCES[: CONFIDENCES.index("probable") + 1]


class Option(NamedTuple):
    """A remedy that a role can apply as it stands."""

    variable: str
    value: Any
    why: str
    risk: str


class Occurrence(NamedTuple):
    """Incidents of one host that are alike.

    times: of those that have one, the newest first. repeats: how many there were,
    those included that the host left out of its evidence. limit_bytes: that was hit.
    options: remedies that a role can apply, the first to try first.
    """

    host: str
    kind: str
    cause: str | None
    image: str | None
    unit: str | None
    process: str | None
    limit_bytes: int | None
    kernel: str | None
    times: tuple[str, ...]
    repeats: int
    remedy: str | None
    options: tuple[Option, ...]


def occurrences(diagnosis: dict[str, Any]) -> list[Occurrence]:
    """One for each sort of incident on this host."""
    sorts: dict[tuple, list[dict[str, Any]]] = {}
    for incident in diagnosis["incidents"]:
        sorts.setdefault(words.alike(incident), []).append(incident)
    kernel = (diagnosis["kernel"] or {}).get("release")
    return [_occurrence(diagnosis["host"], kernel, incidents) for incidents in sorts.values()]


def _occurrence(host: str, kernel: str | None, incidents: list[dict[str, Any]]) -> Occurrence:
    first = incidents[0]
    container = first["container"] or {}
    use = first["memory"] or {}
    sure = first["confidence"] in _SURE
    return Occurrence(
        host,
        first["kind"],
        first["cause"],
        container.get("image") or container.get("name"),
        None if container else first["unit"],
        (first["concerned"] or {}).get("process"),
        use.get("total_bytes") if use.get("scope") == "cgroup" else None,
        kernel,
        tuple(sorted((incident["time"] for incident in incidents if incident["time"]), reverse=True)),
        max(first["repeats"], len(incidents)),
        first["remedies"][0]["action"] if first["remedies"] else None,
        tuple(
            Option(remedy["variable"], remedy["value"], remedy["why"], remedy["risk"])
            for remedy in first["remedies"]
            if sure and remedy["variable"] in VARIABLES and shape_error(remedy["variable"], remedy["value"]) is None
        ),
    )
