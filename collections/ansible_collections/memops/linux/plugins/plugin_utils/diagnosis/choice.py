# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why this one: the score by which the kernel chooses its victim, worked out again.

``oom_badness``, mm/oom_kill.c: what a process holds in RAM, swap and page tables,
moved by oom_score_adj thousandths of all that could be had. Until 4.16 root's
processes got 3 % off. Kernels before 2.6.36 counted in another way.
"""

from __future__ import annotations

from typing import Any

from ..events.model import OomReport, Task
from ..events.pattern import Pattern
from .case import Case
from .memory_use import badness_bytes
from .wording import count, size

HIGHER_TOLD = 5
#: The table is printed a moment after the choice, so that scores this close may have changed places.
NOISE = 0.01
_UNKILLABLE = -1000
_VERSION = Pattern(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")
_SELECTED = Pattern(r".*[Kk]ill process (\d{1,10})")


def of(case: Case) -> dict[str, Any] | None:
    """The victim's place among the candidates, or None where the task table is not whole.

    {recomputed, badness_bytes, total_bytes, candidates, rank, higher: [{pid,
    process, badness_bytes, oom_score_adj, why}], summary}.
    """
    report = case.report
    if report is None or not case.tasks_complete or case.victim is None:
        return None
    victim = case.victim_task()
    if victim is None:
        return None
    version = _version(report.kernel)
    total = _total_bytes(case)
    if version is not None and version < (2, 6, 36) and victim.swap_bytes is None:
        return _answer(False, "not recomputed for this kernel: before 2.6.36 the score was worked out in another way")
    if victim.swap_bytes is None and (case.use is None or case.use.swap_total_bytes != 0):
        return _answer(False, "not recomputed: this kernel's task table does not show what was in swap")
    if total is None and any(task.oom_score_adj for task in case.tasks):
        return _answer(False, "not recomputed: the memory that could be had, against which oom_score_adj counts, is not in the report")
    return _rank(case, report, victim, total or 0, _root_has_a_bonus(report, version))


def _rank(case: Case, report: OomReport, victim: Task, total: int, root_bonus: bool) -> dict[str, Any]:
    def badness(task: Task) -> int:
        points = badness_bytes(task, total)
        return points - points * 3 // 100 if root_bonus and task.uid == 0 and points > 0 else points

    candidates = [task for task in case.tasks if task.oom_score_adj != _UNKILLABLE and task.pid != 1]
    own = badness(victim)
    higher = sorted((task for task in candidates if badness(task) > own + max(own, 0) * NOISE and task is not victim), key=badness, reverse=True)
    place = f"of {count(len(candidates), 'process')}" if len(candidates) == 1 else f"of {len(candidates)} processes"
    place += " that may be killed"
    if not higher:
        summary = f"It had the highest score {place}: {size(max(own, 0))} (RAM, swap and page tables" + _moved(victim, total) + ")."
    else:
        first = higher[0]
        summary = (
            f"Its score of {size(max(own, 0))} was number {len(higher) + 1} {place}; {first.process} (pid {first.pid}) had"
            f" {size(badness(first))}. {_why_passed_over(case, report)[0].upper()}{_why_passed_over(case, report)[1:]}."
        )
    why = _why_passed_over(case, report)
    told = [{"pid": task.pid, "process": task.process, "badness_bytes": badness(task), "oom_score_adj": task.oom_score_adj, "why": why} for task in higher]
    return {
        **_answer(True, summary),
        "badness_bytes": own,
        "total_bytes": total or None,
        "candidates": len(candidates),
        "rank": len(higher) + 1,
        "higher": told[:HIGHER_TOLD],
    }


def _answer(recomputed: bool, summary: str) -> dict[str, Any]:
    return {"recomputed": recomputed, "badness_bytes": None, "total_bytes": None, "candidates": None, "rank": None, "higher": [], "summary": summary}


def _moved(victim: Task, total: int) -> str:
    adj = victim.oom_score_adj or 0
    return f", moved by oom_score_adj {adj} of {size(total)}" if adj and total else ""


def _why_passed_over(case: Case, report: OomReport) -> str:
    """Why the kernel may not have taken the one with the highest score."""
    if report.allocating_task:
        return "vm.oom_kill_allocating_task makes the kernel take whoever asks, whatever the scores"
    selected = _SELECTED.match(report.quotes["selected"].text) if "selected" in report.quotes else None
    if selected is not None and case.victim is not None and int(selected[1]) != case.victim.pid:
        return f"the kernel chose process {selected[1]} and, as it did until 4.19, killed a child of it instead"
    if case.kind in ("cpuset_oom", "mempolicy_oom"):
        return "the kernel takes only processes that may use the nodes which ran out, and the table can hold others"
    return "the report does not show why: it may have been dying already, or in the middle of vfork"


def _total_bytes(case: Case) -> int | None:
    """What oom_score_adj is a part of: RAM (of the allowed nodes) or the limit, and the swap that goes with it."""
    use = case.use
    if use is None or use.total_bytes is None:
        return None
    report = case.report
    total = use.total_bytes
    if use.scope == "host" and report is not None and report.memory is not None:
        nodes = case.nodes_allowed()
        managed = [zone.managed_bytes for zone in report.memory.zones if nodes is None or zone.node in nodes]
        total = sum(known for known in managed if known) if managed and None not in managed else total - report.memory.totals.get("reserved_bytes", 0)
    swap = use.swap_total_bytes
    if swap is None:
        swap = case.host.swap_total_bytes or 0
    return total + swap


def _root_has_a_bonus(report: OomReport, version: tuple[int, int, int] | None) -> bool:
    return version < (4, 17, 0) if version is not None else "selected" in report.quotes


def _version(text: str | None) -> tuple[int, int, int] | None:
    match = _VERSION.match(text or "")
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None
