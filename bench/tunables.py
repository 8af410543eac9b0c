"""Twenty tunables on many hosts: against ping, and against one sysctl task for each."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

from .measure import CannotMeasure, Cost, run, spread
from .targets import Targets, ssh_targets

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
GOAL_OVER_PING = 1.5
GOAL_UNDER_LOOP = 8
#: The PyPI package that brings ansible.posix. It is unpacked beside the results; its ansible-core is not used.
POSIX_PACKAGE = "ansible==12.2.0"

#: What is wanted, none of it what a kernel has by itself.
WANTED = {
    "vm.swappiness": 10,
    "vm.overcommit_ratio": 60,
    "vm.oom_dump_tasks": 0,
    "vm.oom_kill_allocating_task": 1,
    "vm.min_free_kbytes": 65536,
    "vm.watermark_scale_factor": 50,
    "vm.watermark_boost_factor": 0,
    "vm.extfrag_threshold": 400,
    "vm.dirty_ratio": 10,
    "vm.dirty_background_ratio": 5,
    "vm.dirty_expire_centisecs": 2000,
    "vm.dirty_writeback_centisecs": 300,
    "vm.vfs_cache_pressure": 150,
    "vm.zone_reclaim_mode": 1,
    "vm.admin_reserve_kbytes": 16384,
    "vm.user_reserve_kbytes": 65536,
    "vm.page-cluster": 0,
    "vm.max_map_count": 262144,
    "vm.compaction_proactiveness": 10,
    "vm.nr_hugepages": 1,
}


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Each round: ping, then both ways of setting on hosts that have all values and on hosts that have none; ratios are taken within a round."""
    if os.geteuid():
        raise CannotMeasure("the hosts get a /proc/sys/vm of their own by mount(2), which takes root")
    rounds: list[dict[str, dict[str, float]]] = []
    with ssh_targets(options.hosts, options.python, REPOSITORY, _own_sysctls) as targets:
        commands = _commands(options, targets)
        hosts = [targets.folder / f"host{number:03}" for number in range(1, options.hosts + 1)]
        for number in range(options.rounds + 1):
            costs = {"ping": _cost(commands["ping"], targets)}
            for what in ("memops", "a task per key"):
                for state in ("all drifted", "compliant"):
                    if state == "all drifted":
                        _drift(hosts)
                    costs[f"{what}, {state}"] = _cost(commands[what], targets)
                    _all_set(hosts, state)
            said = ", ".join(f"{name} {cost['seconds']:.1f} s" for name, cost in costs.items())
            print(f"tunables, {f'round {number}' if number else 'warm-up'}: {said}", flush=True)
            if number:
                rounds.append(costs)
    return {
        "hosts": options.hosts,
        "forks": options.forks,
        "rounds": options.rounds,
        "tunables": len(WANTED),
        "package": POSIX_PACKAGE,
        "commands": {name: {quantity: spread(costs[name][quantity] for costs in rounds) for quantity in rounds[0][name]} for name in rounds[0]},
        "ratios": _ratios(rounds),
    }


def _own_sysctls(folder: pathlib.Path) -> list[str]:
    """What sshd's command line begins with, so that the host in this folder has tunables of its own."""
    for name in ("private", "vm", "sysctl.d", "page", "journal"):
        (folder / name).mkdir()
    for path in pathlib.Path("/proc/sys/vm").iterdir():
        try:
            (folder / "vm" / path.name).write_text(path.read_text())
        except OSError:  # some are written only
            continue
    _drift([folder])
    return ["unshare", "--mount", "--propagation", "private", "sh", str(REPOSITORY / "bench/own_sysctls.sh"), str(folder)]


def _drift(hosts: list[pathlib.Path]) -> None:
    """No value is as wanted, no file says what is wanted, and nothing is known of an earlier run."""
    for host in hosts:
        for key, value in WANTED.items():
            _file(host, key).write_text(f"{value + 1}\n")
        for name in ("sysctl.d", "page", "journal"):
            for path in (host / name).iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _file(host: pathlib.Path, key: str) -> pathlib.Path:
    return host / "vm" / key.removeprefix("vm.")


def _all_set(hosts: list[pathlib.Path], state: str) -> None:
    for host in hosts:
        wrong = [key for key, value in WANTED.items() if _file(host, key).read_text().strip() != str(value)]
        if wrong or not any((host / "sysctl.d").iterdir()):
            raise CannotMeasure(f"{host.name} does not have {', '.join(wrong) or 'a drop-in'} as wanted ({state}), so the times would say nothing")


def _commands(options: argparse.Namespace, targets: Targets) -> dict[str, list[str]]:
    shared = ["-i", str(targets.inventory), "--forks", str(options.forks)]
    playbook = str(options.bin / "ansible-playbook")
    values = ["-e", json.dumps({"bench_values": WANTED})]
    targets.environment["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join([str(REPOSITORY / "collections"), str(_posix())])
    return {
        "ping": [str(options.bin / "ansible"), "all", *shared, "-m", "ansible.builtin.ping"],
        "memops": [playbook, "bench/set_tunables.yml", *shared, *values],
        "a task per key": [playbook, "bench/set_sysctls.yml", *shared, *values],
    }


def _posix() -> pathlib.Path:
    """Where ansible.posix is: unpacked once into the user's cache."""
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "memops/bench" / POSIX_PACKAGE
    if not (folder / "ansible_collections/ansible/posix").is_dir():
        print(f"tunables: installing {POSIX_PACKAGE} into {folder}", flush=True)
        argv = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(folder), POSIX_PACKAGE]
        if subprocess.run(argv, check=False).returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise CannotMeasure(f"{POSIX_PACKAGE}, which brings ansible.posix, could not be installed from PyPI")
    return folder


def _cost(argv: list[str], targets: Targets) -> dict[str, float]:
    before = targets.cpu_seconds()
    cost: Cost = run(argv, targets.environment, REPOSITORY)
    hosts_cpu = targets.cpu_seconds() - before
    return {"seconds": cost.seconds, "controller_cpu_seconds": cost.cpu_seconds, "hosts_cpu_seconds": hosts_cpu, "cpu_seconds": cost.cpu_seconds + hosts_cpu}


def _ratios(rounds: list[dict[str, dict[str, float]]]) -> list[dict[str, object]]:
    found = []
    for state in ("compliant", "all drifted"):
        ours, loop = f"memops, {state}", f"a task per key, {state}"
        for over, under, goal in ((ours, "ping", {"at_most": GOAL_OVER_PING}), (loop, ours, {"at_least": GOAL_UNDER_LOOP})):
            ratio = spread(costs[over]["seconds"] / costs[under]["seconds"] for costs in rounds)
            found.append({"name": f"{over.partition(',')[0]} / {under.partition(',')[0]}, {state}", "quantity": "seconds", "goal": goal, **ratio})
    return found
