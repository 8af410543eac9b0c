# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whom the kernel killed: the kill line of every kernel since 2.6.9, the line before it, and the reaper's after it."""

from __future__ import annotations

import re

from .draft import Draft
from .form import KILL, Form
from .model import AllocationFailure, Trigger, Victim
from .pattern import Pattern

#: What stands before the kill, or since 5.0 before "Killed" itself; "No available memory" until 2.6.35, "in UB" and "in VE" on OpenVZ.
MESSAGE = r"(?:(Memory cgroup out of memory|Out of [mM]emory(?: \(\w{1,40}\)| in UB \w+| in VE [\w-]+)?|No available memory[ \w()]{0,20}): )?"
_ALLOCATING = "oom_kill_allocating_task"
#: A comm has 15 bytes, each of which a log may show as four.
NAME = r".{0,64}"
#: Some people make a pid unreadable, or take it out.
PID = r"\d+|[xX*#]{1,8}"
_SIZES = {
    "total-vm": "total_vm_bytes",
    "vsz": "total_vm_bytes",
    "vm": "total_vm_bytes",
    "anon-rss": "anon_rss_bytes",
    "file-rss": "file_rss_bytes",
    "shmem-rss": "shmem_rss_bytes",
    "pgtables": "page_tables_bytes",
}
#: People who type a log shorten "kB".
_SIZE = Pattern(r"(\d{1,15})[kK][bB]?$")
_NUMBERS = {"UID": "uid", "oom_score_adj": "oom_score_adj"}
_NAMES = frozenset(_SIZES) | frozenset(_NUMBERS)
_UNIT_LOST = Pattern(r"[a-z-]{2,9}:\d{1,15}$")
_REST_OF_SIZE = Pattern(r"\d{0,15}kB$")


