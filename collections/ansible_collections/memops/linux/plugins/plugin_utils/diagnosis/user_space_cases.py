# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What user space said, joined to the kernel's cases or made cases of its own.

The kernel's report, systemd's "killed by the OOM killer", the unit's result
and Docker's OOMKilled speak of one death. The kernel's word makes the case; the
others confirm it, and only a death that the kernel log does not hold becomes a
case by their word alone.
"""

from __future__ import annotations

from ..events.model import Event, Line, ServiceEvent, Victim
from .case import Case
from .host_facts import HostFacts
from .same_death import SAME_CRASH_SECONDS, case_of
from .times import earlier, within

_KIND_OF_SCOPE = {"memcg": "memcg_oom", "none": "global_oom"}
_KIND_OF_SERVICE_EVENT = {
    "oom_daemon_kill": "userspace_oom_daemon",
    "kubelet_eviction": "kubelet_eviction",
    "unit_oom_kill": "unknown_oom",
    "unit_killed": "sigkill_not_oom",
    "unit_crashed": "segfault",
    "enomem": "enomem",
}


def join_services(cases: list[Case], events: list[ServiceEvent], host: HostFacts) -> list[Case]:
    """The cases with what services said of them, and those that only services know.

    Acts (a daemon's kill, an eviction) come first: what systemd then says of
    the same unit confirms them.
    """
    joined = list(cases)
    order = {"oom_daemon_kill": 0, "kubelet_eviction": 0}
    for event in sorted(events, key=lambda event: order.get(event.kind, 1)):
        if event.kind not in _KIND_OF_SERVICE_EVENT:
            continue
        known = case_of(joined, event)
        if known is not None:
            known.unit = known.unit or event.unit
            _confirm(known, event.quotes.get("line") or (event.lines[0] if event.lines else None))
            continue
        joined.append(
            Case(
                kind=_KIND_OF_SCOPE.get(event.scope or "", _KIND_OF_SERVICE_EVENT[event.kind]),
                host=host,
                time=event.time,
                event=event,
                victims=_victims(event),
                cgroup=event.cgroup,
                unit=event.unit,
                complete=False,
                missing=() if event.kind == "oom_daemon_kill" else ("the kernel's own report",),
            )
        )
    return joined


def join_units(cases: list[Case], host: HostFacts) -> list[Case]:
    """The same for the results that systemd keeps of failed units."""
    joined = list(cases)
    for unit in host.section("services").get("failed_units") or []:
        kind = _kind_of_result(unit, host)
        if kind is None or earlier(unit.get("state_changed_at"), host.evidence.get("since")):
            continue
        if any(case.unit == unit["unit"] for case in joined):
            continue
        text = f"{unit['unit']}: Result={unit['result']}, ExecMainStatus={unit.get('exec_main_status')}"
        line = Line(text, unit.get("state_changed_at"), "systemctl show")
        joined.append(_reported(kind, host, line, unit=unit["unit"]))
    return joined


def join_containers(cases: list[Case], host: HostFacts) -> list[Case]:
    """The same for the states that container engines keep."""
    joined = list(cases)
    for container in host.containers:
        if any(case.container and case.container.get("id") == container["id"] for case in joined):
            continue
        kind = _kind_of_exit(container, host)
        ended = container.get("finished_at")
        if kind is None or earlier(ended, host.evidence.get("since")):
            continue
        text = f"{container.get('name')}: State.ExitCode={container.get('exit_code')}, State.OOMKilled={str(container.get('oom_killed')).lower()}"
        line = Line(text, ended, f"{container.get('engine')} inspect")
        if kind == "segfault":
            same = next((case for case in joined if case.kind == kind and within(case.time, ended, SAME_CRASH_SECONDS)), None)
            if same is not None:
                same.container = container
                _confirm(same, line)
                continue
        case = _reported(kind, host, line, unit=None)
        case.container = container
        joined.append(case)
    return joined


def _kind_of_result(unit: dict, host: HostFacts) -> str | None:
    """The kind of a unit's end: SIGKILL (also as exit code 137), SIGSEGV or SIGBUS; an abort is the program's own word."""
    status = unit.get("exec_main_status")
    if unit.get("result") == "oom-kill":
        return "unknown_oom"
    if (unit.get("result"), status) in (("signal", 9), ("exit-code", 137)):
        return "sigkill_not_oom" if host.has_kernel_log() else "unknown_death"
    return "segfault" if unit.get("result") in ("signal", "core-dump") and status in (7, 11) else None


def _kind_of_exit(container: dict, host: HostFacts) -> str | None:
    if container.get("oom_killed"):
        return "unknown_oom"
    if container.get("state") == "running":
        return None
    if container.get("exit_code") == 137:
        return "sigkill_not_oom" if host.has_kernel_log() else "unknown_death"
    return "segfault" if container.get("exit_code") == 139 else None


def _reported(kind: str, host: HostFacts, line: Line, unit: str | None) -> Case:
    event = Event(time=line.time, lines=[line], quotes={"line": line})
    return Case(kind=kind, host=host, time=line.time, event=event, unit=unit, complete=False, missing=("the kernel's own report",))


def _victims(event: ServiceEvent) -> list[Victim]:
    """Who was chosen and killed; a pod that was evicted is no process, and a SIGKILL from anyone chose nobody."""
    if event.kind in ("kubelet_eviction", "unit_killed") or not (event.process or event.pid):
        return []
    return [Victim(process=event.process, pid=event.pid, oom_score_adj=event.oom_score_adj)]


def _confirm(case: Case, line: Line | None) -> None:
    if line is None or case.event is None:
        return
    number = sum(role.startswith("confirmed") for role in case.event.quotes)
    if number < 3:
        case.event.quotes[f"confirmed_{number}"] = line
