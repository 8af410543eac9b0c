# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The programs that faults are made of. A script of its own: it also runs in containers, where nothing else of us is.

    python3 workload.py NAME PROGRAM '{"mib": 64}'

Writes one JSON object a line: {"settled": true}, {"killed": PID}, {"refused": TEXT}.
"""

import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import signal
import socket
import sys
import time

MIB = 1 << 20
#: set_mempolicy(2), by machine.
SET_MEMPOLICY = {"x86_64": 238, "aarch64": 237, "ppc64le": 261, "s390x": 270}

libc = ctypes.CDLL(None, use_errno=True)


def tell(**what):
    """One report to whoever started this."""
    os.write(1, (json.dumps(what) + "\n").encode())


def hold():
    tell(settled=True)
    while True:
        time.sleep(3600)


def hog(mib, lock=0, again=0, node=None, until_kill=0, slow_below_available_percent=0, below_low=0):
    """Grow by single MiB and keep all of it."""
    if node is not None:
        mask = ctypes.c_ulong(1 << node)
        if libc.syscall(SET_MEMPOLICY[platform.machine()], 2, ctypes.byref(mask), 64):
            raise OSError(ctypes.get_errno(), "set_mempolicy")
    if lock and libc.mlockall(3):
        raise OSError(ctypes.get_errno(), "mlockall")
    kept, piece = [], b"\1" * MIB
    killed_before = oom_kills()
    for number in range(mib):
        block = mmap.mmap(-1, MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        block.write(piece)
        kept.append(block)
        if until_kill and oom_kills() > killed_before:
            return
        if below_low and number % 2 == 0 and stays_below_low():
            break
        if slow_below_available_percent and number % 4 == 0 and available_percent() < slow_below_available_percent:
            time.sleep(0.4)
    if not again:
        hold()
    tell(settled=True)
    while True:
        for block in kept:
            block.seek(0)
            block.write(piece)


def stays_below_low(seconds=1.0):
    """Free memory is below the low watermarks and nobody can make more of it."""
    deadline = time.time() + seconds
    while free_bytes() < low_watermark_bytes():
        if time.time() > deadline:
            return True
        time.sleep(0.1)
    return False


def free_bytes():
    with open("/proc/meminfo") as meminfo:
        return next(int(line.split()[1]) * 1024 for line in meminfo if line.startswith("MemFree:"))


def low_watermark_bytes():
    """Of all zones together."""
    with open("/proc/zoneinfo") as zones:
        return sum(int(line.split()[1]) for line in zones if line.split()[:1] == ["low"]) * resource.getpagesize()


def oom_kills():
    with open("/proc/vmstat") as vmstat:
        return sum(int(line.split()[1]) for line in vmstat if line.startswith("oom_kill "))


def available_percent():
    with open("/proc/meminfo") as meminfo:
        figures = {line.split(":")[0]: int(line.split()[1]) for line in meminfo}
    return 100.0 * figures["MemAvailable"] / figures["MemTotal"]


def writer(own_mib, mib, path):
    """Touch some own memory, then write a file as fast as it goes."""
    own = bytearray(own_mib * MIB)
    piece = b"\1" * MIB
    with open(os.path.join(path, "writer-%d" % os.getpid()), "wb", buffering=0) as out:
        for _number in range(mib):
            out.write(piece)
    tell(finished=True, own=len(own))


def filler(mib, path):
    """Fill a tmpfs."""
    piece = b"\1" * MIB
    with open(os.path.join(path, "memops-fault-filler"), "wb", buffering=0) as out:
        for _number in range(mib):
            out.write(piece)
    hold()


def reader(mib, path):
    """Write files of so many MiB, then read them for ever."""
    piece = os.urandom(MIB)
    names = [os.path.join(path, "reader-%d" % number) for number in range(0, mib, 64)]
    for name in names:
        with open(name, "wb", buffering=0) as out:
            for _number in range(64):
                out.write(piece)
    tell(settled=True)
    while True:
        for name in names:
            with open(name, "rb", buffering=0) as data:
                while data.read(MIB):
                    pass


def forker(mib):
    """Fork small processes until one is killed; the last words are who."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # systemd stops a scope after an OOM kill, and we still have to say whose
    for _number in range(4000):
        pid = os.fork()
        if not pid:
            die_with_parent()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            with open("/proc/self/oom_score_adj", "w") as score:  # of equals the kernel may choose the parent, who then cannot say whose
                score.write("10")
            own = bytearray(mib * MIB)  # written to with zeros
            while own:
                time.sleep(3600)
        time.sleep(0.02)
        if reap():
            break
    while True:
        reap()
        time.sleep(0.2)


