# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a report ends besides the kill of one: a whole group killed, nobody killed, or a panic."""

from __future__ import annotations

import re

from . import kill
from .draft import Draft
from .form import KILL, Form
from .pattern import Pattern


def hand_over_last_kill(earlier: Draft, draft: Draft) -> None:
    """A second "Tasks in ... are going to be killed": the kill right before it was not of the first group, but began this one."""
    line = earlier.line
    match = kill.KILL_LINE.match(line.text.strip())
    if match is None or not earlier.report.group_kill or len(earlier.report.victims) < 2:
        return
    earlier.report.lines.remove(line)
    earlier.report.victims = [victim for victim in earlier.report.victims if str(victim.pid) != match[2]] or earlier.report.victims
    draft.take(line, KILL, "kill")
    kill.take_kill(draft, match)


def _group(draft: Draft, match: re.Match[str]) -> None:
    draft.report.group_kill = True
    draft.report.victim_cgroup = draft.report.victim_cgroup or match[1]


def _another_group(draft: Draft, match: re.Match[str]) -> bool:
    """The group is the victim's cgroup or one above it."""
    own, group = draft.report.victim_cgroup, (match[1] or "").rstrip("/")
    return draft.report.group_kill or bool(own and group and own != group and not own.startswith(f"{group}/"))


def _nobody(draft: Draft, _match: re.Match[str]) -> None:
    draft.report.no_victim = True


def _exiting(draft: Draft, match: re.Match[str]) -> None:
    """The chosen one was dying already: the kernel kills nobody, and prints this since 6.0."""
    kill.imply_scope(draft, match[1])
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


FORMS = (
    Form(
        "memory.oom.group set",
        Pattern(r"Tasks in (?:(/.*)|.*) are going to be killed due to memory\.oom\.group set"),
        KILL,
        _group,
        "group",
        another=_another_group,
    ),
    Form(
        "is already exiting",
        Pattern(kill.MESSAGE + r"OOM victim (\d+) \((.*)\) is already exiting"),
        KILL,
        _exiting,
        "exiting",
        another=_never_after_a_kill_of_one,
    ),
    # "out of memory. panic_on_oom is selected", since 2.6.36 "Out of memory: system-wide panic_on_oom is enabled", or nobody to kill.
    Form("panic", Pattern(r"Kernel panic - not syncing: .*(?:[Oo]ut of memory|deadlocked on memory)"), KILL, _panic, "panic", another=_after_a_kill),
    Form("no killable processes", Pattern(r"Out of memory and no killable processes"), KILL, _nobody, "no_victim", another=_after_a_kill),
    Form("OOM request ignored", Pattern(r"(?:sysrq: )?OOM request ignored"), KILL, _ignored, "no_victim", another=_after_a_kill),
)
