# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An incident's story in the order in which a person asks for it: what happened, who asked, who was
killed, who held the memory, why the kernel could not give it.

Every form of the report tells this story, so all of them show the same numbers.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ...diagnosis.case import KERNEL_OOM_KINDS, MEMORY_KINDS
from ...diagnosis.wording import count, percent, process, size
from .figure import quote_of

#: The parts of a diagnosis' reasoning that each chapter tells.
_OF_REASONING = {
    "happened": ("happened", ""),
    "asked": ("request",),
    "killed": ("choice", "confirmed"),
    "held": (),
    "why": ("room", "note", "cause"),
}
_TITLES = {
    "happened": "What happened",
    "asked": "Who asked for memory",
    "killed": "Who was killed",
    "held": "Who really held the memory",
    "why": "Why",
}
_WHY_OF_OOM = "Why the kernel could not give it"

#: Uses of memory as a person calls them, in the order in which the pictures show them.
USES = {
    "anon_bytes": "programs' own memory",
    "file_bytes": "file cache",
    "shmem_bytes": "shared memory and tmpfs",
    "slab_unreclaimable_bytes": "kernel slab, unreclaimable",
    "slab_reclaimable_bytes": "kernel slab, reclaimable",
    "page_tables_bytes": "page tables",
    "kernel_stack_bytes": "kernel stacks",
    "percpu_bytes": "per-CPU memory of the kernel",
    "sock_bytes": "socket buffers",
    "hugepages_bytes": "huge pages, reserved",
    "balloon_bytes": "balloon, given back to the hypervisor",
    "gpu_bytes": "graphics memory",
    "unaccounted_bytes": "in no figure of the report",
}


_PID = re.compile(r"\(pid (\d{1,10})\)")


class Told(NamedTuple):
    """One sentence and the numbers of the quotes that it rests on."""

    text: str
    quotes: tuple[int, ...] = ()


class Chapter(NamedTuple):
    """A part of the story. name: of happened, asked, killed, held, why."""

    name: str
    title: str
    steps: list[Told]


def chapters(incident: dict[str, Any]) -> list[Chapter]:
    """The story; a chapter that does not apply is left out, one that the evidence is silent on says so."""
    own = {"asked": _asked, "killed": _killed, "held": _held}
    story = []
    for name, title in _TITLES.items():
        steps = own[name](incident) if name in own else []
        steps += [_as_told(incident, step) for step in incident["because"] if step.get("part", "") in _OF_REASONING[name]]
        if name == "why":
            title = _WHY_OF_OOM if incident["kind"] in KERNEL_OOM_KINDS else title
            if incident["cannot_tell"]:
                steps.append(Told(incident["cannot_tell"][0].upper() + incident["cannot_tell"][1:] + "."))
        if steps:
            story.append(Chapter(name, title, steps))
    return story


def of_finding(finding: dict[str, Any]) -> list[Chapter]:
    """The reasoning of a condition that has killed nobody yet."""
    return [Chapter("why", "Why", [Told(step["text"], tuple(step["quotes"])) for step in finding["because"]])]


def _as_told(incident: dict[str, Any], step: dict[str, Any]) -> Told:
    """A step of the reasoning; one that names a process of the report and no line rests on that process' row."""
    quotes = tuple(step["quotes"])
    if not quotes:
        rows = (_cited(incident, f"task.{pid}") for pid in _PID.findall(step["text"]))
        quotes = tuple(dict.fromkeys(number for row in rows for number in row))
    return Told(step["text"], quotes)


def _asked(incident: dict[str, Any]) -> list[Told]:
    trigger = incident["trigger"]
    if incident["kind"] not in MEMORY_KINDS:
        return []
    if trigger is None or not trigger["process"]:
        return [Told("The log does not show who asked for memory.")] if incident["kind"] in KERNEL_OOM_KINDS else []
    quotes = _cited(incident, "trigger")
    who = process(trigger["process"], trigger["pid"])
    if trigger["order"] == -1:
        return [Told(f"Nobody: {who} handled a request by hand (order -1).", quotes)]
    adj = "" if trigger["oom_score_adj"] is None else f", oom_score_adj {trigger['oom_score_adj']}"
    victim = incident["victim"] or {}
    same = ", the process that was killed" if trigger["pid"] is not None and trigger["pid"] == victim.get("pid") else ""
    return [Told(f"{who}{adj}{same}.", quotes)]


def _killed(incident: dict[str, Any]) -> list[Told]:
    victim = incident["victim"]
    if victim is None:
        return []
    parts = [
        (victim["anon_rss_bytes"], "of its own memory in RAM"),
        (victim["file_rss_bytes"], "of mapped files"),
        (victim["shmem_rss_bytes"], "of shared memory"),
    ]
    row = next((task for task in incident["tasks"] if task["pid"] == victim["pid"]), {})
    parts.append((row.get("swap_bytes"), "in swap"))
    held = [f"{size(amount)} {what}" for amount, what in parts if amount]
    text = process(victim["process"] or "a process", victim["pid"])
    if victim["uid"] is not None:
        text += f" of user {victim['uid']}"
    text += f", with {', '.join(held)}" if held else ""
    if victim["oom_score_adj"] is not None:
        text += f"; oom_score_adj {victim['oom_score_adj']}"
    quotes = _cited(incident, "victim") + (_cited(incident, f"task.{victim['pid']}") if row.get("swap_bytes") else ())
    steps = [Told(text + ".", quotes)]
    others = incident["also_killed"]
    if others:
        named = ", ".join(process(other["process"] or "?", other["pid"]) for other in others[:5])
        steps.append(Told(f"{count(len(others), 'other')} died in the same act: {named}{', ...' if len(others) > 5 else ''}."))
    return steps


def _held(incident: dict[str, Any]) -> list[Told]:
    if incident["kind"] not in KERNEL_OOM_KINDS:
        return []
    steps = []
    use = incident["memory"] or {}
    known = {name: use[name] for name in USES if use.get(name)}
    total = use.get("total_bytes")
    if known:
        largest = max(known, key=known.__getitem__)
        where = "the limit" if use["scope"] == "cgroup" else "RAM"
        share = f" of {size(total)} {where} ({percent(known[largest], total)})" if total else ""
        cited = tuple(dict.fromkeys(_cited(incident, f"memory.{largest}") + (_cited(incident, "memory.total_bytes") if total else ())))
        steps.append(Told(f"The largest use was {USES[largest]}: {size(known[largest])}{share}.", cited))
    tasks = sorted(incident["tasks"], key=task_held, reverse=True)
    if tasks:
        first = tasks[0]
        victim = incident["victim"] or {}
        name = process(first["process"], first["pid"])
        if victim:
            name += ", the one that was killed," if first["pid"] == victim["pid"] else ", which was not the one killed,"
        told = f"Of the processes in the report {name} held most: {size(task_held(first))} of RAM, swap and page tables."
        steps.append(Told(told, _cited(incident, f"task.{first['pid']}")))
    return steps or [Told("The log does not show who held the memory.")]


def task_held(task: dict[str, Any]) -> int:
    """RAM, swap and page tables of a task, as the kernel scores it (``oom_badness``)."""
    return (task["rss_bytes"] or 0) + (task["swap_bytes"] or 0) + (task["page_tables_bytes"] or 0)


def _cited(incident: dict[str, Any], source: str) -> tuple[int, ...]:
    number = quote_of(incident, source)
    return () if number is None else (number,)
