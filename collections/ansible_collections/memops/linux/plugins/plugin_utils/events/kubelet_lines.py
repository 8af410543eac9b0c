# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kubelet and Kubernetes' events: pods that were evicted, and OOM kills that the node reports.

Lines of the kubelet's log, in klog's plain and structured form, and rows of
``kubectl get events``, ``get pods`` and ``describe``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .draft import far_apart
from .model import ServiceEvent
from .pattern import Pattern
from .service_form import ServiceForm, ServiceRecord

if TYPE_CHECKING:
    from .services import ServiceReader

_CONDITIONS = {"Memory": "memory", "Disk": "ephemeral-storage", "PID": "pids"}


def _evicting(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """The kubelet's first steps on a shortage; the last one is that a pod is evicted."""
    _evict(reading, record, match["resource"], begins=True)


def _because(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """What Kubernetes notes of the pod, before or after the kubelet's own words on the eviction."""
    resource = match.groupdict().get("resource")
    _evict(reading, record, _CONDITIONS.get(resource or "", resource))


def _evict(reading: ServiceReader, record: ServiceRecord, resource: str | None, pod: str | None = None, begins: bool = False) -> ServiceEvent:
    event = reading.eviction
    if (
        event is None
        or (begins and "pod" in event.quotes)
        or (resource is not None and event.resource not in (None, resource))
        or far_apart(event.lines[-1], record.line)
        or (event.lines[-1].time is None) != (record.line.time is None)  # two logs in one file
    ):
        event = reading.eviction = reading.add(record, "kubelet_eviction", "kubelet", resource=resource, process=pod)
        return event
    event.note(record.line)
    event.resource = event.resource or resource
    event.process = event.process or pod
    return event


def _local_storage(reading: ServiceReader, record: ServiceRecord, _match: re.Match[str]) -> None:
    """A pod above its own limit of disk space."""
    _evict(reading, record, "ephemeral-storage")


def _pod_row(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    _evict(reading, record, None, match[1])


def _evicted(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    already = reading.eviction is not None and "pod" in reading.eviction.quotes
    event = _evict(reading, record, None, begins=already)
    event.quotes["pod"] = record.line
    event.process = match[1] or match[2]


def _system_oom(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """The kubelet read the kernel's own line on a kill for the whole node; until 1.14 it did not say of whom."""
    pid = int(match["pid"]) if match["pid"] else None
    reading.of_death(record, f"pid {pid}", match["phrase"], "unit_oom_kill", "kubelet", process=match["process"], pid=pid, scope="none")


def _cadvisor(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """cAdvisor read in the kernel's log whose limit was hit: "/" where that was the machine."""
    cgroup = match[1]
    whole = cgroup == "/"
    reading.of_death(record, f"cgroup {cgroup}", "oom", "unit_oom_kill", "cadvisor", cgroup=None if whole else cgroup, scope="none" if whole else "memcg")


def _problem_detector(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """node-problem-detector repeats the kernel's kill line."""
    pid = int(match[2])
    reading.of_death(record, f"pid {pid}", "OOMKilling", "unit_oom_kill", "node-problem-detector", process=match[3], pid=pid)


def _stops(reading: ServiceReader, record: ServiceRecord, _match: re.Match[str]) -> bool:
    """The kubelet ends a container, with SIGKILL once its grace period is over."""
    reading.sends("", record.line)
    return False


FORMS = (
    ServiceForm(
        " to reclaim",
        Pattern(r'(?:viction manager: |")(?:attempting|must evict pod\(s\)) to reclaim(?:" resourceName="| )(?P<resource>[\w-]+)'),
        _evicting,
    ),
    ServiceForm("is evicted successfully", Pattern(r'(?:viction manager: |")pod (?:(\S+) )?is evicted successfully(?:" pod="([^"]*)")?'), _evicted),
    ServiceForm("low on resource", Pattern(r"The node was low on resource: \[?(?P<resource>[\w-]+?)(?:Pressure\])?(?![\w-])"), _because),
    ServiceForm("low on compute resources", Pattern(r"The node was low on compute resources"), _because),
    ServiceForm("node had condition: ", Pattern(r"The node had condition: \[(?P<resource>Memory|Disk|PID)Pressure\]"), _because),
    ServiceForm("EvictionThresholdMet", Pattern(r"EvictionThresholdMet.* Attempting to reclaim (?P<resource>[\w-]+)"), _evicting),
    ServiceForm("ephemeral local storage", Pattern(r"Pod ephemeral local storage usage exceeds the total limit of containers"), _local_storage),
    ServiceForm("local ephemeral storage", Pattern(r"Container \S+ exceeded its local ephemeral storage limit"), _local_storage),
    ServiceForm("Usage of EmptyDir", Pattern(r"Usage of EmptyDir volume \S+ exceeds the limit"), _local_storage),
    ServiceForm("Evicted", Pattern(r"^(?:\S+ +)?([a-z0-9][\w.-]*) +\d+/\d+ +Evicted +\d|^[Rr]eason: +Evicted$"), _pod_row),
    ServiceForm(
        "System OOM encountered", Pattern(r"(?P<phrase>System OOM encountered)(?:, victim process: (?P<process>.{1,64}), pid: (?P<pid>\d+)|$)"), _system_oom
    ),
    ServiceForm(
        "sys oom event", Pattern(r"(?P<phrase>Got sys oom event)\b.{0,40}?\bPid:(?P<pid>\d+) .{0,400}?\bProcessName:(?P<process>[^\s}]+)"), _system_oom
    ),
    ServiceForm("Created an OOM event", Pattern(r'\bCreated an OOM event in container \\?"(/[^"\\]{0,512})\\?" at \d'), _cadvisor),
    ServiceForm(
        "OOMKilling", Pattern(r"\bOOMKilling\b.{0,200}?((?:Memory cgroup o|O)ut of memory): Kill(?:ed)? process (\d+) \((.{0,64}?)\)"), _problem_detector
    ),
    ServiceForm("Killing", Pattern(r"Killing container with a grace period|\bKilling\b.{0,60}Stopping container "), _stops),
)
