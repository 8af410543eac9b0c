# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The union of all kernel logs of a host: each memory event once, the newest first."""

import time

from ..collection.identity import utc
from . import crash_dumps, journal, kmsg, phrases
from .keeping import Kept
from .shortening import shortened, size

DROPPABLE = ("excerpts",)
LOG_FILES = ("messages", "syslog", "kern.log")
#: Excerpts of one source that are held while the others are read, in section sizes.
KEPT_SHARE = 4
#: The newest excerpts stand whole up to this share of the section's bytes, the older ones without their bulk.
WHOLE_SHARE = 0.5
FILLED_SHARE = 0.85
BRIEF_BYTES = 12 * 1024
LEAST_BYTES = 3 * 1024
#: Clocks of two logs that tell of the same event (ring buffer and wall clock drift, suspended time, wrong zone).
CLOCK_SECONDS = 86400 + 3600


def collect(reader, request):
    """Section ``kernel_log``: ``sources``, ``window``, ``excerpts``, ``ended_boots`` (see ended_boots.py).

    source: {source: kmsg | journal | file | pstore | vmcore, path, first_at,
    last_at, bytes_read, lines_read}; the times are those of the first and the
    last line that was read, so they tell what the source could have shown.
    excerpt: {source, path, boot_id, started_at, kind, lines: [{time, text}],
    also_in, omitted_lines, repeats}; text is the kernel's, verbatim, without
    the log's prefix. kind: oom_report, kill (without its report), reaped
    (without its kill), panic, no_victim, oom_request (SysRq), or what else
    shows want of memory: allocation_failure, allocation_stall,
    vmalloc_failure, hung_task, soft_lockup, fork_rejected,
    overcommit_refused, crash.
    """

    def kept():
        return Kept(request.since, KEPT_SHARE * request.budget_bytes)

    logs = [journal.collect(reader, kept(), request.since), kmsg.collect(reader, kept())]
    logs = [log for log in logs if log]
    if any(name.startswith(LOG_FILES) for name in reader.names("/var/log", expected=False)):
        from . import log_files  # hosts that have only a journal need not import it

        logs += log_files.collect(reader, request.since, KEPT_SHARE * request.budget_bytes)
    logs += crash_dumps.collect(reader, kept, request.since)
    for log in logs:
        if log.dropped:
            reader.note(log.path + " (events)", "%d older events were too many and are missing" % log.dropped)
    boot = this_boot(reader)
    entries = _thinned(united(logs), request.since)
    excerpts = [_document(entry, boot) for entry in _brief(entries[::-1], request.budget_bytes)]
    sources = _sources(logs)
    return {
        "sources": sources,
        "window": {
            "from": min((source["first_at"] for source in sources if source["first_at"]), default=None),
            "to": max((source["last_at"] for source in sources if source["last_at"]), default=None),
        },
        "excerpts": excerpts,
        "ended_boots": _ended_boots(reader, request.since, boot[1]),
    }


def _ended_boots(reader, since, booted_at):
    if booted_at is None or booted_at < since:
        return []
    from . import ended_boots  # most hosts did not boot in the window

    return ended_boots.collect(reader, since, booted_at)


class Entry:
    """One event, with the best copy of it that was found."""

    def __init__(self, excerpt, log):
        self.excerpt, self.log = excerpt, log
        self.families = {log.family}
        self.also_in = []

    def add(self, excerpt, log):
        """Another log's copy of the event: the more complete one wins."""
        self.families.add(log.family)
        if _completeness(excerpt) > _completeness(self.excerpt):
            excerpt, self.excerpt = self.excerpt, excerpt
            log, self.log = self.log, log
        self.also_in.append(excerpt.where[0])


