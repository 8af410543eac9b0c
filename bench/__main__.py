"""``python -m bench [fleet] [collector] [payload] [logs] [report] [tunables]``: measure, and write docs/benchmarks.md and bench/results.json."""

from __future__ import annotations

import argparse
import datetime
import pathlib
import shlex
import signal
import sys

from . import collector, fleet, logs, machine, payload, report, results, tunables
from .measure import CannotMeasure

BENCHMARKS = {
    "payload": payload.measure,
    "collector": collector.measure,
    "logs": logs.measure,
    "fleet": fleet.measure,
    "tunables": tunables.measure,
    "report": report.measure,
}


def main() -> int:
    options = _parser().parse_args()
    # An end by SIGTERM too runs the clean-up of whatever was started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    status = 0
    for name in options.benchmark or BENCHMARKS:
        start = {
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "command": shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
            "machine": machine.describe(options.bin),
        }
        try:
            outcome = {**start, "result": BENCHMARKS[name](options)}
        except CannotMeasure as error:
            print(f"bench: {name} was not measured: {error}", file=sys.stderr)
            status = 1
            continue
        if options.write:
            results.keep(name, outcome)
        print(results.section(name, outcome))
    return status


def _benchmark(name: str) -> str:
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(BENCHMARKS)}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("benchmark", nargs="*", type=_benchmark, metavar="|".join(BENCHMARKS), help="which; all if none is named")
    parser.add_argument("--hosts", type=int, default=50, help="fleet, tunables: how many sshd targets (%(default)s)")
    parser.add_argument("--forks", type=int, default=20, help="fleet, tunables: ansible's forks (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="fleet, logs, tunables: rounds after the warm-up (%(default)s)")
    parser.add_argument("--cold", action="store_true", help="fleet: every command makes its own ssh connections")
    parser.add_argument("--processes", type=int, default=5000, help="collector: processes on the machine (%(default)s)")
    parser.add_argument("--cgroups", type=int, default=1000, help="collector: memory cgroups (%(default)s)")
    parser.add_argument("--runs", type=int, default=7, help="collector: runs after the warm-up (%(default)s)")
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python of the examined host (%(default)s)")
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(sys.executable).parent, help="folder with ansible's commands (beside this Python)")
    parser.add_argument("--no-write", dest="write", action="store_false", help="only print; keep docs/benchmarks.md as it is")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
