# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cgroup at its limit: the usage lines and memory.stat as an OOM report prints them.

``mem_cgroup_print_oom_meminfo``, mm/memcontrol.c. Three forms of the statistics
are about: version 2's (also on version 1 in 5.x kernels), version 1's with
hierarchical ``total_`` lines, and until 4.19 one line in KB for each group below
the limit.
"""

from __future__ import annotations

import math
import re

from .draft import Draft
from .form import MEMORY, Form
from .model import CgroupMemory, Line
from .pattern import Pattern

#: From here on a limit is "none": LONG_MAX rounded down to pages. Where a long has 32 bits it is that many pages.
_UNLIMITED_KB = (1 << 62) >> 10
_UNLIMITED_32_BIT_KB = 0x7FFFFFFF * 4

_V2 = {
    "anon": "anon_bytes",
    "file": "file_bytes",
    "shmem": "shmem_bytes",
    "kernel": "kernel_bytes",
    "kernel_stack": "kernel_stack_bytes",
    "pagetables": "page_tables_bytes",
    "sec_pagetables": "secondary_page_tables_bytes",
    "percpu": "percpu_bytes",
    "sock": "sock_bytes",
    "vmalloc": "vmalloc_bytes",
    "zswap": "zswap_bytes",
    "zswapped": "zswapped_bytes",
    "file_mapped": "file_mapped_bytes",
    "file_dirty": "file_dirty_bytes",
    "file_writeback": "file_writeback_bytes",
    "swapcached": "swap_cached_bytes",
    "anon_thp": "anon_huge_bytes",
    "file_thp": "file_huge_bytes",
    "shmem_thp": "shmem_huge_bytes",
    "inactive_anon": "inactive_anon_bytes",
    "active_anon": "active_anon_bytes",
    "inactive_file": "inactive_file_bytes",
    "active_file": "active_file_bytes",
    "unevictable": "unevictable_bytes",
    "slab_reclaimable": "slab_reclaimable_bytes",
    "slab_unreclaimable": "slab_unreclaimable_bytes",
    "slab": "slab_bytes",
    "hugetlb": "hugetlb_bytes",
}
_V1 = {
    "rss": "anon_bytes",
    "cache": "file_bytes",
    "shmem": "shmem_bytes",
    "dirty": "file_dirty_bytes",
    "writeback": "file_writeback_bytes",
    "mapped_file": "file_mapped_bytes",
    "rss_huge": "anon_huge_bytes",
    "swap": "swap_bytes",
    "swapcached": "swap_cached_bytes",
    "inactive_anon": "inactive_anon_bytes",
    "active_anon": "active_anon_bytes",
    "inactive_file": "inactive_file_bytes",
    "active_file": "active_file_bytes",
    "unevictable": "unevictable_bytes",
}
_ROLES = {
    "anon": "stat_anon",
    "rss": "stat_anon",
    "file_dirty": "stat_dirty",
    "dirty": "stat_dirty",
    "file_writeback": "stat_writeback",
    "writeback": "stat_writeback",
    "shmem": "stat_shmem",
}
_FIGURES_OF = _V1 | _V2
_STAT = Pattern(r"([a-z_]+) (\d+)$")
_KEYS = frozenset(_V2) | frozenset(_V1) | frozenset("total_" + key for key in _V1)


class CgroupReading:
    """The figures of one report's cgroup, as they come in."""

    def __init__(self) -> None:
        self.memory = CgroupMemory()
        self.raw: dict[str, int] = {}

    def add(self, key: str, value: int) -> None:
        self.raw[key] = self.raw.get(key, 0) + value

    def finish(self, path: str | None) -> CgroupMemory:
        memory, raw = self.memory, self.raw
        memory.path = memory.path or path
        names = _V1 if "rss" in raw or "cache" in raw else _V2
        if "total_rss" in raw:
            names = {"total_" + key: name for key, name in _V1.items()}
        stat = {name: raw[key] for key, name in names.items() if key in raw}
        swap = stat.pop("swap_bytes", None)
        if memory.swap_usage_bytes is None:
            memory.swap_usage_bytes = swap
        memory.stat = stat
        return memory


