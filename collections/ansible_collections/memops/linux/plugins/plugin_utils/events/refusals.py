# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Allocations that the kernel refused, or granted only after long; nobody is killed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from .model import AllocationFailure
from .pattern import Pattern
from .trigger import read_mask, read_order


class RefusalForm(NamedTuple):
    """The first line of a refusal; ``key`` as in form.Form. caches: of the slab allocator, which asks the page allocator first."""

    key: str
    pattern: Pattern
    read: Callable[[re.Match[str]], AllocationFailure]
    caches: bool = False


def _refused(match: re.Match[str]) -> AllocationFailure:
    mask, flags = read_mask(match["fields"])
    named = match.groupdict()
    stalled = named.get("stalled")
    return AllocationFailure(
        process=named.get("process"),
        gfp_mask=mask,
        gfp_flags=flags,
        order=read_order(match["fields"]),
        stalled_seconds=int(stalled) / 1000 if stalled else None,
    )


_OF_24 = "__alloc_pages: "


def is_of_24(event: AllocationFailure) -> bool:
    """Whether Linux 2.4 wrote it."""
    return event.quotes["trigger"].text.startswith(_OF_24)


#: __GFP_HIGH, __GFP_IO and __GFP_FS, which the slab allocator hands on, and which have these bits in all kernels.
_HANDED_ON = 0xE0


def may_be_of(slab: AllocationFailure, page: AllocationFailure) -> bool:
    """Whether the slab allocator's request may be the one that the page allocator refused right before."""
    if slab.gfp_mask is None or page.gfp_mask is None:
        return True
    return not int(slab.gfp_mask, 16) & ~int(page.gfp_mask, 16) & _HANDED_ON


#: Comments and headings quote the kernel.
_WHO = r"(?!# |// )[\"'`]?(?P<process>.{0,80}?): "
FORMS = (
    # warn_alloc, mm/page_alloc.c: "failure. order" until 2.6.39; stalls from 4.9 to 4.14.
    RefusalForm("page allocation ", Pattern(_WHO + r"page allocation failure[:.] ?(?P<fields>.*)"), _refused),
    RefusalForm("page allocation ", Pattern(r"page allocation failure[:.] ?(?P<fields>order:\d+, ?mode:0x.*)"), _refused),  # the name was cut off
    RefusalForm("page allocation ", Pattern(_WHO + r"page allocation stalls for (?P<stalled>\d+) ?ms, (?P<fields>.*)"), _refused),
    # mm/vmalloc.c: "vmalloc: allocation failure: 8192 bytes", then "vmalloc size 8192 allocation failure: ...", "vmalloc error: size ..."
    RefusalForm(": vmalloc", Pattern(_WHO + r"vmalloc(?=[ :])(?: error)?:?(?P<fields> .*(?:fail|allocated|exceeds|total pages).*)"), _refused),
    # slab_out_of_memory, mm/slub.c and mm/slab.c: "(gfp=0x20)" until 4.5
    RefusalForm("Unable to allocate memory on", Pattern(r"SL[UA]B: Unable to allocate memory on .*?,? ?(?P<fields>gfp=.*)"), _refused, caches=True),
    # 2.4, mm/page_alloc.c
    RefusalForm("-order allocation failed", Pattern(rf"{_OF_24}(?P<fields>\d+-order allocation failed.*)"), _refused),
)
