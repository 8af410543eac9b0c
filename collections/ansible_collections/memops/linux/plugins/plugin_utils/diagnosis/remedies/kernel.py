# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remedies for memory that the kernel or locked pages hold."""

from __future__ import annotations

from ..case import Case
from ..rule import Remedy
from ..wording import size

_CGROUP_FILES = "https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files"


def for_page_tables(case: Case) -> tuple[Remedy, ...]:
    """Map the same memory with larger pages, or by fewer processes."""
    shared = case.use is not None and (case.use.shmem_bytes or 0) > (case.use.page_tables_bytes or 0)
    return (
        Remedy(
            action="Use huge pages for the large shared segment (huge_pages of a database, vm.nr_hugepages), or fewer processes that map it (a"
            " connection pool)."
            if shared
            else "Use fewer processes or threads pools that map large memory each, or huge pages for what they map.",
            why="Each process has page tables of its own for all that it maps: 2 MiB for each GiB, 4 KiB with huge pages.",
            risk="Huge pages that are reserved and unused are lost to everything else.",
            reference="https://docs.kernel.org/admin-guide/mm/hugetlbpage.html",
        ),
    )


def for_kernel_memory_of_cgroup(case: Case, part: str) -> tuple[Remedy, ...]:
    """Bound what makes the kernel hold it, or count it into the limit."""
    actions = {
        "sock": "Lower the program's socket buffers or connections (net.ipv4.tcp_rmem, tcp_wmem, the backlog of a slow reader).",
        "kernel_stack": "Bound the number of processes and threads (pids limit: --pids-limit, TasksMax=).",
        "percpu": "Remove what holds per-CPU memory: unused cgroups, network devices, BPF maps.",
        "vmalloc": "Find what holds vmalloc memory for it: BPF programs and maps, large socket filters, kernel modules.",
        "page_tables": "Use fewer processes that map large memory, or huge pages.",
        "other": "Look at what it leaves unread in pipes (ls -l /proc/PID/fd), then at its other open files, and bound them.",
    }
    return (
        Remedy(
            action=actions.get(part, "Find which kernel objects it makes (slabtop; open files, sockets, inodes, epoll watches) and bound them."),
            command="slabtop --once --sort=c" if part not in actions else None,
            why="The kernel's memory on a program's behalf counts against its limit, and reclaim can free little of it.",
            risk="The program may be refused files, connections or threads.",
            reference=_CGROUP_FILES,
        ),
        Remedy(
            action="If it needs that much, raise the limit by as much as the kernel holds for it"
            + (f" ({size(case.use.kernel_bytes)})." if case.use and case.use.kernel_bytes else "."),
            why="A limit has to hold the program's own memory and the kernel's on its behalf.",
            risk="More of the host's RAM can be taken by it.",
            reference=_CGROUP_FILES,
        ),
    )


def for_kmem_limit() -> tuple[Remedy, ...]:
    """The separate limit on kernel memory was a mistake, and is gone since 6.1."""
    return (
        Remedy(
            action="Take the limit on kernel memory away (docker run without --kernel-memory; memory.kmem.limit_in_bytes only before any process"
            " is in the cgroup), or use cgroup v2, which has none.",
            why="Below this limit the kernel can refuse any system call, and reclaim of kernel objects alone rarely helps.",
            risk="Kernel memory then counts against the memory limit only.",
            reference="https://docs.kernel.org/admin-guide/cgroup-v1/memory.html",
        ),
    )


def for_unaccounted(case: Case) -> tuple[Remedy, ...]:
    """Find who took pages from the allocator without a counter of his own."""
    return (
        Remedy(
            action="Look for who takes pages outside all counters: drivers (GPU, network), ZFS (its ARC: /proc/spl/kstat/zfs/arcstats), a balloon,"
            " zsmalloc, hypervisors' guests on this host. Compare with a boot without the suspect module; boot with page_owner=on to see the stacks.",
            command="cat /sys/kernel/debug/page_owner > /tmp/page_owner.txt",
            why="No tunable bounds memory that the kernel does not account for; only its owner can.",
            risk="page_owner costs memory and some speed.",
            reference="https://docs.kernel.org/mm/page_owner.html",
        ),
    )


def for_mlocked(case: Case) -> tuple[Remedy, ...]:
    """Let less be locked."""
    return (
        Remedy(
            action="Bound what may be locked (LimitMEMLOCK= of the unit, --ulimit memlock of the container), or give the locking program less to"
            " lock (a JVM's or database's memlock option, guests with pinned memory).",
            command="grep -H VmLck /proc/[0-9]*/status | sort -k2 -n | tail",
            why="Locked pages can be neither swapped nor dropped, and even the oom_reaper has to leave them.",
            risk="A program that needs its memory locked (real time, keys, DMA by user-space drivers) may not start.",
            reference="https://docs.kernel.org/mm/unevictable-lru.html",
        ),
    )


def for_balloon() -> tuple[Remedy, ...]:
    """Give the guest its memory back, at the hypervisor."""
    return (
        Remedy(
            action="Give the guest its memory back at the hypervisor: raise the balloon's target or the guest's guaranteed memory, and let the balloon"
            " deflate when the guest is short (virtio: deflate-on-oom=on).",
            why="Memory in the balloon belongs to the hypervisor; nothing inside the guest can free it.",
            risk="The hypervisor has less memory for other guests.",
            reference="https://docs.oasis-open.org/virtio/virtio/v1.2/virtio-v1.2.html (5.5 Traditional Memory Balloon Device)",
        ),
    )


def for_leak(what: str) -> tuple[Remedy, ...]:
    """Stop what grows; until then restart it before it kills others."""
    return (
        Remedy(
            action=f"Find why {what} grows from report to report; until that is mended, restart it before it fills the host.",
            why="What only grows meets any limit and any amount of RAM some day.",
            risk="none",
            reference="https://docs.kernel.org/admin-guide/mm/concepts.html#oom-killer",
        ),
    )
