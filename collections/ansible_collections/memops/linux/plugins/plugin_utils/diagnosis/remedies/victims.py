# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remedies for the choice of the victim: who is protected, who is offered."""

from __future__ import annotations

from ...events.model import Task
from ..case import Case
from ..rule import Remedy
from ..wording import size

OOM_SCORE_ADJ = "https://docs.kernel.org/filesystems/proc.html#proc-pid-oom-adj-proc-pid-oom-score-adj-adjust-the-oom-killer-score"


def for_protected_hog(hog: Task) -> tuple[Remedy, ...]:
    """Protect small and vital processes only."""
    return (
        Remedy(
            action=f"Take the protection from {hog.process} (OOMScoreAdjust=0 in its unit), or give it a memory limit of its own.",
            command=f"choom -p {hog.pid} -n 0",
            role="memops.linux.oom_protection",
            variable="oom_protection_units",
            value=[{"process": hog.process, "oom_score_adj": 0}],
            why=f"With oom_score_adj {hog.oom_score_adj} everything else on the host dies before the process that holds the memory.",
            risk="It can then be the victim itself.",
            reference=OOM_SCORE_ADJ,
        ),
    )


def for_bystander(case: Case, victim: Task, largest: Task) -> tuple[Remedy, ...]:
    """Bound the process that grew; mend what put the other one in front."""
    remedies = [
        Remedy(
            action=f"Bound {largest.process} (MemoryMax= of its unit, --memory of its container): it held {size(largest.rss_bytes)}.",
            why="The victim was not what used the memory.",
            risk="It is killed at its limit.",
            reference="systemd.resource-control(5): MemoryMax=",
        )
    ]
    if case.report and case.report.allocating_task:
        remedies.insert(
            0,
            Remedy(
                action="Let the kernel look for the largest process instead of killing the one that asks.",
                command="sysctl -w vm.oom_kill_allocating_task=0",
                role="memops.linux.vm_tunables",
                variable="vm_tunables_overrides",
                value={"vm.oom_kill_allocating_task": 0},
                why="With 1 the kernel kills whoever happens to ask for memory, sshd and cron included.",
                risk="none on hosts with fewer than some ten thousand processes",
                reference="https://docs.kernel.org/admin-guide/sysctl/vm.html#oom-kill-allocating-task",
            ),
        )
    elif (victim.oom_score_adj or 0) > 0:
        remedies.append(
            Remedy(
                action=f"Lower the oom_score_adj of {victim.process} (now {victim.oom_score_adj}) if it is worth more than {largest.process}.",
                role="memops.linux.oom_protection",
                variable="oom_protection_units",
                value=[{"process": victim.process, "oom_score_adj": 0}],
                why="A positive value offers a process to the OOM killer.",
                risk="Another process is chosen instead.",
                reference=OOM_SCORE_ADJ,
            )
        )
    return tuple(remedies)
