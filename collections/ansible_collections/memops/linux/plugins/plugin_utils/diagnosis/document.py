# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cases and conditions as the diagnosis document holds them."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..events.model import Line, Task, Trigger, Victim
from . import allocation, choice
from .case import Case
from .conditions import Condition
from .memory_use import MemoryUse, held_bytes
from .rule import Fact, Lacking, Ranked, Remedy, Step
from .wording import percent, process, size

SCHEMA = "memops.diagnosis/1"
TASKS_SHOWN = 15
LACKING_TOLD = 3
QUOTE_CHARACTERS = 1000
REASON_CHARACTERS = 500


def unread(host: str, reason: str) -> dict[str, Any]:
    """The diagnosis of a host that gave no evidence: it says why there is none."""
    reason = reason[:REASON_CHARACTERS]
    return {
        "schema": SCHEMA,
        "host": host,
        "collected_at": None,
        "since": None,
        "log_from": None,
        "kernel": None,
        "ram_bytes": None,
        "verdict": {"code": "no_evidence", "confidence": "certain", "summary": reason, "incident": None},
        "incidents": [],
        "findings": [],
        "unreadable": [{"section": "host", "source": host, "why": reason}],
        "dropped": [],
    }


def incident(case: Case, held: list[Ranked], lacking: list[Lacking]) -> dict[str, Any]:
    """One incident with its leading cause and the quotes that it rests on."""
    quotes = _Quotes()
    lead = held[0] if held else None
    because = [{"text": note, "quotes": []} for note in case.notes]
    chosen = choice.of(case)
    because = [*quotes.steps((*_what_happened(case), *_how_it_failed(case))), *because]
    if lead:
        because += quotes.steps(lead.conclusion.because)
    confirmed = tuple(line for role, line in (case.event.quotes.items() if case.event else ()) if role.startswith("confirmed"))
    if chosen is not None and chosen["recomputed"]:
        because += quotes.steps((Step(f"Why this process: {chosen['summary']}", case.quoted("kill")),))
    if confirmed:
        because += quotes.steps((Step("User space saw it too.", confirmed),))
    return {
        "time": case.time,
        "kind": case.kind,
        "cause": lead.cause if lead else None,
        "confidence": lead.conclusion.confidence if lead else None,
        "cannot_tell": None if lead else _cannot_tell(case, lacking),
        "constraint": case.constraint,
        "trigger": _trigger(case.trigger),
        "victim": _victim(case.victim),
        "also_killed": [_victim(victim) for victim in case.victims[1:]],
        "cgroup": case.cgroup or case.victim_cgroup,
        "victim_cgroup": case.victim_cgroup,
        "unit": case.unit,
        "container": _container(case),
        "repeats": 1,
        "complete": case.complete,
        "missing": list(case.missing),
        "memory": _memory(case.use),
        "allocation": allocation.as_document(case.allocation) if case.allocation is not None else None,
        "choice": chosen,
        "tasks": _tasks(case),
        "because": because,
        "contributing": [
            {
                "cause": other.cause,
                "confidence": other.conclusion.confidence,
                "because": quotes.steps(other.conclusion.because),
                "remedies": [_remedy(remedy) for remedy in other.conclusion.remedies],
                "reason": other.reason,
            }
            for other in held[1:]
        ],
        "remedies": [_remedy(remedy) for remedy in (lead.conclusion.remedies if lead else ())],
        "reference": lead.reference if lead else None,
        "quotes": quotes.items,
    }


def finding(condition: Condition) -> dict[str, Any]:
    """One condition without a death."""
    quotes = _Quotes()
    return {
        "cause": condition.cause,
        "severity": condition.severity,
        "summary": condition.summary,
        "because": quotes.steps(condition.because),
        "remedies": [_remedy(remedy) for remedy in condition.remedies],
        "quotes": quotes.items,
    }


