"""Saved logs: finding and reading every OOM report in a large syslog against grep with the same needles; and a folder of many logs."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
import tempfile

from . import mixed_syslog
from .measure import CannotMeasure, run, spread

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
REPORTS = 500
LARGE_BYTES, SMALLER_BYTES = 10**9, 10**8
FOLDER_LOGS, FOLDER_LOG_BYTES = 1000, 64_000
GOAL_OVER_GREP = 0.5
GOAL_MORE_MEMORY = 1.1


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Warm up once, then ``rounds`` times grep and memops in turn on each log; ratios are taken within a round."""
    needles = _needles()
    with tempfile.TemporaryDirectory(prefix="memops-bench-") as name:
        folder = pathlib.Path(name)
        large, smaller = folder / "large.log", folder / "smaller.log"
        for log, size in ((large, LARGE_BYTES), (smaller, SMALLER_BYTES)):
            mixed_syslog.write(log, size, REPORTS)
        rounds = []
        for number in range(options.rounds + 1):
            costs = {"grep": _grep(needles, large), "memops": _read(options, large), "memops, 100 MB": _read(options, smaller)}
            said = ", ".join(f"{what} {cost['bytes_per_second'] / 1e6:.0f} MB/s" for what, cost in costs.items())
            print(f"logs, {f'round {number}' if number else 'warm-up'}: {said}", flush=True)
            if number:
                rounds.append(costs)
        many = _many(options, folder)
        lines = large.read_bytes().count(b"\n")
    return {
        "bytes": LARGE_BYTES,
        "lines": lines,
        "reports": REPORTS,
        "rounds": options.rounds,
        "needles": len(needles),
        "costs": {what: {quantity: spread(each[what][quantity] for each in rounds) for quantity in rounds[0][what]} for what in rounds[0]},
        "goal_over_grep": GOAL_OVER_GREP,
        "over_grep": {
            what: spread(each["memops"][what] / each["grep"][what] for each in rounds)
            for what in ("bytes_per_second", "whole_bytes_per_second", "bytes_per_cpu_second")
        },
        "goal_more_memory": GOAL_MORE_MEMORY,
        "more_memory": spread(each["memops"]["peak_rss_bytes"] / each["memops, 100 MB"]["peak_rss_bytes"] for each in rounds),
        "folder": many,
    }


def _needles() -> list[str]:
    """Those that grep gets: without the ones around 137, which memops checks further and which slow grep down."""
    sys.path.insert(0, str(REPOSITORY / "collections"))
    from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.needles import NEEDLES

    return [needle.decode() for needle in NEEDLES if not needle.endswith(b"137")]


def _grep(needles: list[str], log: pathlib.Path) -> dict[str, float]:
    pattern = "|".join(re.sub(r"([][.\\*^$+?(){}|])", r"\\\1", needle) for needle in needles)
    cost = run(["grep", "-cE", pattern, str(log)], {"LC_ALL": "C"})
    size = log.stat().st_size
    return {
        "bytes_per_second": size / cost.seconds,
        "whole_bytes_per_second": size / cost.seconds,
        "bytes_per_cpu_second": size / cost.cpu_seconds,
        "lines_found": int(cost.output),
    }


def _read(options: argparse.Namespace, log: pathlib.Path) -> dict[str, float]:
    cost, result = _in_process(options, log)
    if result["reports"] != REPORTS:
        raise CannotMeasure(f"{result['reports']} reports were found where there are {REPORTS}, so the times would say nothing")
    size = log.stat().st_size
    return {
        "bytes_per_second": size / result["seconds"],
        "whole_bytes_per_second": size / cost.seconds,
        "bytes_per_cpu_second": size / result["cpu_seconds"],
        "peak_rss_bytes": result["peak_rss_bytes"],
    }


def _in_process(options: argparse.Namespace, path: pathlib.Path):
    cost = run([str(options.bin / "python"), str(REPOSITORY / "bench" / "on_saved_logs.py"), str(path)])
    return cost, json.loads(cost.output.splitlines()[-1])


def _many(options: argparse.Namespace, folder: pathlib.Path) -> dict[str, object]:
    """A folder of logs with one report each, read one after the other, and by the playbook over all cores."""
    logs = folder / "logs"
    logs.mkdir()
    for number in range(FOLDER_LOGS):
        mixed_syslog.write(logs / f"host{number:04}.log", FOLDER_LOG_BYTES, 1, number)
    playbook = [str(options.bin / "ansible-playbook"), "playbooks/diagnose_logs.yml", "-e", f"diagnose_logs={logs}"]
    one, all_cores = [], []
    for number in range(options.rounds):
        result = _in_process(options, logs)[1]
        if result["reports"] != FOLDER_LOGS:
            raise CannotMeasure(f"{result['reports']:.0f} reports were found in {FOLDER_LOGS} logs of one each")
        one.append(result)
        reports = folder / f"reports-{number}"
        all_cores.append(run([*playbook, "-e", f"diagnose_report_dir={reports}"], {"ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")}, REPOSITORY))
        diagnosed = len(list((reports / "latest" / "hosts").glob("*/diagnosis.json")))
        if diagnosed != FOLDER_LOGS:
            raise CannotMeasure(f"the playbook made {diagnosed} diagnoses of {FOLDER_LOGS} logs")
    print(f"logs, folder: {spread(each['seconds'] for each in one)['median']:.1f} s in one process", flush=True)
    return {
        "logs": FOLDER_LOGS,
        "log_bytes": FOLDER_LOG_BYTES,
        "seconds_per_report": spread(each["seconds"] / FOLDER_LOGS for each in one),
        "diagnosing_seconds_per_report": spread(each["diagnosing_seconds"] / FOLDER_LOGS for each in one),
        "playbook_seconds": spread(cost.seconds for cost in all_cores),
        "playbook_cpu_seconds": spread(cost.cpu_seconds for cost in all_cores),
        "playbook_peak_rss_bytes": spread(cost.peak_rss_bytes for cost in all_cores),
    }
