"""What collecting costs a crowded host: CPU and memory of the collector alone, in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import pathlib

from . import crowd
from .machine import process_count
from .measure import CannotMeasure, run, spread

COLLECTIONS = pathlib.Path(__file__).resolve().parent.parent / "collections"
GOAL_CPU_SECONDS = 0.5
GOAL_PEAK_RSS_BYTES = 30_000_000

# VmHWM, because ru_maxrss of a process starts with what the one that started it had.
_CODE = """
import json, re, resource, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from ansible_collections.memops.linux.plugins.module_utils.collection.gather import SECTIONS, gather
used = lambda: sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
imported = used()
text = gather(list(SECTIONS), 7 * 86400, {})
cpu = used()
watch = int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read()).group(1)) * 1024
worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(json.dumps({
    "cpu_seconds": cpu, "gathering_cpu_seconds": cpu - imported, "peak_rss_bytes": max(watch, worker),
    "watch_and_worker_rss_bytes": watch + worker, "evidence_bytes": len(text),
    "unreadable": len(json.loads(text)["unreadable"]), "dropped": sum(drop["count"] for drop in json.loads(text)["dropped"]),
}))
"""


def measure(options: argparse.Namespace) -> dict[str, object]:
    """One warm-up, then ``runs`` runs among the processes and cgroups."""
    if os.geteuid():
        raise CannotMeasure("only root can make memory cgroups: run it with sudo")
    # No byte code is found at such a prefix, as none comes with what ansible sends.
    environment = {"PYTHONPYCACHEPREFIX": "/nonexistent"}
    argv = [options.python, "-c", _CODE, str(COLLECTIONS)]
    with crowd.processes(options.processes) as pids, crowd.memory_cgroups(options.cgroups, pids) as version:
        present = process_count()
        runs = []
        for number in range(options.runs + 1):
            cost = run(argv, environment)
            result = {"seconds": cost.seconds, **json.loads(cost.output.splitlines()[-1])}
            said = f"{result['cpu_seconds']:.2f} s CPU, {result['peak_rss_bytes'] / 1e6:.1f} MB"
            print(f"collector, {f'run {number}' if number else 'warm-up'}: {said}", flush=True)
            if number:
                runs.append(result)
    return {
        "processes": present,
        "cgroups": options.cgroups,
        "cgroup_version": version,
        "runs": options.runs,
        "python": run([options.python, "--version"]).output.split()[-1],
        "goal_cpu_seconds": GOAL_CPU_SECONDS,
        "goal_peak_rss_bytes": GOAL_PEAK_RSS_BYTES,
        "costs": {quantity: spread(result[quantity] for result in runs) for quantity in runs[0]},
    }
