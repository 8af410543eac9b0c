# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a kernel left behind when it panicked: pstore records and kdump's vmcore-dmesg.

No journal holds the end of such a boot. The files have times since boot only;
the wall clock is taken from the file's mtime, which is the time of the crash
(pstore) or up to some minutes later (kdump).
"""

import re

from .scanning import Scanner
from .streaming import status

LIMIT_BYTES = 16 << 20
SAME_CRASH_SECONDS = 60

_LINE = rb"(?:<\d+>)?\[ *(\d+\.\d+)\](?:\[ *[TC]\d+\])? ?(.*)"
_PART = rb"([A-Z][A-Za-z]+)#(\d+) Part(\d+)"


def collect(reader, kept_of, since):
    """A Log for each crash since ``since`` (seconds since the epoch). kept_of: gives a new Kept."""
    logs = []
    for source, paths in (("pstore", _pstore_paths(reader)), ("vmcore", _vmcore_paths(reader))):
        parts = []
        for path in paths:
            state = status(reader, path)
            if state and state.st_mtime >= since:
                data = reader.data(path, LIMIT_BYTES)
                if data:
                    parts.append((state.st_mtime, path, data))
        for modified_at, path, data in joined(parts):
            logs.append(_log(kept_of(), source, modified_at, path, data))
    return logs


def joined(parts):
    """The parts of one crash as one text, oldest line first.

    parts: ``(mtime, path, data)``. pstore cuts a log into records from its end:
    "Panic#2 Part1" is the newest. systemd-pstore writes them as one file.
    """
    crashes = {}
    for modified_at, path, data in sorted(parts):
        head = re.match(_PART, data)
        number = int(head.group(3)) if head else 0
        key = (head.group(1, 2), int(modified_at // SAME_CRASH_SECONDS)) if head and data.count(b" Part") == 1 else path
        crashes.setdefault(key, []).append((-number, modified_at, path, data))
    for pieces in crashes.values():
        pieces.sort()
        yield pieces[-1][1], pieces[-1][2], b"\n".join(piece[3] for piece in pieces)


def parser(booted_at):
    """``(parse, stamp)`` for Scanner: ``<4>[  12.345678] text``."""

    def stamp(line):
        found = re.match(_LINE, line)
        return booted_at + float(found.group(1)) if found else None

    def parse(line):
        found = re.match(_LINE, line)
        return (booted_at + float(found.group(1)), found.group(2).decode("utf-8", "replace")) if found else None

    return parse, stamp


def _log(kept, source, modified_at, path, data):
    stamps = re.findall(rb"(?m)^(?:<\d+>)?\[ *(\d+\.\d+)\]", data[-65536:])
    parse, stamp = parser(modified_at - float(stamps[-1]) if stamps else modified_at)
    scanner = Scanner(parse, stamp)
    kept.add(scanner.feed(data, (path, None)))
    kept.add(scanner.finish())
    return kept.log(source, path, scanner)


def _pstore_paths(reader):
    folder = "/sys/fs/pstore"
    for name in reader.names(folder, expected=False):
        if name.startswith("dmesg-") and not name.endswith(".enc.z"):
            yield "%s/%s" % (folder, name)
    folder = "/var/lib/systemd/pstore"
    for crash in reader.names(folder, expected=False):
        below = "%s/%s" % (folder, crash)
        if crash.startswith("dmesg-"):  # of a backend that systemd does not know, such as ramoops: moved as it is
            yield below
            continue
        for name in reader.names(below, expected=False):
            if name == "dmesg.txt":
                yield "%s/%s" % (below, name)
            elif name.isdigit():
                yield "%s/%s/dmesg.txt" % (below, name)


def _vmcore_paths(reader):
    folder = "/var/crash"
    for crash in reader.names(folder, expected=False):
        yield "%s/%s/vmcore-dmesg.txt" % (folder, crash)
