# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes where a limit or a policy refused or decided, however much memory was free."""

from __future__ import annotations

from typing import Any

from ...events.model import ProcessFault, ServiceEvent
from ..case import Case
from ..host_facts import HostFacts
from ..remedies import refusals as remedy
from ..rule import REQUESTED, Conclusion, Fact, Judgement, Lacking, Rule, Step
from ..wording import size
from .log_so_far import around

#: Committed memory this close to the limit: the next larger request is refused.
COMMITTED = 0.95
#: fork fails and the program says so within the same moment.
SAME_MOMENT_SECONDS = 60


def overcommit_refused(case: Case) -> Judgement:
    """The kernel refused to promise memory (mmap, brk or fork), whatever was free at that moment."""
    if not _said_by_kernel(case):
        return None
    if case.host.tunable("vm.overcommit_memory") == "2":
        return None  # commit_limit's case
    step = Step(
        "The kernel's overcommit accounting refused the request: in mode 0 because it exceeds RAM and swap at once, in mode 2 because of the commit"
        " limit. Free memory plays no part in that.",
        case.quoted("line"),
    )
    return Conclusion("certain", (step,), remedy.for_overcommit(case))


def commit_limit(case: Case) -> Judgement:
    """vm.overcommit_memory is 2, and all that may be promised was promised."""
    mode = case.host.tunable("vm.overcommit_memory")
    if mode is None:
        return Lacking("vm.overcommit_memory of that time")
    if mode != "2":
        return None
    full = commit_limit_now(case.host)
    steps = (
        Step(
            "vm.overcommit_memory is 2 on this host: the kernel promises no more than the commit limit, used or not.",
            (*case.quoted("line"), Fact("tunables vm.overcommit_memory", mode)),
        ),
        *((full,) if full is not None else ()),
    )
    if _said_by_kernel(case):
        return Conclusion("certain", steps, remedy.for_commit_limit(case.host))
    return Conclusion("probable", steps, remedy.for_commit_limit(case.host)) if full is not None else None


def address_space_limit(case: Case) -> Judgement:
    """The program's own limit on address space (ulimit -v, LimitAS=) refused it, whatever was free."""
    if not isinstance(case.event, ServiceEvent) or case.host.tunable("vm.overcommit_memory") == "2":
        return None
    who = case.event.process
    limited = [one for one in case.host.section("processes").get("largest") or [] if one["name"] == who and isinstance(_address_space(one), int)]
    if not who or not limited:
        return None
    step = Step(
        f"{who} runs with a limit of {size(_address_space(limited[0]))} on its address space (RLIMIT_AS). What is mapped counts there, used or not.",
        (*case.quoted("line"), Fact(f"processes {who} limits address_space_bytes", str(_address_space(limited[0])))),
    )
    return Conclusion("probable", (step,), remedy.for_address_space(case))


def _address_space(process: dict[str, Any]) -> int | str | None:
    return (process.get("limits") or {}).get("address_space_bytes")


def commit_limit_now(host: HostFacts) -> Step | None:
    """The step that shows that the host's commit limit is reached now; None if it is not, or does not count."""
    limit, promised = host.meminfo("commit_limit_bytes"), host.meminfo("committed_as_bytes")
    if host.tunable("vm.overcommit_memory") != "2" or limit is None or promised is None or promised < COMMITTED * limit:
        return None
    facts = (Fact("memory meminfo commit_limit_bytes", str(limit)), Fact("memory meminfo committed_as_bytes", str(promised)))
    return Step(f"{size(promised)} are promised, and the commit limit is {size(limit)} (vm.overcommit_memory is 2).", facts)


def _said_by_kernel(case: Case) -> bool:
    return isinstance(case.event, ProcessFault) and case.event.kind == "overcommit"


def pids_limit(case: Case) -> Judgement:
    """A limit on the number of processes was reached, which programs report as a lack of memory."""
    if isinstance(case.event, ProcessFault) and case.event.kind == "pids_limit":
        where = f" of {case.event.cgroup}" if case.event.cgroup else ""
        step = Step(f"The pids controller{where} refused fork: the number of processes was at its limit. Memory was not short.", case.quoted("line"))
        return Conclusion("certain", (step,), remedy.for_pids_limit(case, case.event.cgroup))
    if case.kind != "enomem":
        return None
    for other in around(case, SAME_MOMENT_SECONDS):
        if isinstance(other.event, ProcessFault) and other.event.kind == "pids_limit":
            step = Step("In the same moment the kernel refused a fork because of a limit on processes.", (*case.quoted("line"), *other.quoted("line")))
            return Conclusion("possible", (step,), remedy.for_pids_limit(other, other.event.cgroup))
    return None


def eviction_threshold(case: Case) -> Judgement:
    """The kubelet ended a pod because the node's available memory fell below its threshold."""
    resource = _resource(case)
    if resource is None:
        return Lacking("the kubelet's line on what was short")
    if resource != "memory":
        return None
    step = Step("The kubelet acted before the kernel had to: available memory of the node had fallen below the eviction threshold.", case.quoted("line", "pod"))
    return Conclusion("certain", (step,), remedy.for_eviction())


