# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remedies, with values worked out from the case and the sum shown.

Each function gives the remedies of one cause, the first to try first. The
roles' variables are named as the enforcing roles take them; ``action`` always
says how to do the same by hand.
"""

from __future__ import annotations

import shlex

from ...events.model import Task
from ..case import Case
from ..host_facts import HostFacts
from ..rule import Remedy
from ..wording import size

OOM_SCORE_ADJ = "https://docs.kernel.org/filesystems/proc.html#proc-pid-oom-adj-proc-pid-oom-score-adj-adjust-the-oom-killer-score"

MIB = 1 << 20
GIB = 1 << 30

#: The pair that ended the outage memops began with (kernel bugzilla 207273).
DIRTY_BYTES_USUAL = 800 * MIB
DIRTY_BYTES_LEAST = 8 * MIB


def for_limit(case: Case, limit_bytes: int, used_bytes: int) -> tuple[Remedy, ...]:
    """Raise the limit by half, if the host has room for that; else shrink the program."""
    wanted = _round_up(max(limit_bytes, used_bytes) * 3 // 2, 16 * MIB)
    ram = case.host.ram_bytes
    check = Remedy(
        action="Compare the program's own settings (heap size, workers, caches, batch size) with the limit, and watch whether it"
        " levels off below the new limit or grows again.",
        why="A limit that is raised hides a leak for a while; only a program that levels off was merely given too little.",
        risk="none",
        reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#usage-guidelines",
    )
    if ram and wanted > 0.9 * ram:
        return (check,)
    why = f"The limit of {size(limit_bytes)} was full when the program asked for more; half as much again is a first step, the true need is not known."
    risk = f"Another {size(wanted - limit_bytes)} of the host's RAM can be taken by it; with a leak it only dies later."
    container, unit = case.container, case.unit
    if container and container.get("name"):
        name = container["name"]
        first = Remedy(
            action=f"Raise the memory limit of container {name} to {size(wanted)}.",
            command=f"docker update --memory {wanted} --memory-swap {wanted} {shlex.quote(name)}",
            role="memops.linux.docker_memory",
            variable="docker_memory_container_limits",
            value=[{"name": name, "memory_bytes": wanted}],
            why=why,
            risk=risk,
            reference="https://docs.docker.com/engine/containers/resource_constraints/",
        )
    elif unit:
        first = Remedy(
            action=f"Raise the memory limit of {unit} to {size(wanted)}.",
            command=f"systemctl set-property {shlex.quote(unit)} MemoryMax={wanted}",
            role="memops.linux.oom_protection",
            variable="oom_protection_units",
            value=[{"name": unit, "memory_max_bytes": wanted}],
            why=why,
            risk=risk,
            reference="systemd.resource-control(5): MemoryMax=",
        )
    else:
        first = Remedy(
            action=f"Raise the memory limit of cgroup {case.cgroup or '(not named in the log)'} to {size(wanted)}, where it is set.",
            why=why,
            risk=risk,
            reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files",
        )
    return first, check


def for_dirty_page_cache(case: Case, limit_bytes: int) -> tuple[Remedy, ...]:
    """Let writers wait long before a limit is full of dirty pages: a fifth of the limit."""
    dirty = min(DIRTY_BYTES_USUAL, max(DIRTY_BYTES_LEAST, limit_bytes // 5 // 4096 * 4096))
    threshold = case.host.dirty_threshold_bytes
    writers_wait = Remedy(
        action=f"Let writers wait earlier, at {size(dirty)} of dirty pages.",
        command=f"sysctl -w vm.dirty_bytes={dirty} vm.dirty_background_bytes={dirty // 2}",
        role="memops.linux.vm_tunables",
        variable="vm_tunables_overrides",
        value={"vm.dirty_bytes": dirty, "vm.dirty_background_bytes": dirty // 2},
        why=f"The host now lets {size(threshold)} become dirty; a fifth of the limit of {size(limit_bytes)} leaves the program room."
        if threshold
        else f"A fifth of the limit of {size(limit_bytes)} may be dirty before writers wait, which leaves the program room.",
        risk="All writers on the host are slowed to the speed of their disk earlier; below 64 MiB large sequential writes become slower.",
        reference="https://bugzilla.kernel.org/show_bug.cgi?id=207273",
    )
    more_room = Remedy(
        action=f"Give the workload more room than it writes at once: a limit of {size(_round_up(limit_bytes * 2, 16 * MIB))},"
        " or memory.high (MemoryHigh=) at 80 % of the limit, so that reclaim starts before the limit is hit (cgroup v2).",
        why="memory.high throttles and reclaims but never kills.",
        risk="More of the host's RAM can be taken by page cache.",
        reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files",
    )
    if threshold is not None and threshold <= dirty:
        return (more_room,)
    return writers_wait, more_room


def for_shmem(case: Case, total_bytes: int) -> tuple[Remedy, ...]:
    """Bound the tmpfs, or count it into the limit."""
    mounts = (case.host.section("memory").get("tmpfs")) or []
    used = [mount for mount in mounts if mount.get("used_bytes")]
    largest = max(used, key=lambda mount: mount["used_bytes"]) if used and case.kind != "memcg_oom" else None
    bounded = _round_down(total_bytes // 4, MIB)
    command = None
    if largest:
        action = (
            f"Delete what is no longer needed below {largest['mountpoint']} ({size(largest['used_bytes'])} used), and bound it at"
            f" {size(bounded)}, here and in /etc/fstab or its mount unit."
        )
        command = f"mount -o remount,size={bounded} {shlex.quote(largest['mountpoint'])}"
    else:
        action = (
            "Delete files that are no longer needed from tmpfs (/dev/shm, /tmp, emptyDir with medium Memory), give it a size"
            " (--shm-size, size=), or count it into the limit."
        )
    return (
        Remedy(
            action=action,
            command=command,
            why="Files in tmpfs are memory that reclaim cannot drop; without a bound one writer can fill it up.",
            risk="A program that needs more gets ENOSPC.",
            reference="https://docs.kernel.org/filesystems/tmpfs.html",
        ),
    )


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


def for_protected_hog(hog: Task) -> tuple[Remedy, ...]:
    """Protect small and vital processes only."""
    return (
        Remedy(
            action=f"Take the protection from {hog.process} (OOMScoreAdjust=0 in its unit), or give it a memory limit of its own.",
            command=f"choom -p {hog.pid} -n 0",
            role="memops.linux.oom_protection",
            variable="oom_protection_units",
            value=[{"process": hog.process, "oom_score_adj": 0}],
            why=f"With oom_score_adj {hog.oom_score_adj} everything else on the host dies before the process that holds the memory.",
            risk="It can then be the victim itself.",
            reference=OOM_SCORE_ADJ,
        ),
    )


def for_bystander(case: Case, victim: Task, largest: Task) -> tuple[Remedy, ...]:
    """Bound the process that grew; mend what put the other one in front."""
    remedies = [
        Remedy(
            action=f"Bound {largest.process} (MemoryMax= of its unit, --memory of its container): it held {size(largest.rss_bytes)}.",
            why="The victim was not what used the memory.",
            risk="It is killed at its limit.",
            reference="systemd.resource-control(5): MemoryMax=",
        )
    ]
    if case.report and case.report.allocating_task:
        remedies.insert(
            0,
            Remedy(
                action="Let the kernel look for the largest process instead of killing the one that asks.",
                command="sysctl -w vm.oom_kill_allocating_task=0",
                role="memops.linux.vm_tunables",
                variable="vm_tunables_overrides",
                value={"vm.oom_kill_allocating_task": 0},
                why="With 1 the kernel kills whoever happens to ask for memory, sshd and cron included.",
                risk="none on hosts with fewer than some ten thousand processes",
                reference="https://docs.kernel.org/admin-guide/sysctl/vm.html#oom-kill-allocating-task",
            ),
        )
    elif (victim.oom_score_adj or 0) > 0:
        remedies.append(
            Remedy(
                action=f"Lower the oom_score_adj of {victim.process} (now {victim.oom_score_adj}) if it is worth more than {largest.process}.",
                role="memops.linux.oom_protection",
                variable="oom_protection_units",
                value=[{"process": victim.process, "oom_score_adj": 0}],
                why="A positive value offers a process to the OOM killer.",
                risk="Another process is chosen instead.",
                reference=OOM_SCORE_ADJ,
            )
        )
    return tuple(remedies)


def for_unlimited_container(case: Case, total_bytes: int) -> tuple[Remedy, ...]:
    """A limit for the container, and a slice that bounds all of them together."""
    wanted = _round_down(total_bytes // 2, 16 * MIB)
    all_together = _round_down(total_bytes * 9 // 10 - 256 * MIB, MIB) if total_bytes > GIB else _round_down(total_bytes * 3 // 4, MIB)
    container = case.container or {}
    name = container.get("name") or container.get("id", "")[:12]
    return (
        Remedy(
            action=f"Give container {name} a memory limit, to begin with half of the RAM ({size(wanted)}).",
            command=f"docker update --memory {wanted} --memory-swap {wanted} {shlex.quote(name)}",
            role="memops.linux.docker_memory",
            variable="docker_memory_container_limits",
            value=[{"name": name, "memory_bytes": wanted}],
            why="A container without a limit takes the host's memory until the kernel kills something, anywhere on the host.",
            risk="It is killed at its limit.",
            reference="https://docs.docker.com/engine/containers/resource_constraints/",
        ),
        Remedy(
            action=f"Bound all containers together with a systemd slice of {size(all_together)} (cgroup-parent in daemon.json);"
            " the host keeps the rest.",
            role="memops.linux.docker_memory",
            variable="docker_memory_slice_max_bytes",
            value=all_together,
            why="Docker has no default limit for containers; a slice is the only bound that holds for all.",
            risk="Containers compete below that bound; dockerd must be restarted and containers created anew.",
            reference="https://docs.docker.com/reference/cli/dockerd/#default-cgroup-parent",
        ),
    )


def for_oversubscription(host: HostFacts) -> tuple[Remedy, ...]:
    """Lower the limits until they fit, or bound all containers with a slice."""
    ram = host.ram_bytes or 0
    bound = _round_down(ram * 9 // 10, MIB)
    return (
        Remedy(
            action=f"Lower the containers' limits until their sum is at most {size(bound)}, move some elsewhere,"
            " or bound all of them with a slice of that size.",
            role="memops.linux.docker_memory",
            variable="docker_memory_slice_max_bytes",
            value=bound,
            why="Limits that add up to more than the host protect containers from themselves, not from each other.",
            risk="Containers that need what they were promised are killed at their lower limit.",
            reference="https://docs.docker.com/engine/containers/resource_constraints/",
        ),
    )


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


def _usual_swap(ram_bytes: int | None, swap_bytes: int) -> int | None:
    """The usual size by RAM: as much as RAM up to 2 GiB, half of it up to 8 GiB, then 4 GiB."""
    if not ram_bytes:
        return None
    wanted = ram_bytes if ram_bytes <= 2 * GIB else max(2 * GIB, ram_bytes // 2) if ram_bytes <= 8 * GIB else 4 * GIB
    wanted = _round_up(wanted, 256 * MIB)
    return wanted if wanted > swap_bytes else None


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step


def _round_down(value: int, step: int) -> int:
    return value // step * step
