# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An incident told in steps: what happened, what the kernel weighed, and why a cause cannot be told."""

from __future__ import annotations

from . import allocation
from .case import Case
from .rule import Lacking, Step
from .wording import percent, process, size

LACKING_TOLD = 3
#: From here on what no figure explains is a finding of its own.
UNACCOUNTED_MATTERS = 0.1


def what_happened(case: Case) -> tuple[Step, ...]:
    """The first step of each reasoning: what was seen, before why."""
    quoted = case.quoted("trigger", "constraint", "kill", "panic", "line")
    if not quoted and case.event and case.event.lines:
        quoted = (case.event.lines[0],)
    who = case.concerned
    name = process(who.process, who.pid) if who and who.process else "a process"
    words = {
        "memcg_oom": f"The kernel killed {name} because a memory cgroup was at its limit.",
        "global_oom": f"The kernel killed {name} because the host was out of memory.",
        "cpuset_oom": f"The kernel killed {name} because the nodes of its cpuset were out of memory.",
        "mempolicy_oom": f"The kernel killed {name} because the nodes of its memory policy were out of memory.",
        "panic_on_oom": "The kernel panicked because memory ran out.",
        "unknown_oom": f"An OOM kill of {name} is recorded; the text does not show its scope.",
        "userspace_oom_daemon": f"A user-space OOM daemon ended {name}, not the kernel.",
        "kubelet_eviction": f"The kubelet evicted {'a pod' if name == 'a process' else name}.",
        "page_allocation_failure": f"The kernel refused an allocation to {name}; nobody was killed.",
        "enomem": f"{name} was refused memory; nobody was killed.",
        "hung_task": f"{name} did not run for a long time.",
        "segfault": f"{name} made an invalid memory access.",
        "sigkill_not_oom": "A process was ended by SIGKILL.",
        "unknown_death": "A process was ended by SIGKILL.",
        "not_oom": f"The kernel refused to start another process in {getattr(case.event, 'cgroup', None) or 'a cgroup'}.",
    }
    text = words[case.kind]
    if getattr(case.event, "no_victim", False) and case.kind != "panic_on_oom":
        text = f"The OOM killer was called for {name}, and found nothing that it may kill."
    if case.requested:
        did = "found nothing to kill" if case.kind == "not_oom" else f"killed {name}"
        text = f"Somebody asked for an OOM kill by hand (SysRq-F), and the kernel {did}; no allocation had failed."
    return (Step(text, quoted, "happened"),)


def how_it_failed(case: Case) -> tuple[Step, ...]:
    """What the kernel weighed: request, zones, what reclaim and swap had left; and what no figure explains."""
    steps: list[Step] = []
    found = case.allocation
    if found is not None:
        told = allocation.told(found)
        zones = tuple(f"zone_{zone.node}_{zone.zone}" for zone in found.allowed()[: allocation.ZONES_TOLD])
        roles = [(("trigger",), "request"), (zones, "room")] if found.request is not None else [(zones, "room")]
        steps += [Step(text, case.quoted(*names), part) for text, (names, part) in zip(told, roles, strict=False)]
    use = case.use
    if use is None or use.scope != "host" or case.requested:
        return tuple(steps)
    if use.reclaimable_bytes is not None and use.total_bytes:
        text = f"Without swap reclaim could have freed at most {size(use.reclaimable_bytes)} (clean file pages, reclaimable slab)"
        if use.swap_total_bytes == 0:
            text += "; there was no swap"
        elif use.swap_free_bytes is not None:
            text += f"; {size(use.swap_free_bytes)} swap were free"
        steps.append(Step(text + ".", case.quoted("mem_info", "swap_free"), "room"))
    if use.unaccounted_bytes is not None and use.total_bytes and use.unaccounted_bytes >= UNACCOUNTED_MATTERS * use.total_bytes:
        steps.append(
            Step(
                f"{size(use.unaccounted_bytes)} ({percent(use.unaccounted_bytes, use.total_bytes)} of RAM) are in use and show in no figure of the"
                " report: pages that a driver, a filesystem, a balloon or the kernel itself took.",
                case.quoted("mem_info", "ram"),
                "room",
            )
        )
    return tuple(steps)


def cannot_tell(case: Case, lacking: list[Lacking]) -> str:
    """Why there is no cause, in one sentence."""
    wanted = [lack.evidence for lack in lacking]
    if case.kind == "unknown_oom" and case.report is None:
        return "cannot tell why, because no report of the kernel on this kill could be read"
    if wanted:
        more = f" (and {len(wanted) - LACKING_TOLD} more)" if len(wanted) > LACKING_TOLD else ""
        return "cannot tell why, because this is missing: " + "; ".join(wanted[:LACKING_TOLD]) + more
    if case.kind == "unknown_death":
        return "cannot tell whether it was memory, because the kernel log could not be read"
    if case.use and case.use.largest():
        return f"cannot tell why: the largest known use of memory was {case.use.largest()}, and no rule explains this case"
    return "cannot tell why: no rule explains this case"
