# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remedies for containers that share a host."""

from __future__ import annotations

import shlex

from ..case import Case
from ..host_facts import HostFacts
from ..rule import Remedy
from ..wording import size
from .rounding import GIB, MIB, round_down


def for_unlimited_container(case: Case, total_bytes: int) -> tuple[Remedy, ...]:
    """A limit for the container, and a slice that bounds all of them together."""
    wanted = round_down(total_bytes // 2, 16 * MIB)
    all_together = round_down(total_bytes * 9 // 10 - 256 * MIB, MIB) if total_bytes > GIB else round_down(total_bytes * 3 // 4, MIB)
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
            action=f"Bound all containers together with a systemd slice of {size(all_together)} (cgroup-parent in daemon.json); the host keeps the rest.",
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
    bound = round_down(ram * 9 // 10, MIB)
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
