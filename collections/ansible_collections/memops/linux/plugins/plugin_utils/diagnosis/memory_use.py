# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the memory was when an allocation failed, in one table of bytes."""

from __future__ import annotations

import dataclasses
import math

from ..events.model import CgroupMemory, MemInfo, Task


@dataclasses.dataclass(frozen=True)
class MemoryUse:
    """Uses of memory at the time of an event; None where the report is silent.

    scope: "cgroup" (total is the limit) or "host" (total is the RAM).
    anon_bytes: private memory of programs, without shmem.
    file_bytes: page cache of files, without shmem; file_dirty_bytes and
        file_writeback_bytes are parts of it.
    unevictable_bytes: pages of programs and files that may not be reclaimed, on a
        list of their own; mlocked_bytes is the part that programs have locked.
    kernel_bytes: of a cgroup, all that the kernel holds for it besides sockets'
        buffers (slab, stacks, page tables, percpu and vmalloc are parts of it).
    balloon_bytes: given back to the hypervisor. gpu_bytes: held by graphics drivers.
    unaccounted_bytes: what is used and shows in no use, if all uses that the kernel
        reports are there: pages that drivers, filesystems and the kernel took for
        themselves, leaks among them.
    """

    scope: str
    total_bytes: int | None
    used_bytes: int | None = None
    anon_bytes: int | None = None
    file_bytes: int | None = None
    file_dirty_bytes: int | None = None
    file_writeback_bytes: int | None = None
    shmem_bytes: int | None = None
    unevictable_bytes: int | None = None
    mlocked_bytes: int | None = None
    slab_reclaimable_bytes: int | None = None
    slab_unreclaimable_bytes: int | None = None
    page_tables_bytes: int | None = None
    kernel_stack_bytes: int | None = None
    percpu_bytes: int | None = None
    vmalloc_bytes: int | None = None
    kernel_bytes: int | None = None
    sock_bytes: int | None = None
    hugepages_bytes: int | None = None
    hugepages_free_bytes: int | None = None
    balloon_bytes: int | None = None
    gpu_bytes: int | None = None
    free_bytes: int | None = None
    swap_total_bytes: int | None = None
    swap_free_bytes: int | None = None
    swap_used_bytes: int | None = None
    unaccounted_bytes: int | None = None

    def share(self, part: int | None) -> float | None:
        """A part of the total, or None where one of them is unknown."""
        return part / self.total_bytes if part is not None and self.total_bytes else None

    @property
    def unflushed_bytes(self) -> int | None:
        """Page cache that reclaim cannot drop before a disk has taken it."""
        parts = [part for part in (self.file_dirty_bytes, self.file_writeback_bytes) if part is not None]
        return sum(parts) if parts else None

    @property
    def reclaimable_bytes(self) -> int | None:
        """What the kernel could have freed without swap: clean file pages and reclaimable slab."""
        if self.file_bytes is None or self.slab_reclaimable_bytes is None:
            return None
        return max(0, self.file_bytes - (self.unflushed_bytes or 0)) + self.slab_reclaimable_bytes

    def largest(self) -> str | None:
        """The name of the largest use, of those that the report gives."""
        uses = {
            "anon": self.anon_bytes,
            "file": self.file_bytes,
            "shmem": self.shmem_bytes,
            "slab_unreclaimable": self.slab_unreclaimable_bytes,
            "slab_reclaimable": self.slab_reclaimable_bytes,
            "page_tables": self.page_tables_bytes,
            "kernel_stack": self.kernel_stack_bytes,
            "percpu": self.percpu_bytes,
            "sock": self.sock_bytes,
            "hugepages": self.hugepages_bytes,
            "balloon": self.balloon_bytes,
            "gpu": self.gpu_bytes,
            "unaccounted": self.unaccounted_bytes,
        }
        known = {name: used for name, used in uses.items() if used}
        return max(known, key=known.__getitem__) if known else None


