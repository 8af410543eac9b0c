# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes on the level of the host: what RAM was full of, and why nothing could leave it."""

from __future__ import annotations

from ..case import Case
from ..memory_use import MemoryUse
from ..remedies import host as remedy
from ..remedies.limits import for_shmem
from ..rule import Conclusion, Judgement, Lacking, Rule, Step
from ..wording import percent, size
from .daemons import by_daemon

#: Of an unknown scope the host's figures tell as much as they can; ``rule.judge`` bounds how sure that is.
HOST_OOM = frozenset(("global_oom", "panic_on_oom", "unknown_oom"))
HOST_SHORTAGE = HOST_OOM | {"userspace_oom_daemon"}

MAIN = 0.5
#: A quarter of RAM in something that should be small is worth naming.
LARGE = 0.25
#: tmpfs is meant to be small; from here on it is not.
SHMEM_MATTERS = 0.3
#: The kernel leaves swap slots unused at the end (clusters, swap cache), so
#: "full" is a little less than all.
SWAP_LEFT = 0.05

_NO_FIGURES = Lacking("the report's Mem-Info block (where the RAM was)")


def hugepages_reserved(case: Case) -> Judgement:
    """RAM set aside for huge pages that nobody used, so that nobody else could."""
    use = case.use
    if use is None or use.total_bytes is None:
        return _NO_FIGURES
    if use.hugepages_bytes is None or use.hugepages_free_bytes is None:
        return None
    if use.hugepages_free_bytes < LARGE * use.total_bytes:
        return None
    step = Step(
        f"{size(use.hugepages_bytes)} of {size(use.total_bytes)} RAM ({percent(use.hugepages_bytes, use.total_bytes)}) were reserved for"
        f" huge pages, and {size(use.hugepages_free_bytes)} of that was not used by anyone.",
        case.quoted("hugepages"),
    )
    return Conclusion("certain", (step,), remedy.for_hugepages(use.hugepages_bytes - use.hugepages_free_bytes))


def unreclaimable_slab(case: Case) -> Judgement:
    """Kernel objects that reclaim cannot free held a large part of RAM."""
    use = case.use
    if use is None or use.total_bytes is None or use.slab_unreclaimable_bytes is None:
        return _NO_FIGURES
    slab = use.slab_unreclaimable_bytes
    if slab < LARGE * use.total_bytes:
        return None
    steps = [
        Step(
            f"Unreclaimable slab (kernel objects) held {size(slab)} of {size(use.total_bytes)} RAM"
            f" ({percent(slab, use.total_bytes)}); all programs together {size(use.anon_bytes)}.",
            case.quoted("slab_unreclaimable", "mem_info"),
        )
    ]
    report = case.report
    if report and report.memory and report.memory.slab:
        name, held = report.memory.slab[0]
        steps.append(Step(f"The largest cache was {name} with {size(held)}.", case.quoted("slab_table")))
    return Conclusion("certain" if slab >= (use.anon_bytes or 0) else "probable", tuple(steps), remedy.for_slab(case))


def shmem_or_tmpfs(case: Case) -> Judgement:
    """tmpfs files and shared memory held RAM that only swap or deletion frees."""
    use = case.use
    if use is None or use.total_bytes is None or use.shmem_bytes is None:
        return _NO_FIGURES
    if use.shmem_bytes < SHMEM_MATTERS * use.total_bytes or use.shmem_bytes < (use.anon_bytes or 0):
        return None
    step = Step(
        f"tmpfs and shared memory held {size(use.shmem_bytes)} of {size(use.total_bytes)} RAM"
        f" ({percent(use.shmem_bytes, use.total_bytes)}), more than the programs' own {size(use.anon_bytes)}.",
        case.quoted("shmem", "mem_info"),
    )
    return Conclusion("certain" if use.shmem_bytes >= MAIN * use.total_bytes else "probable", (step,), for_shmem(case, use.total_bytes))


