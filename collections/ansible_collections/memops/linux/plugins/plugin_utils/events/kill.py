# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a report ends: whom the kernel chose, whom it killed, or why it killed nobody."""

from __future__ import annotations

import re

from .draft import Draft
from .form import CONSTRAINT, KILL, Form
from .model import Victim
from .pattern import Pattern

_CONSTRAINTS = {
    "NONE": "none",
    "MEMCG": "memcg",
    "CPUSET": "cpuset",
    "MEMORY_POLICY": "memory_policy",
}
_MESSAGE = r"(?:(Memory cgroup out of memory|Out of [mM]emory(?: \(oom_kill_allocating_task\)| in UB \d+)?): )?"
_ALLOCATING = "oom_kill_allocating_task"
_SIZES = {
    "total-vm": "total_vm_bytes",
    "vsz": "total_vm_bytes",
    "vm": "total_vm_bytes",
    "anon-rss": "anon_rss_bytes",
    "file-rss": "file_rss_bytes",
    "shmem-rss": "shmem_rss_bytes",
    "pgtables": "page_tables_bytes",
}
_NUMBERS = {"UID": "uid", "oom_score_adj": "oom_score_adj"}


def read_victim(pid: str, process: str, uid: str | None, fields: str) -> Victim:
    """The victim of a kill line; ``fields`` is what follows its name."""
    victim = Victim(process=process, pid=int(pid), uid=int(uid) if uid else None)
    for field in fields.replace(",", " ").split():
        name, _colon, value = field.partition(":")
        # A size without its unit is one that the line's end cut off.
        if name in _SIZES and value.endswith("kB") and value[:-2].isdecimal():
            setattr(victim, _SIZES[name], int(value[:-2]) * 1024)
        elif name in _NUMBERS and value.removeprefix("-").isdecimal():
            setattr(victim, _NUMBERS[name], int(value))
    _mend_page_tables(victim)
    return victim


def _mend_page_tables(victim: Victim) -> None:
    """Kernels 5.3 to 5.8 print bytes with "kB" behind (70cb6d267790): more than all that the tables could map."""
    tables, mapped = victim.page_tables_bytes, victim.total_vm_bytes
    if tables and mapped and tables > mapped and tables // 1024 % 4096 == 0:
        victim.page_tables_bytes = tables // 1024


def _constraint(draft: Draft, match: re.Match[str]) -> None:
    """The one line that sums up (since 5.0): its paths and names may hold commas and equal signs.

    So it is read from both ends: ``constraint=,nodemask=,cpuset=,mems_allowed=``
    stand at the front, ``task=,pid=,uid=`` at the end, the two paths between.
    """
    report = draft.report
    report.constraint = _CONSTRAINTS.get(match[1])
    draft.scope_stated = report.constraint is not None
    draft.nodemask = match[2]
    cpuset, _comma, rest = match[3].partition(",mems_allowed=")
    mems = _NODES.match(rest)
    if cpuset.startswith("cpuset=") and mems is not None:
        report.cpuset, report.mems_allowed = cpuset.removeprefix("cpuset="), mems[1]
        scope = rest[mems.end() :]
    else:
        scope = match[3]
    chosen = _CHOSEN.search(scope)
    if chosen is not None:
        scope, _comma, process = scope[: chosen.start()].rpartition(",task=")
        draft.named = Victim(process=process, pid=int(chosen[1]), uid=int(chosen[2]))
    scope, followed, victim_cgroup = scope.partition(",task_memcg=")
    if scope.startswith("oom_memcg="):
        report.constraint = "memcg"  # the first kernels with this line said NONE
        if followed:
            report.limit_cgroup = scope.removeprefix("oom_memcg=")
    if chosen is not None and followed:
        report.victim_cgroup = victim_cgroup


_CHOSEN = Pattern(r",pid=(\d+),uid=(\d+)$")
#: A path that the line's end cut off is no path, so each field counts only with what follows it.
_NODES = Pattern(r"((?:\d[\d-]*(?:,\d[\d-]*)*)?),")


