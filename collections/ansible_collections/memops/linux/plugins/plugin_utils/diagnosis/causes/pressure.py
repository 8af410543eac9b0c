# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Thrashing: memory goes round between RAM and disk instead of being used."""

from __future__ import annotations

from ..case import Case
from ..host_facts import HostFacts
from ..rule import Conclusion, Fact, Judgement, Rule, Step
from ..wording import size
from . import remedy

#: Every task stood still for this part of a minute: systemd-oomd's default is
#: 60 % of 30 s for the whole host; a tenth is already felt by everybody.
STALLED_PERCENT = 10.0
#: Below this rate of swap-ins the stall has other reasons (I/O, a cgroup limit).
SWAP_INS_PER_SECOND = 50.0


def thrashing(case: Case) -> Judgement:
    """A user-space OOM daemon killed because of memory pressure, not for want of memory."""
    said = next((line for line in case.event.lines if "pressure" in line.text), None) if case.event else None
    if said is None:
        return None
    step = Step(
        "The daemon acted on memory pressure: processes waited for memory (reclaim, swap-in, refaults) most of the time,"
        " though some memory could still be had.",
        (said,),
    )
    return Conclusion("probable", (step,), remedy.for_thrashing(case.host))


def thrashing_now(host: HostFacts) -> tuple[Step, ...]:
    """The steps that show that the host is thrashing at this moment; empty if it is not."""
    full = ((host.section("pressure").get("memory") or {}).get("full")) or {}
    rates = (host.section("memory").get("vmstat") or {}).get("rates_per_second") or {}
    stalled = full.get("avg10")
    swap_ins = rates.get("pswpin")
    refaults = (rates.get("workingset_refault_anon") or 0) + (rates.get("workingset_refault_file") or 0)
    if stalled is None or stalled < STALLED_PERCENT:
        return ()
    if max(swap_ins or 0, refaults) < SWAP_INS_PER_SECOND:
        return ()
    page = host.page_bytes or 4096
    return (
        Step(
            f"All tasks stood still for want of memory {stalled:.0f} % of the last 10 s.",
            (Fact("pressure memory full avg10", f"{stalled}"),),
        ),
        Step(
            f"Meanwhile {size((swap_ins or 0) * page)}/s came back from swap and {size(refaults * page)}/s of pages just reclaimed"
            " were needed again.",
            (Fact("memory vmstat rates_per_second pswpin", f"{swap_ins}"), Fact("memory vmstat rates_per_second workingset_refault_*", f"{refaults}")),
        ),
    )


THRASHING = Rule("thrashing", frozenset(("userspace_oom_daemon",)), "https://docs.kernel.org/accounting/psi.html", thrashing)
