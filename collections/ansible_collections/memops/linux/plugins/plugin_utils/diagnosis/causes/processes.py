# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many small processes that together hold what no single one does."""

from __future__ import annotations

from collections import defaultdict

from ...events.model import Task
from ..case import Case
from ..memory_use import held_bytes
from ..remedies.processes import for_fork_storm
from ..rule import Conclusion, Judgement, Lacking, Rule, Step
from ..wording import size
from .host_memory import HOST_OOM

MANY = 20
#: None of them may hold more than this part of what all processes hold.
SMALL = 0.1
MAIN = 0.5


def fork_storm(case: Case) -> Judgement:
    """Many processes of one name, each small, together held most of what all processes held."""
    use = case.use
    if not case.tasks or not case.tasks_complete:
        return Lacking("the report's whole task table (vm.oom_dump_tasks=1, and nothing cut off)")
    if use is None or not use.total_bytes or use.anon_bytes is None:
        return Lacking("what was the programs' own memory (Mem-Info, or the cgroup's memory.stat)")
    name, members = _most_common(case.tasks)
    together = sum(held_bytes(task) for task in members)
    everything = sum(held_bytes(task) for task in case.tasks)
    largest = max(members, key=held_bytes)
    if len(members) < MANY or together < MAIN * everything or held_bytes(largest) > SMALL * everything:
        return None
    of_processes = use.anon_bytes + (use.kernel_stack_bytes or 0) + (use.page_tables_bytes or 0)
    if of_processes < MAIN * use.total_bytes:
        return None
    step = Step(
        f"{len(members)} of {len(case.tasks)} processes were {name}; the largest of them held {size(held_bytes(largest))}, all of them together"
        f" {100 * together / everything:.0f} % of what the processes' rows add up to.",
        case.quoted("largest_task", "kill"),
    )
    return Conclusion("certain", (step,), for_fork_storm(case, name, len(members)))


def _most_common(tasks: list[Task]) -> tuple[str, list[Task]]:
    by_name: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        by_name[task.process].append(task)
    return max(by_name.items(), key=lambda item: len(item[1]))


FORK_STORM = Rule(
    cause="fork_storm",
    kinds=HOST_OOM | {"memcg_oom"},
    needs=f"the whole task table, anon and RAM or limit; at least {MANY} processes of one name, each at most {SMALL:.0%} and together at least"
    f" {MAIN:.0%} of what all hold, and programs' memory at least {MAIN:.0%} of RAM or limit",
    reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#pid",
    judge=fork_storm,
)
