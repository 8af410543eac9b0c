# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of services about memory, from the journal or else from syslog files.

One journalctl call searches the whole window newest first; it is told to look
only for a few words (see memory_lines.SIEVE), so that a host where nothing
happened pays little more than reading its journal.
"""

import json
import os
import re

from ..collection import identity, redact
from . import memory_lines

SECONDS = 10
#: Output of one search; some 20000 messages.
SEARCH_BYTES = 8 << 20
#: So many lines of one service and kind: a flood of one may not hide the others.
LINES_PER_SPEAKER = 60
LINES = 1500

_FIELDS = "MESSAGE,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER,_COMM,_PID,UNIT,USER_UNIT,_TRANSPORT,_SOURCE_REALTIME_TIMESTAMP"
_FOLDERS = ("/var/log/journal", "/run/log/journal")
_USER_MANAGER = re.compile(r"user@\d+\.service$")


def lines(reader, since, now, journalctl="journalctl"):
    """[{time, unit, process, pid, text}] newest first; the kernel's own messages are not among them.

    since, now: the window, seconds since the epoch.
    unit: of systemd's messages the unit they are about, else the sender's.
    process: the identifier it logged under, which a sender may choose freely.
    """
    if _has_journal(reader):
        found = _searched(reader, since, now, journalctl)
    else:
        from . import syslog_lines  # only where there is no journal

        found = syslog_lines.tails(reader, since, now)
    kept, left_out, seen = [], 0, {}
    for item, is_manager in found:
        kind = memory_lines.kind(item["process"], is_manager, item["text"])
        if kind is None:
            continue
        speaker = (item["unit"] or item["process"], kind)
        seen[speaker] = seen.get(speaker, 0) + 1
        if seen[speaker] > LINES_PER_SPEAKER or len(kept) >= LINES:
            left_out += 1
            continue
        item["text"] = redact.text(memory_lines.excerpt(item["text"]))
        kept.append(item)
    if left_out:
        why = "%d older ones were left out, at most %d of one service and kind are kept"
        reader.note("messages of services", why % (left_out, LINES_PER_SPEAKER))
    return sorted(kept, key=lambda item: item["time"], reverse=True)


def entry(line):
    """One line of ``journalctl --output=json`` as ({time, unit, process, pid, text}, is_manager); None for any other.

    A field is text, null (too long), a list of bytes (not UTF-8 or with
    control characters) or a list of such values (systemd.journal-fields(7)).
    """
    try:
        fields = json.loads(line.decode("utf-8", "replace"))
        # When it was sent, if that is known, rather than when journald got to it.
        micros = _text(fields.get("_SOURCE_REALTIME_TIMESTAMP")) or _text(fields.get("__REALTIME_TIMESTAMP"))
        time = identity.utc(int(micros) / 1e6)
    except (AttributeError, TypeError, ValueError, OverflowError, OSError, RecursionError):
        return None
    text = _text(fields.get("MESSAGE"))
    if not text or _text(fields.get("_TRANSPORT")) in ("kernel", "audit"):
        return None
    pid = _text(fields.get("_PID")) or ""
    sender = _text(fields.get("_SYSTEMD_UNIT"))
    process = _text(fields.get("SYSLOG_IDENTIFIER")) or _text(fields.get("_COMM"))
    is_manager = pid == "1" or (process == "systemd" and bool(_USER_MANAGER.match(sender or "")))
    about = _text(fields.get("UNIT")) or _text(fields.get("USER_UNIT")) if is_manager else None
    item = {"time": time, "unit": about or sender, "process": process, "pid": int(pid) if pid.isdigit() else None, "text": text}
    return item, is_manager


def _text(value):
    if isinstance(value, list):
        if value and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
            return bytes(bytearray(value)).decode("utf-8", "replace")
        return _text(value[0]) if value and not isinstance(value[0], list) else None
    return value if isinstance(value, str) else None


def _has_journal(reader):
    for folder in _FOLDERS:
        for machine in reader.names(folder, expected=False):
            files = [name for name in reader.names(folder + "/" + machine, expected=False) if name.endswith(".journal")]
            if files:
                if "system.journal" in files and not os.access(reader.path("%s/%s/system.journal" % (folder, machine)), os.R_OK):
                    reader.note(folder, "only the collector's own messages may be read (group systemd-journal or root is needed)")
                return True
    return False


def _searched(reader, since, now, journalctl):
    """Yield (item, is_manager) of the journal's messages that pass the sieve."""
    common = ["--quiet", "--no-pager", "--reverse"]
    window = common + ["--since=@%d" % since]
    search = ["--output=json", "--all", "--output-fields=" + _FIELDS, "--grep=" + memory_lines.SIEVE]
    nothing = True
    for line in reader.lines_of([journalctl] + search + window, SECONDS, SEARCH_BYTES):
        found = entry(line)
        if found:
            nothing = False
            yield found
    if nothing and not _can_search(reader, journalctl, common):
        # EL7's journalctl is too old for --grep, others are built without PCRE2.
        reader.note(journalctl, "cannot search; only the newest messages were looked through")
        from . import syslog_lines

        plain = reader.lines_of([journalctl, "--output=short-unix"] + window, SECONDS, SEARCH_BYTES)
        yield from syslog_lines.entries(plain, since, now)


def _can_search(reader, journalctl, common):
    """Whether --grep works, or there is nothing to search: its failure looks like "no match"."""
    newest = ["--output=cat", "--lines=1"]
    if any(reader.lines_of([journalctl] + newest + ["--grep=."] + common, SECONDS, 1 << 16)):
        return True
    return not any(reader.lines_of([journalctl, "--lines=1", "--output=short-unix"] + common, SECONDS, 1 << 16))
