# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What only grows: from report to report of one boot."""

from __future__ import annotations

from collections.abc import Callable

from ..case import Case
from ..remedies.kernel import for_leak
from ..rule import Conclusion, Judgement, Rule, Step
from ..wording import size
from .host_memory import HOST_OOM
from .log_so_far import before, uptime

REPORTS = 3
#: Less than this part of RAM from the first to the last report is no growth to speak of.
GROWTH = 0.05
#: What is still small explains no shortage.
MATTERS = 0.1


def leak(case: Case) -> Judgement:
    """The kernel's own memory, or the victims of one name, grew from report to report."""
    use = case.use
    if use is None or not use.total_bytes:
        return None
    earlier = _of_this_boot(case)
    for what, figure in _FIGURES:
        sizes = _rising(case, earlier, figure)
        if sizes and sizes[0] - sizes[-1] >= GROWTH * use.total_bytes and sizes[0] >= MATTERS * use.total_bytes:
            return _grown(case, earlier, what, sizes, "probable")
    victim = case.victim
    if victim is not None and victim.process:
        sizes = _rising(case, [other for other in earlier if other.victim and other.victim.process == victim.process], _victim_size)
        if sizes and sizes[0] - sizes[-1] >= GROWTH * use.total_bytes and sizes[0] >= MATTERS * use.total_bytes:
            return _grown(case, earlier, victim.process, sizes, "possible")
    return None


def _grown(case: Case, earlier: list[Case], what: str, sizes: list[int], confidence: str) -> Conclusion:
    told = ", ".join(size(held) for held in reversed(sizes[:6]))
    quotes = tuple(line for other in (case, *earlier[: len(sizes) - 1]) for line in other.quoted("slab_unreclaimable", "kill")[:1])
    return Conclusion(confidence, (Step(f"In {len(sizes)} reports of this boot, one after the other, {what} held {told}.", quotes[:4]),), for_leak(what))


def _of_this_boot(case: Case) -> list[Case]:
    """Earlier reports on the host's memory, the nearest first, as far as uptime says that they are of the same boot."""
    found = []
    last = uptime(case)
    for other in before(case):
        at = uptime(other)
        if last is None or at is None or at > last:
            break
        last = at
        if other.use is not None and other.use.scope == "host":
            found.append(other)
    return found


def _rising(case: Case, earlier: list[Case], figure: Callable[[Case], int | None]) -> list[int]:
    """The newest sizes, each larger than the one before it; empty if there are too few."""
    sizes: list[int] = []
    for other in (case, *earlier):
        held = figure(other)
        if held is None or (sizes and held >= sizes[-1]):
            break
        sizes.append(held)
    return sizes if len(sizes) >= REPORTS else []


def _victim_size(case: Case) -> int | None:
    return case.victim.anon_rss_bytes if case.victim else None


_FIGURES: tuple[tuple[str, Callable[[Case], int | None]], ...] = (
    ("unreclaimable slab", lambda case: case.use.slab_unreclaimable_bytes if case.use else None),
    ("what no figure explains", lambda case: case.use.unaccounted_bytes if case.use else None),
)

LEAK = Rule(
    cause="leak",
    kinds=HOST_OOM,
    needs=f"at least {REPORTS} reports of one boot (by uptime), one after the other, in which unreclaimable slab, unaccounted memory or (possible) the victim"
    f" of the same name grew, by at least {GROWTH:.0%} of RAM",
    reference="https://docs.kernel.org/dev-tools/kmemleak.html",
    judge=leak,
)
