# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads what the metrics are made from: cgroups, /proc, the last panic and the last verdict."""

import calendar
import json
import re
import time

from ..host import cgroups, vmstat
from . import panics

VERDICT = "/var/lib/memops/verdict.json"
UNIT = "memops-memory-metrics.service"

_WORD = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")


def collect(reader, now, at_most):
    """{cgroups, vmstat, overcommit_memory, panic, booted_after_panic, verdict}; at_most: cgroups. Notes in the reader what it could not read."""
    section = cgroups.collect(reader, None, at_most)
    section["groups"] = [group for group in section["groups"] if group["unit"] != UNIT]
    uptime = _seconds(reader.text("/proc/uptime", 64))
    panic = panics.newest(reader)
    return {
        "cgroups": section,
        "vmstat": vmstat.parse(reader.text("/proc/vmstat")),
        "overcommit_memory": reader.number("/proc/sys/vm/overcommit_memory"),
        "panic": panic,
        "booted_after_panic": None if uptime is None else panics.ended_the_boot_before(panic, now - uptime),
        "verdict": verdict(reader.text(VERDICT, 65536, expected=False)),
    }


def verdict(text):
    """{at, code, confidence, kind, cause, incidents} of memops.verdict/1, which a diagnosis leaves on the host; None for anything else.

    Words that no diagnosis has are None.
    """
    try:
        told = json.loads(text)
        at = calendar.timegm(time.strptime(told["diagnosed_at"][:19], "%Y-%m-%dT%H:%M:%S"))
        incidents = told["incidents"]
    except (TypeError, ValueError, KeyError, RecursionError):
        return None
    if told.get("schema") != "memops.verdict/1" or not _word(told.get("code")) or not isinstance(incidents, int):
        return None
    words = {name: _word(told.get(name)) for name in ("code", "confidence", "kind", "cause")}
    return dict(words, at=at, incidents=incidents)


def _word(value):
    return value if isinstance(value, str) and _WORD.match(value) else None


def _seconds(text):
    try:
        return float(text.split()[0])
    except (AttributeError, IndexError, ValueError):
        return None
