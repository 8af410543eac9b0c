# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remedies where many processes together hold what no single one does."""

from __future__ import annotations

import shlex

from ..case import Case
from ..rule import Remedy


def for_fork_storm(case: Case, name: str, number: int) -> tuple[Remedy, ...]:
    """Bound the number: workers, jobs, pids."""
    unit = case.unit if case.unit and not case.unit.endswith(".slice") else None
    wanted = max(16, number // 2)
    return (
        Remedy(
            action=f"Bound the number of {name} processes: fewer workers (MaxRequestWorkers, pm.max_children, --jobs), and a limit on processes"
            f" (TasksMax=, --pids-limit) of its unit or container.",
            command=f"systemctl set-property {shlex.quote(unit)} TasksMax={wanted}" if unit else None,
            why=f"{number} of them are alive at once; each is small, and killing one gives nearly nothing back.",
            risk="Requests or jobs wait instead of running at once.",
            reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#pid-interface-files",
        ),
    )


def for_swap_denied() -> tuple[Remedy, ...]:
    """Let it use some of the host's swap."""
    return (
        Remedy(
            action="Let it use some of the host's swap (MemorySwapMax= of its unit; --memory-swap larger than --memory; memorySwap of the kubelet).",
            why="The host has swap, and this cgroup may use none of it.",
            risk="It may become slow instead of being killed.",
            reference="https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files",
        ),
    )
