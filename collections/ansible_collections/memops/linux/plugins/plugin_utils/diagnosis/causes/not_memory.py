# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Deaths that look like OOM and are not."""

from __future__ import annotations

from ...events.model import ProcessFault
from ..case import Case
from ..remedies.refusals import for_hardware
from ..rule import REQUESTED, Conclusion, Fact, Judgement, Lacking, Remedy, Rule, Step


def operator_or_runtime_kill(case: Case) -> Judgement:
    """SIGKILL by a person or a program: exit 137 while the kernel's OOM killer was silent.

    Exit code 137 is 128 + SIGKILL, by whomever: `docker kill`, `docker stop`
    after its grace period, a supervisor, a failed liveness probe, kill -9.
    """
    if not case.host.has_kernel_log():
        return Lacking("the kernel log, which alone shows whether the OOM killer acted")
    reaches_back = case.host.log_reaches_back_to()
    if case.time is None or (reaches_back is not None and case.time < reaches_back):
        return Lacking(f"the kernel log at the time of the death (it begins at {reaches_back})")
    steps = []
    if case.container:
        steps.append(Step("The container engine saw no OOM kill in it (OOMKilled is false).", _container_facts(case)))
    steps.append(
        Step(
            "The kernel log covers that time and holds no OOM kill of it, so a person or a program sent the signal:"
            " docker kill, docker stop after its grace period, a supervisor's timeout, a failed health check, kill -9."
        )
    )
    advice = Remedy(
        action="Ask who ended it: the engine's or orchestrator's events, supervisors' timeouts, the shell history, the audit log.",
        command="docker events --since 24h --until 0s --filter event=kill --filter event=stop" if case.container else None,
        why="The signal came from user space; memory settings would change nothing.",
        risk="none",
        reference="signal(7), docs.docker.com: docker container kill",
    )
    return Conclusion("probable", tuple(steps), (advice,))


def _container_facts(case: Case) -> tuple[Fact, ...]:
    container = case.container or {}
    if "exit_code" not in container:
        return ()
    name = container.get("name")
    return (
        Fact(f"containers {name} exit_code", str(container["exit_code"])),
        Fact(f"containers {name} oom_killed", str(container.get("oom_killed")).lower()),
    )


def requested_kill(case: Case) -> Judgement:
    """SysRq-F: the kernel's OOM killer was called by hand, which shows as order -1."""
    text = "The OOM killer was called by hand (SysRq-F: order=-1). The kernel then kills the largest process whether memory is short or not."
    if case.kind == "not_oom":
        text = "The OOM killer was called by hand (SysRq-F: order=-1), and found no process that it may kill. That says nothing about memory."
    step = Step(text, case.quoted("trigger", "sysrq", "kill", "no_victim"))
    advice = Remedy(
        action="Ask who did it; to forbid it, leave the signalling functions (64) out of kernel.sysrq.",
        command="sysctl kernel.sysrq",
        why="It was a person's or a script's decision.",
        risk="none",
        reference="https://docs.kernel.org/admin-guide/sysrq.html",
    )
    return Conclusion("certain", (step,), (advice,))


def application_fault(case: Case) -> Judgement:
    """The program broke by itself: an invalid memory access, not a lack of memory."""
    if _of_hardware(case):
        return None
    step = Step(
        "The kernel ended it for an access to memory that it did not own. That is a fault in the program (or its data, or"
        " broken hardware), not a lack of memory.",
        case.quoted("line"),
    )
    advice = Remedy(
        action="Get the core dump and its stack, and report it to the program's developers.",
        command="coredumpctl info",
        why="No memory setting mends an invalid access.",
        risk="none",
        reference="core(5), coredumpctl(1)",
    )
    return Conclusion("certain", (step,), (advice,))


def hardware_fault(case: Case) -> Judgement:
    """The memory itself is broken: the hardware reported an error that it could not correct."""
    if not _of_hardware(case):
        return None
    step = Step("The hardware reported that a page of it is broken, and the kernel ended the process that used it.", case.quoted("line"))
    return Conclusion("certain", (step,), for_hardware())


def _of_hardware(case: Case) -> bool:
    return isinstance(case.event, ProcessFault) and case.event.kind == "memory_failure"


OPERATOR_OR_RUNTIME_KILL = Rule(
    cause="operator_or_runtime_kill",
    kinds=frozenset(("sigkill_not_oom",)),
    needs="exit code 137 or status 9/KILL, and a kernel log that covers the time and holds no OOM kill of it",
    reference="signal(7): exit status 128+n",
    judge=operator_or_runtime_kill,
    speaks_of="decision",
)
REQUESTED_KILL = Rule(
    cause="operator_or_runtime_kill",
    kinds=frozenset((REQUESTED,)),
    needs="the report's trigger line with order=-1",
    reference="https://docs.kernel.org/admin-guide/sysrq.html",
    judge=requested_kill,
    speaks_of="decision",
)
APPLICATION_FAULT = Rule(
    cause="application_fault",
    kinds=frozenset(("segfault",)),
    needs="the kernel's line on the fault, or the unit's or container's end by SIGSEGV",
    reference="arch/x86/mm/fault.c: show_signal_msg()",
    judge=application_fault,
    speaks_of="decision",
)
HARDWARE_FAULT = Rule(
    cause="hardware_fault",
    kinds=frozenset(("segfault",)),
    needs="the kernel's line on a memory failure of the hardware",
    reference="https://docs.kernel.org/mm/hwpoison.html",
    judge=hardware_fault,
    speaks_of="decision",
)