def reap():
    """Bury all that died; whether one of them was killed. Those whom systemd ends after it may be many."""
    killed = False
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except OSError:
            return killed
        if not pid:
            return killed
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            tell(killed=pid)
            killed = True


def page_tables(mib):
    """Read one byte in each 2 MiB of a mapping: a page table each, and never memory of our own."""
    length = mib * 256 * 2 * MIB
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    start = libc.mmap(None, length, mmap.PROT_READ, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if start in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")
    libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), 15)  # MADV_NOHUGEPAGE
    for offset in range(0, length, 2 * MIB):
        ctypes.string_at(start + offset, 1)
    hold()


def sockets(mib):
    """Leave data unread in pairs of sockets."""
    kept = []
    _many_files()
    for _number in range(mib * 8):
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        for one in pair:
            one.setblocking(False)
        kept.append(pair)
        try:
            while True:
                pair[0].send(b"\1" * 2048)
        except (BlockingIOError, InterruptedError):
            pass
    hold()


def pipes(mib):
    """Leave data unread in pipes of 64 KiB."""
    _many_files()
    kept = []
    for _number in range(mib * 16):
        kept.append(os.pipe())
        os.write(kept[-1][1], b"\1" * 65536)
    hold()


def _many_files():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, 65536), max(most, 65536)))
    except (OSError, ValueError):  # not every root may
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def dentries(files, path):
    """Make empty files."""
    for number in range(files):
        os.close(os.open(os.path.join(path, "%0100d" % number), os.O_CREAT | os.O_WRONLY))
    hold()


def ask(mib, address_space_mib=0):
    """Ask for memory in one piece, as a program that starts large; say so when it is refused."""
    if address_space_mib:
        resource.setrlimit(resource.RLIMIT_AS, (address_space_mib * MIB, address_space_mib * MIB))
    try:
        mmap.mmap(-1, mib * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, MemoryError) as error:
        if getattr(error, "errno", errno.ENOMEM) != errno.ENOMEM:
            raise
        complain("Cannot allocate memory")
        tell(refused="Cannot allocate memory")
        hold()
    tell(granted=True)


def promise(mib):
    """Map memory in pieces and never use it."""
    kept = [mmap.mmap(-1, 128 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) for _number in range(mib // 128)]
    while kept:
        hold()


def complain(text):
    """To the system's log, under our own name."""
    with open("/proc/self/comm") as comm:
        name = comm.read().strip()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        try:
            log.connect("/dev/log")
            log.send(("<11>%s[%d]: %s" % (name, os.getpid(), text)).encode())
        except OSError:
            sys.stderr.write("%s\n" % text)


def sleeper():
    """Ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hold()


def segfault():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.c_ubyte.from_address(8).value = 1


def die_with_parent():
    libc.prctl(1, signal.SIGKILL, 0, 0, 0)


PROGRAMS = (hog, writer, filler, reader, forker, page_tables, sockets, pipes, dentries, ask, promise, sleeper, segfault)


def main(name, program, arguments):
    libc.prctl(15, name.encode()[:15], 0, 0, 0)
    if os.getppid() > 1:  # in a container we are the first
        die_with_parent()
    sys.stdin.readline()  # whoever started us may still have to set a limit
    {one.__name__: one for one in PROGRAMS}[program](**json.loads(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:4])
