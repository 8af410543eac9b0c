# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The line that sums a report up (``dump_oom_summary``, since 5.0): within which bounds, and whom the kernel chose."""

from __future__ import annotations

import re

from .draft import Draft
from .form import CONSTRAINT, Form
from .model import OomReport, Victim
from .pattern import Pattern

_CONSTRAINTS = {
    "NONE": "none",
    "MEMCG": "memcg",
    "CPUSET": "cpuset",
    "MEMORY_POLICY": "memory_policy",
}
#: Kernels print a uid with its sign.
_UIDS = 1 << 32
#: A pid counts with the comma behind it.
_CHOSEN = Pattern(r",pid=(\d+),u?i?d?=?(-?\d+)?$")
#: Who writes a line off by hand sets a blank behind its commas, from the first one on; elsewhere it is a name's own.
_BLANK_BEHIND_COMMA = r", (?=(?:cpuset|mems_allowed|oom_memcg|task_memcg|task|pid|uid)=|global_oom\b)"
#: A path that the line's end cut off is no path, so each field counts only with what follows it.
_NODES = Pattern(r"((?:\d[\d-]*(?:,\d[\d-]*)*)?),")


def _constraint(draft: Draft, match: re.Match[str]) -> None:
    """Its paths and names may hold commas and equal signs.

    So it is read from both ends: ``constraint=,nodemask=,cpuset=,mems_allowed=``
    stand at the front, ``task=,pid=,uid=`` at the end, the two paths between.
    """
    report = draft.report
    report.constraint = _CONSTRAINTS[match[1]]
    draft.scope_stated = True
    if match[2] is None:
        return
    draft.nodemask = match[2]
    fields = re.sub(_BLANK_BEHIND_COMMA, ",", match[3].lstrip()) if match[3].startswith(" ") else match[3]
    cpuset, _comma, rest = fields.partition(",mems_allowed=")
    mems = _NODES.match(rest)
    if cpuset.startswith("cpuset=") and mems is not None:
        report.cpuset, report.mems_allowed = cpuset.removeprefix("cpuset="), mems[1]
        scope = rest[mems.end() :]
    else:
        scope = fields
    chosen = _CHOSEN.search(scope)
    if chosen is not None:
        scope, _comma, process = scope[: chosen.start()].rpartition(",task=")
        draft.named = Victim(process=process, pid=int(chosen[1]), uid=int(chosen[2]) % _UIDS if chosen[2] else None)
    if scope.startswith("task_memcg="):
        scope = f",{scope}"  # neither the limit's cgroup nor "global_oom" before it
    scope, followed, victim_cgroup = scope.partition(",task_memcg=")
    if scope.startswith("oom_memcg="):
        report.constraint = "memcg"  # the first kernels with this line said NONE
        if followed:
            report.limit_cgroup = scope.removeprefix("oom_memcg=")
    if chosen is not None and followed:
        report.victim_cgroup = victim_cgroup
        if report.limit_cgroup:
            _mend_paths(report)


def _mend_paths(report: OomReport) -> None:
    """Whoever broke the line within a path left a blank there: the victim's cgroup is within the limit's."""
    limit, victim = report.limit_cgroup, report.victim_cgroup
    if _is_within(victim, limit):
        return
    for outer, inner in ((limit.replace(" ", ""), victim), (limit, victim.replace(" ", "")), (limit.replace(" ", ""), victim.replace(" ", ""))):
        if _is_within(inner, outer):
            report.limit_cgroup, report.victim_cgroup = outer, inner
            return


def _is_within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")


def _chosen_before(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.part >= CONSTRAINT


FORMS = (
    Form(
        "oom-kill:constraint=",
        Pattern(r"oom-kill:constraint=CONSTRAINT_(NONE|MEMCG|CPUSET|MEMORY_POLICY)(?:, ?nodemask=(\(null\)|[\d-]*(?:,[\d-]+)*),(.*))?"),
        CONSTRAINT,
        _constraint,
        "constraint",
        another=_chosen_before,
    ),
)
