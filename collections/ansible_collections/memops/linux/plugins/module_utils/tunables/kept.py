# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What lasts: one file for sysctls and one for /sys, both this module's own.

The sysctl file has the last name of all, because the last assignment wins; the
tmpfiles one the first, because there the first line for a path wins.
"""

import collections

from ..host import sysctl_files
from . import tmpfiles, write_order

SYSCTL_FILE = "/etc/sysctl.d/zz-memops.conf"
TMPFILES_FILE = "/etc/tmpfiles.d/00-memops.conf"
HEADING = "# Kept by memops. /etc/memops/BASELINE.md says why. Change the inventory, not this file: the next run would set it back.\n"
#: Before a line of a foreign file that was taken out of use; sysctl.d(5) ignores such lines.
OUT_OF_USE = "# memops: "

#: sysctls: {key: value}. writes: {path below /sys: value}.
Kept = collections.namedtuple("Kept", "sysctls writes")


def read(reader):
    """The Kept of both files; empty where they are not there."""
    sysctls = sysctl_files.parse(reader.text(SYSCTL_FILE, sysctl_files.FILE_LIMIT_BYTES, expected=False))
    lines = tmpfiles.parse(reader.text(TMPFILES_FILE, tmpfiles.FILE_LIMIT_BYTES, expected=False), TMPFILES_FILE)
    return Kept(
        collections.OrderedDict((key, value) for key, value in sysctls.items() if value is not None),
        collections.OrderedDict((line.glob, line.value) for line in lines),
    )


def value_of(kept, key, entry):
    return kept.sysctls.get(key) if entry["kind"] == "sysctl" else kept.writes.get(entry["path"])


def changed(kept, values, catalogue):
    """Kept with other values; None takes one out, and so does the other one of its pair."""
    sysctls, writes = dict(kept.sysctls), dict(kept.writes)
    for key, value in values.items():
        entry = catalogue[key]
        place, name = (sysctls, key) if entry["kind"] == "sysctl" else (writes, entry["path"])
        place.pop(name, None)
        if value is not None:
            place[name] = value
            place.pop(entry.get("pair"), None)
    return Kept(sysctls, writes)


def texts(kept):
    """{path: text, or None where the file is not needed}."""
    lines = ["%s = %s\n" % (key, kept.sysctls[key]) for key in write_order.in_a_file(kept.sysctls)]
    writes = ["w %s - - - - %s\n" % (path, kept.writes[path]) for path in sorted(kept.writes)]
    return {SYSCTL_FILE: HEADING + "".join(lines) if lines else None, TMPFILES_FILE: HEADING + "".join(writes) if writes else None}


def without(text, key):
    """(the text with the lines that set this key out of use, those lines)."""
    taken = []
    lines = []
    for line in text.splitlines(True):
        if list(sysctl_files.parse(line)) == [key]:
            taken.append(line.rstrip("\n"))
            line = OUT_OF_USE + line
        lines.append(line)
    return "".join(lines), taken


def with_again(text, taken):
    """The text with these lines in use again; None where one of them is not there any more."""
    for line in taken:
        if OUT_OF_USE + line not in text.splitlines():
            return None
        lines = text.splitlines(True)
        place = [one.rstrip("\n") for one in lines].index(OUT_OF_USE + line)
        lines[place] = lines[place][len(OUT_OF_USE) :]
        text = "".join(lines)
    return text
