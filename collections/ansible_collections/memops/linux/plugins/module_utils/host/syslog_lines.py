# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of services in plain text: syslog files, and ``journalctl --output=short-unix``.

Both have the form ``TIME HOST IDENTIFIER[PID]: TEXT``. It is taken only where
the journal cannot be searched: no journald, or one that is too old.
"""

import calendar
import re
import time

from ..collection import identity
from . import memory_lines

FILES = ("syslog", "messages", "daemon.log")
TAIL_BYTES = 2 << 20
SECONDS = 10

#: The sieve's fixed words: one search each is far cheaper than re on every line.
_WORDS = (b"OOM", b"emory", b"_alloc", b"ENOMEM", b"Allocation failed", b"with result", b"KILL", b"SEGV", b"ABRT", b"BUS")
_WORDS += (b"SIGTERM", b"Killing", b"Killed", b"temporarily", b"viction", b"sys oom", b"in this unit", b"PID:", b"! at")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LINE = re.compile(
    r"(?:(?P<unix>\d{9,11}\.\d{1,6})"
    r"|(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<fraction>\.\d{1,9})?(?P<zone>Z|[+-]\d\d:?\d\d)?"
    r"|(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d:\d\d))"
    r" (?P<host>\S+) (?P<process>[^\s\[:]{1,128}|\([^)\s]{1,64}\))(?:\[(?P<pid>\d{1,10})\])?: ?(?P<text>.*)$",
    re.S,
)
_UNIT = re.compile(r"(\S+\.(?:service|scope|slice)): ")


def parse(line, now):
    """({time, unit, process, pid, text}, is_manager) of one line, or None.

    now: seconds since the epoch, from which the year of a traditional time is
        told; such a time, and one without an offset, is in the host's time zone.
    """
    found = _LINE.match(line)
    if not found:
        return None
    try:
        when = identity.utc(_seconds(found, now))
    except (ValueError, OverflowError, OSError):
        return None
    process, pid, text = found.group("process"), found.group("pid"), found.group("text")
    is_manager = process == "systemd"
    unit = _UNIT.match(text) if is_manager else None
    item = {"time": when, "unit": unit and unit.group(1), "process": process, "pid": int(pid) if pid else None, "text": text}
    return item, is_manager


def entries(lines, since, now):
    """Yield what ``parse`` gives for the lines (bytes) that pass the sieve and are not older than the window."""
    from_time = identity.utc(since)
    sieve = re.compile(memory_lines.SIEVE)
    for line in lines:
        if not any(word in line for word in _WORDS):
            continue
        found = parse(line.decode("utf-8", "replace"), now)
        if found and found[0]["time"] >= from_time and sieve.search(found[0]["text"]):
            yield found


def tails(reader, since, now):
    """(item, is_manager) of the syslog files' ends, newest first."""
    present = reader.names("/var/log", expected=False)
    found = []
    for name in FILES:
        if name in present:
            lines = reader.lines_of(["tail", "-c%d" % TAIL_BYTES, reader.path("/var/log/" + name)], SECONDS, TAIL_BYTES)
            found += entries(lines, since, now)
    if not any(name in present for name in FILES):
        reader.note("messages of services", "there is neither a journal nor a syslog file")
    unique = {tuple(sorted(item.items(), key=str)): (item, is_manager) for item, is_manager in found}
    return sorted(unique.values(), key=lambda pair: pair[0]["time"], reverse=True)


def _seconds(found, now):
    if found.group("unix"):
        return float(found.group("unix"))
    if found.group("iso"):
        fields, zone = time.strptime(found.group("iso"), "%Y-%m-%dT%H:%M:%S"), found.group("zone")
        fraction = float(found.group("fraction") or 0)
        if zone is None:
            return time.mktime(fields[:8] + (-1,)) + fraction
        digits = zone[1:].replace(":", "") or "0000"
        east = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        return calendar.timegm(fields) + fraction - (-east if zone[0] == "-" else east)
    hour, minute, second = (int(part) for part in found.group("clock").split(":"))
    year = time.localtime(now).tm_year
    parts = (_MONTHS.index(found.group("month")) + 1, int(found.group("day")), hour, minute, second, 0, 0, -1)
    seconds = time.mktime((year,) + parts)
    # A time after now is last year's; a day's grace for clocks that were set back.
    return time.mktime((year - 1,) + parts) if seconds > now + 86400 else seconds
