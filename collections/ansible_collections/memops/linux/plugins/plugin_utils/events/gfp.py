# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an allocation asked for and what the kernel might do to satisfy it: its gfp mask, read.

Kernels print the mask's names since 4.6, and names mean the same everywhere. A
bare number means what the kernel's version makes of it, for the bits moved four
times (include/linux/gfp.h, include/linux/gfp_types.h since 6.0).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from .pattern import Pattern

#: The zones from the lowest addresses up (``enum zone_type``, include/linux/mmzone.h).
ZONES = ("DMA", "DMA32", "Normal", "HighMem", "Movable")

_SHARED = {"__GFP_DMA": 0x1, "__GFP_HIGHMEM": 0x2, "__GFP_DMA32": 0x4, "__GFP_MOVABLE": 0x8, "__GFP_HIGH": 0x20, "__GFP_IO": 0x40, "__GFP_FS": 0x80}
_MIDDLE = {
    "__GFP_NOWARN": 0x200,
    "__GFP_RETRY_MAYFAIL": 0x400,
    "__GFP_NOFAIL": 0x800,
    "__GFP_NORETRY": 0x1000,
    "__GFP_MEMALLOC": 0x2000,
    "__GFP_COMP": 0x4000,
    "__GFP_ZERO": 0x8000,
    "__GFP_NOMEMALLOC": 0x10000,
    "__GFP_HARDWALL": 0x20000,
    "__GFP_THISNODE": 0x40000,
}
#: From 4.4 on reclaim by the caller and by kswapd are two bits, and an atomic request is marked.
_FROM_4_4 = _SHARED | _MIDDLE | {"__GFP_RECLAIMABLE": 0x10, "__GFP_ATOMIC": 0x80000, "__GFP_ACCOUNT": 0x100000}
#: (first version with it, its bits), the newest first.
_LAYOUTS = (
    (
        (5, 0),
        _SHARED
        | {
            "__GFP_RECLAIMABLE": 0x10,
            "__GFP_ZERO": 0x100,
            "__GFP_ATOMIC": 0x200,
            "__GFP_DIRECT_RECLAIM": 0x400,
            "__GFP_KSWAPD_RECLAIM": 0x800,
            "__GFP_WRITE": 0x1000,
            "__GFP_NOWARN": 0x2000,
            "__GFP_RETRY_MAYFAIL": 0x4000,
            "__GFP_NOFAIL": 0x8000,
            "__GFP_NORETRY": 0x10000,
            "__GFP_MEMALLOC": 0x20000,
            "__GFP_COMP": 0x40000,
            "__GFP_NOMEMALLOC": 0x80000,
            "__GFP_HARDWALL": 0x100000,
            "__GFP_THISNODE": 0x200000,
            "__GFP_ACCOUNT": 0x400000,
        },
    ),
    ((4, 18), _FROM_4_4 | {"__GFP_WRITE": 0x100, "__GFP_DIRECT_RECLAIM": 0x200000, "__GFP_KSWAPD_RECLAIM": 0x400000}),
    ((4, 11), _FROM_4_4 | {"__GFP_DIRECT_RECLAIM": 0x400000, "__GFP_WRITE": 0x800000, "__GFP_KSWAPD_RECLAIM": 0x1000000}),
    ((4, 4), _FROM_4_4 | {"__GFP_DIRECT_RECLAIM": 0x400000, "__GFP_WRITE": 0x1000000, "__GFP_KSWAPD_RECLAIM": 0x2000000}),
    ((2, 6), _SHARED | _MIDDLE | {"__GFP_WAIT": 0x10, "__GFP_RECLAIMABLE": 0x80000, "__GFP_WRITE": 0x1000000}),
)
#: Only 4.4 to 4.10 set this bit without printing names, and there every usual request has it.
_KSWAPD_OF_4_4 = 0x2000000

_RECLAIM = frozenset(("__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"))
_KERNEL = _RECLAIM | {"__GFP_IO", "__GFP_FS"}
_USER = _KERNEL | {"__GFP_HARDWALL"}
_HIGHUSER = _USER | {"__GFP_HIGHMEM"}
_MOVABLE = _HIGHUSER | {"__GFP_MOVABLE"}
#: What the kernel's names for several flags at once hold, the largest set first.
_SETS = {
    "GFP_TRANSHUGE": _MOVABLE | {"__GFP_COMP", "__GFP_NOMEMALLOC", "__GFP_NOWARN"},
    "GFP_TRANSHUGE_LIGHT": (_MOVABLE | {"__GFP_COMP", "__GFP_NOMEMALLOC", "__GFP_NOWARN"}) - _RECLAIM,
    "GFP_HIGHUSER_MOVABLE": _MOVABLE,
    "GFP_HIGHUSER": _HIGHUSER,
    "GFP_USER": _USER,
    "GFP_KERNEL_ACCOUNT": _KERNEL | {"__GFP_ACCOUNT"},
    "GFP_TEMPORARY": _KERNEL | {"__GFP_RECLAIMABLE"},
    "GFP_KERNEL": _KERNEL,
    "GFP_NOFS": _RECLAIM | {"__GFP_IO"},
    "GFP_NOIO": _RECLAIM,
    "GFP_ATOMIC": frozenset(("__GFP_HIGH", "__GFP_KSWAPD_RECLAIM")),
    "GFP_NOWAIT": frozenset(("__GFP_KSWAPD_RECLAIM",)),
    "GFP_DMA32": frozenset(("__GFP_DMA32",)),
    "GFP_DMA": frozenset(("__GFP_DMA",)),
    "__GFP_RECLAIM": _RECLAIM,
    "__GFP_WAIT": _RECLAIM,
}
_KINDS = tuple(name for name in _SETS if name.startswith("GFP_") and name not in ("GFP_DMA", "GFP_DMA32"))
_VERSION = Pattern(r"(\d{1,4})\.(\d{1,4})")


