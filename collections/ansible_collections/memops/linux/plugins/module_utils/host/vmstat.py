# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Counters of /proc/vmstat that tell how reclaim fares, and their rates."""

import os
import re
import time

GAUGES = ("nr_dirty", "nr_writeback", "nr_dirty_threshold", "nr_dirty_background_threshold")
EVENTS = re.compile(
    r"(oom_kill|allocstall(_\w+)?|pg(scan|steal)_(direct|kswapd|anon|file)|compact_(stall|fail|success)|pswp(in|out)|pgmajfault"
    r"|workingset_(refault|restore)_(anon|file)|balloon_(inflate|deflate|migrate)|drop_(pagecache|slab))$"
)
_ZONE_SUFFIX = re.compile(r"_(dma|dma32|normal|high|movable|device)$")


def read(reader):
    """{monotonic_seconds, counters: see parse}, or None; two of these make rates."""
    text = reader.text("/proc/vmstat")
    if text is None:
        return None
    return {"monotonic_seconds": time.monotonic(), "counters": parse(text)}


def parse(text):
    """{counter: count} of /proc/vmstat: GAUGES in pages, and what EVENTS matches.

    Kernels before 4.8 count scans and steals by zone (``pgscan_direct_normal``),
    before 5.9 refaults of file pages only (``workingset_refault``): both get
    the later name. ``allocstall`` is the sum of all zones in any kernel.
    """
    counters = {}
    for line in (text or "").splitlines():
        name, _blank, count = line.partition(" ")
        if not count.isdigit():
            continue
        if name.startswith(("pgscan_", "pgsteal_")):
            name = _ZONE_SUFFIX.sub("", name)
        elif name in ("workingset_refault", "workingset_restore"):
            name += "_file"
        elif name.startswith("allocstall_"):
            counters["allocstall"] = counters.get("allocstall", 0) + int(count)
        if name in GAUGES or EVENTS.match(name):
            counters[name] = counters.get(name, 0) + int(count)
    return counters


def between(before, after):
    """What happened between two reads, the first of which is not None.

    {interval_seconds, events: {counter: count since boot}, rates_per_second:
    {counter: per second}, dirty_bytes, writeback_bytes, dirty_threshold_bytes,
    dirty_background_threshold_bytes}. Without a second read: no rates, and
    the first read's values.
    """
    last = after or before
    seconds = last["monotonic_seconds"] - before["monotonic_seconds"]
    events = {name: count for name, count in last["counters"].items() if name not in GAUGES}
    rates = {}
    if seconds > 0:
        for name, count in events.items():
            if name in before["counters"]:
                rates[name] = round((count - before["counters"][name]) / seconds, 3)
    report = {"interval_seconds": round(seconds, 3), "events": events, "rates_per_second": rates}
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    for gauge in GAUGES:
        pages = last["counters"].get(gauge)
        report[gauge[3:] + "_bytes"] = None if pages is None else pages * page_bytes
    return report
