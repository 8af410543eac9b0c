# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remedies on the level of the host: huge pages, kernel objects, swap, the working set."""

from __future__ import annotations

from ..case import Case
from ..host_facts import HostFacts
from ..rule import Remedy
from ..wording import size
from .rounding import GIB, MIB, round_up


def for_hugepages(needed_bytes: int) -> tuple[Remedy, ...]:
    """Reserve what is used."""
    pages = -(-needed_bytes // (2 * MIB))
    return (
        Remedy(
            action=f"Reserve only the huge pages that are used ({size(needed_bytes)}, in 2 MiB pages).",
            command=f"sysctl -w vm.nr_hugepages={pages}",
            role="memops.linux.vm_tunables",
            variable="vm_tunables_overrides",
            value={"vm.nr_hugepages": pages},
            why="Reserved huge pages are lost to everything else, used or not.",
            risk="A program that expects to find huge pages at its next start (a database, DPDK, a VM) may not start.",
            reference="https://docs.kernel.org/admin-guide/mm/hugetlbpage.html",
        ),
    )


def for_slab(case: Case) -> tuple[Remedy, ...]:
    """Find the kernel part that holds it; no tunable frees unreclaimable slab."""
    pressure = case.host.tunable("vm.vfs_cache_pressure")
    remedies = [
        Remedy(
            action="Find the owner of the largest cache (sockets, pipes, inodes of a filesystem, a driver); then update the kernel or that"
            " module, or bound the program that makes the objects.",
            command="slabtop --once --sort=c",
            why="Unreclaimable slab is freed only when its owner frees it.",
            risk="none",
            reference="https://docs.kernel.org/admin-guide/sysctl/vm.html#vfs-cache-pressure",
        )
    ]
    if pressure == "0":
        remedies.insert(
            0,
            Remedy(
                action="Let the kernel free dentries and inodes again, which it never does at 0.",
                command="sysctl -w vm.vfs_cache_pressure=100",
                role="memops.linux.vm_tunables",
                variable="vm_tunables_overrides",
                value={"vm.vfs_cache_pressure": 100},
                why="vm.vfs_cache_pressure is 0 on this host.",
                risk="none",
                reference="https://docs.kernel.org/admin-guide/sysctl/vm.html#vfs-cache-pressure",
            ),
        )
    return tuple(remedies)


def for_swap(case: Case, swap_bytes: int) -> tuple[Remedy, ...]:
    """Some swap (the usual table by RAM), and a bound on what grew."""
    wanted = _usual_swap(case.host.ram_bytes or (case.use.total_bytes if case.use else None), swap_bytes)
    remedies = []
    if wanted:
        mib = wanted // MIB
        path = "/swapfile-memops" if swap_bytes else "/swapfile"
        remedies.append(
            Remedy(
                action=f"Add {size(wanted)} of swap (and to /etc/fstab).",
                command=f"dd if=/dev/zero of={path} bs=1M count={mib} && chmod 600 {path} && mkswap {path} && swapon {path}",
                role="memops.linux.swap",
                variable="swap_devices",
                value=[{"kind": "file", "path": path, "size_bytes": wanted}],
                why="Memory that a program has not touched for long can then leave RAM, and a shortage becomes slow before it becomes deadly.",
                risk="A working set larger than RAM then thrashes instead of being killed; pair it with a limit on what grew.",
                reference="https://chrisdown.name/2018/01/02/in-defence-of-swap.html",
            )
        )
    victim = case.victim
    if victim and victim.process:
        remedies.append(
            Remedy(
                action=f"Bound what grew: give {victim.process} a limit of its own (MemoryMax= of its unit, --memory of its container),"
                " so that it meets its own limit before the host's.",
                role="memops.linux.oom_protection" if case.unit else None,
                variable="oom_protection_units" if case.unit else None,
                value=[{"name": case.unit}] if case.unit else None,
                why="Without a limit any process can take the whole host with it.",
                risk="It is killed at its limit.",
                reference="systemd.resource-control(5): MemoryMax=",
            )
        )
    return tuple(remedies)


def for_thrashing(host: HostFacts) -> tuple[Remedy, ...]:
    """The working set must become smaller or RAM larger; no tunable replaces memory."""
    return (
        Remedy(
            action="Make the working set fit: fewer workers or containers, smaller heaps and caches, or more RAM; put MemoryHigh= on what may wait"
            " and MemoryLow= on what must not.",
            why="More is in use at the same time than fits into RAM.",
            risk="none",
            reference="https://docs.kernel.org/accounting/psi.html",
        ),
    )


def for_memory_high(who: str, high_bytes: int) -> tuple[Remedy, ...]:
    """More room before the brake, or less to hold."""
    return (
        Remedy(
            action=f"Raise MemoryHigh= of {who} above {size(high_bytes)}, or let its programs hold less (heap, workers, caches).",
            command=f"systemctl show -p MemoryHigh,MemoryMax {who}" if "/" not in who else None,
            why="Above memory.high nothing is killed, but each further allocation waits for reclaim, so that the program crawls.",
            risk="Another part of the host's RAM can be taken by it.",
            reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files",
        ),
    )


def _usual_swap(ram_bytes: int | None, swap_bytes: int) -> int | None:
    """The usual size by RAM: as much as RAM up to 2 GiB, half of it up to 8 GiB, then 4 GiB."""
    if not ram_bytes:
        return None
    wanted = ram_bytes if ram_bytes <= 2 * GIB else max(2 * GIB, ram_bytes // 2) if ram_bytes <= 8 * GIB else 4 * GIB
    wanted = round_up(wanted, 256 * MIB)
    return wanted if wanted > swap_bytes else None


def for_lost_ends() -> tuple[Remedy, ...]:
    """Keep what the kernel says when it dies."""
    return (
        Remedy(
            action="Keep the kernel's last words over a crash: kdump, or a pstore backend (EFI variables, ramoops) that systemd-pstore saves from.",
            why="The log of a kernel that panics ends before it says why, because nobody writes it to disk any more.",
            risk="kdump reserves memory for the kernel that it starts at a crash.",
            reference="https://docs.kernel.org/admin-guide/ramoops.html",
        ),
    )