class Request(NamedTuple):
    """An allocation's demands.

    kind: the kernel's name for this kind of request (GFP_KERNEL, ...), without
        flags that come on top; None where it is none of the usual ones.
    flags: all single flags that are known to be set.
    may_sleep: it may wait for memory to be reclaimed. may_do_io, may_enter_fs:
        reclaim may write to disks, and call filesystems, on its behalf.
    reserves: it may dip into the reserve below the min watermark.
    accounted: it counts against a memory cgroup's limit by its flags
        (programs' pages always do).
    highest_zone: of ``ZONES``; the request may use this zone and those before it.
    movable: its pages may be moved, so that CMA areas may hold them.
    old: the mask is one of kernels before 4.4, which weighed larger requests in another way.
    """

    kind: str | None
    flags: frozenset[str]
    may_sleep: bool
    may_do_io: bool
    may_enter_fs: bool
    reserves: bool
    accounted: bool
    highest_zone: str
    movable: bool
    old: bool = False


def read_request(mask: str | None, names: tuple[str, ...], kernel: str | None, names_printed: bool | None = None) -> Request | None:
    """The request behind a gfp mask, or None where nothing tells what its bits mean.

    names: the flags' names as the log has them. kernel: the version ("5.10.0-8"),
    used where there are no names. names_printed: False where the line shows that
    its kernel prints none (before 4.6), None where that is not known. A mask of 0
    is no request: ``pagefault_out_of_memory`` has none to show.
    """
    flags, old = _of_names(names), False
    if flags is None and mask and (number := int(mask[:18], 16)):
        bits = _layout(number, kernel, names_printed)
        if bits is not None:
            flags = frozenset(name for name, bit in bits.items() if number & bit)
            old = bits is _LAYOUTS[-1][1]
    return None if flags is None else _request(flags, old)


@functools.lru_cache(maxsize=256)
def _of_names(names: tuple[str, ...]) -> frozenset[str] | None:
    if not names or any(not name.startswith(("GFP_", "__GFP_", "0x")) for name in names):
        return None
    return frozenset(flag for name in names for flag in _SETS.get(name, (name,)))


def _layout(mask: int, kernel: str | None, names_printed: bool | None) -> dict[str, int] | None:
    version = _VERSION.match(kernel or "")
    if version is not None:
        at = int(version[1]), int(version[2])
        return next((bits for first, bits in _LAYOUTS if at >= first), None)
    if names_printed is False:
        return _LAYOUTS[-2][1] if mask & _KSWAPD_OF_4_4 else _LAYOUTS[-1][1]
    return None


@functools.lru_cache(maxsize=256)
def _request(flags: frozenset[str], old: bool) -> Request:
    if "__GFP_WAIT" in flags:  # before 4.4 one flag stood for both kinds of reclaim, and kswapd was always woken
        flags = (flags - {"__GFP_WAIT"}) | _RECLAIM
    kinds = (name for name in _KINDS if _SETS[name] <= flags | ({"__GFP_KSWAPD_RECLAIM"} if "__GFP_HIGH" in flags else set()))
    sleeps = "__GFP_DIRECT_RECLAIM" in flags
    if "__GFP_DMA" in flags:
        highest = "DMA"
    elif "__GFP_DMA32" in flags:
        highest = "DMA32"
    elif "__GFP_HIGHMEM" in flags:
        highest = "Movable" if "__GFP_MOVABLE" in flags else "HighMem"
    else:
        highest = "Normal"
    return Request(
        kind=next(kinds, None),
        flags=flags,
        may_sleep=sleeps,
        may_do_io=sleeps and "__GFP_IO" in flags,
        may_enter_fs=sleeps and "__GFP_FS" in flags,
        reserves="__GFP_HIGH" in flags or "__GFP_MEMALLOC" in flags,
        accounted="__GFP_ACCOUNT" in flags,
        highest_zone=highest,
        movable="__GFP_MOVABLE" in flags,
        old=old,
    )


def in_words(request: Request) -> str:
    """What was asked for, as a person says it."""
    if request.movable:
        what = "memory for a program or for cached file data"
    elif "__GFP_HIGHMEM" in request.flags or "__GFP_HARDWALL" in request.flags:
        what = "memory on a program's behalf"
    else:
        what = "memory for the kernel itself"
    where = {
        "DMA": ", below 16 MiB (or what the machine's oldest devices reach)",
        "DMA32": ", below 4 GiB (for devices with 32-bit addresses)",
        "Normal": ", from the memory that the kernel maps all the time",
    }.get(request.highest_zone, "")
    if not request.may_sleep:
        how = "it could not wait for anything to be reclaimed"
    elif not request.may_do_io:
        how = "reclaim on its behalf could not start any disk I/O"
    elif not request.may_enter_fs:
        how = "reclaim on its behalf could not call filesystems, so not write back their pages"
    else:
        how = "it could wait for reclaim and for disks"
    return f"{what}{where}; {how}"