def _pid(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _mended(fields: list[str]) -> list[str]:
    """A terminal breaks a line within a word too, be it a name or a size."""
    whole: list[str] = []
    for field in fields:
        before = whole[-1] if whole else ""
        broken = before and ":" not in before and before + field.partition(":")[0] in _NAMES
        if broken or (_UNIT_LOST.match(before) is not None and _REST_OF_SIZE.match(field) is not None):
            whole[-1] = before + field
        else:
            whole.append(field)
    return whole


def read_victim(pid: str | None, process: str | None, uid: str | None, fields: str) -> Victim:
    """The victim of a kill line; ``fields`` is what follows its name."""
    victim = Victim(process=process, pid=_pid(pid), uid=int(uid) if uid else None)
    # "UID 48," stands behind the name on some kernels of Red Hat, "UID:48" since 5.6.
    for field in _mended(fields.replace("UID ", "UID:").replace(",", " ").split()):
        name, _colon, value = field.partition(":")
        # A size without its unit is one that the line's end cut off.
        size = _SIZE.match(value) if name in _SIZES else None
        if size is not None:
            setattr(victim, _SIZES[name], int(size[1]) * 1024)
        elif name in _NUMBERS and value.removeprefix("-").isdecimal():
            setattr(victim, _NUMBERS[name], int(value))
    _mend_page_tables(victim)
    return victim


def _mend_page_tables(victim: Victim) -> None:
    """Kernels 5.3 to 5.8 print bytes with "kB" behind (70cb6d267790): more than all that the tables could map."""
    tables, mapped = victim.page_tables_bytes, victim.total_vm_bytes
    if tables and mapped and tables > mapped and tables // 1024 % 4096 == 0:
        victim.page_tables_bytes = tables // 1024


def _selected(draft: Draft, match: re.Match[str]) -> None:
    """Until 4.19: whom the kernel chose; the kill line names a child where one was taken instead."""
    imply_scope(draft, match[1])
    draft.scope_stated = True
    draft.named = Victim(process=match[4], pid=_pid(match[2]), uid=int(match[3]) if match[3] else None, score=int(match[5]) if match[5] else None)


def _ended(draft: Draft, match: re.Match[str]) -> bool:
    """5.0 alone prints a constraint line first, which names the same process."""
    return draft.part >= KILL or (draft.named is not None and draft.named.pid != _pid(match[2]))


def take_kill(draft: Draft, match: re.Match[str]) -> None:
    imply_scope(draft, match[1])
    draft.killed = True
    draft.add_victim(read_victim(match[2], match[4] or None, match[3], match[5]))


def _unmistakable(match: re.Match[str]) -> bool:
    """Until 2.6.31 the line has no sizes, and reads like any program's."""
    return (match[1] is not None and _pid(match[2]) is not None) or "kB" in match[5] or "oom_score_adj:" in match[5]


def _another_kill(draft: Draft, match: re.Match[str]) -> bool:
    """One report, one kill; the next kill line is of a report that the rate limit swallowed."""
    report = draft.report
    scope = _scope_of(match[1])
    if report.panic or (report.no_victim and not report.group_kill) or (scope and draft.scope_of_kill and scope != draft.scope_of_kill):
        return True
    if report.victims:
        return not report.group_kill and not _shares_memory(draft, match)
    if report.limit_cgroup is None and report.constraint == "none" and scope == "memcg":
        return True
    named = draft.named
    takes_no_child = "oom_score_adj:" in match[5]
    return takes_no_child and named is not None and named.pid != _pid(match[2]) and named.process != match[4]


def _shares_memory(draft: Draft, match: re.Match[str]) -> bool:
    """Until 2.6.16 each process and thread with the victim's memory has a line of its own, all below one Mem-Info."""
    report = draft.report
    return match[1] == "Out of Memory" and report.victims[-1].process == match[4] and (draft.memory is not None or report.trigger is not None)


def _cut_kill(draft: Draft, match: re.Match[str]) -> None:
    imply_scope(draft, match[1])
    if match[2] and draft.named is None and not draft.report.victims:
        draft.named = Victim(pid=int(match[2]))


def _another_cut_kill(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.part >= KILL and draft.killed and not draft.report.group_kill


def imply_scope(draft: Draft, message: str | None) -> None:
    scope = _scope_of(message)
    draft.scope_of_kill = scope or draft.scope_of_kill
    draft.scope_stated |= scope in ("cpuset", "memory_policy")
    draft.report.allocating_task |= _ALLOCATING in (message or "")


def _scope_of(message: str | None) -> str | None:
    if not message:
        return None
    if message.startswith("No available memory"):
        return "cpuset" if "cpuset" in message else "memory_policy"
    return "memcg" if message.startswith("Memory cgroup") or " in UB " in message or " in VE " in message else "none"


def _sharing(draft: Draft, match: re.Match[str]) -> None:
    draft.add_victim(Victim(process=match[2], pid=int(match[1])))


def _page_fault(draft: Draft, match: re.Match[str]) -> None:
    """In 2.6 a page fault that found no memory ended its own process, which this line alone names."""
    draft.killed = True
    if all(victim.process != match[1] for victim in draft.report.victims):
        draft.add_victim(Victim(process=match[1]))


def take_refusal(draft: Draft, refused: list[AllocationFailure]) -> None:
    """2.4 knew no cgroups: it killed for the whole machine, for the last of these requests."""
    last = refused[-1]
    draft.report.trigger = Trigger(process=None, gfp_mask=last.gfp_mask, gfp_flags=last.gfp_flags, order=last.order)
    draft.scope_of_kill = "none"
    for event in refused:
        for line in event.lines:
            draft.note(line)
    draft.report.quotes["trigger"] = last.quotes["trigger"]


def _another_page_fault(draft: Draft, match: re.Match[str]) -> bool:
    return draft.part >= KILL and not any(victim.process == match[1] for victim in draft.report.victims)


def _android(draft: Draft, match: re.Match[str]) -> None:
    """Android's lowmemorykiller (drivers/staging/android until 4.11) acts on the free memory of the whole machine."""
    draft.killed, draft.scope_of_kill = True, "none"
    process, pid, score = (match[1], match[2], match[3]) if match[2] else (match[5], match[4], match[6])
    draft.add_victim(Victim(process=process, pid=int(pid), oom_score_adj=int(score)))


def _always(_draft: Draft, _match: re.Match[str]) -> bool:
    return True


KILL_LINE = Pattern(MESSAGE + rf"(?:OOM k|K)illed process (?:({PID}) ?)?(?:, UID (\d+),)? ?\(({NAME})\)(.*)")
PAGE_FAULT_FORM = Form(
    "VM: killing process ", Pattern(r"VM: killing process (.{1,64}?)(?:\(\d+:#\d+\))?$"), KILL, _page_fault, "kill", another=_another_page_fault
)
FORMS = (
    Form("illed process ", KILL_LINE, KILL, take_kill, "kill", another=_another_kill, unmistakable=_unmistakable),
    # The line is cut within the name, or before it.
    Form(
        "illed process ",
        Pattern(r"((?:Memory cgroup o|O)ut of memory): Killed process (?:(\d+)(?:, UID \d+,)? \([^)]*$|\d+ ?(?:\.{3}|…)?$)"),
        KILL,
        _cut_kill,
        "kill",
        another=_another_cut_kill,
    ),
    # "with score", "or a child" and "and children" are of 2.6, "or sacrifice child" of later kernels.
    Form(
        "ill process ",
        Pattern(MESSAGE + rf"[Kk]ill process ({PID})(?:, UID (\d+))?,? ?\(({NAME})\)(?: (?:with )?score (-?\d+)\b|$)"),
        KILL,
        _selected,
        "selected",
        another=_ended,
    ),
    Form("sharing same memory", Pattern(rf"[Kk]ill process (\d+) \(({NAME})\) sharing same memory"), KILL, _sharing, "shared"),
    PAGE_FAULT_FORM,
    Form(
        "lowmemorykiller: ",
        Pattern(
            rf"lowmemorykiller: (?:Killing '({NAME})' \((\d+)\)(?: \(tgid \d+\))?, adj (?:-?\d+, score_adj )?(-?\d+)"
            rf"|send sigkill to (\d+) \(({NAME})\), (?:oom_)?adj (-?\d+))"
        ),
        KILL,
        _android,
        "kill",
        another=_always,
    ),
)
REAPER_LINE = Pattern(rf"oom_reaper: (?:reaped process :?(\d+) \(({NAME})\)|unable to reap pid:(\d+) \(({NAME})\))")