class _Quotes:
    """The lines and facts of one incident, each once, found again by number."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def number(self, quote: Line | Fact) -> int:
        item = {
            "text": quote.text[:QUOTE_CHARACTERS],
            "where": quote.where,
            "time": quote.time if isinstance(quote, Line) else None,
        }
        if item not in self.items:
            self.items.append(item)
        return self.items.index(item)

    def steps(self, steps: tuple[Step, ...]) -> list[dict[str, Any]]:
        return [{"text": step.text, "quotes": [self.number(quote) for quote in step.quotes]} for step in steps]


def _what_happened(case: Case) -> tuple[Step, ...]:
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
    if case.requested:
        did = "found nothing to kill" if case.kind == "not_oom" else f"killed {name}"
        text = f"Somebody asked for an OOM kill by hand (SysRq-F), and the kernel {did}; no allocation had failed."
    return (Step(text, quoted),)


#: From here on what no figure explains is a finding of its own.
UNACCOUNTED_MATTERS = 0.1


def _how_it_failed(case: Case) -> tuple[Step, ...]:
    """What the kernel weighed: request, zones, what reclaim and swap had left; and what no figure explains."""
    steps: list[Step] = []
    found = case.allocation
    if found is not None:
        told = allocation.told(found)
        zones = tuple(f"zone_{zone.node}_{zone.zone}" for zone in found.allowed()[: allocation.ZONES_TOLD])
        roles = [("trigger",), zones] if found.request is not None else [zones]
        steps += [Step(text, case.quoted(*names)) for text, names in zip(told, roles, strict=False)]
    use = case.use
    if use is None or use.scope != "host" or case.requested:
        return tuple(steps)
    if use.reclaimable_bytes is not None and use.total_bytes:
        swap = "there was no swap" if use.swap_total_bytes == 0 else f"{size(use.swap_free_bytes)} swap were free"
        steps.append(
            Step(
                f"Without swap reclaim could have freed at most {size(use.reclaimable_bytes)} (clean file pages, reclaimable slab); {swap}."
                if use.swap_total_bytes is not None
                else f"Without swap reclaim could have freed at most {size(use.reclaimable_bytes)} (clean file pages, reclaimable slab).",
                case.quoted("mem_info", "swap_free"),
            )
        )
    if use.unaccounted_bytes is not None and use.total_bytes and use.unaccounted_bytes >= UNACCOUNTED_MATTERS * use.total_bytes:
        steps.append(
            Step(
                f"{size(use.unaccounted_bytes)} ({percent(use.unaccounted_bytes, use.total_bytes)} of RAM) are in use and show in no figure of the"
                " report: pages that a driver, a filesystem, a balloon or the kernel itself took.",
                case.quoted("mem_info", "ram"),
            )
        )
    return tuple(steps)


def _cannot_tell(case: Case, lacking: list[Lacking]) -> str:
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


def _trigger(trigger: Trigger | None) -> dict[str, Any] | None:
    if trigger is None:
        return None
    return {**dataclasses.asdict(trigger), "gfp_flags": list(trigger.gfp_flags)}


def _victim(victim: Victim | None) -> dict[str, Any] | None:
    return None if victim is None else dataclasses.asdict(victim)


def _container(case: Case) -> dict[str, Any] | None:
    if case.container is None:
        return None
    return {name: case.container.get(name) for name in ("id", "name", "image", "engine", "exit_code", "oom_killed", "memory_limit_bytes")}


def _memory(use: MemoryUse | None) -> dict[str, Any] | None:
    return None if use is None else dataclasses.asdict(use)


def _tasks(case: Case) -> list[dict[str, Any]]:
    largest = sorted(case.tasks, key=held_bytes, reverse=True)[:TASKS_SHOWN]
    victim = case.victim_task()
    if victim is not None and victim not in largest:
        largest.append(victim)
    return [_task(task) for task in largest]


def _task(task: Task) -> dict[str, Any]:
    names = ("pid", "process", "uid", "total_vm_bytes", "rss_bytes", "swap_bytes", "page_tables_bytes", "oom_score_adj")
    return {name: getattr(task, name) for name in names}


def _remedy(remedy: Remedy) -> dict[str, Any]:
    return dataclasses.asdict(remedy)
