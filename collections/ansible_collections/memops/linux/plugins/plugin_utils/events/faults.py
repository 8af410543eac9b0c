# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel messages on deaths, stalls and refusals that are not OOM kills; each is one line."""

from __future__ import annotations

import re
from typing import NamedTuple

from .model import ProcessFault
from .pattern import Pattern


class FaultForm(NamedTuple):
    """A line that is an event by itself; ``key`` as in form.Form.

    standing: said again for as long as the state lasts.
    unnamed: the process stands in the stack below.
    """

    key: str
    pattern: Pattern
    kind: str
    standing: bool = False
    unnamed: bool = False

    def read(self, match: re.Match[str]) -> ProcessFault:
        named = match.groupdict()
        pid = named.get("pid")
        return ProcessFault(
            kind=self.kind,
            process=named.get("process"),
            pid=int(pid) if pid else None,
            detail=match.string,
            cgroup=named.get("cgroup"),
        )


#: "name[pid]" at the start, as ``show_signal_msg`` and ``show_signal`` print it.
_WHO = r"(?P<process>.{0,80})\[(?P<pid>\d+)\]:? "
_TRAPPED = r"(?:traps: )?" + _WHO
_NAMED = r"(?P<process>.{1,80}):(?P<pid>\d+)"
_MEMORY_SIGNALS = "(?:7|10|11)"
FORMS = (
    # x86, sparc: "ip" and "sp", "rip" and "rsp", "eip" and "esp" by age; ppc since 4.19: "segfault (11) at"
    FaultForm("segfault ", Pattern(_WHO + r"segfault (?:\(\d+\) )?at "), "segfault"),
    # arm64
    FaultForm(" fault", Pattern(_WHO + "unhandled "), "segfault"),
    # arm without a pid, with CONFIG_DEBUG_USER
    FaultForm(" fault", Pattern(r"(?P<process>.{1,80}?): unhandled page fault \(\d+\) at "), "segfault", unnamed=True),
    # ppc until 4.18, riscv
    FaultForm(": unhandled signal ", Pattern(_WHO + rf"unhandled signal {_MEMORY_SIGNALS} (?:at|code) "), "segfault"),
    FaultForm(": unhandled ", Pattern(_WHO + "unhandled "), "trap"),
    # s390
    FaultForm("User process fault", Pattern(r"User process fault: interruption code "), "segfault", unnamed=True),
    # mips, loongarch
    FaultForm("sending SIGSEGV to ", Pattern(r"do_page_fault\(\)(?: #\d+)?: sending SIGSEGV to (?P<process>.{1,80}?) for "), "segfault", unnamed=True),
    FaultForm("general protection ", Pattern(_TRAPPED + "general protection "), "general_protection"),
    FaultForm("] trap ", Pattern(_TRAPPED + "trap "), "trap"),
    FaultForm("undefined instruction: ", Pattern(r"(?P<process>.{1,80}?) ?[(\[](?P<pid>\d+)[)\]]: undefined instruction: pc="), "trap"),
    # ppc since 4.19
    FaultForm(" nip ", Pattern(_WHO + r"bus error \(\d+\) at "), "segfault"),
    FaultForm(" nip ", Pattern(_WHO + r"(?:illegal instruction|trap|floating point exception|unknown signal) \(\d+\) at "), "trap"),
    FaultForm(
        " memory corruption",
        Pattern(rf"(?:Memory failure|MCE)\b.{{0,40}}?(?:Killing|Sending SIGBUS to) {_NAMED} (?:early )?due to hardware "),
        "memory_failure",
    ),
    # kernel/hung_task.c; of late "blocked in I/O wait for more than"
    FaultForm("INFO: task ", Pattern(rf"INFO: task {_NAMED} (?:(?:is )?blocked|can't die) "), "hung_task", standing=True),
    # kernel/watchdog.c; until 2.6.23 and on Red Hat 5 without a name
    FaultForm("soft lockup", Pattern(rf"(?:NMI )?(?:watchdog: )?BUG: soft lockup - CPU#\d+ stuck for \d+s! \[{_NAMED}\]"), "soft_lockup", standing=True),
    FaultForm("soft lockup", Pattern(r"BUG: soft lockup detected on CPU#\d+!"), "soft_lockup", unnamed=True),
    FaultForm("fork rejected", Pattern(r"cgroup: fork rejected by pids controller in (?P<cgroup>.*)"), "pids_limit", standing=True),
    FaultForm(
        "__vm_enough_memory",
        Pattern(r"(?:\w{1,20}: )?__vm_enough_memory: pid: ?(?P<pid>\d+), comm: ?(?P<process>.{0,80}?), (?:bytes|not? enough)"),
        "overcommit",
    ),
    FaultForm("vmap allocation for size", Pattern(r"vmap allocation for size \d+ failed"), "vmalloc", unnamed=True),
    FaultForm("vmalloc_node_range for size", Pattern(r"vmalloc_node_range for size \d+ failed"), "vmalloc", unnamed=True),
)
