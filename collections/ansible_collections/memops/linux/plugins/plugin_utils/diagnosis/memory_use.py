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
    """

    scope: str
    total_bytes: int | None
    used_bytes: int | None = None
    anon_bytes: int | None = None
    file_bytes: int | None = None
    file_dirty_bytes: int | None = None
    file_writeback_bytes: int | None = None
    shmem_bytes: int | None = None
    slab_reclaimable_bytes: int | None = None
    slab_unreclaimable_bytes: int | None = None
    page_tables_bytes: int | None = None
    kernel_stack_bytes: int | None = None
    sock_bytes: int | None = None
    hugepages_bytes: int | None = None
    hugepages_free_bytes: int | None = None
    free_bytes: int | None = None
    swap_total_bytes: int | None = None
    swap_free_bytes: int | None = None

    def share(self, part: int | None) -> float | None:
        """A part of the total, or None where one of them is unknown."""
        return part / self.total_bytes if part is not None and self.total_bytes else None

    @property
    def unflushed_bytes(self) -> int | None:
        """Page cache that reclaim cannot drop before a disk has taken it."""
        parts = [part for part in (self.file_dirty_bytes, self.file_writeback_bytes) if part is not None]
        return sum(parts) if parts else None

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
            "sock": self.sock_bytes,
            "hugepages": self.hugepages_bytes,
        }
        known = {name: used for name, used in uses.items() if used}
        return max(known, key=known.__getitem__) if known else None

    @property
    def unaccounted_bytes(self) -> int | None:
        """What is used and shows in no known use: kernel pages, balloons, leaks."""
        if self.used_bytes is None or self.anon_bytes is None or self.file_bytes is None:
            return None
        known = (
            self.anon_bytes,
            self.file_bytes,
            self.shmem_bytes,
            self.slab_reclaimable_bytes,
            self.slab_unreclaimable_bytes,
            self.page_tables_bytes,
            self.kernel_stack_bytes,
            self.sock_bytes,
            self.hugepages_bytes,
        )
        return max(0, self.used_bytes - sum(part or 0 for part in known))


def of_cgroup(cgroup: CgroupMemory) -> MemoryUse:
    """The uses below a memory cgroup's limit.

    ``file`` of memory.stat holds tmpfs and shared memory too, in v1 (cache)
    and in v2, so shmem is taken out of it.
    """
    stat = cgroup.stat
    file_bytes = stat.get("file_bytes")
    shmem = stat.get("shmem_bytes")
    swap_limit = cgroup.swap_limit_bytes
    finite_swap = swap_limit if swap_limit is not None and not math.isinf(swap_limit) else None
    return MemoryUse(
        scope="cgroup",
        total_bytes=_finite(cgroup.limit_bytes),
        used_bytes=cgroup.usage_bytes,
        anon_bytes=stat.get("anon_bytes"),
        file_bytes=None if file_bytes is None else max(0, file_bytes - (shmem or 0)),
        file_dirty_bytes=stat.get("file_dirty_bytes"),
        file_writeback_bytes=stat.get("file_writeback_bytes"),
        shmem_bytes=shmem,
        slab_reclaimable_bytes=stat.get("slab_reclaimable_bytes"),
        slab_unreclaimable_bytes=stat.get("slab_unreclaimable_bytes"),
        page_tables_bytes=stat.get("page_tables_bytes"),
        kernel_stack_bytes=stat.get("kernel_stack_bytes"),
        sock_bytes=stat.get("sock_bytes"),
        swap_total_bytes=_finite(finite_swap),
        swap_free_bytes=None
        if finite_swap is None or cgroup.swap_usage_bytes is None
        else max(0, int(finite_swap) - cgroup.swap_usage_bytes),
    )


def of_host(memory: MemInfo) -> MemoryUse:
    """The uses of the host's RAM by a report's Mem-Info.

    Shared memory is swap-backed and stands on the anon lists (mm/swap.c), so it
    is taken out of them.
    """
    totals = memory.totals
    anon = _sum(totals, "active_anon_bytes", "inactive_anon_bytes", "isolated_anon_bytes")
    shmem = totals.get("shmem_bytes")
    ram = totals.get("ram_bytes")
    free = totals.get("free_bytes")
    hugepages = [pool for pool in memory.hugepages if pool.get("total") is not None]
    return MemoryUse(
        scope="host",
        total_bytes=ram,
        used_bytes=None if ram is None or free is None else ram - free - totals.get("reserved_bytes", 0),
        anon_bytes=None if anon is None else max(0, anon - (shmem or 0)),
        file_bytes=_sum(totals, "active_file_bytes", "inactive_file_bytes", "isolated_file_bytes"),
        file_dirty_bytes=totals.get("dirty_bytes"),
        file_writeback_bytes=totals.get("writeback_bytes"),
        shmem_bytes=shmem,
        slab_reclaimable_bytes=totals.get("slab_reclaimable_bytes"),
        slab_unreclaimable_bytes=totals.get("slab_unreclaimable_bytes"),
        page_tables_bytes=totals.get("page_tables_bytes"),
        kernel_stack_bytes=totals.get("kernel_stack_bytes"),
        hugepages_bytes=sum(pool["total"] * pool["size_bytes"] for pool in hugepages) if hugepages else None,
        hugepages_free_bytes=sum(pool["free"] * pool["size_bytes"] for pool in hugepages) if hugepages else None,
        free_bytes=free,
        swap_total_bytes=totals.get("swap_total_bytes"),
        swap_free_bytes=totals.get("swap_free_bytes"),
    )


def held_bytes(task: Task) -> int:
    """What a task's death would give back: RAM and swap (``oom_badness``)."""
    return (task.rss_bytes or 0) + (task.swap_bytes or 0) + (task.page_tables_bytes or 0)


def badness_bytes(task: Task, total_bytes: int) -> int:
    """The kernel's score in bytes (``oom_badness``): held memory, moved by oom_score_adj.

    total_bytes: RAM and swap that the allocation could use, or the cgroup's limit.
    """
    return held_bytes(task) + (task.oom_score_adj or 0) * (total_bytes // 1000)


def _sum(totals: dict[str, int], *names: str) -> int | None:
    known = [totals[name] for name in names if name in totals]
    return sum(known) if known else None


def _finite(value: float | None) -> int | None:
    return None if value is None or math.isinf(value) else int(value)
