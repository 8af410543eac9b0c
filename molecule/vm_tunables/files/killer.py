"""Kill -9 whoever holds the lock of memops as soon as a file differs from what it is now."""

import os
import signal
import sys
import time

LOCK = "/var/lib/memops/lock"


def read(path):
    try:
        with open(path) as stream:
            return stream.read()
    except OSError:
        return ""


def holders():
    for name in os.listdir("/proc"):
        folder = f"/proc/{name}/fd"
        try:
            if name.isdigit() and LOCK in [os.readlink(folder + "/" + one) for one in os.listdir(folder)]:
                yield int(name)
        except OSError:
            continue


path, seconds = sys.argv[1], int(sys.argv[2])
first = read(path)
deadline = time.time() + seconds
while time.time() < deadline and read(path) == first:
    pass
killed = list(holders())
for pid in killed:
    os.kill(pid, signal.SIGKILL)
print(killed)
