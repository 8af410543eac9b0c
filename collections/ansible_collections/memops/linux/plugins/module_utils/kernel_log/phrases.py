# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a kernel message is to a memory event, told from how its text begins.

A process may choose a name that imitates a message, so a phrase counts only
where the kernel puts it: at the start of the text, or behind one process name.
Texts of kernels 2.6 to 6.18 (mm/oom_kill.c, mm/page_alloc.c, mm/vmalloc.c,
mm/memcontrol.c, kernel/hung_task.c, kernel/watchdog.c, arch/*/mm/fault.c).
"""

import re

_KILLER = r"(?:Memory cgroup out of memory|Out of [Mm]emory(?: \(oom_kill_allocating_task\))?)(?: in UB \d+)?: (?:OOM )?"

#: (role, what the text starts with). The first role that fits counts.
_AT_START = (
    ("killed", r"(?:%s)?[Kk]illed process \d+" % _KILLER),
    ("killing", _KILLER + r"[Kk]ill process \d+"),
    ("spared", _KILLER + r"victim \d+"),
    ("sharing", r"Kill process \d+ \(.{1,64}\) sharing same memory"),
    ("group", r"Tasks in /.* are going to be killed due to memory\.oom\.group set"),
    ("constraint", r"oom-kill:constraint="),
    ("reaper", r"oom_reaper: (?:reaped process |unable to reap pid:)\d"),
    ("memcg", r"Task in /.* killed as a result of limit of |Memory cgroup stats for |memory: usage \d+kB, limit "),
    ("header", r"oom-killer: gfp_mask="),
    ("no_victim", r"Out of memory and no killable processes|(?:sysrq: )?OOM request ignored"),
    ("panic", r"Kernel panic - not syncing: .{0,40}(?:[Oo]ut of memory|deadlocked on memory)"),
    ("request", r"(?:sysrq: )?(?:SysRq : )?Manual OOM execution"),
    ("suppressed", r"(?:oom_kill_process|out_of_memory|dump_header): \d+ callbacks suppressed"),
    ("hung_task", r"INFO: task .{1,64}:\d+ blocked .{0,40}for more than \d"),
    ("soft_lockup", r"(?:NMI )?(?:watchdog: )?BUG: soft lockup - CPU#\d"),
    ("slab_failure", r"SL[UA]B: Unable to allocate memory on node"),
    ("vmap_full", r"vmap allocation for size \d+ failed"),
    ("fork_rejected", r"cgroup: fork rejected by pids controller in "),
    ("overcommit_refused", r"__vm_enough_memory: pid: \d+, comm: .{1,64} memory for the allocation"),
    ("crash", r"traps: .{1,64}\[\d+\] "),
)
#: (role, what follows a process name at the start of the text, a phrase that is in it).
_AFTER_NAME = (
    ("header_", r" invoked oom-killer(?::|$)", " invoked oom-killer"),
    ("allocation_failure", r": page allocation failure[.:] ?order:\d", ": page allocation f"),
    ("allocation_stall", r": page allocation stalls for \d+ms", ": page allocation s"),
    ("vmalloc_failure", r": vmalloc(?:: allocation failure| error)", ": vmalloc"),
    ("crash_", r"\[\d+\]: segfault ", "]: segfault "),
    ("crash__", r"\[\d+\]: unhandled .{1,60} fault ", "]: unhandled "),
    ("crash___", r"\[\d+\] (?:general protection|trap) ", "] "),
)
#: Typical lines of a report that start no search of their own: they show one whose header is lost.
_TYPICAL = (
    ("table", r"Tasks state \(memory values|\[ *pid *\] +uid +tgid +total_vm"),
    ("row", r"\[ *\d+\] +\d+ +\d+ +\d+ +\d+ "),
    ("mem_info", r"Mem-[Ii]nfo:|active_anon:\d|Node \d+ .{0,12}free:\d|\d+ total pagecache pages"),
    ("totals", r"\d+ pages (?:RAM|of RAM|reserved|hwpoisoned|cma reserved|HighMem)"),
)

#: Roles of lines that stand alone: one line, one event.
SINGLE = frozenset(("crash", "vmap_full", "fork_rejected", "overcommit_refused"))
#: Roles that begin an event with a block of lines, other than the OOM killer's.
BLOCK = frozenset(("allocation_failure", "allocation_stall", "slab_failure", "vmalloc_failure", "hung_task", "soft_lockup"))
#: Roles of the lines that must survive any shortening.
ESSENTIAL = frozenset(
    ["header", "constraint", "killed", "killing", "spared", "group", "memcg", "no_victim", "panic", "request", "reaper", "suppressed", "table"]
) | BLOCK | SINGLE  # fmt: skip


#: At least one of these stands in each line that begins an event, in the bytes of any log.
NEEDLES = (
    b"oom-kill", b"ut of memory", b" allocat", b"segfault", b"traps: ", b"for more than ", b"soft lockup", b"fork rejected",
)  # fmt: skip


def _groups(patterns):
    return "|".join("(?P<%s>%s)" % (name, pattern) for name, pattern in patterns)


_START = "(?s)" + _groups(_TYPICAL + _AT_START)
# A name is 15 bytes, some of which a log may have written as \x1b or #033.
_NAMED = r"(?s)(?!\n)(?:\\x[0-9a-f]{2}|#[0-7]{3}|.){1,16}?(?:%s)" % _groups((name, pattern) for name, pattern, _phrase in _AFTER_NAME)
_PHRASES = tuple(phrase for _name, _pattern, phrase in _AFTER_NAME)
_PID = re.compile(r"(?:process |victim |pid:)(\d+)")


def role(text):
    """The role of a message in a memory event, or None.

    text: the message without its log's prefix; further lines of one message
        stand behind newlines and never begin an event.
    """
    found = re.match(_START, text)  # not compiled at import: most hosts have no event, and it takes 10 ms
    if not found and any(phrase in text for phrase in _PHRASES):  # the pattern alone is slow on long lines
        found = re.match(_NAMED, text)
    return found.lastgroup.rstrip("_") if found else None


def victim(text):
    """The process id in a kill line or in a line of the OOM reaper, else None."""
    found = _PID.search(text)
    return int(found.group(1)) if found else None
