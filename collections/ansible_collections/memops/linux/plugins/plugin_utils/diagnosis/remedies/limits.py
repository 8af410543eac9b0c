# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remedies below a memory cgroup's limit: raise it, or let less be dirty or in tmpfs.

Each function gives the remedies of one cause, the first to try first. The roles'
variables are named as the enforcing roles take them; ``action`` always says how
to do the same by hand.
"""

from __future__ import annotations

import shlex

from ..case import Case
from ..rule import Remedy
from ..wording import size
from .rounding import MIB, round_down, round_up

#: The pair that ended the outage memops began with (kernel bugzilla 207273).
DIRTY_BYTES_USUAL = 800 * MIB
DIRTY_BYTES_LEAST = 8 * MIB


def for_limit(case: Case, limit_bytes: int, used_bytes: int) -> tuple[Remedy, ...]:
    """Raise the limit by half, if the host has room for that; else shrink the program."""
    wanted = round_up(max(limit_bytes, used_bytes) * 3 // 2, 16 * MIB)
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
        action=f"Give the workload more room than it writes at once: a limit of {size(round_up(limit_bytes * 2, 16 * MIB))},"
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
    bounded = round_down(total_bytes // 4, MIB)
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