def read_limit(kilobytes: str) -> float:
    number = int(kilobytes)
    return math.inf if number >= _UNLIMITED_KB or number == _UNLIMITED_32_BIT_KB else number * 1024


def _reading(draft: Draft) -> CgroupReading:
    if draft.cgroup is None:
        draft.cgroup = CgroupReading()
    return draft.cgroup


def _usage(draft: Draft, match: re.Match[str]) -> None:
    memory = _reading(draft).memory
    memory.usage_bytes, memory.limit_bytes, memory.failcnt = int(match[1]) * 1024, read_limit(match[2]), int(match[3])


def _usage_seen(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.cgroup is not None and draft.cgroup.memory.usage_bytes is not None


def _swap(draft: Draft, match: re.Match[str]) -> None:
    memory = _reading(draft).memory
    memory.swap_usage_bytes, memory.swap_limit_bytes = int(match[1]) * 1024, read_limit(match[2])


def _memsw(draft: Draft, match: re.Match[str]) -> None:
    memory = _reading(draft).memory
    memory.memsw_usage_bytes, memory.memsw_limit_bytes = int(match[1]) * 1024, read_limit(match[2])


def _kmem(draft: Draft, match: re.Match[str]) -> None:
    _reading(draft).memory.kmem_usage_bytes = int(match[1]) * 1024


def _stats(draft: Draft, match: re.Match[str]) -> None:
    """After "Memory cgroup stats": " for /a:", until 4.19 followed by " cache:0KB rss:44KB ..." on the line."""
    reading = _reading(draft)
    path, inline, figures = match[1].rpartition(": cache:")
    if not inline:
        path, figures = match[1].removesuffix(":"), ""
    # The group at its limit stands first, those below it follow, each with its own share.
    if path.startswith(" for ") and reading.memory.path is None:
        reading.memory.path = path.removeprefix(" for ")
    for item in f"cache:{figures}".split() if inline else ():
        key, _colon, size = item.partition(":")
        if key in _V1 and size.endswith("KB") and size[:-2].isdecimal():
            reading.add(key, int(size[:-2]) * 1024)
            draft.quote(f"figure_{_V1[key]}")
            if key in _ROLES:
                draft.quote(_ROLES[key])


def take_stat(draft: Draft, text: str, line: Line) -> bool:
    """Takes a figure below "Memory cgroup stats" in ("anon 66543616"); False if it is none."""
    match = _STAT.match(text)
    if match is None or draft.cgroup is None or match[1] not in _KEYS or match[1] in draft.cgroup.raw:
        return False
    draft.cgroup.add(match[1], int(match[2]))
    key = match[1].removeprefix("total_")
    draft.report.quotes[f"figure_{_FIGURES_OF[key]}"] = line
    if key in _ROLES:
        draft.report.quotes[_ROLES[key]] = line
    return True


def _killed_for_limit(draft: Draft, match: re.Match[str]) -> None:
    """Until 4.19: "Task in /victim's killed as a result of limit of /limit's"."""
    _reading(draft)
    draft.report.victim_cgroup, draft.report.limit_cgroup = match[1], match[2].strip()
    draft.scope_stated = True


def _limit_seen(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.report.limit_cgroup is not None


_FIGURES = r"usage (\d+)kB, limit (\d+)kB, failcnt (\d+)"
FORMS = (
    Form("memory: usage ", Pattern("memory: " + _FIGURES), MEMORY, _usage, "usage", another=_usage_seen),
    Form("swap: usage ", Pattern(r"swap: " + _FIGURES), MEMORY, _swap, "swap"),
    Form("memory+swap: usage ", Pattern(r"memory\+swap: " + _FIGURES), MEMORY, _memsw, "memsw"),
    Form("kmem: usage ", Pattern("kmem: " + _FIGURES), MEMORY, _kmem, "kmem"),
    Form("Memory cgroup stats", Pattern(r"Memory cgroup stats(.*)"), MEMORY, _stats, "stat"),
    Form(
        "killed as a result of limit",
        Pattern(r"Task in (.*) killed as a result of limit of (.*)"),
        MEMORY,
        _killed_for_limit,
        "limit",
        another=_limit_seen,
    ),
)
