# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines that a mail client, a ticket or a terminal broke are made whole again.

Only the long lines of a report suffer from it, and each of them ends in a way
that is known: one that has not ended takes in what follows without a stamp.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FIGURE = r"[\w()]+:\d+kB"
_ENDS_OF_KILL = r"(?:oom_score_adj:-?\d+|\([^()]{1,64}\)|sacrifice child|or a child|shmem-rss:\d+kB|file-rss:\d+kB|swap:\d+kB)\.?"


class _Long(NamedTuple):
    """begins: how such a line begins; ends: how it ends; goes_on: what may follow though it seems to have ended; rest: what alone may follow."""

    begins: re.Pattern[str]
    ends: re.Pattern[str]
    goes_on: re.Pattern[str] | None = None
    rest: re.Pattern[str] | None = None


def _long(begins: str, ends: str, goes_on: str | None = None, rest: str | None = None) -> _Long:
    return _Long(re.compile(begins), re.compile(f"(?:{ends})$"), re.compile(goes_on) if goes_on else None, re.compile(rest) if rest else None)


_LONG = (
    _long(
        r"(?:Memory cgroup out of memory|Out of [mM]emory)\b(?! and no)|(?:OOM )?[Kk]illed(?: process\b|$)",
        _ENDS_OF_KILL,
        r"(?:total-vm|vsz|vm|anon-rss|file-rss|shmem-rss):|UID:|pgtables:|oom_score_adj:|score \d|or sacrifice",
        r"(?:killed )?(?:process )?\d+(?:,? ?\(|, UID|$)|UID \d|[(,:.…-]|-?\d+ or |\d+kB|(?:\w{1,6}[-_])?(?:vm|rss|adj|UID|pgtables|swap|vsz|kB)\b"
        r"|score|or |and |a child|child|sacrifice|.{0,80}\b(?:total-vm|anon-rss|file-rss|shmem-rss|pgtables):\d",
    ),
    _long(r"oom-kill:constraint=", r",uid=-?\d+"),
    _long(r"oom_reaper: reaped", r"shmem-rss:\d+kB"),
    _long(r".{1,64}? invoked oom-killer", r"oom_score_adj=-?\d+|order=-?\d+|oomkilladj=-?\d+", r"oom_(?:score_)?adj="),
    _long(r"\[ *\d+\] +\d+ +\d+ ", r"-?\d+ +\S*[^\d\s-]\S*(?: \S+)*"),
    _long(r"\[ *pid *\]", r"name"),
    _long(r"Task in /", r"as a result of limit of /\S*", r"[0-9a-f]{12,64}$"),
    _long(r"Memory cgroup stats for /", r":", r"\w+:\d+KB"),
    _long(r"(?:Node \d+ )?(?:DMA|DMA32|Normal|HighMem|Movable) free:", r"all_unreclaimable\? \w+|free_cma:\d+kB", _FIGURE),
    _long(r"(?:Node \d+ )?(?:DMA|DMA32|Normal|HighMem|Movable): \d+\*", r"= \d+kB"),
    _long(r"Node \d+ active_anon:", r"all_unreclaimable\? \w+|Balloon:\d+kB", _FIGURE),
    _long(r"active_(?:anon|file):", r"isolated_(?:anon|file):\d+", r"isolated_|inactive_"),
    _long(r".{1,64}: page allocation failure", r"mems_allowed=[\d,-]+|mode:0x[0-9a-f]+(?:\(\S*\))?", r"nodemask|,"),
    _long(r".{1,64}: vmalloc", r"mems_allowed=[\d,-]+|nodemask=\S+", r"mode|nodemask"),
    _long(r"SL[UA]B: Unable to allocate memory on", r"gfp=0x[0-9a-f]+(?:\(\S*\))?\)?"),
    _long(r"(?:CPU: \d+ (?:UID: \d+ )?PID: \d+|Pid: \d+, comm:)", r"#\d+.*"),
    _long(r".{1,64}\[\d+\]: segfault at", r"\]"),
    _long(r"(?:watchdog: )?BUG: soft lockup", r"\]", r"\[.{1,64}:\d+\]"),
    _long(r"INFO: task .{1,64}:\d+", r"seconds\."),
    _long(r"Tasks in /", r"memory\.oom\.group set"),
    _long(r"Kernel panic - not", r"enabled|selected|memory.*|processes\.*"),
    _long(r"(?:memory|memory\+swap|kmem|swap): usage", r"failcnt \d+"),
    _long(r"Killed /", r"activity|used.*"),
    _long(r"\[talos\] Sending SIGKILL to cgroup", r"\}"),
)
#: Beginnings of lines that stand for themselves, so that they end what came before.
_OWN = re.compile(
    r"(?:Kernel panic|SLUB|INFO: |Memory cgroup|Out of [mM]emory|Killed process|oom-kill:|oom_reaper:|\[|Task in|Tasks|Mem-|Node \d|DMA|Normal|HighMem|lowmem"
    r"|active_anon|active_file|unevictable|slab_|mapped|free:|\d+ (?:total|pages)|Swap|Free swap|Total swap|memory: |memory\+|swap: |kmem: |[a-z_]+ \d+$|cache:"
    r"|Call |CPU|Pid|Hardware|Modules|RIP|RSP|R[A-Z0-9]X|Code:|<|--|\.\.\.|.{1,64} invoked oom|.{1,64} cpuset=|\S+\+0x|\? |Linux version|\+ "
    r"|.{1,64}: (?:page allocation|vmalloc)|\S{1,128}\.(?:service|scope|slice): |.{1,64}: line \d+: |System OOM|[$#`|]|Tainted|slurmstepd: |Killed$)"
)
#: Whoever cut a line and marked it so did not break it.
_CUT = ("...", "…")
#: What stands behind a comma of the line that sums a report up; a name may hold ", task=x" itself.
_FIELD = re.compile(r"(?:nodemask|cpuset|mems_allowed|oom_memcg|task_memcg)=|global_oom\b|task=[^,]{1,64},(?:$|pid=\d)|pid=\d+,|uid=-?\d+$")
#: A kill line up to the victim's name, behind whatever somebody wrote before it.
_UP_TO_NAME = re.compile(r"[Kk]illed process \d{1,10} \([^()]{1,64}\)$")
_TIRED = 8


def unfinished(text: str) -> bool:
    """Whether a line is one of the long ones and has not ended."""
    return any(form.begins.match(text) and not form.ends.search(text) for form in _LONG)


def continues(text: str, following: str) -> bool:
    """Whether a line without a stamp is the rest of the long line before it."""
    form = next((form for form in _LONG if form.begins.match(text)), None)
    if form is None or not following:
        return following.startswith("total-vm:") and _UP_TO_NAME.search(text) is not None
    if form.goes_on is not None and form.goes_on.match(following):
        return True
    in_a_name = text.count("(") > text.count(")")
    if form.rest is not None and not in_a_name and not form.rest.match(following):
        return False
    return not form.ends.search(text) and not text.endswith(_CUT) and not _OWN.match(following)


def joined(text: str, following: str) -> str:
    """The two parts of a broken line; some were broken where there is no blank."""
    within = text.endswith(("/", "=", "|", "_")) or (text.endswith("-") and not text.endswith(" -")) or (text.endswith(":") and following[:1].isdecimal())
    within = within or (text.startswith("oom-kill:") and text.endswith(",") and _FIELD.match(following) is not None)
    return f"{text}{following}" if within else f"{text} {following}"


def too_many(pieces: int) -> bool:
    """Whether so many pieces have been put together that they are no line."""
    return pieces > _TIRED
