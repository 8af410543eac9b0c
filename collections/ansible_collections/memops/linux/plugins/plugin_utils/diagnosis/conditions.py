# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Conditions of the host that have killed nobody yet."""

from __future__ import annotations

import dataclasses

from .case import KERNEL_OOM_KINDS, Case
from .causes.containers import promised_bytes, running
from .causes.pressure import thrashing_now
from .causes.refusals import commit_limit_now
from .host_facts import HostFacts
from .remedies import containers as for_containers
from .remedies import host as for_host
from .remedies import refusals as for_refusals
from .rule import Fact, Remedy, Step
from .times import earlier, within
from .wording import count, percent, size

#: Below this part of RAM "available" the host is short of memory now.
SHORT = 0.1
#: A group this near to memory.high whose tasks all wait this part of the time is held back by it.
AT_HIGH = 0.95
SLOWED_PERCENT = 10.0
MOST_SLOWED = 5
#: A crash dump bears the time of the crash, or of the boot after it that saved it.
DUMP_SECONDS = 600.0


@dataclasses.dataclass(frozen=True)
class Condition:
    """Something that is so, and what may come of it.

    cause: the cause it would be; severity: "risk" counts for the verdict,
    "note" is only told.
    """

    cause: str
    severity: str
    summary: str
    because: tuple[Step, ...]
    remedies: tuple[Remedy, ...] = ()


def conditions(host: HostFacts, cases: list[Case]) -> list[Condition]:
    """All conditions of the host now; a healthy host has none."""
    found = (
        _thrashing(host),
        *_slowed_down(host),
        _kills_not_in_log(host, cases),
        *_ends_not_in_log(host, cases),
        _hugepages(host),
        _commit_limit(host),
        *_containers(host),
        _short_of_memory(host),
    )
    return [condition for condition in found if condition is not None]


def _available_share(host: HostFacts) -> float | None:
    available = host.meminfo("mem_available_bytes")
    return available / host.ram_bytes if available is not None and host.ram_bytes else None


def _is_short(host: HostFacts) -> bool:
    share = _available_share(host)
    return share is not None and share < SHORT


def _thrashing(host: HostFacts) -> Condition | None:
    steps = thrashing_now(host)
    if not steps:
        return None
    return Condition("thrashing", "risk", "The host is thrashing now: " + steps[0].text, steps, for_host.for_thrashing(host))


def _slowed_down(host: HostFacts) -> list[Condition]:
    """Cgroups whose processes wait, because they are above memory.high."""
    found = []
    for group in host.section("cgroups").get("groups") or []:
        high, usage, hits = group.get("high_bytes"), group.get("usage_bytes"), (group.get("events") or {}).get("high")
        waited = ((group.get("pressure") or {}).get("full") or {}).get("avg10")
        if not isinstance(high, int) or not usage or not hits or waited is None or usage < AT_HIGH * high or waited < SLOWED_PERCENT:
            continue
        who = group.get("unit") or group["path"]
        step = Step(
            f"{who} uses {size(usage)}, memory.high is {size(high)}: the kernel has held its processes back {count(hits, 'time')},"
            f" and they stood still {waited:.0f} % of the last 10 s.",
            (Fact(f"cgroups {group['path']} events high", str(hits)), Fact(f"cgroups {group['path']} pressure full avg10", str(waited))),
        )
        found.append(Condition("memory_high", "risk", f"{who} is slowed down at its memory.high of {size(high)}", (step,), for_host.for_memory_high(who, high)))
    return found[:MOST_SLOWED]


def _kills_not_in_log(host: HostFacts, cases: list[Case]) -> Condition | None:
    """The kernel counted more OOM kills since boot than the logs of this boot show."""
    counted = host.kernel_kills_since_boot()
    booted = host.evidence.get("booted_at")
    since = host.evidence.get("since")
    if not counted or not booted or not since or booted < since:
        return None  # older than the window: kills before it need not be in the logs that were read
    seen = sum(max(1, len(case.victims)) for case in cases if case.kind in KERNEL_OOM_KINDS and not (case.time and case.time < booted))
    # The counter rises for each process that dies, the log names only those that were still
    # to be killed ("is already exiting"): only a kill that nobody has seen at all is news.
    if seen:
        return None
    step = Step(
        f"The kernel counted {count(counted, 'OOM kill')} since boot at {booted}; the logs that could be read show none.",
        (Fact("memory vmstat events oom_kill", str(counted)),),
    )
    return Condition("unknown", "risk", f"{count(counted, 'OOM kill')} since boot left no trace in the logs", (step,))


