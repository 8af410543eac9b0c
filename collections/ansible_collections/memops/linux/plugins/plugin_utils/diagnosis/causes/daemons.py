# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What user-space OOM daemons say of the memory that they acted on."""

from __future__ import annotations

from typing import NamedTuple

from ...events.model import Line, ServiceEvent
from ...events.pattern import Pattern
from ..case import Case
from ..remedies import host as remedy
from ..rule import Conclusion, Fact, Judgement, Lacking, Step
from ..wording import size

# earlyoom: "mem avail:   165 of 31880 MiB ( 0.52%), swap free: 19581 of 49151 MiB (39.84%)"
_FIGURES = Pattern(r".{0,200}?mem avail: {0,6}(\d{1,9}) of {1,6}(\d{1,9}) MiB[^,]{0,40}, swap free: {0,6}(\d{1,9}) of {1,6}(\d{1,9}) MiB")
_MIB = 1 << 20
#: With more of the swap free than this it was not swap that had run out.
LEFT = 0.1


class Figures(NamedTuple):
    """A daemon's own figures, in bytes, and the line that has them."""

    available: int
    ram: int
    swap_free: int
    swap_total: int
    line: Line


def figures(case: Case) -> Figures | None:
    """Those that it gave right before the act."""
    for line in (*case.quoted("available"), *reversed(case.event.lines if case.event else [])):
        match = _FIGURES.match(line.text[:400])
        if match is not None:
            return Figures(*(int(number) * _MIB for number in match.groups()), line)
    return None


def by_daemon(case: Case, with_swap: bool) -> Judgement:
    """A daemon that acts when RAM and swap are both used up did act (not one that acts on pressure).

    earlyoom and nohang act when available memory and free swap are both below
    their bounds; systemd-oomd does where it says "memory used ... and swap used".
    """
    lines = case.event.lines if case.event else []
    if any("pressure" in line.text for line in lines):
        return None
    said = figures(case)
    if said is not None:
        return _by_its_own_figures(case, said) if bool(said.swap_total) is with_swap else None
    swap = case.host.swap_total_bytes
    if _by_systemd_oomd(case) and not any("swap used" in line.text for line in lines):
        return Lacking("systemd-oomd's own line, which says whether it acted on memory pressure or on what was used")
    if swap is None:
        return Lacking("the daemon's own figures (mem avail, swap free), or the host's swap")
    if bool(swap) is not with_swap:
        return None
    step = Step(
        "The daemon acts when available memory and free swap are both below its bounds;"
        + (" the host has no swap at all." if swap == 0 else f" the host has {size(swap)} swap."),
        (*lines[:1], Fact("swap total_bytes", str(swap))),
    )
    # A bound on swap may be high: only systemd-oomd's own words say that it was used up.
    sure = swap == 0 or any("swap used" in line.text for line in lines)
    return Conclusion("probable" if sure else "possible", (step,), remedy.for_swap(case, swap))


def _by_systemd_oomd(case: Case) -> bool:
    return isinstance(case.event, ServiceEvent) and case.event.by == "systemd-oomd"


def _by_its_own_figures(case: Case, said: Figures) -> Conclusion:
    left = said.swap_free / said.swap_total if said.swap_total else 0
    swap = "there was no swap at all" if not said.swap_total else f"of {size(said.swap_total)} swap {size(said.swap_free)} ({left:.0%}) were free"
    text = f"The daemon acted when {size(said.available)} of {size(said.ram)} RAM were available and {swap}, both below its bounds."
    if left > LEFT:
        text += " RAM had run out; swap had not, the daemon's bound on it is high."
    return Conclusion("possible" if left > LEFT else "probable", (Step(text, (said.line, *case.quoted("limits"))),), remedy.for_swap(case, said.swap_total))
