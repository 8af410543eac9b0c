# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes that lie in the choice of the victim: who died is not who grew."""

from __future__ import annotations

from ...events.model import Task
from ..case import Case
from ..memory_use import badness_bytes, held_bytes
from ..remedies import victims as remedy
from ..rule import Conclusion, Judgement, Lacking, Rule, Step
from ..wording import size

CHOSEN = frozenset(("global_oom", "memcg_oom", "cpuset_oom", "mempolicy_oom"))

#: The victim held less than this part of what the largest process held.
SMALL = 0.5
#: The largest process matters if it held this part of what could be had.
CONSIDERABLE = 0.1

_NO_TABLE = Lacking("the report's whole task table (vm.oom_dump_tasks=1, and nothing cut off)")


def hog_protected(case: Case) -> Judgement:
    """The largest process was shielded by oom_score_adj, so another died for it."""
    pair = _victim_and_largest(case)
    if not isinstance(pair, tuple):
        return pair
    victim, largest, total = pair
    if (largest.oom_score_adj or 0) >= 0 or held_bytes(largest) < CONSIDERABLE * total:
        return None
    shielded = largest.oom_score_adj == -1000 or badness_bytes(largest, total) < badness_bytes(victim, total)
    if not shielded:
        return None
    steps = (
        Step(
            f"{largest.process} (pid {largest.pid}) held {size(held_bytes(largest))}, the victim {victim.process} (pid {victim.pid})"
            f" only {size(held_bytes(victim))}.",
            (*case.quoted("largest_task"), *case.quoted("kill")),
        ),
        Step(
            f"The oom_score_adj of {largest.process} was {largest.oom_score_adj}: "
            + (
                "the kernel never chooses such a process."
                if largest.oom_score_adj == -1000
                else f"its score fell to {size(max(0, badness_bytes(largest, total)))}, below the victim's {size(badness_bytes(victim, total))}."
            )
        ),
    )
    return Conclusion("certain", steps, remedy.for_protected_hog(largest))


def bystander_killed(case: Case) -> Judgement:
    """The victim was small; the memory was with a process that was not chosen."""
    pair = _victim_and_largest(case)
    if not isinstance(pair, tuple):
        return _taken_because_it_asked(case) or pair
    victim, largest, total = pair
    if held_bytes(largest) < CONSIDERABLE * total:
        return None
    if (largest.oom_score_adj or 0) < 0:
        return None  # that is hog_protected's case
    if case.report and case.report.allocating_task:
        why = "vm.oom_kill_allocating_task makes the kernel kill whoever asks for memory, not who holds it"
    elif (victim.oom_score_adj or 0) > (largest.oom_score_adj or 0):
        why = f"its oom_score_adj of {victim.oom_score_adj} put it in front"
    else:
        why = "the report does not show why it was preferred (a larger process may already have been dying)"
    step = Step(
        f"The victim {victim.process} (pid {victim.pid}) held {size(held_bytes(victim))}, {largest.process} (pid {largest.pid})"
        f" {size(held_bytes(largest))}: {why}.",
        (*case.quoted("kill"), *case.quoted("largest_task")),
    )
    return Conclusion("certain" if "does not show" not in why else "probable", (step,), remedy.for_bystander(case, victim, largest))


def _taken_because_it_asked(case: Case) -> Conclusion | None:
    """With vm.oom_kill_allocating_task one larger process is proof enough, whatever else the table held."""
    victim = case.victim
    if case.report is None or not case.report.allocating_task or not case.tasks or case.tasks_complete or victim is None or victim.anon_rss_bytes is None:
        return None
    held = victim.anon_rss_bytes + (victim.file_rss_bytes or 0) + (victim.shmem_rss_bytes or 0)
    largest = max(case.tasks, key=held_bytes)
    if held >= SMALL * held_bytes(largest) or largest.pid in _victim_pids(case):
        return None
    row = Task(victim.pid or 0, victim.pid, victim.uid, victim.process or "", victim.total_vm_bytes, held, None, None, victim.oom_score_adj)
    step = Step(
        f"The victim {victim.process} (pid {victim.pid}) held {size(held)}, {largest.process} (pid {largest.pid}) {size(held_bytes(largest))}:"
        " vm.oom_kill_allocating_task makes the kernel kill whoever asks for memory, not who holds it.",
        (*case.quoted("kill"), *case.quoted("largest_task")),
    )
    return Conclusion("probable", (step,), remedy.for_bystander(case, row, largest))


def _victim_and_largest(case: Case) -> tuple[Task, Task, int] | Lacking | None:
    """(victim's row, largest row, bytes that could be had) if the victim is clearly not the largest."""
    if not case.victims:
        return None
    if not case.tasks or not case.tasks_complete:
        return _NO_TABLE
    victim = case.victim_task()
    total = case.use.total_bytes if case.use else None
    if victim is None or not total:
        return _NO_TABLE
    total += case.use.swap_total_bytes or 0
    largest = max(case.tasks, key=held_bytes)
    if largest.pid == victim.pid or held_bytes(victim) >= SMALL * held_bytes(largest):
        return None
    if any(held_bytes(largest) == held_bytes(task) and task.pid in _victim_pids(case) for task in case.tasks):
        return None
    return victim, largest, total


def _victim_pids(case: Case) -> set[int | None]:
    return {victim.pid for victim in case.victims}


HOG_PROTECTED = Rule(
    cause="hog_protected",
    kinds=CHOSEN,
    needs=f"the whole task table and RAM; the victim below {SMALL:.0%} of the largest task, whose oom_score_adj put its badness below the victim's",
    reference=remedy.OOM_SCORE_ADJ,
    judge=hog_protected,
    speaks_of="choice",
)
BYSTANDER_KILLED = Rule(
    cause="bystander_killed",
    kinds=CHOSEN,
    needs=f"the whole task table and RAM; the victim below {SMALL:.0%} of the largest task, which was not shielded",
    reference="mm/oom_kill.c: oom_badness(), select_bad_process()",
    judge=bystander_killed,
    speaks_of="choice",
)