def _ends_not_in_log(host: HostFacts, cases: list[Case]) -> list[Condition]:
    """Boots that were cut off, of whose last moments no log and no crash dump is left."""
    found = []
    for ended in host.section("kernel_log").get("ended_boots") or []:
        last, following = ended["last_at"], ended["next_at"]
        seen = [case.time for case in cases if case.kind == "panic_on_oom"]
        seen += [source["last_at"] for source in host.section("kernel_log").get("sources") or [] if source["source"] in ("pstore", "vmcore")]
        if ended["shut_down"] or any(_lies_between(time, last, following) for time in seen):
            continue
        step = Step(
            f"Between {last} and {following} the host went down without a shutdown, by a panic, a reset or a power cut, and no crash dump of it is left."
            " With vm.panic_on_oom, or where nothing was left to kill, a shortage of memory ends like that.",
            (Fact(f"kernel_log ended_boots {ended['path']}", f"shut_down false, last_at {last}, next_at {following}"),),
        )
        summary = f"The host went down without a shutdown between {last} and {following}, and nothing is left that shows why"
        found.append(Condition("unknown", "risk", summary, (step,), for_host.for_lost_ends()))
    return found


def _lies_between(time: str | None, first: str, last: str) -> bool:
    if within(time, first, DUMP_SECONDS) or within(time, last, DUMP_SECONDS):
        return True
    return earlier(first, time) and earlier(time, last)


def _hugepages(host: HostFacts) -> Condition | None:
    """Huge pages that nobody uses, while the host is short of memory."""
    pools = host.section("memory").get("hugepages") or []
    unused = sum((pool.get("free") or 0) * pool["size_bytes"] for pool in pools)
    total = sum((pool.get("total") or 0) * pool["size_bytes"] for pool in pools)
    if not host.ram_bytes or unused < 0.25 * host.ram_bytes or not _is_short(host):
        return None
    step = Step(
        f"{size(unused)} of {size(host.ram_bytes)} RAM ({percent(unused, host.ram_bytes)}) are reserved for huge pages and unused,"
        f" while {size(host.meminfo('mem_available_bytes'))} are left for everything else.",
        (Fact("memory hugepages", str(pools)),),
    )
    return Condition("hugepages_reserved", "risk", "Unused huge pages starve the host", (step,), for_host.for_hugepages(total - unused))


def _commit_limit(host: HostFacts) -> Condition | None:
    """All that may be promised is promised: the next request is refused, however much is free."""
    step = commit_limit_now(host)
    if step is None:
        return None
    return Condition("commit_limit", "risk", "The commit limit is reached: the next larger allocation is refused", (step,), for_refusals.for_commit_limit(host))


def _containers(host: HostFacts) -> list[Condition]:
    """Containers without limits, or with too large ones, on a host that is short of memory."""
    if not _is_short(host) or not host.ram_bytes:
        return []
    found = []
    unlimited = [container for container in running(host) if container.get("memory_limit_bytes") == "max"]
    if unlimited:
        names = ", ".join(str(container.get("name")) for container in unlimited[:5])
        step = Step(
            f"{count(len(unlimited), 'running container')} without a memory limit ({names}), and"
            f" {size(host.meminfo('mem_available_bytes'))} of {size(host.ram_bytes)} RAM available.",
            (Fact("memory meminfo mem_available_bytes", str(host.meminfo("mem_available_bytes"))),),
        )
        found.append(Condition("no_container_limits", "risk", "Containers without a limit on a host short of memory", (step,)))
    promised = promised_bytes(host)
    if promised > host.ram_bytes + (host.swap_total_bytes or 0):
        step = Step(
            f"The running containers' limits add up to {size(promised)}; the host has {size(host.ram_bytes)} RAM.",
            (Fact("containers memory_limit_bytes, summed over the running ones", str(promised)),),
        )
        found.append(
            Condition("limits_oversubscribed", "risk", "Containers are promised more than the host has", (step,), for_containers.for_oversubscription(host))
        )
    return found


def _short_of_memory(host: HostFacts) -> Condition | None:
    """Nearly nothing available, and no swap left to make room."""
    share = _available_share(host)
    swap_free = host.meminfo("swap_free_bytes")
    if share is None or share >= 0.05 or swap_free is None or swap_free > 0.05 * (host.swap_total_bytes or 0) + 1:
        return None
    cause = "swap_exhausted" if host.swap_total_bytes else "no_swap"
    step = Step(
        f"{size(host.meminfo('mem_available_bytes'))} of {size(host.ram_bytes)} RAM are available"
        f" ({percent(host.meminfo('mem_available_bytes'), host.ram_bytes)}), and {size(swap_free)} swap is free.",
        (Fact("memory meminfo mem_available_bytes", str(host.meminfo("mem_available_bytes"))), Fact("memory meminfo swap_free_bytes", str(swap_free))),
    )
    return Condition(cause, "risk", "The next larger allocation can start the OOM killer", (step,))
