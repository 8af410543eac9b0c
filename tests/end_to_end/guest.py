"""A virtual machine of the lab that node_exporter runs on."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

from eda.service import free_port
from end_to_end.running import running

from lab import ansible_on, machine, platforms, processes

EXPORTER = {"packages": ["prometheus-node-exporter"]}
#: Answers each line with the guest's monotonic clock, which is that of the kernel's log.
CLOCK = """python3 -uc 'import sys, time
for line in sys.stdin: print(time.monotonic())'"""


class Guest:
    """One machine that answers; ``name`` is also its name in the inventory."""

    def __init__(self, made: machine.Machine) -> None:
        self._machine, self.name = made, made.name
        self.told = f"{made.platform}, kernel {made.kernel}, {'emulated' if made.accelerator == 'tcg' else made.accelerator}"

    def inventory(self) -> dict[str, Any]:
        return ansible_on.inventory(self._machine)["all"]["hosts"]

    def run(self, command: str, check: bool = True) -> str:
        done = subprocess.run(self._machine.ssh(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0 or not check, f"{command}: {done.stderr}"
        return done.stdout

    @contextlib.contextmanager
    def exporter(self, log: pathlib.Path) -> Iterator[int]:
        """The port of loopback on which its node_exporter answers, through ssh: the guest reaches no network."""
        port = free_port()
        tunnel = self._machine.ssh("-N", "-o", "ExitOnForwardFailure=yes", "-L", f"127.0.0.1:{port}:127.0.0.1:9100")
        with running(tunnel, log, f"http://127.0.0.1:{port}/metrics", seconds=180):
            yield port

    def kernel_log(self) -> str:
        return self.run("dmesg")

    def time_of(self, line: str) -> float:
        """When the kernel first wrote a line with these words, as seconds since the epoch by this machine's clock."""
        stamped = re.search(rf"^\[ *(\d+\.\d+)\] .*{re.escape(line)}", self.kernel_log(), re.MULTILINE)
        assert stamped, f"{line!r} is not in the kernel's log"
        return float(stamped[1]) + self._clock()

    def _clock(self) -> float:
        """What the guest's monotonic clock has to be added: of several answers by the fastest one, as it is wrong by half of its time at most."""
        best = (float("inf"), 0.0)
        with subprocess.Popen(self._machine.ssh(CLOCK), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clock:
            for _unused in range(10):
                asked = time.time()
                print(file=clock.stdin, flush=True)
                said = float(clock.stdout.readline())
                answered = time.time()
                best = min(best, (answered - asked, (asked + answered) / 2 - said))
            clock.stdin.close()
        return best[1]


@contextlib.contextmanager
def booted(platform: str, name: str, changes: Mapping[str, Any]) -> Iterator[Guest]:
    """A machine for as long as the block runs, and no longer than this process."""
    run = f"end-to-end-{os.getpid()}"
    try:
        yield Guest(machine.up(platforms.load(platform, {**EXPORTER, **changes}), run, name, processes.of(os.getpid())))
    finally:
        machine.down(run, name)
