# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes on the level of the host that lie in memory of the kernel, of a balloon, or locked."""

from __future__ import annotations

from ...events.pattern import Pattern
from ..case import Case
from ..remedies import kernel as remedy
from ..rule import Conclusion, Fact, Judgement, Lacking, Rule, Step
from ..wording import percent, size
from .host_memory import HOST_OOM, LARGE, MAIN

#: Page tables are one 512th of what they map; a tenth of RAM is far beyond that.
TABLES_MATTER = 0.1
#: A balloon is meant to take memory, but from here on it is a main use.
BALLOON_MATTERS = 0.1

#: The reaper frees what it may; what stays this large was not its to take.
REAPED_IN_VAIN = 0.5
_REAPED = Pattern(r"oom_reaper: reaped process :?(\d{1,10}) \(.{0,64}?\),? now anon-rss:(\d{1,15})kB")

_NO_FIGURES = Lacking("the report's Mem-Info block (where the RAM was)")


def page_tables(case: Case) -> Judgement:
    """Page tables, which map memory and hold none, took a large part of RAM."""
    use = case.use
    if use is None or not use.total_bytes or use.page_tables_bytes is None:
        return _NO_FIGURES
    if use.page_tables_bytes < TABLES_MATTER * use.total_bytes:
        return None
    step = Step(
        f"Page tables took {size(use.page_tables_bytes)} of {size(use.total_bytes)} RAM ({percent(use.page_tables_bytes, use.total_bytes)}).",
        case.quoted("shmem", "mem_info"),
    )
    sure = use.page_tables_bytes >= LARGE * use.total_bytes
    return Conclusion("certain" if sure else "probable", (step,), remedy.for_page_tables(case))


def mlocked(case: Case) -> Judgement:
    """Memory that may neither be swapped nor dropped, because a program locked it, held a large part."""
    use = case.use
    if use is None or not use.total_bytes or use.unevictable_bytes is None:
        return _could_not_be_reaped(case) or (_NO_FIGURES if case.kind in HOST_OOM else None)
    held = use.unevictable_bytes
    if held < LARGE * use.total_bytes:
        return _could_not_be_reaped(case)
    by_programs = f"; {size(use.mlocked_bytes)} of that by mlock" if use.mlocked_bytes else ""
    what = "the limit of " if use.scope == "cgroup" else ""
    step = Step(
        f"{size(held)} of {what}{size(use.total_bytes)} ({percent(held, use.total_bytes)}) were unevictable, which reclaim does not even look at{by_programs}.",
        case.quoted("mem_info", "usage", "stat"),
    )
    return Conclusion("certain" if held >= MAIN * use.total_bytes else "probable", (step,), remedy.for_mlocked(case))


def _could_not_be_reaped(case: Case) -> Conclusion | None:
    """The reaper takes a victim's memory while it dies, except what is locked or in huge pages."""
    victim = case.victim
    for line in case.quoted("reaper"):
        match = _REAPED.match(line.text.strip())
        if match is None or victim is None or int(match[1]) != victim.pid or not victim.anon_rss_bytes:
            continue
        left = int(match[2]) * 1024
        if left >= REAPED_IN_VAIN * victim.anon_rss_bytes:
            told = f"After the reaper had been at it, {victim.process} still held {size(left)} of its {size(victim.anon_rss_bytes)}."
            return Conclusion("possible", (Step(told + " The reaper leaves locked memory alone.", (line, *case.quoted("kill"))),), remedy.for_mlocked(case))
    return None


