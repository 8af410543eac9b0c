"""SIGKILL for the run that holds memops's lock, at the moment that something shows: kill_at.py NAME there|on|off|without PATH.

there: the file exists. on, off: the kernel uses it as swap, or not any more. without: fstab does not name it any more.
"""

import glob
import os
import signal
import sys
import time

NAME, WHAT, PATH = sys.argv[1:]
LOCK = "/var/lib/memops/lock"


def shows():
    if WHAT == "there":
        return os.path.exists(PATH)
    with open("/etc/fstab" if WHAT == "without" else "/proc/swaps") as stream:
        named = any(line.split()[:1] == [PATH] for line in stream)
    return named == (WHAT == "on")


def holder():
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link) == LOCK:
                return int(link.split("/")[2])
        except OSError:
            continue
    return None


deadline = time.monotonic() + 1200
run = None
while time.monotonic() < deadline:
    if run is None or not os.path.exists(f"/proc/{run}"):
        run = holder()  # takes long where there are many processes, so it is known before the moment comes
        time.sleep(0.05)
    elif shows():
        os.kill(run, signal.SIGKILL)
        with open("/var/tmp/killed-" + NAME, "w") as stream:
            stream.write(str(run))
        break
    else:
        time.sleep(0.005)
