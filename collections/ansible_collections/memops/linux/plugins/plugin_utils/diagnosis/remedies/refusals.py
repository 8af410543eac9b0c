# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remedies where a limit or a policy refused or decided, not the amount of RAM."""

from __future__ import annotations

import shlex

from ..case import Case
from ..host_facts import HostFacts
from ..rule import Remedy
from ..wording import size

_OVERCOMMIT = "https://docs.kernel.org/mm/overcommit-accounting.html"
#: With the default of 50 and little swap half of the RAM can never be used.
RATIO = 90
_VM = "https://docs.kernel.org/admin-guide/sysctl/vm.html"


def for_commit_limit(host: HostFacts) -> tuple[Remedy, ...]:
    """Mode 2 needs a ratio that fits the host: nine tenths of RAM and the swap."""
    ram, swap = host.ram_bytes, host.swap_total_bytes or 0
    mappable = ram - (host.meminfo("hugetlb_bytes") or 0) if ram else None
    told = f" The commit limit becomes {size(mappable * RATIO // 100 + swap)}." if mappable else ""
    return (
        Remedy(
            action=f"Let more be promised: raise vm.overcommit_ratio to {RATIO}.{told} Or go back to vm.overcommit_memory=0.",
            command=f"sysctl -w vm.overcommit_ratio={RATIO}",
            role="memops.linux.vm_tunables",
            variable="vm_tunables_overrides",
            value={"vm.overcommit_ratio": RATIO},
            why="With vm.overcommit_memory=2 the kernel promises no more than the commit limit, whether or not the memory is used.",
            risk="More promises can then be called in at once, up to the OOM killer.",
            reference=_OVERCOMMIT,
        ),
    )


def for_address_space(case: Case) -> tuple[Remedy, ...]:
    """The limit counts mappings, which say little about memory."""
    unit = case.unit
    where = f"LimitAS= of {unit}" if unit and unit.endswith(".service") else "the limit (LimitAS= of its unit, ulimit -v, /etc/security/limits.conf)"
    return (
        Remedy(
            action=f"Raise or remove {where}, and bound its memory with MemoryMax= instead.",
            command="grep 'address space' /proc/PID/limits",
            why="RLIMIT_AS counts all that is mapped, also what is never used; programs that reserve much are refused long before they use it.",
            risk="Without a limit of either kind the program can take the host's memory.",
            reference="https://man7.org/linux/man-pages/man2/getrlimit.2.html",
        ),
    )


def for_overcommit(case: Case) -> tuple[Remedy, ...]:
    """Ask for less at once, or let the kernel promise more."""
    return (
        Remedy(
            action="Let the program ask for less at once (heap size, a fork of a huge process: use posix_spawn or vfork); add swap; or allow large"
            " promises with vm.overcommit_memory=1.",
            command="sysctl vm.overcommit_memory vm.overcommit_ratio",
            why="The kernel refused a promise, not memory: with mode 0 one that exceeds RAM and swap at once, with mode 2 one beyond the commit limit.",
            risk="With mode 1 nothing is refused, and a shortage ends in the OOM killer.",
            reference=_OVERCOMMIT,
        ),
    )


def for_pids_limit(case: Case, cgroup: str | None) -> tuple[Remedy, ...]:
    """Find out whether it leaks processes; else raise the limit."""
    unit = case.unit
    container = (case.container or {}).get("name")
    command = None
    if container:
        command = f"docker update --pids-limit 4096 {shlex.quote(container)}"
    elif unit and not unit.endswith(".slice"):
        command = f"systemctl set-property {shlex.quote(unit)} TasksMax=8192"
    return (
        Remedy(
            action=f"Look whether {cgroup or 'it'} leaks processes or threads (ps -eLf); if it needs them, raise its limit (TasksMax=, --pids-limit).",
            command=command,
            why="fork and clone fail at this limit, and programs report that as 'Cannot allocate memory' or 'Resource temporarily unavailable'.",
            risk="A fork bomb reaches further.",
            reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#pid-interface-files",
        ),
    )


def for_eviction() -> tuple[Remedy, ...]:
    """Requests that fit, and limits for pods that have none."""
    return (
        Remedy(
            action="Give the node's pods memory requests that match what they use and limits to those that have none, so that the scheduler does not"
            " place more than fits; or keep more for the system (--system-reserved, --kube-reserved).",
            why="The kubelet ends pods when memory.available falls below its threshold, before the kernel has to.",
            risk="Fewer pods fit on a node.",
            reference="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
        ),
    )


def for_disk_pressure(resource: str) -> tuple[Remedy, ...]:
    """Free or bound what was short; memory has nothing to do with it."""
    return (
        Remedy(
            action=f"Free {resource} on the node (images, logs, emptyDir volumes) or bound it per pod (ephemeral-storage limits).",
            command="crictl rmi --prune",
            why=f"The kubelet ran short of {resource}, not of memory.",
            risk="Images are pulled again when they are needed.",
            reference="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
        ),
    )


def for_panic_policy() -> tuple[Remedy, ...]:
    """Let the kernel kill instead of panicking, unless another node takes over."""
    return (
        Remedy(
            action="Let the kernel kill a process instead of the whole host, unless a cluster takes over at once (then set kernel.panic too).",
            command="sysctl -w vm.panic_on_oom=0",
            role="memops.linux.vm_tunables",
            variable="vm_tunables_overrides",
            value={"vm.panic_on_oom": 0},
            why="vm.panic_on_oom turns each shortage into a panic; with 2 even that of a single container.",
            risk="A process dies instead, and the host goes on in a state that nobody has tested.",
            reference=f"{_VM}#panic-on-oom",
        ),
    )


def for_unkillable() -> tuple[Remedy, ...]:
    """Leave the kernel something that it may kill."""
    return (
        Remedy(
            action="Protect only what the host cannot live without with oom_score_adj -1000 (sshd, a cluster's agent); a program that can grow must"
            " not be among them, nor what it starts (children inherit the value).",
            command="grep -H . /proc/[0-9]*/oom_score_adj | grep -e ':-1000'",
            why="The kernel found no process that it may kill, and panics then.",
            risk="none",
            reference="https://docs.kernel.org/filesystems/proc.html#proc-pid-oom-adj-proc-pid-oom-score-adj-adjust-the-oom-killer-score",
        ),
    )


def for_hardware() -> tuple[Remedy, ...]:
    """Replace the memory module."""
    return (
        Remedy(
            action="Find and replace the broken memory module.",
            command="rasdaemon --version; ras-mc-ctl --errors",
            why="The hardware reported an error that it could not correct, and the kernel ended whoever used that page.",
            risk="none",
            reference="https://docs.kernel.org/mm/hwpoison.html",
        ),
    )
