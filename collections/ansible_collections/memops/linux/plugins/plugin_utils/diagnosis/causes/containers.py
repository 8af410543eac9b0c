# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes that lie in how containers share the host's memory."""

from __future__ import annotations

from typing import Any

from ..case import Case
from ..host_facts import HostFacts
from ..memory_use import held_bytes
from ..remedies import containers as remedy
from ..rule import Conclusion, Fact, Judgement, Lacking, Rule, Step
from ..wording import count, percent, size

HOST_OOM = frozenset(("global_oom",))

_NO_CONTAINERS = Lacking("the containers and their limits (the container engine's socket)")


def no_container_limits(case: Case) -> Judgement:
    """A container without a memory limit used up the host for all others."""
    container = case.container
    if container is None:
        return None
    if "memory_limit_bytes" not in container or container["memory_limit_bytes"] is None:
        return _NO_CONTAINERS
    if container["memory_limit_bytes"] != "max" or case.victim is None:
        return None
    held = (case.victim.anon_rss_bytes or 0) + (case.victim.shmem_rss_bytes or 0)
    total = case.use.total_bytes if case.use else case.host.ram_bytes
    if not total or held < 0.1 * total:
        return None
    others = [item for item in running(case.host) if item.get("memory_limit_bytes") == "max" and item["id"] != container["id"]]
    steps = [
        Step(
            f"The victim ran in container {container.get('name') or container['id'][:12]}, which has no memory limit,"
            f" and held {size(held)} of {size(total)} RAM ({percent(held, total)}).",
            (*case.quoted("kill", "constraint"), Fact(f"containers {container.get('name')} memory_limit_bytes", "max")),
        )
    ]
    if others:
        steps.append(Step(f"{count(len(others), 'other running container')} had no limit either."))
    main = held >= 0.5 * total or (held >= 0.25 * total and _is_largest(case))
    return Conclusion("certain" if main else "probable", tuple(steps), remedy.for_unlimited_container(case, total))


def _is_largest(case: Case) -> bool:
    """Whether the whole task table shows no larger process than the victim."""
    sizes = {task.pid: held_bytes(task) for task in case.tasks}
    return case.tasks_complete and case.victim is not None and sizes.get(case.victim.pid) == max(sizes.values(), default=None)


def limits_oversubscribed(case: Case) -> Judgement:
    """Every container kept to its limit, but the limits together exceed the host."""
    container = case.container
    if container is None:
        return None
    limit = container.get("memory_limit_bytes")
    if limit is None or case.host.ram_bytes is None:
        return _NO_CONTAINERS
    if limit == "max":
        return None
    promised = promised_bytes(case.host)
    available = case.host.ram_bytes + (case.host.swap_total_bytes or 0)
    if promised <= available:
        return None
    step = Step(
        f"The running containers' limits add up to {size(promised)}; RAM and swap of the host are {size(available)}."
        f" The victim's container was within its own limit of {size(limit)}.",
        (*case.quoted("kill", "constraint"), Fact("containers memory_limit_bytes, summed over the running ones", str(promised))),
    )
    return Conclusion("probable", (step,), remedy.for_oversubscription(case.host))


def running(host: HostFacts) -> list[dict[str, Any]]:
    """The containers that run now."""
    return [container for container in host.containers if container.get("state") == "running"]


def promised_bytes(host: HostFacts) -> int:
    """The sum of the running containers' memory limits; unlimited ones promise nothing."""
    limits = (container.get("memory_limit_bytes") for container in running(host))
    return sum(limit for limit in limits if isinstance(limit, int))


NO_CONTAINER_LIMITS = Rule(
    cause="no_container_limits",
    kinds=HOST_OOM,
    needs="the victim's container and its limit from the engine; no limit, and the victim held at least a tenth of RAM",
    reference="https://docs.docker.com/engine/containers/resource_constraints/#limit-a-containers-access-to-memory",
    judge=no_container_limits,
    speaks_of="sharing",
)
LIMITS_OVERSUBSCRIBED = Rule(
    cause="limits_oversubscribed",
    kinds=HOST_OOM,
    needs="the running containers' limits from the engine, RAM and swap; the sum is larger, and the victim's container has a limit",
    reference="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
    judge=limits_oversubscribed,
    speaks_of="sharing",
)
