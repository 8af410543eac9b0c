"""Forks as many sleeping processes as the first argument says, prints their pids, and keeps them until standard input ends.

A fork without exec shares nearly all memory, so thousands cost little. Started as ``python -I -S sleepers.py NUMBER``.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(wanted):
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl
    pids = []
    for _ in range(wanted):
        pid = os.fork()
        if not pid:
            # Whatever becomes of the parent, a child must not stay behind.
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == parent:
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, 0)
                os.dup2(null, 1)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                while True:
                    signal.pause()
            os._exit(0)
        pids.append(pid)
    print(*pids, flush=True)
    sys.stdin.read()


main(int(sys.argv[1]))
