"""A real OOM kill on this machine, in a memory cgroup of its own, of cgroup v1 or v2."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

LIMIT_BYTES = 32 << 20

_ALLOCATE = "b = []\nwhile True: b.append(bytearray(1 << 20))"


class CannotKill(RuntimeError):
    """This machine lets nobody make the OOM kill; the message says why."""


@contextlib.contextmanager
def limited_cgroup(limit_bytes: int = LIMIT_BYTES) -> Iterator[pathlib.Path]:
    """A memory cgroup with a limit; gone at the end."""
    parent, limit_file, swap_file = _hierarchy()
    group = parent / f"memops-test-{os.getpid()}-{time.monotonic_ns()}"
    try:
        group.mkdir()
        (group / limit_file).write_text(str(limit_bytes))
    except OSError as error:
        raise CannotKill(f"no memory cgroup can be made below {parent}: {error.strerror}") from error
    with contextlib.suppress(OSError):
        (group / swap_file).write_text("0" if swap_file == "memory.swap.max" else str(limit_bytes))
    try:
        yield group
    finally:
        for _attempt in range(50):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


def kill_in(group: pathlib.Path, name: str = "hungry") -> int:
    """Let a process with this name allocate until the kernel kills it; its pid."""
    code = f"import ctypes; ctypes.CDLL(None).prctl(15, {name.encode('utf-8', 'surrogateescape')!r}, 0, 0, 0)\n{_ALLOCATE}"

    def enter() -> None:
        (group / "cgroup.procs").write_text(str(os.getpid()))

    process = subprocess.Popen([sys.executable, "-c", code], preexec_fn=enter, stderr=subprocess.DEVNULL)
    try:
        status = process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
    if status != -9:
        raise CannotKill(f"the process ended with {status}, not by the OOM killer")
    return process.pid


def kernel_log_is_readable() -> bool:
    """Whether the kill can be found at all."""
    try:
        os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return shutil.which("journalctl") is not None and pathlib.Path("/run/systemd/journal").exists()
    return True


def _hierarchy() -> tuple[pathlib.Path, str, str]:
    """(a folder for groups, the limit's file, the swap limit's file)."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _device, mount, kind, options = line.split()[:4]
        if kind == "cgroup" and "memory" in options.split(","):
            return pathlib.Path(mount), "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"
        if kind == "cgroup2" and "memory" in pathlib.Path(mount, "cgroup.controllers").read_text().split():
            with contextlib.suppress(OSError):
                pathlib.Path(mount, "cgroup.subtree_control").write_text("+memory")
            return pathlib.Path(mount), "memory.max", "memory.swap.max"
    raise CannotKill("no memory cgroup hierarchy is mounted")
