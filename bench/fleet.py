"""A diagnosis of many hosts against ping, setup and the manual checks, interleaved on the same hosts."""

from __future__ import annotations

import argparse
import pathlib

from . import breakdown
from .measure import CannotMeasure, Cost, run, spread
from .targets import Targets, ssh_targets

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
GOAL_OVER_PING = 1.3
GOAL_UNDER_MANUAL = 4


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Warm up once, then ``rounds`` times each command in turn; ratios are taken within a round."""
    rounds: list[dict[str, dict[str, float]]] = []
    with ssh_targets(options.hosts, options.python, REPOSITORY) as targets:
        commands = _commands(options, targets)
        for number in range(options.rounds + 1):
            costs = {name: _cost(argv, targets, options.cold) for name, argv in commands.items()}
            _all_answered(targets, options.hosts)
            said = ", ".join(f"{name} {cost['seconds']:.1f} s" for name, cost in costs.items())
            print(f"fleet, {f'round {number}' if number else 'warm-up'}: {said}", flush=True)
            if number:
                rounds.append(costs)
        parts = breakdown.measure(options, targets.folder)
    return {
        "hosts": options.hosts,
        "forks": options.forks,
        "rounds": options.rounds,
        "connections": "new for each command" if options.cold else "kept from command to command (ControlPersist)",
        "commands": {
            name: {quantity: spread(costs[name][quantity] for costs in rounds) for quantity in rounds[0][name]} for name in rounds[0]
        },
        "ratios": _ratios(rounds),
        "breakdown": parts,
    }


def _commands(options: argparse.Namespace, targets: Targets) -> dict[str, list[str]]:
    shared = ["-i", str(targets.inventory), "--forks", str(options.forks)]
    adhoc, playbook = str(options.bin / "ansible"), str(options.bin / "ansible-playbook")
    reports = f"diagnose_report_dir={targets.folder}/reports"
    return {
        "ping": [adhoc, "all", *shared, "-m", "ansible.builtin.ping"],
        "setup": [adhoc, "all", *shared, "-m", "ansible.builtin.setup"],
        "diagnosis": [playbook, "playbooks/diagnose.yml", *shared, "-e", reports],
        "manual checks": [playbook, "bench/manual_checks.yml", *shared],
    }


def _cost(argv: list[str], targets: Targets, cold: bool) -> dict[str, float]:
    if cold:
        targets.close_connections()
    before = targets.cpu_seconds()
    cost: Cost = run(argv, targets.environment, REPOSITORY)
    hosts_cpu = targets.cpu_seconds() - before
    return {
        "seconds": cost.seconds,
        "controller_cpu_seconds": cost.cpu_seconds,
        "hosts_cpu_seconds": hosts_cpu,
        "cpu_seconds": cost.cpu_seconds + hosts_cpu,
        "controller_peak_rss_bytes": cost.peak_rss_bytes,
    }


def _all_answered(targets: Targets, hosts: int) -> None:
    answered = len(list((targets.folder / "reports" / "latest" / "hosts").glob("*/evidence.json")))
    if answered != hosts:
        raise CannotMeasure(f"only {answered} of {hosts} hosts gave evidence, so the times would say nothing")


def _ratios(rounds: list[dict[str, dict[str, float]]]) -> list[dict[str, object]]:
    def ratio(name, over, under, quantity, goal):
        return {"name": name, "quantity": quantity, "goal": goal, **spread(costs[over][quantity] / costs[under][quantity] for costs in rounds)}

    at_most, at_least = {"at_most": GOAL_OVER_PING}, {"at_least": GOAL_UNDER_MANUAL}
    return [
        ratio("diagnosis / ping", "diagnosis", "ping", "seconds", at_most),
        ratio("manual checks / diagnosis", "manual checks", "diagnosis", "seconds", at_least),
        ratio("setup / ping", "setup", "ping", "seconds", None),
        ratio("diagnosis / ping", "diagnosis", "ping", "controller_cpu_seconds", None),
        ratio("diagnosis / ping", "diagnosis", "ping", "hosts_cpu_seconds", None),
        ratio("diagnosis / ping", "diagnosis", "ping", "cpu_seconds", None),
        ratio("manual checks / diagnosis", "manual checks", "diagnosis", "cpu_seconds", None),
    ]
