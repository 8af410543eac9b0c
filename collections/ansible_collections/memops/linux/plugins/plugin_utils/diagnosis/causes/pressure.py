# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Thrashing: memory goes round between RAM and disk instead of being used."""

from __future__ import annotations

from ...events.model import AllocationFailure
from ..case import MEMORY_KINDS, Case
from ..host_facts import HostFacts
from ..remedies import host as remedy
from ..rule import Conclusion, Fact, Judgement, Lacking, Rule, Step
from ..wording import size
from .log_so_far import around

#: Every task stood still for this part of a minute: systemd-oomd's default is
#: 60 % of 30 s for the whole host; a tenth is already felt by everybody.
STALLED_PERCENT = 10.0
#: Below this rate of swap-ins the stall has other reasons (I/O, a cgroup limit).
SWAP_INS_PER_SECOND = 50.0
#: Pages that go to swap and come back at this rate, both at once, are the same pages:
#: on a fast disk that shows long before PSI does (seen on 6.1: 900 a second at "full" 1 to 7 %).
ROUND_TRIPS_PER_SECOND = 200.0
#: A task is called hung after two minutes, and the shortage that stopped it may end in a kill minutes later.
SAME_SHORTAGE_SECONDS = 300.0


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


def stalled(case: Case) -> Judgement:
    """An allocation waited for reclaim for many seconds, granted in the end or not (kernels 4.9 to 4.14 tell)."""
    event = case.event
    if not isinstance(event, AllocationFailure) or event.stalled_seconds is None:
        return None
    step = Step(f"The allocation waited {event.stalled_seconds:.0f} s for memory to be reclaimed.", case.quoted("trigger", "line"))
    return Conclusion("probable", (step,), remedy.for_thrashing(case.host))


def hung_for_memory(case: Case) -> Judgement:
    """A task stood still while memory was so short that the log tells of it within the same minutes."""
    for other in around(case, SAME_SHORTAGE_SECONDS):
        if other.kind in MEMORY_KINDS and not other.requested:
            step = Step("Within the same minutes the log tells that memory was short.", (*case.quoted("line"), *other.quoted("trigger", "kill", "line")[:2]))
            return Conclusion("possible", (step,), remedy.for_thrashing(case.host))
    return Lacking("what it waited for: memory pressure, disks or locks of that moment")


def thrashing_now(host: HostFacts) -> tuple[Step, ...]:
    """The steps that show that the host is thrashing at this moment; empty if it is not."""
    full = ((host.section("pressure").get("memory") or {}).get("full")) or {}
    rates = (host.section("memory").get("vmstat") or {}).get("rates_per_second") or {}
    stalled = full.get("avg10")
    swap_ins, swap_outs = rates.get("pswpin") or 0, rates.get("pswpout") or 0
    refaults = (rates.get("workingset_refault_anon") or 0) + (rates.get("workingset_refault_file") or 0)
    stands_still = stalled is not None and stalled >= STALLED_PERCENT and max(swap_ins, refaults) >= SWAP_INS_PER_SECOND
    goes_round = min(swap_ins, swap_outs) >= ROUND_TRIPS_PER_SECOND
    if not stands_still and not goes_round:
        return ()
    page = host.page_bytes or 4096
    steps = [
        Step(
            f"{size(swap_ins * page)}/s came back from swap, {size(swap_outs * page)}/s went there,"
            f" and {size(refaults * page)}/s of pages just reclaimed were needed again.",
            tuple(
                Fact(f"memory vmstat rates_per_second {name}", str(rates[name]))
                for name in ("pswpin", "pswpout", "workingset_refault_anon", "workingset_refault_file")
                if name in rates
            ),
        )
    ]
    if stalled is not None:
        steps.append(
            Step(
                f"All tasks stood still for want of memory {stalled:.0f} % of the last 10 s.",
                (Fact("pressure memory full avg10", f"{stalled}"),),
            )
        )
    return tuple(steps)


THRASHING = Rule(
    cause="thrashing",
    kinds=frozenset(("userspace_oom_daemon",)),
    needs="the daemon's own line, which names the pressure",
    reference="https://docs.kernel.org/accounting/psi.html",
    judge=thrashing,
)
STALLED = Rule(
    cause="thrashing",
    kinds=frozenset(("page_allocation_failure",)),
    needs='the kernel\'s line "page allocation stalls for ... ms"',
    reference="mm/page_alloc.c: warn_alloc()",
    judge=stalled,
)
HUNG_FOR_MEMORY = Rule(
    cause="thrashing",
    kinds=frozenset(("hung_task",)),
    needs=f"an incident of memory in the same log within {SAME_SHORTAGE_SECONDS / 60:.0f} minutes",
    reference="https://docs.kernel.org/admin-guide/sysctl/kernel.html#hung-task-timeout-secs",
    judge=hung_for_memory,
)
