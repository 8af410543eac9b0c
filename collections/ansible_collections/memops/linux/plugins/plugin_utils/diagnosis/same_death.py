# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which case a line of user space speaks of: by unit, by pid, or where neither shows by closeness.

Closeness joins only what nothing tells apart: a death with a unit of its own
stays its own where the kernel's report names another cgroup.
"""

from __future__ import annotations

import re

from ..events.model import Line, ServiceEvent
from . import owner
from .case import KERNEL_OOM_KINDS, Case
from .times import seconds_between, within

#: systemd and the engines notice a death later than the kernel, by a shutdown timeout at most.
SAME_DEATH_SECONDS = 120
#: Between the kernel's line on a crash and systemd's lies a core dump at most.
SAME_CRASH_SECONDS = 5
#: In a log without times: a shell's prompt, a command and its first lines.
_NEAR_LINES = 12
#: The kernel's own names have no more.
_COMM_LENGTH = 15
_WHERE = re.compile(r"(.*):(\d{1,18})$", re.DOTALL)


def case_of(cases: list[Case], event: ServiceEvent) -> Case | None:
    """The case of the death that the event is about, or None if it is of another one."""
    named = _of_unit(cases, event) or _same_crash(cases, event) or _of_pid(cases, event) or _of_cgroup(cases, event)
    return named or _of_report_without_unit(cases, event) or _of_neighbour(cases, event)


def _not_apart(case: Case, event: ServiceEvent) -> bool:
    distance = seconds_between(case.time, event.time)
    return distance is None or distance <= SAME_DEATH_SECONDS


def _of_unit(cases: list[Case], event: ServiceEvent) -> Case | None:
    """The same unit, close in time, and of a fitting kind."""
    unit = event.unit
    if unit is None or event.kind in ("oom_daemon_kill", "kubelet_eviction", "enomem"):
        return None
    for case in cases:
        fits = case.kind == "segfault" if event.kind == "unit_crashed" else case.kind in KERNEL_OOM_KINDS | {"userspace_oom_daemon", "sigkill_not_oom"}
        inside = case.unit == unit or unit in (case.victim_cgroup or "").split("/")
        if fits and inside and _not_apart(case, event):
            return case
    return None


def _same_crash(cases: list[Case], event: ServiceEvent) -> Case | None:
    """The kernel's segfault line names no unit: systemd's line on a crash within seconds gives it one."""
    if event.kind != "unit_crashed":
        return None
    near = (case for case in cases if case.kind == "segfault" and case.unit is None and case.event is not event)
    return next((case for case in near if within(case.time, event.time, SAME_CRASH_SECONDS)), None)


def _of_pid(cases: list[Case], event: ServiceEvent) -> Case | None:
    """Shells, the kubelet and others name the pid that the kernel killed."""
    if event.kind not in ("unit_oom_kill", "unit_killed") or event.pid is None:
        return None
    for case in cases:
        same = any(victim.pid == event.pid and _alike(victim.process, event.process) for victim in case.victims)
        if same and case.kind in KERNEL_OOM_KINDS and _not_apart(case, event):
            return case
    return None


def _of_cgroup(cases: list[Case], event: ServiceEvent) -> Case | None:
    """cAdvisor names the cgroup at whose limit the kernel killed."""
    if event.kind != "unit_oom_kill" or event.cgroup is None:
        return None
    return next((case for case in cases if case.kind in KERNEL_OOM_KINDS and case.cgroup == event.cgroup and _not_apart(case, event)), None)


def _alike(comm: str | None, command: str | None) -> bool:
    return comm is None or command is None or comm[:_COMM_LENGTH] == command.rpartition("/")[2][:_COMM_LENGTH]


def _of_report_without_unit(cases: list[Case], event: ServiceEvent) -> Case | None:
    """Where the kernel's lines are cut or older than cgroups, so that no unit shows, systemd's line right behind gives it."""
    if event.kind not in ("unit_oom_kill", "unit_killed") or event.pid or event.process:
        return None
    for case in cases:
        nameless = case.unit is None and case.container is None and _is_cut(case.victim_cgroup or case.cgroup)
        fits = case.kind in KERNEL_OOM_KINDS and (case.victims or event.kind == "unit_oom_kill")
        if nameless and fits and (within(case.time, event.time, SAME_CRASH_SECONDS) or _next_to(case, event)):
            return case
    return None


def _is_cut(cgroup: str | None) -> bool:
    return cgroup is None or owner.is_cut(cgroup)


def _of_neighbour(cases: list[Case], event: ServiceEvent) -> Case | None:
    """A shell's bare "Killed", exit code 137 or OOMKilled, which names nobody or the victim's program, is of the kill that is told next to it."""
    if event.kind not in ("unit_oom_kill", "unit_killed") or event.time or event.unit or event.pid or event.scope:
        return None
    near = (case for case in cases if case.kind in KERNEL_OOM_KINDS and _lines_between(case, event) <= _NEAR_LINES)
    return next((case for case in near if event.process is None or any(_alike(victim.process, event.process) for victim in case.victims)), None)


def _next_to(case: Case, event: ServiceEvent) -> bool:
    known = case.time and event.kind == "unit_killed"
    return not known and not event.time and not event.scope and _lines_between(case, event) <= _NEAR_LINES


def _lines_between(case: Case, event: ServiceEvent) -> float:
    """How many lines of one file lie between the two."""
    distances = [_distance(one, other) for one in _ends(case.event.lines if case.event else []) for other in _ends(event.lines)]
    return min(distances, default=float("inf"))


def _ends(lines: list[Line]) -> list[Line]:
    return [lines[0], lines[-1]] if lines else []


def _distance(one: Line, other: Line) -> float:
    first, second = _WHERE.match(one.where), _WHERE.match(other.where)
    if first is None or second is None or first[1] != second[1]:
        return float("inf")
    return abs(int(first[2]) - int(second[2]))
