# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kernel's words in plain sentences: what the page shows on hover and on focus, and lists at its end.

One table; each entry has the kernel file or document that it rests on.
"""

from __future__ import annotations

from typing import NamedTuple

from ..diagnosis.causes.catalogue import RULES
from ..diagnosis.verdict import CODES

_GFP = "include/linux/gfp_types.h (include/linux/gfp.h before 6.0)"
_OOM = "mm/oom_kill.c"
_CGROUP = "Documentation/admin-guide/cgroup-v2.rst"
_PROC = "Documentation/filesystems/proc.rst"
_ALLOC = "mm/page_alloc.c"
_PSI = "Documentation/accounting/psi.rst"


class Entry(NamedTuple):
    """text: one or two plain sentences. reference: where it is from."""

    text: str
    reference: str


ENTRIES: dict[str, Entry] = {
    "gfp mask": Entry("What an allocation wants and what the kernel may do to satisfy it, as bits; kernels since 4.6 print their names too.", _GFP),
    "GFP_KERNEL": Entry("Memory for the kernel itself. It may sleep, start disk I/O and call filesystems to get some back.", _GFP),
    "GFP_KERNEL_ACCOUNT": Entry("Like GFP_KERNEL, and it counts against the memory cgroup on whose behalf it is made.", _GFP),
    "GFP_USER": Entry("Memory on a program's behalf that the kernel must reach directly, such as buffers for its system calls.", _GFP),
    "GFP_HIGHUSER": Entry("Memory for a program, from any zone, that cannot be moved later.", _GFP),
    "GFP_HIGHUSER_MOVABLE": Entry("Ordinary memory for a program or for cached file data: from any zone, and it can be moved later.", _GFP),
    "GFP_ATOMIC": Entry("Must not sleep, so nothing can be reclaimed for it; in return it may use part of the reserve below the min watermark.", _GFP),
    "GFP_NOWAIT": Entry("Must not sleep and gets no reserve; callers expect it to fail now and then.", _GFP),
    "GFP_NOIO": Entry("May sleep, but reclaim on its behalf must not start disk I/O.", _GFP),
    "GFP_NOFS": Entry("May sleep and start I/O, but reclaim on its behalf must not call filesystems.", _GFP),
    "GFP_DMA": Entry("From the lowest addresses, for devices that reach no others.", _GFP),
    "GFP_DMA32": Entry("From below 4 GiB, for devices with 32-bit addresses.", _GFP),
    "GFP_TRANSHUGE": Entry("A transparent huge page, for which memory may be compacted.", _GFP),
    "GFP_TRANSHUGE_LIGHT": Entry("A transparent huge page only if one is there; nothing is reclaimed or compacted for it.", _GFP),
    "__GFP_ZERO": Entry("The pages are handed out filled with zeros.", _GFP),
    "__GFP_COMP": Entry("Several pages together are to be one compound page.", _GFP),
    "__GFP_NOWARN": Entry("No message if it fails.", _GFP),
    "__GFP_NORETRY": Entry("The kernel tries lightly and gives up rather than call the OOM killer.", _GFP),
    "__GFP_RETRY_MAYFAIL": Entry("The kernel tries hard, but gives up rather than call the OOM killer.", _GFP),
    "__GFP_NOFAIL": Entry("It must not fail: the kernel tries for ever.", _GFP),
    "__GFP_THISNODE": Entry("Only from the node that was named.", _GFP),
    "__GFP_HARDWALL": Entry("Only from nodes of the process's own cpuset.", _GFP),
    "__GFP_WRITE": Entry("The page is about to be made dirty, so dirty pages are spread over zones.", _GFP),
    "__GFP_ACCOUNT": Entry("It counts against the memory cgroup on whose behalf it is made.", _GFP),
    "__GFP_NOMEMALLOC": Entry("It must not use the emergency reserves, whoever asks.", _GFP),
    "__GFP_MEMALLOC": Entry("It may use all reserves, for it will free more than it takes.", _GFP),
    "__GFP_HIGH": Entry("It may use part of the reserve below the min watermark.", _GFP),
    "__GFP_MOVABLE": Entry("The pages can be moved or reclaimed later.", _GFP),
    "__GFP_RECLAIMABLE": Entry("Slab memory that the kernel can give back by a shrinker.", _GFP),
    "order": Entry(
        "How large one piece has to be: 2^order pages next to each other, so order 0 is one page (4 KiB on most machines) and order 3 eight. -1 is a kill"
        " that somebody asked for by SysRq.",
        f"{_ALLOC}, struct oom_control in include/linux/oom.h",
    ),
    "constraint none": Entry(
        "CONSTRAINT_NONE: nothing but the whole host's memory bounded the allocation, so any process may be killed.", f"{_OOM}: constrained_alloc"
    ),
    "constraint memcg": Entry("CONSTRAINT_MEMCG: a memory cgroup was at its limit; only processes below it may be killed.", f"{_OOM}: constrained_alloc"),
    "constraint cpuset": Entry("CONSTRAINT_CPUSET: the allocation could use only some NUMA nodes, by its cpuset.", f"{_OOM}: constrained_alloc"),
    "constraint memory_policy": Entry(
        "CONSTRAINT_MEMORY_POLICY: the allocation could use only some NUMA nodes, by a memory policy such as numactl --membind.", f"{_OOM}: constrained_alloc"
    ),
    "oom_score_adj": Entry(
        "From -1000 to 1000: thousandths of all memory that are added to a process's score when a victim is chosen. -1000 is never killed.",
        f"{_PROC}, {_OOM}: oom_badness",
    ),
    "rss": Entry("Resident set size: what a process has in RAM, shared pages counted in each process that maps them.", f"{_PROC}, {_OOM}: dump_task"),
    "swapents": Entry("What a process has in swap; the table counts it in pages.", f"{_OOM}: dump_task"),
    "page tables": Entry("Memory that the kernel needs to map a process's pages; it counts in the score of the process.", f"{_OOM}: dump_task"),
    "anon": Entry("Anonymous memory: heaps, stacks and the like, backed by no file. Without swap it cannot leave RAM.", f"{_CGROUP}: memory.stat"),
    "file": Entry("Page cache: contents of files. What is clean can be dropped at once and read again.", f"{_CGROUP}: memory.stat"),
    "dirty": Entry("Page cache that is newer than the file on the disk: it must be written before it can be dropped.", f"{_CGROUP}: memory.stat"),
    "shmem": Entry(
        "Shared memory and files in tmpfs, /dev/shm among them. It counts as cache, and without swap it cannot leave RAM.", f"{_CGROUP}: memory.stat"
    ),
    "unevictable": Entry("Pages that may not be reclaimed, most of them locked by mlock(2).", "Documentation/mm/unevictable-lru.rst"),
    "slab": Entry("The kernel's own objects, such as inodes and dentries. Only the reclaimable part can shrink.", f"{_CGROUP}: memory.stat"),
    "sock": Entry("Buffers of network connections.", f"{_CGROUP}: memory.stat"),
    "hugepages": Entry(
        "Pages reserved for hugetlbfs. They are of use to nobody else, also while they are free.", "Documentation/admin-guide/mm/hugetlbpage.rst"
    ),
    "balloon": Entry("Memory that a balloon driver has given back to the hypervisor.", "mm/balloon_compaction.c"),
    "unaccounted": Entry(
        "In use, and in none of the figures that the kernel prints: pages that a driver, a filesystem or the kernel took for itself.",
        f"{_ALLOC}: show_free_areas",
    ),
    "free": Entry("Free pages. The kernel keeps some of them back, see the watermarks.", f"{_ALLOC}: show_free_areas"),
    "zone": Entry("A range of addresses on one NUMA node. An allocation may use some zones and not others, by its gfp mask.", "include/linux/mmzone.h"),
    "watermark min": Entry(
        "Below min only emergencies of the kernel get memory; ordinary requests have to reclaim some first.", f"{_ALLOC}: __zone_watermark_ok"
    ),
    "watermark low": Entry("Below low the kernel wakes kswapd, which reclaims in the background.", f"{_ALLOC}: __alloc_pages_slowpath"),
    "watermark high": Entry("Above high kswapd goes to sleep again.", "mm/vmscan.c: balance_pgdat"),
    "lowmem_reserve": Entry(
        "What must stay free for this request: the min watermark, and what the zone keeps from requests that could have used a higher zone.",
        f"{_ALLOC}: __zone_watermark_ok, vm.lowmem_reserve_ratio",
    ),
    "memory.max": Entry("The hard limit of a cgroup (limit_in_bytes in version 1). What needs more is reclaimed for, then killed.", f"{_CGROUP}: memory.max"),
    "memory.high": Entry("Above it a cgroup's processes are slowed down and reclaimed from, but not killed.", f"{_CGROUP}: memory.high"),
    "psi": Entry("Pressure stall information: the share of time in which some tasks, or all of them at once (full), waited for a resource.", _PSI),
    "certain": Entry("The sources say it themselves.", "docs/causes.md"),
    "probable": Entry("The sources fit it, and something that would prove it is missing.", "docs/causes.md"),
    "possible": Entry("Nothing speaks against it.", "docs/causes.md"),
}
for _code, _meaning in CODES.items():
    ENTRIES[f"verdict {_code}"] = Entry(_meaning[0].upper() + _meaning[1:] + ".", "docs/causes.md")
for _rule in RULES:
    ENTRIES.setdefault(f"cause {_rule.cause}", Entry(f"Holds when: {_rule.needs}.", _rule.reference))

_NUMBERS = {name: number for number, name in enumerate(ENTRIES)}


def anchor(term: str) -> str | None:
    """The entry's place on the page; None where there is none."""
    number = _NUMBERS.get(term)
    return None if number is None else f"g{number}"
