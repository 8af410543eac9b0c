# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Container engines and Slurm on OOM kills: containerd's and Docker's events, conmon, steps of jobs, and the state OOMKilled wherever it is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .model import ServiceEvent
from .pattern import Pattern
from .service_form import ServiceForm, ServiceRecord

if TYPE_CHECKING:
    from .services import ServiceReader


def _containerd(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    # With systemd's driver the container's unit has this name, so that systemd's lines on it say the same.
    _of_container(reading, record, match[1], f"cri-containerd-{match[1]}.scope", "containerd")


def _docker(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    event = _of_container(reading, record, match[1], f"docker-{match[1]}.scope", "docker")
    # Docker's own event for a container at its limit.
    event.scope = event.scope or "memcg"


def _of_container(reading: ServiceReader, record: ServiceRecord, container: str, unit: str, by: str) -> ServiceEvent:
    event = reading.of_death(record, unit, "oom", "unit_oom_kill", by, unit=unit, container=container)
    event.container = container
    return event


def _conmon(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    reading.of_death(record, f"conmon {match[1]}", "oom", "unit_oom_kill", "conmon", container=match[1])


def _state(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """kubectl and docker inspect show the state of a container that they named further above, if at all."""
    pod = match[1]
    by = "kubelet" if pod else record.process or "container engine"
    event = reading.of_death(record, f"state {pod or ''}", "OOMKilled", "unit_oom_kill", by, process=pod)
    if pod is None:
        reading.same_death(event, "OOMKilled", "exit 137")


def _slurm(reading: ServiceReader, record: ServiceRecord, _match: re.Match[str]) -> None:
    """Slurm counts the kills in a step's cgroup; the job's shell may have told of one in its words."""
    event = reading.of_death(record, "exit 137", "slurm", "unit_oom_kill", "slurmstepd", scope="memcg")
    event.scope = "memcg"


_ID = "[0-9a-f]{12,64}"
FORMS = (
    ServiceForm("TaskOOM", Pattern(rf'TaskOOM event (?:container_id:\\*"|&TaskOOM\{{ContainerID:)({_ID})\b'), _containerd),
    ServiceForm("container oom ", Pattern(rf"\bcontainer oom ({_ID}) \("), _docker),
    ServiceForm("OOM received", Pattern(r"conmon ([0-9a-f]{12,64}) <\w+>: OOM received"), _conmon),
    # "oom-kill event(s) in step 7.batch cgroup", 20.11 "in StepId=7.batch cgroup", since 21.08 "oom_kill event in StepId=7.batch"
    ServiceForm("oom-kill event(s) in ", Pattern(r"(?:^|\berror: )Detected \d+ oom-kill event\(s\) in (?:step |StepId=)\S+ cgroup\.(?: Some of|$)"), _slurm),
    ServiceForm("oom_kill event", Pattern(r"(?:^|\berror: )Detected \d+ oom_kill events? in StepId=[\w+.]{1,64}?\.?(?: Some of|$)"), _slurm),
    ServiceForm(
        "OOMKilled",
        Pattern(r'^(?:\S+ +)?([a-z0-9][\w.-]*) +\d+/\d+ +OOMKilled +\d|^(?:- )?"?[Rr]eason"?: +"?OOMKilled"?,?$|\bOOMKilled"?(?:: ?"?|=)true\b'),
        _state,
    ),
)
