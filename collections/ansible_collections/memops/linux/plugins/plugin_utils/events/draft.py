# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A report while its lines come in, and what can be concluded once they are all there."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from .form import TASKS
from .model import Line, OomReport, Victim
from .page_size import page_size

if TYPE_CHECKING:
    from .cgroup_memory import CgroupReading
    from .mem_info import MemInfoReading
    from .task_table import TaskTable

#: The kernel prints a report in one go; only a slow console makes it wait between lines.
_PAUSE_SECONDS = 60
#: CONFIG_NODES_SHIFT is 10 at most.
_MOST_NODES = 1024


def far_apart(earlier: Line | None, later: Line, pause_seconds: float = _PAUSE_SECONDS) -> bool:
    """Whether so much time lies between two lines that they are not of one act."""
    if earlier is None:
        return False
    if earlier.uptime_seconds is not None and later.uptime_seconds is not None:
        # Uptime that falls belongs to another boot; a little disorder is normal.
        return not -1 <= later.uptime_seconds - earlier.uptime_seconds <= pause_seconds
    if _other_clock(earlier, later):
        return True
    if not earlier.time or not later.time or earlier.time[:16] == later.time[:16]:
        return False
    try:
        pause = datetime.datetime.fromisoformat(later.time) - datetime.datetime.fromisoformat(earlier.time)
    except (ValueError, TypeError):
        return False
    return not -_PAUSE_SECONDS <= pause.total_seconds() <= pause_seconds


def _other_clock(earlier: Line, later: Line) -> bool:
    """Whether one line counts from boot and the other has a date: no log changes from one to the other."""
    return (earlier.time is None) != (later.time is None) and (earlier.uptime_seconds is None) != (later.uptime_seconds is None)