def of_cgroup(cgroup: CgroupMemory) -> MemoryUse:
    """The uses below a memory cgroup's limit.

    ``file`` of memory.stat holds tmpfs and shared memory too, in v1 (cache)
    and in v2, so shmem is taken out of it.
    """
    stat = cgroup.stat
    file_bytes = stat.get("file_bytes")
    shmem = stat.get("shmem_bytes")
    swap_limit = _finite(cgroup.swap_limit_bytes)
    swap_used = cgroup.swap_usage_bytes
    kernel = _kernel_of(cgroup)
    counted = (stat.get("anon_bytes"), file_bytes, kernel)
    return MemoryUse(
        scope="cgroup",
        total_bytes=_finite(cgroup.limit_bytes),
        used_bytes=cgroup.usage_bytes,
        anon_bytes=stat.get("anon_bytes"),
        file_bytes=None if file_bytes is None else max(0, file_bytes - (shmem or 0)),
        file_dirty_bytes=stat.get("file_dirty_bytes"),
        file_writeback_bytes=stat.get("file_writeback_bytes"),
        shmem_bytes=shmem,
        unevictable_bytes=stat.get("unevictable_bytes"),
        slab_reclaimable_bytes=stat.get("slab_reclaimable_bytes"),
        slab_unreclaimable_bytes=stat.get("slab_unreclaimable_bytes"),
        page_tables_bytes=stat.get("page_tables_bytes"),
        kernel_stack_bytes=stat.get("kernel_stack_bytes"),
        percpu_bytes=stat.get("percpu_bytes"),
        vmalloc_bytes=stat.get("vmalloc_bytes"),
        kernel_bytes=kernel,
        sock_bytes=stat.get("sock_bytes"),
        swap_total_bytes=swap_limit,
        swap_free_bytes=None if swap_limit is None or swap_used is None else max(0, swap_limit - swap_used),
        swap_used_bytes=swap_used,
        unaccounted_bytes=None
        if cgroup.usage_bytes is None or None in counted
        else max(0, cgroup.usage_bytes - sum(part or 0 for part in counted) - stat.get("sock_bytes", 0)),
    )


#: The kernel's parts of memory.stat, where it does not add them up itself (before 5.18).
_KERNEL_PARTS = ("slab_reclaimable_bytes", "slab_unreclaimable_bytes", "kernel_stack_bytes", "page_tables_bytes", "percpu_bytes", "vmalloc_bytes")


def _kernel_of(cgroup: CgroupMemory) -> int | None:
    """``kernel`` of memory.stat; before 5.18 the sum of its parts, or the kmem counter of v1 where that is more."""
    stat = cgroup.stat
    if "kernel_bytes" in stat:
        return stat["kernel_bytes"]
    if "slab_unreclaimable_bytes" in stat:
        # The counter of v1 also holds what has no figure of its own, such as pipes and page tables.
        return max(sum(stat.get(part, 0) for part in _KERNEL_PARTS), cgroup.kmem_usage_bytes or 0)
    return cgroup.kmem_usage_bytes