def _chosen_before(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.part >= CONSTRAINT


def _selected(draft: Draft, match: re.Match[str]) -> None:
    """Until 4.19: whom the kernel chose; the kill line names a child where one was taken instead."""
    _scope(draft, match[1])
    draft.scope_stated = True
    draft.named = Victim(process=match[3], pid=int(match[2]), score=int(match[4]))


def _ended(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.part >= KILL


def _kill(draft: Draft, match: re.Match[str]) -> None:
    _scope(draft, match[1])
    draft.killed = True
    draft.add_victim(read_victim(match[2], match[4], match[3], match[5]))


def _another_kill(draft: Draft, match: re.Match[str]) -> bool:
    """One report, one kill; the next kill line is of a report that the rate limit swallowed."""
    report = draft.report
    scope = _scope_of(match[1])
    if report.panic or (report.no_victim and not report.group_kill) or (scope and draft.scope_of_kill and scope != draft.scope_of_kill):
        return True
    if report.victims:
        return not report.group_kill
    if report.limit_cgroup is None and report.constraint == "none" and scope == "memcg":
        return True
    named = draft.named
    takes_no_child = "oom_score_adj:" in match[5]
    return takes_no_child and named is not None and named.pid != int(match[2]) and named.process != match[4]


def _scope(draft: Draft, message: str | None) -> None:
    draft.scope_of_kill = _scope_of(message) or draft.scope_of_kill
    draft.report.allocating_task |= _ALLOCATING in (message or "")


def _scope_of(message: str | None) -> str | None:
    if not message:
        return None
    return "memcg" if message.startswith("Memory cgroup") or " in UB " in message else "none"


def hand_over_last_kill(earlier: Draft, draft: Draft) -> None:
    """A second "Tasks in ... are going to be killed": the kill right before it was not of the first group, but began this one."""
    line = earlier.line
    match = KILL_LINE.match(line.text.strip())
    if match is None or not earlier.report.group_kill or len(earlier.report.victims) < 2:
        return
    earlier.report.lines.remove(line)
    earlier.report.victims = [victim for victim in earlier.report.victims if victim.pid != int(match[2])] or earlier.report.victims
    draft.take(line, KILL, "kill")
    _kill(draft, match)


def _sharing(draft: Draft, match: re.Match[str]) -> None:
    draft.add_victim(Victim(process=match[2], pid=int(match[1])))


def _group(draft: Draft, match: re.Match[str]) -> None:
    draft.report.group_kill = True
    draft.report.victim_cgroup = draft.report.victim_cgroup or match[1]


def _group_seen(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.report.group_kill


def _nobody(draft: Draft, _match: re.Match[str]) -> None:
    draft.report.no_victim = True


def _exiting(draft: Draft, match: re.Match[str]) -> None:
    """The chosen one was dying already: the kernel kills nobody, and prints this since 6.0."""
    _scope(draft, match[1])
    if not draft.report.victims:
        draft.named = None
        draft.report.no_victim = True


def _ignored(draft: Draft, _match: re.Match[str]) -> None:
    draft.report.sysrq = draft.report.no_victim = True


def _panic(draft: Draft, _match: re.Match[str]) -> None:
    draft.report.panic = True


def _after_a_kill(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.killed or draft.named is not None


def _never_after_a_kill_of_one(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.killed and not draft.report.group_kill


KILL_LINE = Pattern(_MESSAGE + r"(?:OOM k|K)illed process (\d+)(?:, UID (\d+),)? \((.*)\)(.*)")
FORMS = (
    Form(
        "oom-kill:constraint=",
        Pattern(r"oom-kill:constraint=CONSTRAINT_([A-Z_]+),nodemask=(\(null\)|[\d-]*(?:,[\d-]+)*),(.*)"),
        CONSTRAINT,
        _constraint,
        "constraint",
        another=_chosen_before,
    ),
    Form("illed process ", KILL_LINE, KILL, _kill, "kill", another=_another_kill),
    Form(
        "ill process ",
        Pattern(_MESSAGE + r"[Kk]ill process (\d+),? \((.*)\) (?:with )?score (\d+)\b"),
        KILL,
        _selected,
        "selected",
        another=_ended,
    ),
    Form("sharing same memory", Pattern(r"[Kk]ill process (\d+) \((.*)\) sharing same memory"), KILL, _sharing, "shared"),
    Form("memory.oom.group set", Pattern(r"Tasks in (.*) are going to be killed due to memory\.oom\.group set"), KILL, _group, "group", another=_group_seen),
    Form(
        "is already exiting",
        Pattern(_MESSAGE + r"OOM victim (\d+) \((.*)\) is already exiting"),
        KILL,
        _exiting,
        "exiting",
        another=_never_after_a_kill_of_one,
    ),
    Form("panic", Pattern(r"Kernel panic - not syncing: .*(?:[Oo]ut of memory|deadlocked on memory)"), KILL, _panic, "panic", another=_after_a_kill),
    Form("no killable processes", Pattern(r"Out of memory and no killable processes"), KILL, _nobody, "no_victim", another=_after_a_kill),
    Form("OOM request ignored", Pattern(r"(?:sysrq: )?OOM request ignored"), KILL, _ignored, "no_victim", another=_after_a_kill),
)
REAPER_LINE = Pattern(r"oom_reaper: (?:reaped process :?(\d+) \((.*)\)|unable to reap pid:(\d+) \((.*)\))")
