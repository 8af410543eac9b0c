# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel events to cases: which kind of incident each one is."""

from __future__ import annotations

from ..events.model import AllocationFailure, Event, OomReport, ProcessFault, Trigger
from . import memory_use, owner
from .case import Case
from .host_facts import HostFacts

_KIND_OF_CONSTRAINT = {
    "none": "global_oom",
    "memcg": "memcg_oom",
    "cpuset": "cpuset_oom",
    "memory_policy": "mempolicy_oom",
}
_KIND_OF_FAULT = {
    "segfault": "segfault",
    "general_protection": "segfault",
    "trap": "segfault",
    "hung_task": "hung_task",
    "soft_lockup": "hung_task",
    "overcommit": "enomem",
    "vmalloc": "page_allocation_failure",
    "pids_limit": "not_oom",
    "memory_failure": "segfault",
}


def cases_of_kernel(events: list[Event], host: HostFacts) -> list[Case]:
    """One case for each kernel event that is an incident, in the events' order."""
    cases = (_case(event, host) for event in events)
    return [case for case in cases if case is not None]


def _case(event: Event, host: HostFacts) -> Case | None:
    if isinstance(event, OomReport):
        return _oom(event, host)
    if isinstance(event, AllocationFailure):
        return Case(
            kind="page_allocation_failure",
            host=host,
            time=event.time,
            event=event,
            trigger=Trigger(event.process, event.pid, event.gfp_mask, event.gfp_flags, event.order),
            use=memory_use.of_host(event.memory) if event.memory else None,
        )
    if isinstance(event, ProcessFault) and event.kind in _KIND_OF_FAULT:
        case = owner.attribute(
            Case(
                kind=_KIND_OF_FAULT[event.kind],
                host=host,
                time=event.time,
                event=event,
                trigger=Trigger(event.process, event.pid) if event.process else None,
                victim_cgroup=event.cgroup,
            )
        )
        if event.kind == "pids_limit":
            case.victim_cgroup = None  # its limit on processes is none on memory
        return case
    return None


def _oom(report: OomReport, host: HostFacts) -> Case | None:
    ignored = report.no_victim and not report.panic
    if ignored and not report.sysrq and "no_victim" not in report.quotes:
        return None  # the chosen one was dying already: nothing was left to do
    kind = "panic_on_oom" if report.panic else "not_oom" if ignored and report.sysrq else _KIND_OF_CONSTRAINT.get(report.constraint or "", "unknown_oom")
    below_limit = kind == "memcg_oom"
    use = None
    if below_limit and report.cgroup:
        use = memory_use.of_cgroup(report.cgroup)
    elif not below_limit and report.memory:
        use = memory_use.of_host(report.memory)
    case = Case(
        kind=kind,
        host=host,
        time=report.time,
        event=report,
        constraint=report.constraint,
        trigger=report.trigger,
        victims=report.victims,
        tasks=report.tasks,
        tasks_complete=report.table_complete,
        use=use,
        cgroup=(report.limit_cgroup or (report.cgroup.path if report.cgroup else None)) if below_limit else None,
        victim_cgroup=report.victim_cgroup,
        requested=report.sysrq,
        complete=not report.missing,
        missing=report.missing,
    )
    if below_limit and case.cgroup and case.victim_cgroup and case.cgroup != case.victim_cgroup:
        case.notes.append(
            f"The limit that was hit belongs to {case.cgroup}, above the victim's own cgroup {case.victim_cgroup}: everything below it counts together."
        )
    if case.cgroup and case.cgroup.rpartition("/")[2] in ("kubepods", "kubepods.slice"):
        case.notes.append("That cgroup is the kubelet's bound on all pods together (node allocatable), not the limit of one pod.")
    if report.omitted_lines:
        case.notes.append(f"{report.omitted_lines} lines of the report, the smallest tasks first, were left out on the host to keep to the byte budget.")
    if report.group_kill:
        case.notes.append("memory.oom.group is set there, so the kernel killed all of its processes together.")
    return owner.attribute(case)