def of_host(memory: MemInfo) -> MemoryUse:
    """The uses of the host's RAM by a report's Mem-Info.

    Shared memory is swap-backed and stands on the anon lists (mm/swap.c), so it
    is taken out of them; without its figure the programs' own part is not known.
    """
    totals = memory.totals
    shmem = totals.get("shmem_bytes")
    anon = _sum(totals, "active_anon_bytes", "inactive_anon_bytes", shmem is not None)
    ram = totals.get("ram_bytes")
    free = totals.get("free_bytes")
    swap_total, swap_free = totals.get("swap_total_bytes"), totals.get("swap_free_bytes")
    hugepages = [pool for pool in memory.hugepages if pool.get("total") is not None]
    used = None if ram is None or free is None else ram - free - totals.get("reserved_bytes", 0)
    return MemoryUse(
        scope="host",
        total_bytes=ram,
        used_bytes=used,
        anon_bytes=None if anon is None else max(0, anon + totals.get("isolated_anon_bytes", 0) - (shmem or 0)),
        file_bytes=_sum(totals, "active_file_bytes", "inactive_file_bytes"),
        file_dirty_bytes=totals.get("dirty_bytes"),
        file_writeback_bytes=totals.get("writeback_bytes"),
        shmem_bytes=shmem,
        unevictable_bytes=totals.get("unevictable_bytes"),
        mlocked_bytes=totals.get("mlocked_bytes"),
        slab_reclaimable_bytes=totals.get("slab_reclaimable_bytes"),
        slab_unreclaimable_bytes=totals.get("slab_unreclaimable_bytes"),
        page_tables_bytes=totals.get("page_tables_bytes"),
        kernel_stack_bytes=totals.get("kernel_stack_bytes"),
        hugepages_bytes=sum(pool["total"] * pool["size_bytes"] for pool in hugepages) if hugepages else None,
        hugepages_free_bytes=sum(pool["free"] * pool["size_bytes"] for pool in hugepages) if hugepages else None,
        balloon_bytes=totals.get("balloon_bytes"),
        gpu_bytes=totals.get("gpu_bytes"),
        free_bytes=free,
        swap_total_bytes=swap_total,
        swap_free_bytes=swap_free,
        swap_used_bytes=None if swap_total is None or swap_free is None else max(0, swap_total - swap_free),
        unaccounted_bytes=_unaccounted(memory, used),
    )


#: Each page is in at most one of these. Shared memory and swap cache are on the lists of the first seven.
_COUNTED_ONCE = (
    "active_anon_bytes",
    "inactive_anon_bytes",
    "active_file_bytes",
    "inactive_file_bytes",
    "unevictable_bytes",
    "slab_reclaimable_bytes",
    "slab_unreclaimable_bytes",
    "page_tables_bytes",
    "kernel_stack_bytes",
)
_COUNTED_WHERE_PRINTED = (
    "isolated_anon_bytes",
    "isolated_file_bytes",
    "bounce_bytes",
    "kernel_misc_reclaimable_bytes",
    "free_pcp_bytes",
    "balloon_bytes",
    "gpu_bytes",
)


def _unaccounted(memory: MemInfo, used: int | None) -> int | None:
    """What no figure of the report explains; None unless each figure that could explain it is there."""
    totals = memory.totals
    if used is None or not (memory.complete or memory.nearly_complete) or not _hugepages_whole(memory) or any(name not in totals for name in _COUNTED_ONCE):
        return None
    counted = sum(totals[name] for name in _COUNTED_ONCE) + sum(totals.get(name, 0) for name in _COUNTED_WHERE_PRINTED)
    return max(0, used - counted - sum(pool["total"] * pool["size_bytes"] for pool in memory.hugepages))


def _hugepages_whole(memory: MemInfo) -> bool:
    """Whether each node has its hugepages lines, one for each size (printed since 3.10 where the kernel knows huge pages)."""
    nodes = {zone.node for zone in memory.zones}
    pools = {(pool["node"], pool["size_bytes"]) for pool in memory.hugepages}
    sizes = {size for _node, size in pools}
    return bool(sizes) and min(sizes) < 1 << 30 and len(pools) == len(nodes) * len(sizes)


def held_bytes(task: Task) -> int:
    """What a task's death would give back: RAM and swap (``oom_badness``)."""
    return (task.rss_bytes or 0) + (task.swap_bytes or 0) + (task.page_tables_bytes or 0)


def badness_bytes(task: Task, total_bytes: int) -> int:
    """The kernel's score in bytes (``oom_badness``): held memory, moved by oom_score_adj.

    total_bytes: RAM and swap that the allocation could use, or the cgroup's limit.
    """
    return held_bytes(task) + (task.oom_score_adj or 0) * (total_bytes // 1000)


def _sum(totals: dict[str, int], one: str, other: str, known: bool = True) -> int | None:
    return totals[one] + totals[other] if known and one in totals and other in totals else None


def _finite(value: float | None) -> int | None:
    return None if value is None or math.isinf(value) else int(value)
