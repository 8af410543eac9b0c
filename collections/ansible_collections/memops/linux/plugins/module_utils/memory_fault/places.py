# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a running fault keeps what it must know, and the names of what it makes."""

import ctypes
import json
import os

#: Gone after a reboot, as what it speaks of is.
FOLDER = "/run/memops-fault"
CODE = FOLDER + "/code"
JOURNAL = FOLDER + "/journal"
STATE = FOLDER + "/state.json"
TMPFS = FOLDER + "/tmpfs"
#: What needs a disk: swap files, files of writers.
ON_DISK = "/var/tmp/memops-fault"
UNIT = "memops-fault.service"
SCOPE = "memops-fault-%d.scope"
CONTAINER = "memops-fault-%d"
IMAGE = "memops-fault:1"


def read(path):
    """A small file's text without the last newline, or None."""
    try:
        with open(path) as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError):
        return None


def write(path, text):
    with open(path, "w") as file:
        file.write(str(text))


def protect():
    """Of ourselves and a fault, the kernel should kill the fault, and we should not need what it took. Not every root may ask for that."""
    try:
        write("/proc/self/oom_score_adj", -1000)
    except OSError:
        pass
    ctypes.CDLL(None).mlockall(1)  # MCL_CURRENT: else our own code, read in again, would be what is one page too much


def sysctl_path(name):
    return "/proc/sys/" + name.replace(".", "/")


def save_state(state):
    """Replace the state as one: whoever polls it sees a whole one."""
    write(STATE + ".new", json.dumps(state))
    os.rename(STATE + ".new", STATE)


def load_state():
    try:
        return json.loads(read(STATE) or "null")
    except ValueError:
        return None


def meminfo():
    """{name: bytes} of /proc/meminfo."""
    figures = {}
    for line in (read("/proc/meminfo") or "").splitlines():
        words = line.replace(":", " ").split()
        figures[words[0]] = int(words[1]) * (1024 if words[2:] == ["kB"] else 1)
    return figures