def kernel_memory(case: Case) -> Judgement:
    """Pages that show in no figure, taken by a driver, a filesystem or the kernel itself, held a large part of RAM."""
    use = case.use
    if use is None or not use.total_bytes:
        return _NO_FIGURES
    if use.gpu_bytes and use.gpu_bytes >= LARGE * use.total_bytes:
        held = f"Graphics drivers held {size(use.gpu_bytes)} of {size(use.total_bytes)} RAM ({percent(use.gpu_bytes, use.total_bytes)})."
        return Conclusion("certain", (Step(held, case.quoted("mem_info")),), remedy.for_unaccounted(case))
    if use.unaccounted_bytes is None:
        return Lacking("a whole Mem-Info block with each node's huge pages, without which it is not known what no figure explains")
    if use.unaccounted_bytes < LARGE * use.total_bytes:
        return None
    step = Step(
        f"{size(use.unaccounted_bytes)} of {size(use.total_bytes)} RAM ({percent(use.unaccounted_bytes, use.total_bytes)}) were in use and in no figure of"
        f" the report: not programs' ({size(use.anon_bytes)}), not files', slab, page tables, stacks or huge pages.",
        case.quoted("mem_info", "ram", "slab_unreclaimable"),
    )
    # By exclusion alone: a figure that the log lost a digit of would look the same.
    return Conclusion("probable", (step,), remedy.for_unaccounted(case))


def balloon(case: Case) -> Judgement:
    """The hypervisor had taken a large part of the guest's RAM back."""
    use = case.use
    if use is None or not use.total_bytes:
        return _NO_FIGURES
    if use.balloon_bytes:
        if use.balloon_bytes < BALLOON_MATTERS * use.total_bytes:
            return None
        step = Step(
            f"{size(use.balloon_bytes)} of {size(use.total_bytes)} RAM ({percent(use.balloon_bytes, use.total_bytes)}) were in the balloon: given back to"
            " the hypervisor.",
            case.quoted("balloon", "mem_info"),
        )
        return Conclusion("certain" if use.balloon_bytes >= LARGE * use.total_bytes else "probable", (step,), remedy.for_balloon())
    now = (case.host.section("memory").get("balloon") or {}).get("inflated_bytes")
    if not now or now < BALLOON_MATTERS * use.total_bytes or use.unaccounted_bytes is None:
        return None
    # A balloon that takes its pages out of the managed ones (virtio) makes them "reserved" in the report.
    reserved = 0 if None in (use.free_bytes, use.used_bytes) else use.total_bytes - use.free_bytes - use.used_bytes
    hidden = use.unaccounted_bytes + reserved
    if hidden < now / 2:
        return None
    steps = (
        Step(f"The balloon holds {size(now)} now.", (Fact("memory balloon inflated_bytes", str(now)),)),
        Step(f"At the time of the report {size(hidden)} were reserved or in no figure, as a balloon's pages are.", case.quoted("mem_info", "ram")),
    )
    return Conclusion("probable", steps, remedy.for_balloon())


_MEM_INFO = "the report's Mem-Info and RAM"
PAGE_TABLES = Rule(
    cause="page_tables",
    kinds=HOST_OOM,
    needs=f"{_MEM_INFO}; pagetables at least {TABLES_MATTER:.0%} of RAM (certain from {LARGE:.0%})",
    reference="https://docs.kernel.org/mm/page_tables.html",
    judge=page_tables,
)
MLOCKED = Rule(
    cause="mlocked",
    kinds=HOST_OOM | {"memcg_oom"},
    needs=f"the report's unevictable and RAM, or those of memory.stat and the limit; at least {LARGE:.0%} (certain from {MAIN:.0%});"
    f" or (possible) the reaper's line, when at least {REAPED_IN_VAIN:.0%} of the victim's memory is still there",
    reference="https://docs.kernel.org/mm/unevictable-lru.html",
    judge=mlocked,
)
KERNEL_MEMORY = Rule(
    cause="kernel_memory",
    kinds=HOST_OOM,
    needs=f"a whole Mem-Info block with huge pages; what no figure explains at least {LARGE:.0%} of RAM, or what graphics"
    " drivers hold (gpu_active, gpu_reclaim of the newest kernels)",
    reference="mm/show_mem.c: __show_mem(); https://docs.kernel.org/mm/page_owner.html",
    judge=kernel_memory,
)
BALLOON = Rule(
    cause="balloon",
    kinds=HOST_OOM,
    needs=f"Balloon: of the nodes (since 6.16), at least {BALLOON_MATTERS:.0%} of RAM;"
    " else the balloon as it is now and half as much reserved or in no figure of the report",
    reference="https://docs.oasis-open.org/virtio/virtio/v1.2/virtio-v1.2.html (5.5)",
    judge=balloon,
)
