# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes below a memory cgroup's limit that lie in the kernel's memory or in swap."""

from __future__ import annotations

from ...events.model import Line
from ..case import Case
from ..memory_use import MemoryUse
from ..remedies import kernel as remedy
from ..remedies.processes import for_swap_denied
from ..rule import Conclusion, Fact, Judgement, Lacking, Rule, Step
from ..wording import percent, size
from .cgroup_limit import MEMCG
from .log_so_far import host_swap_in_log

#: Kernel memory is small as a rule; from here on it is worth naming.
KERNEL_MATTERS = 0.3
MAIN = 0.5
#: Page tables are one 512th of what they map; this much is far beyond that.
TABLES_MATTER = 0.15
#: Until 5.12 each figure may lag behind by 32 pages for each processor (MEMCG_CHARGE_BATCH): by this much with 256 of them.
LAG_BYTES = 32 << 20

_NO_FIGURES = Lacking("the cgroup's usage, limit and memory.stat in the report")
_PARTS = {
    "sock": "network buffers",
    "slab_unreclaimable": "kernel objects that cannot be freed",
    "slab_reclaimable": "kernel objects that can be freed",
    "kernel_stack": "kernel stacks, one for each thread",
    "percpu": "per-CPU memory",
    "vmalloc": "vmalloc memory",
    "page_tables": "page tables",
    "other": "kept where no figure shows it, such as in the buffers of pipes",
}


def kernel_memory_of_cgroup(case: Case) -> Judgement:
    """What the kernel holds on the cgroup's behalf (objects, stacks, network buffers) took a large part of the limit."""
    use = case.use
    if use is None or not use.total_bytes or use.kernel_bytes is None or use.anon_bytes is None:
        return _NO_FIGURES
    hidden = _in_no_figure(case, use)
    kernel = use.kernel_bytes + (use.sock_bytes or 0) - (use.slab_reclaimable_bytes or 0) + hidden
    if kernel < KERNEL_MATTERS * use.total_bytes:
        return None
    part, held = _largest_part(use, hidden)
    steps = [
        Step(
            f"The kernel itself held {size(kernel)} of the limit of {size(use.total_bytes)} ({percent(kernel, use.total_bytes)}) for this cgroup;"
            f" the programs' own memory was {size(use.anon_bytes)}.",
            case.quoted("usage", "kmem", "stat", "stat_anon"),
        )
    ]
    if held:
        steps.append(Step(f"The largest part of it, {size(held)}, were {_PARTS[part]}.", case.quoted("stat")))
    # Version 1 shows no part of it, so some may have been reclaimable.
    sure = kernel - hidden >= MAIN * use.total_bytes and use.slab_reclaimable_bytes is not None
    return Conclusion("certain" if sure else "probable", tuple(steps), remedy.for_kernel_memory_of_cgroup(case, part))


def _in_no_figure(case: Case, use: MemoryUse) -> int:
    """Pages that the kernel took for a cgroup of version 2 and that no figure shows before 5.18, whose memory.stat has ``kernel``.

    What is used and neither of programs nor of files can be of the kernel only.
    Their processes' own RSS, where it is more than the figures, is theirs too.
    """
    group = case.report.cgroup if case.report else None
    if group is None or group.memsw_limit_bytes is not None or group.kmem_usage_bytes is not None or "kernel_bytes" in group.stat:
        return 0
    if not use.unaccounted_bytes or not case.tasks_complete:
        return 0
    shown = (use.anon_bytes or 0) + (use.file_bytes or 0) + (use.shmem_bytes or 0)
    resident = sum(task.rss_bytes or 0 for task in case.tasks)
    tables = 0 if use.page_tables_bytes is not None else _tables_of_tasks(case)
    hidden = use.unaccounted_bytes - max(0, resident - shown) - tables
    return hidden if hidden >= LAG_BYTES else 0


def _largest_part(use: MemoryUse, hidden: int) -> tuple[str, int]:
    known = {name: getattr(use, f"{name}_bytes", None) or 0 for name in _PARTS}
    parts = {name: held for name, held in known.items() if name != "slab_reclaimable"}
    parts["other"] = max(0, (use.kernel_bytes or 0) + known["sock"] - sum(known.values())) + hidden
    part = max(parts, key=parts.__getitem__)
    return part, parts[part]


