# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cases and conditions as the diagnosis document holds them."""

from __future__ import annotations

from typing import Any

from ..events.model import Line, Task, Trigger, Victim
from . import allocation, choice, figures, story
from .case import Case
from .conditions import Condition
from .memory_use import MemoryUse, held_bytes
from .rule import Fact, Lacking, Ranked, Remedy, Step

SCHEMA = "memops.diagnosis/1"
TASKS_SHOWN = 15
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
    chosen = choice.of(case)
    because = quotes.story((*story.what_happened(case), *story.how_it_failed(case)))
    because += quotes.story(tuple(Step(note) for note in case.notes), "note")
    if lead:
        because += quotes.story(lead.conclusion.because, "cause")
    confirmed = tuple(line for role, line in (case.event.quotes.items() if case.event else ()) if role.startswith("confirmed"))
    if chosen is not None and chosen["recomputed"]:
        because += quotes.story((Step(f"Why this process: {chosen['summary']}", case.quoted("kill")),), "choice")
    if confirmed:
        because += quotes.story((Step("User space saw it too.", confirmed),), "confirmed")
    tasks = _tasks(case)
    return {
        "time": case.time,
        "kind": case.kind,
        "cause": lead.cause if lead else None,
        "confidence": lead.conclusion.confidence if lead else None,
        "cannot_tell": None if lead else story.cannot_tell(case, lacking),
        "constraint": case.constraint,
        "trigger": _trigger(case.trigger),
        "concerned": _concerned(case),
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
        "tasks": tasks,
        "zones": figures.zones(case),
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
        "figures": figures.sources(case, tasks, quotes.number),
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

    def story(self, steps: tuple[Step, ...], part: str = "") -> list[dict[str, Any]]:
        """Steps with the part of the story that they tell."""
        return [{**told, "part": part or step.part} for step, told in zip(steps, self.steps(steps), strict=True)]

    def steps(self, steps: tuple[Step, ...]) -> list[dict[str, Any]]:
        return [{"text": step.text, "quotes": list(dict.fromkeys(self.number(quote) for quote in step.quotes))} for step in steps]


def _trigger(trigger: Trigger | None) -> dict[str, Any] | None:
    if trigger is None:
        return None
    return {**vars(trigger), "gfp_flags": list(trigger.gfp_flags)}


def _concerned(case: Case) -> dict[str, Any] | None:
    who = case.concerned
    return None if who is None else {"process": who.process, "pid": who.pid}


def _victim(victim: Victim | None) -> dict[str, Any] | None:
    return None if victim is None else dict(vars(victim))


def _container(case: Case) -> dict[str, Any] | None:
    if case.container is None:
        return None
    return {name: case.container.get(name) for name in ("id", "name", "image", "engine", "exit_code", "oom_killed", "memory_limit_bytes")}


def _memory(use: MemoryUse | None) -> dict[str, Any] | None:
    return None if use is None else dict(vars(use))


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
    return dict(vars(remedy))
