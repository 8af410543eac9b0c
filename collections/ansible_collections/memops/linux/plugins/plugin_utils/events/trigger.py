# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who invoked the OOM killer: the first line of ``dump_header`` and the stack below it."""

from __future__ import annotations

import re

from .draft import Draft
from .form import REQUEST, STACK, TRIGGER, Form
from .model import Trigger
from .pattern import Pattern

# "gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"; until 4.6 without names,
# in 4.9 to 4.19 with "nodemask=(null), " in between. OpenVZ's beancounters: "gfp 0xd0 order 0".
_MASK = Pattern(r"(?:gfp_mask=|gfp=|gfp |mode:)(0x[0-9a-fA-F]+)(?:\(([^)]*)\))?")
#: 2.4: "0-order allocation failed"
_ORDER = Pattern(r"order[=: ](-?\d+)|^(\d{1,2})-order ")
_SCORE_ADJ = Pattern(r"oom_score_adj=(-?\d+)")
_NODEMASK = Pattern(r"nodemask=(\(null\)|[\d-]+(?:,[\d-]+)*)")

_PID_AND_NAME = Pattern(r"(\d+) \((.{0,64})\)$")
#: OpenVZ puts the container in between: "Comm: x ve: 101 Not tainted".
_CONTAINER = Pattern(r".*(?= ve(?:id)?: [\w-]+$)")
_TAINT = Pattern(r" (?:Not tainted ?|Tainted: )")
_VERSION = Pattern(r"\d+\.\d+\S*")


#: Until 2.6.15, ten versions before the first cgroup.
_BEFORE_CGROUPS = Pattern(r"oom-killer: gfp_mask=0x[0-9a-f]+(?:, order=\d+)?$")


def read_mask(text: str) -> tuple[str | None, tuple[str, ...]]:
    """(mask, names of its flags) of a gfp_mask= or mode: field."""
    match = _MASK.search(text)
    if match is None:
        return None, ()
    return match[1], tuple(name for name in (match[2] or "").split("|") if name)


def read_order(text: str) -> int | None:
    return _number(_ORDER, text)


def read_trigger(process: str | None, fields: str) -> Trigger:
    mask, flags = read_mask(fields)
    nodemask = _NODEMASK.search(fields)
    return Trigger(
        process=process,
        gfp_mask=mask,
        gfp_flags=flags,
        order=read_order(fields),
        oom_score_adj=_number(_SCORE_ADJ, fields),
        nodemask=nodemask[1] if nodemask else None,
    )


def read_cpu_line(match: re.Match[str]) -> tuple[int, str, str | None]:
    """(pid, process, kernel version) of a stack's "CPU: 1 PID: 2 Comm: x Not tainted 6.1.0 #1"."""
    if match[4]:
        return int(match[5]), match[4], None
    pid, rest = int(match[1] or match[2]), match[3]
    taint = _TAINT.search(rest)
    if taint is None:
        return pid, rest, None
    process = rest[: taint.start()].removesuffix(" Kdump: loaded")
    container = _CONTAINER.match(process)
    process = container[0] if container is not None else process
    # The version stands before " #1"; where that is cut off, the version may be too.
    words, whole, _build = rest[taint.end() :].partition(" #")
    version = words.rpartition(" ")[2]
    return pid, process, version if whole and _VERSION.match(version) else None


def _number(pattern: Pattern, text: str) -> int | None:
    match = pattern.search(text)
    return int(match[match.lastindex or 1]) if match else None


def _trigger(draft: Draft, match: re.Match[str]) -> None:
    trigger = read_trigger(match[1] or None, match[2])
    named = _PID_AND_NAME.match(match[1] or "")
    if named is not None:
        trigger.pid, trigger.process = int(named[1]), named[2]
    draft.report.trigger = trigger
    draft.report.sysrq |= trigger.order == -1
    if _BEFORE_CGROUPS.match(match[0]):
        draft.stack_scope = "none"
    draft.nodemask = trigger.nodemask


def _after_more_than_a_request(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.part > REQUEST


def _request(draft: Draft, _match: re.Match[str]) -> None:
    draft.report.sysrq = True


def _cpu(draft: Draft, match: re.Match[str]) -> None:
    pid, process, kernel = read_cpu_line(match)
    report = draft.report
    if report.trigger is None and report.panic:
        report.trigger = Trigger(process=process)
    trigger = report.trigger
    if trigger is not None and trigger.pid is None and trigger.process in (None, process):
        trigger.pid, trigger.process = pid, process
        report.kernel = kernel


def _cpuset(draft: Draft, match: re.Match[str]) -> None:
    trigger = draft.report.trigger
    if trigger is not None and trigger.process == match[1]:
        draft.report.cpuset, _space, draft.report.mems_allowed = match[2].rpartition(" mems_allowed=")


def _frame(draft: Draft, match: re.Match[str]) -> None:
    # The innermost frame stands first, and charging a cgroup can happen inside the page allocator.
    if draft.stack_scope is None:
        draft.stack_scope = "none" if match[1].startswith("__alloc") else "memcg"


def _guessed_frame(draft: Draft, match: re.Match[str]) -> None:
    """A kernel without frame pointers guesses every frame; elsewhere a guess is a remnant of an older call."""
    if match[2] is None:
        draft.stack_is_guessed = True
    elif draft.stack_is_guessed and draft.stack_scope is None:
        draft.stack_scope = "none" if match[2].startswith("__alloc") else "memcg"


#: More than a name; and prose on it ("x invoked oom-killer and died") goes on in words.
_INVOKED = r"(?:([^\"`]{0,80}?) ?invoked (?:\w{1,16} )?oom-killer(?=$|[:,.…]| gfp)|oom-killer:(?= gfp_mask)):?(.*)"
FORMS = (
    # Until 2.6.15 without a name; "oomkilladj=" until 2.6.30, "oom_adj=" until 3.6, "oom_score_adj=" since 2.6.36.
    Form("oom-killer", Pattern(_INVOKED), TRIGGER, _trigger, "trigger", another=_after_more_than_a_request),
    # "SysRq : " until 3.x, then both, since 5.0 "sysrq: ".
    Form("Manual OOM execution", Pattern(r"(?:sysrq: )?[Ss]ys[Rr]q ?: Manual OOM execution"), REQUEST, _request, "sysrq"),
)
#: The last form is of 2.6 on x86, s390 and ppc: "Process x (pid: 7, task: ...".
CPU_FORM = Form(
    ": ",
    Pattern(r"(?:CPU: \d+ (?:UID: \d+ )?PID: (\d+) Comm: |Pid: (\d+), comm: )(.*)|Process (.{1,64}) \(pid: (\d+), "),
    STACK,
    _cpu,
)
#: What charges a cgroup, and the page allocator.
_ALLOCATES = r"(?:__)?mem_cgroup_(?:o|charge|try_charge)|try_charge|__alloc_(?:frozen_)?pages"
#: Lines that begin nothing: stacks are printed for many reasons.
STACK_FORMS = (
    CPU_FORM,
    Form(" mems_allowed=", Pattern(r"(.*?) cpuset=(.*)"), STACK, _cpuset),
    Form("+0x", Pattern(rf"(?!.*\? ).*\b({_ALLOCATES})"), STACK, _frame),
    Form("+0x", Pattern(rf"[^?]{{0,80}}\? (?:((?:__)?out_of_memory|oom_kill_process)\b|({_ALLOCATES}))"), STACK, _guessed_frame),
)
