# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lists of memory nodes as the kernel prints them."""

from __future__ import annotations

#: MAX_NUMNODES is 1024 at most (CONFIG_NODES_SHIFT=10); a hostile log could name a range without end.
_MOST = 1024


def node_list(text: str | None) -> frozenset[int] | None:
    """The numbers in "0-1,3"; None where there is no list or it is none."""
    if not text:
        return None
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(first) > 4 or len(last) > 4:
            return None
        low, high = int(first), int(last) if dash else int(first)
        if not low <= high < _MOST:
            return None
        found.update(range(low, high + 1))
    return frozenset(found)
