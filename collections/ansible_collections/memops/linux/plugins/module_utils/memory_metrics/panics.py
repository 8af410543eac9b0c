# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the boot before this one ended in a kernel panic, by what the panic left behind.

pstore keeps the last messages where firmware or RAM can hold them, and
systemd-pstore moves them to /var/lib/systemd/pstore; kdump writes vmcore-dmesg.txt.
A file is as old as its panic, or as the boot after it, which saved it.
"""

import os
import re
import stat

LIMIT_BYTES = 256 * 1024
FILES = 50
#: From a panic to the next boot: kernel.panic, the firmware's tests, a kdump of much memory.
REBOOT_SECONDS = 3600

_FOLDERS = ("/sys/fs/pstore", "/var/lib/systemd/pstore", "/var/crash")
_NAMES = re.compile(r"(dmesg-.*(?<!\.enc\.z)|dmesg\.(txt|\d+)|vmcore-dmesg\.txt)$")
#: pstore also keeps an oops that the kernel survived; its records begin with "Oops#1 Part1".
_PANIC = re.compile(rb"(?m)^Panic#\d+ Part\d+|Kernel panic - not syncing")
#: mm/oom_kill.c: check_panic_on_oom, out_of_memory.
_OF_MEMORY = re.compile(rb"Kernel panic - not syncing: (Out of memory|System is deadlocked on memory)")


def newest(reader):
    """{at: seconds since the epoch, reason: "out_of_memory" or "other"} of the newest panic that left a trace, or None.

    A panic can be cut into several records, of which the reason is in one.
    """
    found = None
    for modified_at, path in sorted(_records(reader), reverse=True)[:FILES]:
        if found and found["at"] - modified_at > 60:
            break
        data = reader.data(path, LIMIT_BYTES, expected=False) or b""
        if not _PANIC.search(data):
            continue
        found = found or {"at": int(modified_at), "reason": "other"}
        if _OF_MEMORY.search(data):
            found["reason"] = "out_of_memory"
    return found


def ended_the_boot_before(panic, booted_at):
    """booted_at: seconds since the epoch."""
    return bool(panic) and panic["at"] > booted_at - REBOOT_SECONDS


def _records(reader):
    """(mtime, path) of regular files, at most two folders down; a host keeps few."""
    pending = [(folder, 2) for folder in _FOLDERS]
    while pending:
        folder, deeper = pending.pop()
        for name in reader.names(folder, expected=False):
            path = "%s/%s" % (folder, name)
            try:
                state = os.lstat(reader.path(path))
            except OSError:
                continue
            if stat.S_ISDIR(state.st_mode) and deeper:
                pending.append((path, deeper - 1))
            elif stat.S_ISREG(state.st_mode) and _NAMES.match(name):
                yield state.st_mtime, path