def swap_exhausted(case: Case) -> Judgement:
    """There was swap, and it was full: programs' memory had nowhere left to go."""
    if case.kind == "userspace_oom_daemon":
        return by_daemon(case, with_swap=True)
    use = case.use
    if use is None or use.swap_total_bytes is None:
        return Lacking("the report's swap totals (Total swap, Free swap)")
    if use.swap_total_bytes == 0 or use.swap_free_bytes is None or use.swap_free_bytes > SWAP_LEFT * use.swap_total_bytes:
        return None
    steps = (
        Step(
            f"Of {size(use.swap_total_bytes)} swap {size(use.swap_free_bytes)} were free.",
            case.quoted("swap_free", "swap_total"),
        ),
        *_anon_steps(case, use),
    )
    return Conclusion(_sure_of_anon(use), steps, remedy.for_swap(case, use.swap_total_bytes))


def no_swap(case: Case) -> Judgement:
    """Programs' memory filled RAM and there was no swap it could have gone to."""
    if case.kind == "userspace_oom_daemon":
        return by_daemon(case, with_swap=False)
    use = case.use
    if use is None or use.swap_total_bytes is None:
        return Lacking("the report's swap totals (Total swap, Free swap)")
    if use.swap_total_bytes != 0:
        return None
    if use.anon_bytes is None:
        return _NO_FIGURES
    if (use.share(use.anon_bytes) or 0) < LARGE and use.largest() != "anon":
        return None
    steps = (*_anon_steps(case, use), Step("There was no swap, so none of it could leave RAM.", case.quoted("swap_total")))
    return Conclusion(_sure_of_anon(use), steps, remedy.for_swap(case, 0))


def _anon_steps(case: Case, use: MemoryUse) -> tuple[Step, ...]:
    if use.anon_bytes is None or not use.total_bytes:
        return ()
    steps = [
        Step(
            f"The programs' own memory held {size(use.anon_bytes)} of {size(use.total_bytes)} RAM ({percent(use.anon_bytes, use.total_bytes)}).",
            case.quoted("mem_info"),
        )
    ]
    if case.tasks and case.tasks_complete:
        largest = max(case.tasks, key=lambda task: task.rss_bytes or 0)
        steps.append(Step(f"The largest process was {largest.process} (pid {largest.pid}) with {size(largest.rss_bytes)} in RAM."))
    return tuple(steps)


def _sure_of_anon(use: MemoryUse) -> str:
    share = use.share(use.anon_bytes)
    if share is None:
        return "possible"
    return "certain" if share >= MAIN else "probable"


HUGEPAGES_RESERVED = Rule(
    cause="hugepages_reserved",
    kinds=HOST_OOM,
    needs=f"the report's hugepages lines and RAM; at least {LARGE:.0%} of RAM reserved and unused",
    reference="https://docs.kernel.org/admin-guide/mm/hugetlbpage.html",
    judge=hugepages_reserved,
)
UNRECLAIMABLE_SLAB = Rule(
    cause="unreclaimable_slab",
    kinds=HOST_OOM,
    needs=f"the report's Mem-Info; slab_unreclaimable at least {LARGE:.0%} of RAM (certain if more than all anon)",
    reference="https://docs.kernel.org/filesystems/proc.html#meminfo",
    judge=unreclaimable_slab,
)
HOST_SHMEM_OR_TMPFS = Rule(
    cause="shmem_or_tmpfs",
    kinds=HOST_OOM,
    needs=f"the report's Mem-Info; shmem at least {SHMEM_MATTERS:.0%} of RAM and more than anon (certain from {MAIN:.0%})",
    reference="https://docs.kernel.org/filesystems/tmpfs.html",
    judge=shmem_or_tmpfs,
)
SWAP_EXHAUSTED = Rule(
    cause="swap_exhausted",
    kinds=HOST_SHORTAGE,
    needs=f"the report's swap totals; at most {SWAP_LEFT:.0%} free. Of a daemon's kill: its own figures, or the host's swap",
    reference="https://docs.kernel.org/admin-guide/mm/concepts.html#oom-killer",
    judge=swap_exhausted,
    speaks_of="room",
)
NO_SWAP = Rule(
    cause="no_swap",
    kinds=HOST_SHORTAGE,
    needs=f"the report's swap totals and Mem-Info; swap 0 and anon the largest use or at least {LARGE:.0%} of RAM. Of a daemon's kill: its own figures,"
    " or the host's swap",
    reference="https://chrisdown.name/2018/01/02/in-defence-of-swap.html",
    judge=no_swap,
    speaks_of="room",
)
