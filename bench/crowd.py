"""A crowded host: thousands of processes and memory cgroups, made for a measurement and gone after it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator

from .machine import process_count
from .measure import CannotMeasure

LEAVES = 9
LIMIT_EVERY = 10
LIMIT_BYTES = 256 << 20
PROCESS_EVERY = 20


@contextlib.contextmanager
def processes(total: int) -> Iterator[list[int]]:
    """Sleeping processes until the machine has ``total``; their pids."""
    wanted = max(0, total - process_count())
    script = pathlib.Path(__file__).with_name("sleepers.py")
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(script), str(wanted)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        pids = []
        try:
            pids += map(int, parent.stdout.readline().split())
            if len(pids) != wanted:
                raise CannotMeasure(f"{wanted} processes could not be started: see ulimit -u and pids.max")
            yield pids
        finally:
            parent.stdin.close()
            parent.wait()
            _await_end(pids)


def _await_end(pids: list[int]) -> None:
    """Their parent's end ended them; what is measured next must not meet them on their way out."""
    deadline = time.monotonic() + 60
    while any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)


@contextlib.contextmanager
def memory_cgroups(count: int, pids: list[int]) -> Iterator[str]:
    """``count`` memory cgroups, tens of them nested, some with a limit and some with a process; the version, v1 or v2."""
    version, mount = memory_hierarchy()
    top = mount / f"memops-bench-{os.getpid()}.slice"
    made = []

    def make(path: pathlib.Path) -> pathlib.Path:
        path.mkdir()
        made.append(path)
        return path

    try:
        group = make(top)
        # The groups above stay empty: v2 wants processes in leaves only.
        for number in range(count):
            if number % (LEAVES + 1) == 0:
                _delegate(top, version)
                group = make(top / f"group-{number:05}.slice")
                continue
            _delegate(group, version)
            leaf = make(group / f"leaf-{number:05}.service")
            if number % LIMIT_EVERY == 1:
                (leaf / ("memory.limit_in_bytes" if version == "v1" else "memory.max")).write_text(str(LIMIT_BYTES))
            if number % PROCESS_EVERY == 1 and pids:
                (leaf / "cgroup.procs").write_text(str(pids[number % len(pids)]))
        yield version
    finally:
        _remove(made, mount)


def memory_hierarchy() -> tuple[str, pathlib.Path]:
    """("v1" | "v2", where it is mounted) of the hierarchy that the memory controller is in."""
    unified = None
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _device, mount, kind, options = line.split()[:4]
        if kind == "cgroup" and "memory" in options.split(","):
            return "v1", pathlib.Path(mount)
        if kind == "cgroup2" and "memory" in pathlib.Path(mount, "cgroup.controllers").read_text().split():
            unified = pathlib.Path(mount)
    if unified:
        return "v2", unified
    raise CannotMeasure("no mounted hierarchy has the memory controller")


def _delegate(group: pathlib.Path, version: str) -> None:
    if version == "v2":
        (group / "cgroup.subtree_control").write_text("+memory")


def _remove(made: list[pathlib.Path], mount: pathlib.Path) -> None:
    for path in reversed(made):
        for pid in (path / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (mount / "cgroup.procs").write_text(pid)
        for pause in (0, 0.01, 0.1, 1):
            time.sleep(pause)
            with contextlib.suppress(OSError):
                path.rmdir()
                break
        else:
            print(f"bench: could not remove {path}", file=sys.stderr)
