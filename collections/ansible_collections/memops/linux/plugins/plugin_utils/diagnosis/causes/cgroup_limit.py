# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes that lie below a memory cgroup's limit: what the limit was full of."""

from __future__ import annotations

import math

from ..case import Case
from ..remedies import limits as remedy
from ..rule import Conclusion, Fact, Judgement, Lacking, Rule, Step
from ..wording import percent, size

MEMCG = frozenset(("memcg_oom",))

#: From here on one use fills the limit for practical purposes.
FILLS = 0.8
#: From here on one use is the main one.
MAIN = 0.5
#: Dirty pages are a cause long before they are the main use: reclaim waits for
#: them while the program's own pages, without swap, cannot go at all.
DIRTY_MATTERS = 0.2
#: tmpfs is meant to be small; from here on it is not.
SHMEM_MATTERS = 0.3


def working_set_over_limit(case: Case) -> Judgement:
    """The programs' own (anonymous) memory filled the limit."""
    use = case.use
    if use is None or use.total_bytes is None or use.anon_bytes is None:
        return _from_victim_alone(case)
    share = use.share(use.anon_bytes) or 0  # a limit of nothing has no share
    if share < MAIN or use.largest() != "anon":
        return _mostly_swapped_out(case, use.total_bytes)
    steps = [
        Step(
            f"The programs' own memory was {size(use.anon_bytes)} of the limit of {size(use.total_bytes)} ({percent(use.anon_bytes, use.total_bytes)}).",
            case.quoted("usage", "stat_anon"),
        ),
        _swap_step(case),
    ]
    return Conclusion(
        "certain" if share >= FILLS else "probable",
        tuple(step for step in steps if step),
        remedy.for_limit(case, use.total_bytes, use.used_bytes or use.total_bytes),
    )


def _from_victim_alone(case: Case) -> Judgement:
    """Without the report's figures on anon: the victim's size against the report's limit, or against the one of now."""
    victim, total = case.victim, case.use.total_bytes if case.use else None
    if total is not None and victim is not None and victim.anon_rss_bytes is not None:
        if victim.anon_rss_bytes < MAIN * total:
            return Lacking("the cgroup's anon figure (memory.stat in the report)")
        step = Step(
            f"The victim's own memory alone was {size(victim.anon_rss_bytes)} of the limit of {size(total)}.",
            case.quoted("usage", "kill"),
        )
        sure = victim.anon_rss_bytes >= FILLS * total
        return Conclusion("probable" if sure else "possible", (step,), remedy.for_limit(case, total, total))
    current = _limit_now(case)
    if current is None or victim is None or victim.anon_rss_bytes is None:
        return Lacking("the report's lines on usage and limit of the cgroup")
    limit_bytes, where = current
    if math.isinf(limit_bytes) or victim.anon_rss_bytes < MAIN * limit_bytes:
        return None
    step = Step(
        f"The victim's own memory was {size(victim.anon_rss_bytes)}; the limit is {size(limit_bytes)} now (the report's own lines on the limit are missing).",
        (*case.quoted("kill"), Fact(where, f"{limit_bytes:.0f}")),
    )
    return Conclusion("possible", (step,), remedy.for_limit(case, int(limit_bytes), int(limit_bytes)))


def _mostly_swapped_out(case: Case, total: int) -> Judgement:
    """Programs' memory that has gone to swap fills no limit, but comes back through it page by page."""
    row = case.victim_task()
    if row is None or not total or (row.swap_bytes or 0) < total:
        return None
    step = Step(
        f"The victim had {size(row.swap_bytes)} in swap, {(row.swap_bytes or 0) / total:.0f} times the limit of {size(total)}: what it needs at one time"
        " does not fit.",
        case.quoted("usage", "kill"),
    )
    return Conclusion("probable", (step,), remedy.for_limit(case, total, total + (row.swap_bytes or 0)))


def _limit_now(case: Case) -> tuple[float, str] | None:
    group = case.host.cgroup(case.cgroup)
    if group and group.get("max_bytes") is not None:
        return (math.inf if group["max_bytes"] == "max" else group["max_bytes"]), f"cgroups {group['path']} max_bytes"
    container = case.container or {}
    if container.get("memory_limit_bytes") is not None:
        value = container["memory_limit_bytes"]
        return (math.inf if value == "max" else value), f"containers {container.get('name')} memory_limit_bytes"
    return None


