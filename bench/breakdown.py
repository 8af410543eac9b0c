"""Where the time of one host's diagnosis goes, step by step, on the host's side and on the controller's."""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import statistics

from . import payload
from .measure import run

HERE = pathlib.Path(__file__).resolve().parent
RUNS = 7


def measure(options: argparse.Namespace, folder: pathlib.Path) -> dict[str, object]:
    """Median CPU seconds for each step, bytes for what is sent; the evidence is that of a run below ``folder``."""
    python = options.python
    ping = payload.build(options.bin, "ansible.builtin.ping", folder / "ping")
    ours = payload.build(options.bin, "memops.linux.evidence_info", folder / "ours")
    zipped = folder / "archive.zip"
    zipped.write_bytes(payload.archive_bytes(ours.read_bytes()))
    host = {
        "start of Python": _cpu([python, "-c", "pass"]),
        "ping's module as sent, whole": _cpu([python, str(ping)]),
        "our module as sent, whole": _cpu([python, str(ours)]),
    }
    inside = _medians([python, "-I", str(HERE / "on_target.py"), str(zipped)])
    evidence = next((folder / "reports" / "latest" / "hosts").glob("*/evidence.json"))
    controller = _medians([str(options.bin / "python"), str(HERE / "on_controller.py"), str(evidence), str(folder / "one-run")])
    shutil.rmtree(folder / "one-run", ignore_errors=True)
    return {
        "python": run([python, "--version"]).output.split()[-1],
        "host_cpu_seconds": {**host, **{step: value for step, value in inside.items() if not step.startswith("bytes ")}},
        "bytes": {step.removeprefix("bytes "): value for step, value in inside.items() if step.startswith("bytes ")},
        "controller_cpu_seconds": controller,
    }


def _cpu(argv: list[str]) -> float:
    return round(statistics.median(run(argv).cpu_seconds for _ in range(RUNS)), 4)


def _medians(argv: list[str]) -> dict[str, float]:
    """Of a script that prints {step: number}."""
    results = [json.loads(run(argv).output.splitlines()[-1]) for _ in range(RUNS)]
    return {step: round(statistics.median(result[step] for result in results), 4) for step in results[0]}
