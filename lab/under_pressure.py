"""What evidence_info costs a host that is short of memory, and whether the host pays for it: into the benchmarks page.

python -m lab.under_pressure [PLATFORM...]
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import shlex
import sys
import time
import typing

from bench import machine as this_machine
from bench import results

from . import ansible_on, machine, platforms, processes
from .errors import LabError
from .progress import say
from .ssh_output import ssh_output

GOAL_SECONDS = 60
GOAL_PEAK_RSS_BYTES = 30_000_000
THRASHING_FULL_PERCENT = 50
SECONDS, KEEP_SECONDS, PATIENCE_SECONDS = 200, 900, 300
SECTIONS = ("memory", "pressure", "processes", "cgroups", "containers", "swap", "tunables", "services", "kernel_log")
#: A swap disk that is slow, as disks are.
CHANGES = {"disk_write_bytes_per_second": 16 << 20}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.under_pressure", description="Measure evidence_info on hosts short of memory.")
    parser.add_argument("platforms", nargs="*", metavar="PLATFORM", help="default: bookworm-6.1")
    options = parser.parse_args()
    outcome: dict[str, typing.Any] = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join(["python", "-m", "lab.under_pressure", *sys.argv[1:]]),
        "machine": this_machine.describe(ansible_on.BIN),
    }
    cases, accelerator = [], ""
    for name in options.platforms or ["bookworm-6.1"]:
        for fault, ready, what in (
            ("host_thrash", _thrashes, f"thrashing, PSI full above {THRASHING_FULL_PERCENT} %"),
            ("host_below_low_watermark", _is_below_low, "free memory below the low watermark, no swap"),
        ):
            run = f"pressure-{os.getpid()}"
            one = machine.up(platforms.load(name, CHANGES), run, name, processes.of(os.getpid()))
            try:
                accelerator = one.accelerator
                cases.append({"kernel": one.kernel, "what": what, **_measured(one, fault, ready)})
                say(f"{name}, {fault}: {cases[-1]}")
            finally:
                machine.down(run, name)
    result = {"accelerator": accelerator, "cases": cases, "goal_seconds": GOAL_SECONDS, "goal_peak_rss_bytes": GOAL_PEAK_RSS_BYTES}
    results.keep("pressure", {**outcome, "result": result})
    print(results.section("pressure", {**outcome, "result": result}))
    return 0


def _measured(one: machine.Machine, fault: str, ready: typing.Callable[[machine.Machine], str | None]) -> dict[str, typing.Any]:
    arguments = {"fault": fault, "allowed": True, "whole_host": True, "seconds": SECONDS, "keep_seconds": KEEP_SECONDS}
    made = ansible_on.module(one, "memops.linux.memory_fault", arguments, SECONDS * 4)
    if made.get("failed") or not made.get("happened"):
        raise LabError(f"{fault} on {one.name}: {made.get('msg', 'it did not come about')}")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (state := ready(one)):
        if time.monotonic() > deadline:
            raise LabError(f"{fault} on {one.name} never got so far within {PATIENCE_SECONDS} s")
        time.sleep(3)
    kills = _kills(one)
    began = time.monotonic()
    told = ansible_on.module(one, "memops.linux.evidence_info", {"since": "1d"}, 600)
    seconds = time.monotonic() - began
    if told.get("failed") or "evidence" not in told:
        raise LabError(f"evidence_info on {one.name}: {told.get('msg')}")
    evidence = told["evidence"]
    dead = [who["pid"] for who in made["processes"] if ssh_output(one, f"test -d /proc/{who['pid']} && echo lives || true") != "lives"]
    return {
        "state": state,
        "seconds": round(seconds, 1),
        "collecting_seconds": evidence["collector"]["seconds"],
        "peak_rss_bytes": evidence["collector"]["peak_rss_bytes"],
        "sections": sum(evidence.get(name) is not None for name in SECTIONS),
        "of_sections": len(SECTIONS),
        "kills": _kills(one) - kills,
        "workload_processes": len(made["processes"]),
        "workload_died": len(dead),
    }


def _kills(one: machine.Machine) -> int:
    return int(ssh_output(one, "grep '^oom_kill ' /proc/vmstat").split()[1])


def _thrashes(one: machine.Machine) -> str | None:
    full = re.search(r"full avg10=(\S+)", ssh_output(one, "cat /proc/pressure/memory"))
    return f"PSI full {full[1]} %" if full and float(full[1]) > THRASHING_FULL_PERCENT else None


def _is_below_low(one: machine.Machine) -> str | None:
    free = int(ssh_output(one, "awk '/^MemFree/ {print $2}' /proc/meminfo"))
    low = int(ssh_output(one, "awk '$1 == \"low\" {sum += $2} END {print sum * 4}' /proc/zoneinfo"))
    return f"{free} kB free, low watermarks {low} kB" if free < low else None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
