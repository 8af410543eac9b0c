"""Run a command and say what it cost; numbers as min, median and max."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import statistics
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence


class CannotMeasure(Exception):
    """What is missing here, or went wrong, in a sentence for the person at the keyboard."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of one command with all its waited-for children.

    peak_rss_bytes is that of the largest single process; the kernel counts the
    forking process too, so it means something above some 30 MB only.
    """

    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    output: str


def run(argv: Sequence[str], environment: Mapping[str, str] | None = None, folder: pathlib.Path | None = None, check: bool = True) -> Cost:
    """Run to the end; raises CannotMeasure with the output's end where it fails."""
    started = time.monotonic()
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}, cwd=folder, text=True
    )
    try:
        output = process.stdout.read()
        _pid, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if check and process.returncode:
        raise CannotMeasure(f"{' '.join(argv[:4])} ... ended with status {process.returncode}:\n{output[-2000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output)


def spread(values: Iterable[float]) -> dict[str, float]:
    """Min, median and max of the runs."""
    values = list(values)
    return {"min": round(min(values), 5), "median": round(statistics.median(values), 5), "max": round(max(values), 5)}


def tree_cpu_seconds(pid: int) -> float:
    """CPU seconds of a process, its living descendants, and all they waited for (proc(5), stat and children)."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + sum(tree_cpu_seconds(int(child)) for child in children)
