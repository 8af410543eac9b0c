# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one answer for a host: was it memory, how sure, in one sentence."""

from __future__ import annotations

from typing import Any

from .case import MEMORY_KINDS
from .host_facts import HostFacts
from .wording import process, size

#: What each code means; docs and schema repeat it.
CODES = {
    "memory": "memory was the cause of at least one death or refusal",
    "not_memory": "there were deaths, and memory was not their cause",
    "at_risk": "nothing died of memory, but a condition is there that makes it likely",
    "healthy": "no death, no condition",
    "cannot_tell": "the evidence that would show it could not be read, or is lost",
    "no_evidence": "the host could not be examined at all",
}

_KINDS_IN_ORDER = (
    "panic_on_oom",
    "global_oom",
    "memcg_oom",
    "cpuset_oom",
    "mempolicy_oom",
    "userspace_oom_daemon",
    "kubelet_eviction",
    "unknown_oom",
    "enomem",
    "page_allocation_failure",
    "unknown_death",
    "sigkill_not_oom",
    "segfault",
    "not_oom",
    "hung_task",
)
#: Causes that are none of memory, whoever says so: the kubelet evicts for want of disk too.
_NOT_MEMORY = frozenset(("disk_pressure", "pids_limit"))


def of(host: HostFacts, incidents: list[dict[str, Any]], findings: list[dict[str, Any]]) -> dict[str, Any]:
    """{code, confidence, summary, incident}; incident is the index of the one it speaks of."""
    lead = leading(incidents)
    if lead is not None and _of_memory(incidents[lead]):
        return _verdict("memory", incidents[lead]["confidence"] or "possible", _told(incidents, lead), lead)
    risks = [finding for finding in findings if finding["severity"] == "risk"]
    if not host.has_kernel_log() and host.kernel_kills_since_boot() != 0:
        return _verdict("cannot_tell", "certain", _why_blind(host), lead)
    if lead is not None and incidents[lead]["kind"] == "unknown_death":
        return _verdict("cannot_tell", "certain", _told(incidents, lead), lead)
    if lead is not None:
        return _verdict("not_memory", incidents[lead]["confidence"] or "possible", "not memory: " + _told(incidents, lead), lead)
    if risks:
        lost = all(finding["cause"] == "unknown" for finding in risks)
        return _verdict("cannot_tell" if lost else "at_risk", "probable", risks[0]["summary"], None)
    return _healthy(host)


def leading(incidents: list[dict[str, Any]]) -> int | None:
    """The incident a person should look at first: the gravest kind, then the newest."""
    if not incidents:
        return None
    return min(
        range(len(incidents)),
        key=lambda index: (not _of_memory(incidents[index]), _KINDS_IN_ORDER.index(incidents[index]["kind"]), index),
    )


def _of_memory(incident: dict[str, Any]) -> bool:
    return incident["kind"] in MEMORY_KINDS and incident["cause"] not in _NOT_MEMORY


def _verdict(code: str, confidence: str, summary: str, lead: int | None) -> dict[str, Any]:
    return {"code": code, "confidence": confidence, "summary": summary, "incident": lead}


def _told(incidents: list[dict[str, Any]], index: int) -> str:
    """The incident in one sentence."""
    item = incidents[index]
    concerned = item["concerned"]
    who = process(concerned["process"], concerned["pid"]) if concerned else (item["unit"] or "a process")
    container = item["container"] or {}
    place = f" in container {container.get('name') or container['id'][:12]}" if container else f" in {item['unit']}" if item["unit"] else ""
    verb = {
        "userspace_oom_daemon": "was ended by a user-space OOM daemon",
        "kubelet_eviction": "was evicted by the kubelet",
        "page_allocation_failure": "was refused an allocation by the kernel",
        "enomem": "was refused memory",
        "hung_task": "hung",
        "segfault": "crashed by an invalid memory access",
        "sigkill_not_oom": "was ended by SIGKILL from user space",
        "unknown_death": "was ended by SIGKILL",
        "panic_on_oom": "asked for memory and the kernel panicked",
        "not_oom": "was refused another process" if item["cause"] == "pids_limit" else "was spared: an OOM kill by hand found nothing to kill",
    }.get(item["kind"], "was OOM-killed")
    memory = item["memory"] or {}
    scope = ""
    if item["kind"] == "memcg_oom":
        scope = f" at a limit of {size(memory['total_bytes'])}" if memory.get("total_bytes") else " at its cgroup's limit"
    elif item["kind"] == "global_oom":
        scope = " because the host was out of memory"
    times = f" ({item['repeats']} times)" if item["repeats"] > 1 else ""
    why = f": {item['cause']}" if item["cause"] else f"; {item['cannot_tell']}"
    if item["kind"] == "not_oom" and not item["victim"]:
        who = item["unit"] or "a process"
    if who == place.removeprefix(" in "):
        place = ""
    return f"{who}{place} {verb}{scope}{times}{why}"


def _counted_no_kill(host: HostFacts) -> bool:
    """The kernel's counter proves that nothing was OOM-killed since a boot before the window."""
    booted, since = host.evidence.get("booted_at"), host.evidence.get("since")
    return host.kernel_kills_since_boot() == 0 and bool(booted and since and booted <= since)


def _why_blind(host: HostFacts) -> str:
    if "kernel_log" not in (host.evidence.get("subset") or []):
        return "cannot tell: the kernel log was not asked for (subset)"
    reasons = [f"{note['source']}: {note['why']}" for note in host.unreadable("kernel_log")]
    return "cannot tell, because no kernel log could be read: " + ("; ".join(reasons[:3]) or "none is there")


def _healthy(host: HostFacts) -> dict[str, Any]:
    """Nothing found; how far back that can be said."""
    since = host.evidence.get("since")
    reaches = host.log_reaches_back_to()
    whole = reaches is not None and since is not None and reaches <= since
    if whole or _counted_no_kill(host):
        return _verdict("healthy", "certain", f"no death by memory since {since}, and nothing that points to one", None)
    return _verdict(
        "healthy",
        "probable",
        f"no death by memory since {reaches or host.evidence.get('booted_at')}; logs from before that are not there (asked for: since {since})",
        None,
    )
