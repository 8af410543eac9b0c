# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One evidence document from all sections (``memops.evidence/1``).

Data flows one way: each section of ``SECTIONS`` collects into plain data in
the watched worker, is fitted to its byte budget there, and arrives here as
JSON text, which is only joined, never parsed again.
"""

import collections
import json
import os
import resource
import time

from ..host import cgroups, containers, memory, pressure, processes, services, swap, tunables, vmstat
from ..kernel_log import union
from . import identity
from .budget import fit
from .reading import Reader
from .watchdog import run_sections

SCHEMA = "memops.evidence/1"
TIME_LIMIT_SECONDS = 60

#: name -> (module with collect() and DROPPABLE, default byte budget)
SECTIONS = collections.OrderedDict(
    (
        ("memory", (memory, 192 * 1024)),
        ("pressure", (pressure, 16 * 1024)),
        ("processes", (processes, 256 * 1024)),
        ("cgroups", (cgroups, 512 * 1024)),
        ("containers", (containers, 256 * 1024)),
        ("swap", (swap, 32 * 1024)),
        ("tunables", (tunables, 128 * 1024)),
        ("services", (services, 256 * 1024)),
        ("kernel_log", (union, 1024 * 1024)),
    )
)

#: What a section needs to know besides its Reader. Times are seconds since the epoch.
Request = collections.namedtuple("Request", "now since budget_bytes page_bytes")


def gather(subset, since_seconds, budgets, time_limit_seconds=TIME_LIMIT_SECONDS, root="/"):
    """The evidence of this host as one JSON text.

    subset: names of SECTIONS, in any order.
    since_seconds: how far back logs are read.
    budgets: {section: bytes} that replace the default budgets.
    """
    now = time.time()
    started = time.monotonic()
    reader = Reader(root)
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    names = [name for name in SECTIONS if name in subset]
    head = identity.collect(reader, now)
    head.update(schema=SCHEMA, since=identity.utc(now - since_seconds), subset=names)
    before = vmstat.read(reader) if "memory" in names else None

    def work(name, skip, announce):
        section, default_budget = SECTIONS[name]
        budget = budgets.get(name, default_budget)
        section_reader = Reader(root, skip, announce)
        data = section.collect(section_reader, Request(now, now - since_seconds, budget, page_bytes))
        text, dropped = fit(data, section.DROPPABLE, budget)
        return text, {"unreadable": section_reader.unreadable, "dropped": dropped}

    parts = {}
    unreadable = [dict(note, section="host") for note in reader.unreadable]
    dropped = []
    for name, data, notes in run_sections(names, work, time_limit_seconds):
        parts[name] = data.decode() if data else "null"
        unreadable += [dict(note, section=name) for note in notes["unreadable"]]
        dropped += [dict(note, section=name) for note in notes.get("dropped", ())]
    if before and parts["memory"] != "null":
        # Read last, so that the rates cover the whole collection without a sleep.
        parts["memory"] = _with_member(parts["memory"], "vmstat", json.dumps(vmstat.between(before, vmstat.read(reader))))
    head.update(unreadable=unreadable, dropped=dropped, collector=_own_cost(started))
    document = json.dumps(head)
    for name in parts:
        document = _with_member(document, name, parts[name])
    return document


def _with_member(json_object, name, json_value):
    return '%s,"%s":%s}' % (json_object[:-1], name, json_value)


def _own_cost(started):
    """What collecting cost the host; peak RSS is the larger of watch and worker."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": round(time.monotonic() - started, 3),
        "cpu_seconds": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 3),
        "peak_rss_bytes": max(own.ru_maxrss, children.ru_maxrss) * 1024,
    }