def _swap_step(case: Case) -> Step | None:
    use = case.use
    if use.swap_total_bytes == 0:
        return Step("The cgroup may not use swap, so none of it could leave RAM.", case.quoted("swap"))
    if use.swap_total_bytes and use.swap_free_bytes is not None and use.swap_free_bytes < 0.02 * use.swap_total_bytes:
        return Step(f"The cgroup's swap limit of {size(use.swap_total_bytes)} was used up too.", case.quoted("swap"))
    return None


def dirty_page_cache(case: Case) -> Judgement:
    """The limit was full of file pages that wait for a disk, not of programs' memory.

    Dirty and writeback pages cannot be reclaimed until they are written; cgroup
    v1 does not throttle a writer by its cgroup's limit at all, so a small limit
    fills up while the host is far below its own dirty threshold.
    """
    use = case.use
    if use is None or use.total_bytes is None:
        return Lacking("the report's lines on usage and limit of the cgroup")
    unflushed = use.unflushed_bytes
    if unflushed is None:
        return Lacking("the cgroup's dirty and writeback figures (memory.stat in the report)")
    if not unflushed or unflushed < DIRTY_MATTERS * use.total_bytes or (use.share(use.anon_bytes) or 0) >= FILLS:
        return None
    steps = [
        Step(
            f"{size(unflushed)} of the limit of {size(use.total_bytes)} ({percent(unflushed, use.total_bytes)}) were file pages"
            f" waiting to be written to disk; the programs' own memory was only {size(use.anon_bytes)}.",
            case.quoted("usage", "stat_dirty", "stat_writeback", "stat_anon"),
        )
    ]
    flags = case.trigger.gfp_flags if case.trigger else ()
    if "__GFP_WRITE" in flags:
        steps.append(Step("The allocation that failed was itself for a page to be written (__GFP_WRITE).", case.quoted("trigger")))
    threshold = case.host.dirty_threshold_bytes
    if threshold and use.total_bytes:
        steps.append(
            Step(
                f"The host lets {size(threshold)} become dirty before a writer must wait: {threshold / use.total_bytes:.0f} times the limit.",
                (Fact("memory vmstat dirty_threshold_bytes", str(threshold)),),
            )
        )
    sure = unflushed >= 2 * DIRTY_MATTERS * use.total_bytes or unflushed >= (use.anon_bytes or 0)
    return Conclusion("certain" if sure else "probable", tuple(steps), remedy.for_dirty_page_cache(case, use.total_bytes))


def shmem_or_tmpfs(case: Case) -> Judgement:
    """tmpfs files or shared memory, charged to the cgroup, filled the limit."""
    use = case.use
    if use is None or use.total_bytes is None or use.shmem_bytes is None:
        return Lacking("the cgroup's shmem figure (memory.stat in the report)")
    if use.largest() != "shmem" or use.shmem_bytes < SHMEM_MATTERS * use.total_bytes:
        return None
    step = Step(
        f"tmpfs and shared memory held {size(use.shmem_bytes)} of the limit of {size(use.total_bytes)}"
        f" ({percent(use.shmem_bytes, use.total_bytes)}); the programs' own memory was {size(use.anon_bytes)}.",
        case.quoted("usage", "stat_shmem", "stat_anon"),
    )
    confidence = "certain" if use.shmem_bytes >= MAIN * use.total_bytes else "probable"
    return Conclusion(confidence, (step,), remedy.for_shmem(case, use.total_bytes))


DIRTY_PAGE_CACHE = Rule(
    cause="dirty_page_cache",
    kinds=MEMCG,
    needs=f"the report's usage, limit, dirty and writeback of the cgroup; together at least {DIRTY_MATTERS:.0%} of the limit, and anon below {FILLS:.0%}",
    reference="https://bugzilla.kernel.org/show_bug.cgi?id=207273",
    judge=dirty_page_cache,
)
SHMEM_OR_TMPFS = Rule(
    cause="shmem_or_tmpfs",
    kinds=MEMCG,
    needs=f"the report's usage, limit and shmem of the cgroup; the largest use, and at least {SHMEM_MATTERS:.0%} of the limit",
    reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-ownership",
    judge=shmem_or_tmpfs,
)
WORKING_SET_OVER_LIMIT = Rule(
    cause="working_set_over_limit",
    kinds=MEMCG,
    needs=f"the report's usage, limit and anon of the cgroup; the largest use, at least {MAIN:.0%} of the limit (certain from {FILLS:.0%});"
    " without these figures the victim's size against the limit, or its memory in swap",
    reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files",
    judge=working_set_over_limit,
)
