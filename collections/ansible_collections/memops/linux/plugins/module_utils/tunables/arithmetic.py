# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an expression comes to on this host, and how: the sum is told with the value."""

import collections
import math

from . import expressions

KIB, MIB = 1 << 10, 1 << 20
#: Results by share of the memory are whole MiB from here on: a kernel update that leaves a few kB less must not move the baseline.
ROUND_FROM_BYTES = 16 * MIB
#: By how much a value that is kept already may differ from a new result before it is replaced.
TOLERANCE = 0.01
#: The same for a rule: at boot the kernel chose for less memory than it has when all of the boot's own is free again.
RULE_TOLERANCE = 0.05
#: Bounds of the kernel's own choice of min_free_kbytes, mm/page_alloc.c, init_per_zone_wmark_min.
AUTOMATIC_KB = (128, 262144)
#: What khugepaged reserves for each zone, in page blocks: 2, and 3 by 3 for each pair of migrate types. mm/khugepaged.c.
KHUGEPAGED_BLOCKS = 2 + 3 * 3

#: value: text as the kernel shows it, or None where it is not managed. sum: a sentence, or None for a plain number.
Resolved = collections.namedtuple("Resolved", "value sum")


def resolve(expression, entry, host, reference):
    """The Resolved value.

    host: a Host. reference: the value that is kept by an earlier run, else the
    running one; ``keep`` and the rules start from it. Raises ExpressionError
    for a result that the tunable cannot have.
    """
    if expression.word is not None:
        return Resolved(expression.word, None)
    if expressions.is_unmanaged(expression):
        return Resolved(None, None)
    present = int(reference) if reference is not None and reference.lstrip("-").isdigit() else None
    value, told = _base(expression, entry, host, present)
    shared = not isinstance(expression.base, expressions.Amount) or expression.base.unit not in ("own", "bytes")
    for bound, word, is_beyond in ((expression.at_least, "at least", min), (expression.at_most, "at most", max)):
        if bound is None:
            continue
        limit, limit_told = _amount(bound, entry, host)
        if is_beyond(value, limit) == value and value != limit:
            told += "; %s %s" % (word, limit_told)
            value = limit
    value = int(value)
    tolerance = RULE_TOLERANCE if expression.base in expressions.RULES else TOLERANCE
    if shared and present is not None and abs(present - value) <= value * tolerance and present != value and _within(present, expression, entry, host):
        told += "; %d, which is kept already, is near enough" % present
        value = present
    low, high = entry["range"]
    if not low <= value <= high:
        raise expressions.ExpressionError("%s: %s" % (told, expressions.allowed(entry)))
    plain = isinstance(expression.base, expressions.Amount) and expression.base.unit == "own" and not expression.at_least and not expression.at_most
    said = str(value) in told.rsplit(";", 1)[-1]
    return Resolved(str(value), None if plain else told if said else "%s = %d" % (told, value))


def automatic_min_free_kb(host):
    """(kB, sum): what the kernel chooses by itself, from the size of the memory and, with huge pages, khugepaged's wish.

    int_sqrt(lowmem * 16) within bounds; page blocks for each zone, at most 5 % of the low memory. (The kernel takes the
    5 % of what is above the high watermarks, which move with its choice: a
    baseline that followed them would change with each run.)
    """
    root = int(math.sqrt(host.low_memory_bytes // KIB * 16))
    automatic = min(max(root, AUTOMATIC_KB[0]), AUTOMATIC_KB[1])
    told = "4 * sqrt(%d kB) = %d kB" % (host.low_memory_bytes // KIB, automatic)
    if host.khugepaged:
        wish = min(host.zones * KHUGEPAGED_BLOCKS * host.huge_page_bytes, host.low_memory_bytes // 20) // KIB
        told += ", khugepaged wants %d kB" % wish
        automatic = max(automatic, wish)
    return automatic, told


def _base(expression, entry, host, present):
    if expression.base == "keep":
        if present is None:
            raise expressions.ExpressionError("keep: the host has no value yet")
        return present, "%d as it is" % present
    if expression.base in expressions.RULES:
        automatic, told = automatic_min_free_kb(host)
        cap = host.memory_bytes // 20 // KIB
        if present is not None and automatic < present <= cap:
            return present, "%s; never less than the %d kB that are kept" % (told, present)
        return automatic, told
    return _amount(expression.base, entry, host)


def _amount(amount, entry, host):
    """(value in the entry's unit, how)."""
    if amount.unit == "own":
        return amount.number, str(amount.number)
    unit_bytes = expressions.MEMORY_UNITS[entry["unit"]] or host.hugetlb_page_bytes
    name = entry["unit"].replace("_", " ")
    if amount.unit == "bytes":
        return amount.number // unit_bytes, "%d bytes are %d %s" % (amount.number, amount.number // unit_bytes, name)
    whole = host.memory_bytes - (host.hugetlb_bytes if amount.unit == expressions.MEMORY_WITHOUT_HUGE_PAGES else 0)
    share = int(whole * amount.number / 100)
    grain, grain_name = (MIB, "MiB") if share >= ROUND_FROM_BYTES else (host.page_bytes, "pages")
    share -= share % grain
    told = "%g%% of %s (%d kB) are %d %s, in whole %s" % (amount.number, amount.unit, whole // KIB, share // unit_bytes, name, grain_name)
    return share // unit_bytes, told


def _within(value, expression, entry, host):
    lowest = _amount(expression.at_least, entry, host)[0] if expression.at_least else value
    highest = _amount(expression.at_most, entry, host)[0] if expression.at_most else value
    return lowest <= value <= highest