def disk_pressure(case: Case) -> Judgement:
    """The kubelet ended a pod for want of disk, inodes or process ids, not of memory."""
    resource = _resource(case)
    if resource is None or resource == "memory":
        return None
    step = Step(f"The kubelet names what was short: {resource}. That is not memory.", case.quoted("line", "pod"))
    return Conclusion("certain", (step,), remedy.for_disk_pressure(resource))


def _resource(case: Case) -> str | None:
    """What the kubelet says was short, if that is a resource it knows (and no word that the line's end cut off)."""
    event = case.event
    if not isinstance(event, ServiceEvent):
        return None
    said = event.resource or ""
    text = " ".join([said, *(line.text for line in event.lines[:4])])
    if said == "memory" or "memory.available" in said:
        return "memory"
    for word in ("ephemeral-storage", "nodefs", "imagefs", "containerfs", "inodes", "pids"):
        if word in text:
            return word
    return "memory" if not said and "memory" in text else None


def all_tasks_unkillable(case: Case) -> Judgement:
    """There was no process that the kernel may kill: all were protected by oom_score_adj -1000."""
    said = case.quoted("no_victim")
    stuck = [line for line in case.quoted("panic") if "deadlocked on memory" in line.text or "no killable processes" in line.text]
    if not said and not stuck:
        return None
    steps = [Step("The kernel found no process that it may kill, and panics then.", (*said, *stuck))]
    if case.tasks and case.tasks_complete and all(task.oom_score_adj == -1000 or task.pid == 1 for task in case.tasks):
        largest = max(case.tasks, key=lambda task: task.rss_bytes or 0)
        steps.append(
            Step(
                f"All {len(case.tasks)} processes were protected (oom_score_adj -1000), the largest, {largest.process} (pid {largest.pid}) with"
                f" {size(largest.rss_bytes)}, among them.",
                case.quoted("largest_task"),
            )
        )
    return Conclusion("certain", tuple(steps), remedy.for_unkillable())


def panic_policy(case: Case) -> Judgement:
    """vm.panic_on_oom turned a shortage of memory into a panic of the whole host."""
    said = [line for line in case.quoted("panic") if "panic_on_oom is enabled" in line.text]
    if not said:
        return None
    mode = "2 (even for a shortage below one cgroup's limit)" if "compulsory" in said[0].text else "1"
    step = Step(f"The kernel did not look for a victim: vm.panic_on_oom was {mode}.", tuple(said))
    return Conclusion("certain", (step,), remedy.for_panic_policy())


_ENOMEM = frozenset(("enomem",))
OVERCOMMIT_REFUSED = Rule(
    cause="overcommit_refused",
    kinds=_ENOMEM,
    needs="the kernel's line __vm_enough_memory, and no vm.overcommit_memory=2",
    reference="https://docs.kernel.org/mm/overcommit-accounting.html",
    judge=overcommit_refused,
    speaks_of="decision",
)
COMMIT_LIMIT = Rule(
    cause="commit_limit",
    kinds=_ENOMEM,
    needs=f"vm.overcommit_memory=2, and the kernel's line __vm_enough_memory or Committed_AS at least {COMMITTED:.0%} of CommitLimit now",
    reference="https://docs.kernel.org/mm/overcommit-accounting.html",
    judge=commit_limit,
    speaks_of="decision",
)
ADDRESS_SPACE_LIMIT = Rule(
    cause="address_space_limit",
    kinds=_ENOMEM,
    needs="the program's own line, and a process of its name, now, that has RLIMIT_AS; no vm.overcommit_memory=2",
    reference="https://man7.org/linux/man-pages/man2/getrlimit.2.html",
    judge=address_space_limit,
    speaks_of="decision",
)
PIDS_LIMIT = Rule(
    cause="pids_limit",
    kinds=_ENOMEM | {"not_oom"},
    needs="the kernel's line \"fork rejected by pids controller\"; of a program's ENOMEM: that line within a minute",
    reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#pid",
    judge=pids_limit,
    speaks_of="decision",
)
EVICTION_THRESHOLD = Rule(
    cause="eviction_threshold",
    kinds=frozenset(("kubelet_eviction",)),
    needs="the kubelet's line, which names memory",
    reference="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
    judge=eviction_threshold,
    speaks_of="decision",
)
DISK_PRESSURE = Rule(
    cause="disk_pressure",
    kinds=frozenset(("kubelet_eviction",)),
    needs="the kubelet's line, which names another resource than memory",
    reference="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
    judge=disk_pressure,
    speaks_of="decision",
)
ALL_TASKS_UNKILLABLE = Rule(
    cause="all_tasks_unkillable",
    kinds=frozenset(("panic_on_oom",)),
    needs='the kernel\'s words "no killable processes" or "deadlocked on memory"',
    reference="mm/oom_kill.c: out_of_memory()",
    judge=all_tasks_unkillable,
    speaks_of="choice",
)
PANIC_POLICY = Rule(
    cause="panic_policy",
    kinds=frozenset(("panic_on_oom", REQUESTED)),
    needs='the panic line, "panic_on_oom is enabled"',
    reference="https://docs.kernel.org/admin-guide/sysctl/vm.html#panic-on-oom",
    judge=panic_policy,
    speaks_of="decision",
)
