# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remedies for allocations that failed for where, how or in which size they were asked for."""

from __future__ import annotations

from ..case import Case
from ..rule import Remedy
from ..wording import size
from .rounding import GIB, MIB, round_up

_VM = "https://docs.kernel.org/admin-guide/sysctl/vm.html"


def for_fragmentation(case: Case) -> tuple[Remedy, ...]:
    """Make large blocks now, keep some, and ask for less in one piece."""
    return (
        Remedy(
            action="Let the kernel put free memory together now; if that helps, let it keep more free (vm.watermark_scale_factor=100), so that it does"
            " so in the background.",
            command="sysctl -w vm.compact_memory=1",
            role="memops.linux.vm_tunables",
            variable="vm_tunables_overrides",
            value={"vm.watermark_scale_factor": 100},
            why="Enough is free, but in pieces that are too small; compaction moves pages together.",
            risk="Compaction costs CPU for a moment; 1 % of RAM instead of 0.1 % is kept free.",
            reference=f"{_VM}#watermark-scale-factor",
        ),
        Remedy(
            action="Ask for less in one piece: smaller receive buffers and MTU of the driver, smaller values of the sysctl or ioctl at hand; report it to"
            " the caller's developers (kvmalloc instead of kmalloc).",
            why="Beyond 32 KiB in one piece (order 3) the kernel gives up rather than kill a process.",
            risk="none",
            reference="https://docs.kernel.org/core-api/memory-allocation.html",
        ),
    )


def for_atomic_reserve(case: Case) -> tuple[Remedy, ...]:
    """Keep more free for those that cannot wait."""
    zones = case.memory.zones if case.memory else []
    now = sum(zone.min_bytes for zone in zones)
    ram = case.use.total_bytes if case.use else None
    wanted = round_up(min(max(2 * now, (ram or 0) // 100), (ram or 40 * GIB) // 20, 2 * GIB), MIB)
    return (
        Remedy(
            action=f"Keep {size(wanted)} free for requests that cannot wait (now {size(now)}).",
            command=f"sysctl -w vm.min_free_kbytes={wanted // 1024}",
            role="memops.linux.vm_tunables",
            variable="vm_tunables_overrides",
            value={"vm.min_free_kbytes": wanted // 1024},
            why="An interrupt cannot wait for reclaim: it lives on the reserve, and reclaim in the background has to refill that in time.",
            risk="That much less is there for programs.",
            reference=f"{_VM}#min-free-kbytes",
        ),
    )


def for_low_zone(case: Case) -> tuple[Remedy, ...]:
    """Only another kernel or device has more low memory."""
    high = any(zone.zone == "HighMem" for zone in (case.memory.zones if case.memory else []))
    return (
        Remedy(
            action="Run a 64-bit kernel: a 32-bit one maps less than 1 GiB for itself, however much RAM there is."
            if high
            else "Find the driver that needs low memory (a device that reaches only 32-bit or 24-bit addresses) and let it go through an IOMMU, or reserve"
            " less for it (cma=, swiotlb=).",
            why="The request could use low memory only, and that was used up while the rest of the RAM had room.",
            risk="none",
            reference="https://docs.kernel.org/mm/physical_memory.html#zones",
        ),
        Remedy(
            action="Until then let programs' pages keep out of low memory (vm.lowmem_reserve_ratio: halve the value for that zone).",
            why="A smaller ratio keeps more of a low zone back from requests that could use higher ones.",
            risk="Programs are short of memory earlier.",
            reference=f"{_VM}#lowmem-reserve-ratio",
        ),
    )


def for_numa_binding(case: Case) -> tuple[Remedy, ...]:
    """Prefer a node instead of binding to it."""
    return (
        Remedy(
            action="Let it use other nodes too: AllowedMemoryNodes= (systemd), --cpuset-mems (Docker), numactl --preferred instead of --membind,"
            " the kubelet's memory manager policy.",
            why="The kernel may give such a process memory of its own nodes only, whatever is free elsewhere.",
            risk="Memory of another node is slower to reach.",
            reference="https://docs.kernel.org/admin-guide/mm/numa_memory_policy.html",
        ),
    )


def for_address_space() -> tuple[Remedy, ...]:
    """More addresses for the kernel, or fewer that it needs."""
    return (
        Remedy(
            action="Give the kernel more addresses (vmalloc=512M on the kernel's command line) or run a 64-bit kernel; find what maps so much (BPF"
            " programs, modules, large graphics or network buffers).",
            command="sort -k2 -n -r /proc/vmallocinfo | head",
            why="The kernel ran out of addresses for mappings, not of RAM.",
            risk="A larger vmalloc area leaves less low memory on 32-bit.",
            reference="https://docs.kernel.org/admin-guide/kernel-parameters.html (vmalloc=)",
        ),
    )
