# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One incident under investigation: what a rule is given to judge."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from ..events.gfp import Request, read_request
from ..events.model import AllocationFailure, Event, Line, MemInfo, OomReport, ServiceEvent, Task, Trigger, Victim
from . import allocation
from .allocation import Allocation
from .host_facts import HostFacts
from .memory_use import MemoryUse
from .nodes import node_list

#: Kinds in which the kernel's OOM killer acted.
KERNEL_OOM_KINDS = frozenset(("global_oom", "memcg_oom", "cpuset_oom", "mempolicy_oom", "panic_on_oom", "unknown_oom"))
#: Kinds in which memory was short or refused, by whoever's decision.
MEMORY_KINDS = KERNEL_OOM_KINDS | {"userspace_oom_daemon", "kubelet_eviction", "page_allocation_failure", "enomem"}


@dataclasses.dataclass
class Case:
    """What is known of one incident, before anybody judged it.

    kind: one of the design's kinds (see docs/causes.md).
    requested: the OOM killer was called by hand (SysRq-F), not by an allocation.
    use: where the memory was; None where the report does not hold it.
    tasks: the task table; tasks_complete says that it was printed whole.
    cgroup: the memory cgroup whose limit was hit, victim_cgroup the victim's.
    container: the engine's record of it, or at least its id and cgroup.
    notes: facts for the reader that hold whatever the cause is.
    log: all cases of the same host, in the order of its log; place: this one's among them.
    """

    kind: str
    host: HostFacts
    time: str | None = None
    event: Event | None = None
    constraint: str | None = None
    trigger: Trigger | None = None
    victims: list[Victim] = dataclasses.field(default_factory=list)
    tasks: list[Task] = dataclasses.field(default_factory=list)
    tasks_complete: bool = False
    use: MemoryUse | None = None
    cgroup: str | None = None
    victim_cgroup: str | None = None
    unit: str | None = None
    container: dict[str, Any] | None = None
    requested: bool = False
    complete: bool = True
    missing: tuple[str, ...] = ()
    notes: list[str] = dataclasses.field(default_factory=list)
    log: list[Case] = dataclasses.field(default_factory=list, repr=False, compare=False)
    place: int = 0

    @property
    def victim(self) -> Victim | None:
        return self.victims[0] if self.victims else None

    @property
    def concerned(self) -> Victim | Trigger | ServiceEvent | None:
        """Whom the incident is about: who was killed, else who asked or broke, else of whom a service speaks (of an eviction the pod).

        Who merely asked is not who was killed by the OOM killer.
        """
        asked = self.trigger if self.kind not in KERNEL_OOM_KINDS or self.kind == "panic_on_oom" else None
        spoken_of = self.event if isinstance(self.event, ServiceEvent) else None
        return next((who for who in (self.victim, asked, spoken_of) if who is not None and who.process), None)

    @property
    def report(self) -> OomReport | None:
        """The kernel's report, where the incident rests on one."""
        return self.event if isinstance(self.event, OomReport) else None

    @property
    def memory(self) -> MemInfo | None:
        """The host's memory as the event's own lines tell it."""
        return self.event.memory if isinstance(self.event, (OomReport, AllocationFailure)) else None

    @functools.cached_property
    def request(self) -> Request | None:
        """What the allocation asked for, where its mask can be read."""
        asked = self.event if isinstance(self.event, AllocationFailure) else self.trigger
        if asked is None or asked.gfp_mask is None:
            return None
        line = next(iter(self.quoted("trigger")), None)
        bare = line is not None and any(f"{asked.gfp_mask}{mark}" in line.text for mark in (", ", " "))
        kernel = getattr(self.event, "kernel", None)
        return read_request(asked.gfp_mask, asked.gfp_flags, kernel, False if bare else None)

    @functools.cached_property
    def allocation(self) -> Allocation | None:
        """The request against the zones or the limit that refused it."""
        asked = self.event if isinstance(self.event, AllocationFailure) else self.trigger
        order = asked.order if asked is not None else None
        if self.kind == "memcg_oom":
            return allocation.against_limit(order, self.request)
        if self.memory is None or order is None or order < 0:
            return None
        smallest = min((min(zone.free_blocks) for zone in self.memory.zones if zone.free_blocks), default=None)
        page = smallest or self.host.page_bytes or 4096
        return allocation.against_zones(order, self.request, self.memory, self.nodes_allowed(), page)

    def nodes_allowed(self) -> frozenset[int] | None:
        """The nodes that a cpuset or a memory policy left the allocation; None for all."""
        report = self.report
        if report is None:
            return None
        lists = [node_list(text) for text in (report.nodemask, report.mems_allowed)]
        return frozenset.intersection(*known) if (known := [nodes for nodes in lists if nodes]) else None

    def quoted(self, *roles: str) -> tuple[Line, ...]:
        """The event's own lines with these roles, of those that it has."""
        quotes = self.event.quotes if self.event else {}
        return tuple(quotes[role] for role in roles if role in quotes)

    def victim_task(self) -> Task | None:
        """The victim's row in the task table."""
        if self.victim is None:
            return None
        return next((task for task in self.tasks if self.victim.pid in (task.pid, task.tgid)), None)

    def where(self) -> str:
        """The place of the incident in words: container, unit, cgroup or host."""
        if self.container and self.container.get("name"):
            return f"container {self.container['name']}"
        if self.unit:
            return f"unit {self.unit}"
        if self.cgroup and self.cgroup != "/":
            return f"cgroup {self.cgroup}"
        return "the host"