def united(logs):
    """Entries in the order of time; the same event in several logs is one entry.

    Within one log two events are two, however alike: across logs those are one
    that share a kill line (process id and sizes), the nearest in time first.
    """
    entries, by_key = [], {}
    for log in logs:
        for excerpt in log.excerpts:
            alike = [entry for key in excerpt.keys for entry in by_key.get(key, ()) if log.family not in entry.families]
            entry = min(alike, key=lambda other: _distance(other.excerpt, excerpt), default=None)  # noqa: B023
            if entry and _distance(entry.excerpt, excerpt) <= CLOCK_SECONDS:
                entry.add(excerpt, log)
            else:
                entry = Entry(excerpt, log)
                entries.append(entry)
            for key in excerpt.keys:
                by_key.setdefault(key, []).append(entry)
    return sorted(entries, key=lambda entry: entry.excerpt.time or 0)


def _distance(one, other):
    return 0 if one.time is None or other.time is None else abs(one.time - other.time)


def _completeness(excerpt):
    return len(excerpt.lines) + excerpt.omitted_lines


def _thinned(entries, since):
    """Several logs, each thinned by itself, together once more."""
    kept = Kept(since, float("inf"))
    by_excerpt = {}
    for entry in entries:
        by_excerpt[id(entry.excerpt.lines)] = entry
        kept.add([entry.excerpt])
    thinned = []
    for excerpt in kept.excerpts():
        entry = by_excerpt[id(excerpt.lines)]
        entry.excerpt = excerpt
        thinned.append(entry)
    return thinned


def _brief(entries, budget_bytes):
    """The entries, newest first; those beyond the newest share an equal part of the rest, without their bulk."""
    used = whole = 0
    while whole < len(entries) and used + size(entries[whole].excerpt.lines) <= budget_bytes * WHOLE_SHARE:
        used += size(entries[whole].excerpt.lines)
        whole += 1
    share = (budget_bytes * FILLED_SHARE - used) // max(1, len(entries) - whole)
    for entry in entries[whole:]:
        lines = [(time, text, phrases.role(text)) for time, text in entry.excerpt.lines]
        victims = {phrases.victim(text) for _time, text, role in lines if role in ("killed", "killing")}
        lines, omitted = shortened(lines, min(BRIEF_BYTES, max(LEAST_BYTES, share)), victims)
        entry.excerpt = entry.excerpt._replace(lines=[line[:2] for line in lines], omitted_lines=entry.excerpt.omitted_lines + omitted)
    return entries


def this_boot(reader):
    """``(boot id, seconds since the epoch at boot)``, either None."""
    boot_id = reader.text("/proc/sys/kernel/random/boot_id", 64)
    uptime = reader.text("/proc/uptime", 64)
    try:
        return boot_id and boot_id.strip().replace("-", ""), time.time() - float(uptime.split()[0])
    except (AttributeError, IndexError, ValueError):
        return None, None


def _document(entry, boot):
    excerpt = entry.excerpt
    path, boot_id = excerpt.where
    if not boot_id and boot[1] is not None and excerpt.time is not None and excerpt.time >= boot[1] - 5:
        boot_id = boot[0]
    return {
        "source": entry.log.source,
        "path": path,
        "boot_id": boot_id,
        "started_at": _iso(excerpt.time),
        "kind": excerpt.kind,
        "lines": [{"time": _iso(time), "text": text} for time, text in excerpt.lines],
        "also_in": entry.also_in,
        "omitted_lines": excerpt.omitted_lines,
        "repeats": excerpt.repeats,
    }


def _sources(logs):
    """One source per path, though a large file was read in parts."""
    by_path = {}
    for log in logs:
        by_path.setdefault(log.path, []).append(log)
    return [
        {
            "source": parts[0].source,
            "path": path,
            "first_at": _iso(min((log.scanner.first_at for log in parts if log.scanner.first_at is not None), default=None)),
            "last_at": _iso(max((log.scanner.last_at for log in parts if log.scanner.last_at is not None), default=None)),
            "bytes_read": sum(log.scanner.bytes_read for log in parts),
            "lines_read": sum(log.scanner.lines_read for log in parts),
        }
        for path, parts in by_path.items()
    ]


def _iso(seconds):
    try:
        return None if seconds is None else utc(seconds)
    except (ValueError, OverflowError, OSError):  # a damaged stamp
        return None
