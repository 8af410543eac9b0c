# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel messages on deaths, stalls and refusals that are not OOM kills; each is one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from .model import AllocationFailure, ProcessFault
from .pattern import Pattern
from .trigger import read_mask, read_order


class FaultForm(NamedTuple):
    """A line that is an event by itself; ``key`` as in form.Form."""

    key: str
    pattern: Pattern
    read: Callable[[re.Match[str]], ProcessFault | AllocationFailure]


def _fault(kind: str) -> Callable[[re.Match[str]], ProcessFault]:
    def read(match: re.Match[str]) -> ProcessFault:
        named = match.groupdict()
        pid = named.get("pid")
        return ProcessFault(
            kind=kind,
            process=named.get("process"),
            pid=int(pid) if pid else None,
            detail=match.string,
            cgroup=named.get("cgroup"),
        )

    return read


def _refused(match: re.Match[str]) -> AllocationFailure:
    mask, flags = read_mask(match["fields"])
    process = match.groupdict().get("process")
    return AllocationFailure(process=process, gfp_mask=mask, gfp_flags=flags, order=read_order(match["fields"]))


#: "name[pid]" at the start, as ``show_signal_msg`` and ``show_signal`` print it.
_WHO = r"(?P<process>.*)\[(?P<pid>\d+)\]:? "
_TRAPPED = r"(?:traps: )?" + _WHO
FORMS = (
    # warn_alloc (page_alloc.c, vmalloc.c), slab_out_of_memory (slub.c)
    FaultForm("page allocation failure", Pattern(r"(?P<process>.*?): page allocation failure[:.] (?P<fields>.*)"), _refused),
    FaultForm(": vmalloc", Pattern(r"(?P<process>.*?): vmalloc(?: error)?: (?P<fields>.*)"), _refused),
    FaultForm("Unable to allocate memory on", Pattern(r"SLUB: Unable to allocate memory on .*?,? ?(?P<fields>gfp=.*)"), _refused),
    FaultForm(": segfault at ", Pattern(_WHO + "segfault at "), _fault("segfault")),
    FaultForm(" fault", Pattern(_WHO + "unhandled "), _fault("segfault")),
    FaultForm(": unhandled ", Pattern(_WHO + "unhandled "), _fault("trap")),
    FaultForm("general protection ", Pattern(_TRAPPED + "general protection "), _fault("general_protection")),
    FaultForm("] trap ", Pattern(_TRAPPED + "trap "), _fault("trap")),
    FaultForm(" for more than ", Pattern(r"INFO: task (?P<process>.*):(?P<pid>\d+) (?:is )?blocked "), _fault("hung_task")),
    FaultForm("soft lockup", Pattern(r"(?:watchdog: )?BUG: soft lockup - CPU#\d+ stuck for \d+s! \[(?P<process>.*):(?P<pid>\d+)\]"), _fault("soft_lockup")),
    FaultForm("fork rejected", Pattern(r"cgroup: fork rejected by pids controller in (?P<cgroup>.*)"), _fault("pids_limit")),
    FaultForm(
        "__vm_enough_memory",
        Pattern(r"(?:\w+: )?__vm_enough_memory: pid: ?(?P<pid>\d+), comm: ?(?P<process>.*?), (?:bytes|not? enough)"),
        _fault("overcommit"),
    ),
    FaultForm("vmap allocation for size", Pattern(r"vmap allocation for size \d+ failed"), _fault("vmalloc")),
)