class Draft:
    """An OomReport in the making.

    part: how far the report has come (form.REQUEST to form.KILL).
    proven: something in it is printed by nothing but the OOM killer.
    line: the last line that a form took. last: the last line with a time.
    named: the process that the constraint line, or the old "Kill process" line,
        names as the one chosen; the kill line has the last word.
    scope_of_kill, stack_scope: what the kill line and the stack imply.
    stack_is_guessed: the kernel that wrote the stack knows no frame for sure.
    scope_stated: the kernel said the scope in the words of its time.
    cut: the text itself says that lines are left out.
    dead: the victims by pid.
    reaped_meanwhile: reports of which only the reaper's line is known, and which
        may be this one.
    """

    def __init__(self) -> None:
        self.report = OomReport()
        self.part = 0
        self.proven = False
        self.line: Line = Line("")
        self.last: Line | None = None
        self.memory: MemInfoReading | None = None
        self.cgroup: CgroupReading | None = None
        self.table: TaskTable | None = None
        self.named: Victim | None = None
        self.killed = False
        self.scope_of_kill: str | None = None
        self.stack_scope: str | None = None
        self.stack_is_guessed = False
        self.scope_stated = False
        self.nodemask: str | None = None
        self.cut = False
        self.reaped_meanwhile: list[Draft] = []
        self.finished = False
        self.dead: dict[int | None, Victim] = {}

    def take(self, line: Line, part: int, role: str | None = None) -> None:
        """Counts a line as one of the report's own."""
        self.part = max(self.part, part)
        if line.time or line.uptime_seconds is not None:
            self.last = line
        self.note(line, role)

    def note(self, line: Line, role: str | None = None) -> None:
        self.report.note(line, role)

    def quote(self, role: str) -> None:
        """Quotes the line at hand, in place of an earlier one."""
        self.report.quotes[role] = self.line

    def add_victim(self, victim: Victim) -> None:
        """memory.oom.group names the first victim again among the others."""
        if victim.pid is None or victim.pid not in self.dead:
            self.dead[victim.pid] = victim
            self.report.victims.append(victim)

    def adopt_reaped(self) -> None:
        """Where a report's end is lost, the reaper's word is left of its victim."""
        report = self.report
        if report.victims or self.named is not None or report.panic or report.no_victim:
            return
        for other in self.reaped_meanwhile:
            if self.table is None or self.table.find(other.named.pid if other.named else None) is not None:
                self.named, report.reaped = other.named, other.report.reaped
                for line in other.report.lines:
                    self.note(line, "reaper")
                other.proven = False
                return

    def finish(self, page_bytes: int | None) -> OomReport:
        """The report; once it is made, only the reaper's lines are still taken in."""
        report = self.report
        if self.finished:
            return report
        self.finished = True
        self._settle_processes()
        size = page_bytes or page_size(self.memory, self.table, report.victims)
        if self.memory is not None:
            report.memory = self.memory.finish(size)
            for role, line in self.memory.quotes.items():
                report.quotes.setdefault(role, line)
        if self.table is not None:
            report.tasks = self.table.finish(size)
            largest = self.table.largest()
            if largest is not None:
                report.quotes["largest_task"] = largest
            pids = {victim.pid for victim in report.victims} | ({report.trigger.pid} if report.trigger else set())
            for pid, line in self.table.lines_of(pids).items():
                report.quotes[f"task_{pid}"] = line
        if self.cgroup is not None:
            report.cgroup = self.cgroup.finish(report.limit_cgroup)
            report.limit_cgroup = report.limit_cgroup or report.cgroup.path
        report.constraint = self._scope()
        report.nodemask = None if self.nodemask == "(null)" else self.nodemask
        report.table_complete = self._table_complete()
        report.missing = self._missing()
        self.memory = self.table = self.cgroup = None
        return report

    def _settle_processes(self) -> None:
        report, named = self.report, self.named
        if report.no_victim and (report.victims or named is not None):
            report.no_victim = False
        if named is not None and not report.victims and not report.no_victim:
            report.victims.append(named)
        for victim in report.victims:
            if named is not None and victim.pid == named.pid:
                victim.uid = named.uid if victim.uid is None else victim.uid
                victim.score = named.score
            numbers = self._row_of(victim.pid)
            victim.uid = numbers.get("uid") if victim.uid is None else victim.uid
            victim.oom_score_adj = numbers.get("oom_score_adj") if victim.oom_score_adj is None else victim.oom_score_adj
        if report.trigger is not None and "trigger" not in report.quotes:
            report.trigger.oom_score_adj = self._row_of(report.trigger.pid).get("oom_score_adj")

    def _row_of(self, pid: int | None) -> dict[str, int]:
        row = self.table.find(pid) if self.table is not None else None
        return row.numbers if row is not None else {}

    def _scope(self) -> str | None:
        stated = self.report.constraint
        if self.cgroup is not None or "memcg" in (stated, self.scope_of_kill):
            return "memcg"
        if stated is not None:
            return stated
        implied = self.scope_of_kill or self.stack_scope or ("none" if self.memory is not None else None)
        if implied == "none" and self.nodemask not in (None, "(null)"):
            # 4.8 to 4.11 print the mask also where it holds all nodes.
            nodes = {0, *(zone.node for zone in self.report.memory.zones)} if self.report.memory is not None else {0}
            return implied if nodes <= _nodes(self.nodemask) and (self.memory is not None or self.scope_of_kill) else None
        return implied

    def _table_complete(self) -> bool:
        table = self.table
        return table is not None and bool(table.columns) and not table.damaged and not self.cut and self.part > TASKS

    def _missing(self) -> tuple[str, ...]:
        report = self.report
        ended_without_kill = report.panic or report.no_victim
        cgroup = report.cgroup
        has_memory = bool(cgroup and cgroup.usage_bytes is not None and cgroup.stat) or bool(self.memory and self.memory.complete)
        lacks = {
            "trigger": "trigger" not in report.quotes,
            "memory": not has_memory,
            "tasks": not report.table_complete,
            "constraint": not self.scope_stated and not ended_without_kill,
            "kill": not self.killed and not ended_without_kill,
        }
        return tuple(name for name, lacking in lacks.items() if lacking)


def _nodes(mask: str) -> set[int]:
    """The nodes of a nodemask like "0-1,3"."""
    nodes: set[int] = set()
    for part in mask.split(","):
        first, _dash, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            nodes.update(range(int(first[:5]), min(int((last or first)[:5]), _MOST_NODES) + 1))
    return nodes