def page_tables_of_cgroup(case: Case) -> Judgement:
    """Page tables, which map memory and hold none, filled a large part of the limit."""
    use = case.use
    if use is None or not use.total_bytes:
        return _NO_FIGURES
    if use.page_tables_bytes is None:
        return _page_tables_by_tasks(case, use.total_bytes)
    if use.page_tables_bytes < TABLES_MATTER * use.total_bytes:
        return None
    step = Step(
        f"Page tables took {size(use.page_tables_bytes)} of the limit of {size(use.total_bytes)} ({percent(use.page_tables_bytes, use.total_bytes)}).",
        case.quoted("usage", "stat"),
    )
    return Conclusion("certain" if use.page_tables_bytes >= 2 * TABLES_MATTER * use.total_bytes else "probable", (step,), remedy.for_page_tables(case))


def _page_tables_by_tasks(case: Case, limit_bytes: int) -> Judgement:
    """The same before 5.11, where memory.stat has no such figure and the task table does."""
    held = _tables_of_tasks(case)
    if held < TABLES_MATTER * limit_bytes:
        return None
    step = Step(
        f"The page tables of the cgroup's processes add up to {size(held)}, {percent(held, limit_bytes)} of the limit of {size(limit_bytes)}.",
        case.quoted("usage", "largest_task"),
    )
    return Conclusion("certain" if held >= 2 * TABLES_MATTER * limit_bytes else "probable", (step,), remedy.for_page_tables(case))


def _tables_of_tasks(case: Case) -> int:
    """Page tables of all tasks together; 0 where the table is not whole or does not give them."""
    return sum(task.page_tables_bytes or 0 for task in case.tasks) if case.tasks_complete else 0


def swap_denied_to_cgroup(case: Case) -> Judgement:
    """The host had swap, and this cgroup was not allowed to use any of it."""
    use = case.use
    if use is None or not use.total_bytes or use.anon_bytes is None:
        return None
    if not _denied(case, use) or use.anon_bytes < MAIN * use.total_bytes:
        return None
    swap = case.host.swap_total_bytes
    quotes: tuple[Line | Fact, ...] = (Fact("swap total_bytes", str(swap)),)
    if swap is None:
        swap, line = host_swap_in_log(case)
        quotes = (line,) if line is not None else ()
    if swap is None:
        return Lacking("whether the host has swap, which a cgroup's report does not show")
    if swap == 0:
        return None
    steps = (
        Step(
            f"The programs' own memory was {size(use.anon_bytes)} of the limit of {size(use.total_bytes)}, and the cgroup may use no swap.",
            case.quoted("usage", "swap", "memsw"),
        ),
        Step(f"The host has {size(swap)} of swap.", quotes),
    )
    return Conclusion("probable", steps, for_swap_denied())


def _denied(case: Case, use: MemoryUse) -> bool:
    """A swap limit of 0, or in version 1 a limit on memory and swap together that is no larger than that on memory."""
    group = case.report.cgroup if case.report else None
    return use.swap_total_bytes == 0 or (group is not None and group.memsw_limit_bytes is not None and group.memsw_limit_bytes == group.limit_bytes)


KERNEL_MEMORY_OF_CGROUP = Rule(
    cause="kernel_memory",
    kinds=MEMCG,
    needs=f"the report's limit, anon and the kernel's figures of memory.stat (or the kmem counter); unreclaimable kernel memory and sockets at least"
    f" {KERNEL_MATTERS:.0%} of the limit (certain from {MAIN:.0%}). Before 5.18 also, with the whole task table, what shows in no figure",
    reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files",
    judge=kernel_memory_of_cgroup,
)
PAGE_TABLES_OF_CGROUP = Rule(
    cause="page_tables",
    kinds=MEMCG,
    needs="the report's limit and pagetables of memory.stat, or the whole task table;"
    f" at least {TABLES_MATTER:.0%} of the limit (certain from {2 * TABLES_MATTER:.0%})",
    reference="https://docs.kernel.org/mm/page_tables.html",
    judge=page_tables_of_cgroup,
)
SWAP_DENIED_TO_CGROUP = Rule(
    cause="swap_denied_to_cgroup",
    kinds=MEMCG,
    needs=f"the report's limits on memory and swap, anon, and the host's swap; swap limit 0, anon at least {MAIN:.0%} of the limit, swap on the host",
    reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files",
    judge=swap_denied_to_cgroup,
    speaks_of="room",
)
