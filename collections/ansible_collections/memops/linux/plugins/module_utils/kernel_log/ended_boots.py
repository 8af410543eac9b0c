# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the host's last boots ended: shut down in order, or cut off by a panic, a reset or a power cut.

The end of a boot that was cut off is in no log, so whoever finds nothing in the
logs must know that there was one. Only hosts that keep a journal or a wtmp over
reboots can tell, and where their records are not enough, nothing is said.
"""

import calendar
import json
import os
import re
import struct
import time

from ..collection.identity import utc
from .streaming import status

FOLDER = "/var/log/journal"
WTMP = "/var/log/wtmp"
SECONDS = 10
BOOTS = 3
#: journald writes to disk every five minutes, so that so much of a boot's end can be lost.
UNSYNCED_SECONDS = 600

_BOOT = re.compile(rb" *-?\d+ ([0-9a-f]{32}) \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC\W+\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")
#: sd-messages(3): systemd has started a unit, has stopped one; logind was asked for a shutdown.
_STARTED, _STOPPED, _ASKED = "39f53479d3a045ac8e11786248231fbf", "9d1aaa27d60140bd96365438aad20286", "98268866d1d54a499c4e98921d93bc40"
#: Of a host whose /var is unmounted before the end only the beginning of the shutdown is kept.
_REACHED_AT_SHUTDOWN = ("shutdown.target", "umount.target", "final.target")
_STOPPED_AT_SHUTDOWN = ("multi-user.target", "basic.target", "sysinit.target")
#: The newest of a boot's messages on units; a shutdown stops them all, and reaches its target last.
_MESSAGES = 1000

#: utmp(5): type, user, time. Machines without a 32-bit past have a longer record.
_RECORDS = {"aarch64": ("=h42x32s268xq48x", 400), "riscv64": ("=h42x32s268xq48x", 400), "loongarch64": ("=h42x32s268xq48x", 400)}
_RECORD = ("=h42x32s264xi40x", 384)
_RUN_LEVEL, _BOOT_TIME = 1, 2
_TAIL_BYTES = 256 * 1024


def collect(reader, since, booted_at, journalctl="journalctl"):
    """[{boot_id, last_at, next_at, shut_down, source, path}] of the boots that ended since ``since``, newest first.

    since, booted_at: seconds since the epoch. last_at: the last that is known
    of the boot, next_at: when the next one began; it ended in between.
    shut_down: whether it ended in order. source: journal or wtmp, which knows no boot_id.
    """
    if booted_at is None or booted_at < since:
        return []
    found = _of_journal(reader, since, booted_at, journalctl)
    return _of_wtmp(reader, since, booted_at) if found is None else found


def boots(lines):
    """[(boot id, first, last)] from the lines of ``journalctl --list-boots``, oldest first; in seconds since the epoch."""
    matches = [_BOOT.match(line) for line in lines]
    return [(found.group(1).decode(), _seconds(found.group(2)), _seconds(found.group(3))) for found in matches if found]


def was_shut_down(lines):
    """Whether messages on units (``--output=json``) tell of a shutdown; None where there are none."""
    told = None
    for line in lines:
        try:
            fields = json.loads(line.decode("utf-8", "replace"))
            message, unit = fields.get("MESSAGE_ID"), fields.get("UNIT")
        except (AttributeError, ValueError, RecursionError):
            continue
        told = told or False
        if message == _ASKED or (message == _STARTED and unit in _REACHED_AT_SHUTDOWN) or (message == _STOPPED and unit in _STOPPED_AT_SHUTDOWN):
            return True
    return told


def records(data, machine):
    """[(type, user, time)] of a wtmp file's bytes."""
    form, length = _RECORDS.get(machine, _RECORD)
    found = []
    for start in range(0, len(data) - length + 1, length):
        kind, user, seconds = struct.unpack_from(form, data, start)
        found.append((kind, user.split(b"\0")[0].decode("ascii", "replace"), seconds))
    return found


def _of_journal(reader, since, booted_at, journalctl):
    """None where this boot's journal is not kept on disk, or not all of it may be read."""
    if not _keeps_journal(reader, booted_at):
        return None
    known = boots(reader.lines_of([journalctl, "--list-boots", "--no-pager", "--quiet"], SECONDS))
    found = []
    for (boot_id, _first, last), (_next, next_at, _last) in [(known[n], known[n + 1]) for n in range(len(known) - 1)][::-1][:BOOTS]:
        if next_at < since or last < since - UNSYNCED_SECONDS:
            break
        argv = [journalctl, "--output=json", "--output-fields=MESSAGE_ID,UNIT", "--no-pager", "--quiet", "--reverse", "--lines=%d" % _MESSAGES]
        for message in (_STARTED, _STOPPED, _ASKED):
            argv += ["_BOOT_ID=" + boot_id, "MESSAGE_ID=" + message, "+"]
        shut_down = was_shut_down(reader.lines_of(argv[:-1], SECONDS))
        if shut_down is not None:
            found.append(_ended(boot_id, last, next_at, shut_down, "journal", "journalctl"))
    return found


def _keeps_journal(reader, booted_at):
    for machine in reader.names(FOLDER, expected=False):
        path = "%s/%s/system.journal" % (FOLDER, machine)
        state = status(reader, path)
        if state and state.st_mtime >= booted_at and os.access(reader.path(path), os.R_OK):
            return True
    return False


def _of_wtmp(reader, since, booted_at):
    """wtmp holds a record of each boot and of each shutdown (systemd-update-utmp.service(8)), and of who logged in."""
    machine = os.uname().machine
    found, before, newest_boot, shut_down = [], None, None, False
    for kind, user, seconds in records(_tail(reader, _RECORDS.get(machine, _RECORD)[1]), machine):
        if kind == _BOOT_TIME:
            if before is not None and seconds >= since:
                found.append(_ended(None, before, seconds, shut_down, "wtmp", WTMP))
            newest_boot, shut_down = seconds, False
        shut_down = shut_down or (kind == _RUN_LEVEL and user == "shutdown")
        before = seconds
    # The clock was wrong at boot, or nobody writes to the file any more.
    if newest_boot is None or abs(newest_boot - booted_at) > UNSYNCED_SECONDS:
        return []
    return found[::-1][:BOOTS]


def _tail(reader, length):
    """The newest whole records, as bytes."""
    descriptor = reader.descriptor(WTMP, expected=False)
    if descriptor is None:
        return b""
    try:
        start = max(0, os.fstat(descriptor).st_size - _TAIL_BYTES)
        return os.pread(descriptor, _TAIL_BYTES, -(-start // length) * length)
    except OSError as error:
        reader.note(WTMP, error.strerror or str(error))
        return b""
    finally:
        os.close(descriptor)


def _ended(boot_id, last, next_at, shut_down, source, path):
    return {"boot_id": boot_id, "last_at": utc(last), "next_at": utc(next_at), "shut_down": shut_down, "source": source, "path": path}


def _seconds(text):
    return calendar.timegm(time.strptime(text.decode(), "%Y-%m-%d %H:%M:%S"))
