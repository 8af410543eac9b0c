"""A program of a test: held.py NAME MIB [grow|thrash]. It holds so much memory, and then grows until it dies, or reads a file over and over."""

import os
import sys
import time

NAME, MIB = sys.argv[1], int(sys.argv[2])
PIECE = 1 << 20

with open("/proc/self/comm", "w") as comm:
    comm.write(NAME)
held = [b"x" * PIECE for _number in range(MIB)]
what = sys.argv[3] if len(sys.argv) > 3 else "hold"
if what == "hold" and os.fork() == 0:
    # A child that chose a score of its own, as worker processes of databases do.
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("123")
while what == "grow":
    held.append(b"x" * PIECE)
    time.sleep(0.02)
if what == "thrash":
    stream = open("/var/tmp/memops-thrash", "rb")  # noqa: SIM115
    os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # else they are counted where they were written
    while True:
        stream.seek(0)
        while stream.read(PIECE):
            pass
while True:
    time.sleep(60)
