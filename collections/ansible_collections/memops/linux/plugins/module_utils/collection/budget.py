# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Byte budgets: what does not fit is dropped from the least important end."""

import json


def fit(data, droppable, budget_bytes):
    """Shorten the lists of ``data`` until its JSON fits into the budget.

    data: a section, changed in place.
    droppable: names of lists in it, the first to lose items first; each list
        stands with its most important item first.
    Returns ``(JSON text, [{"what", "count", "bytes"}])``: what was dropped is counted.
    """
    text = _compact(data)
    excess = len(text) - budget_bytes
    if excess <= 0:
        return text, []
    dropped = []
    for name in droppable:
        items = data.get(name)
        count = size = 0
        while items and excess > 0:
            freed = len(_compact(items.pop())) + 1
            excess -= freed
            size += freed
            count += 1
        if count:
            dropped.append({"what": name, "count": count, "bytes": size})
    return _compact(data), dropped


def _compact(value):
    return json.dumps(value, separators=(",", ":"))
