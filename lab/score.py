"""``make lab``: make each fault on each platform, diagnose it, and count what is right.

    python -m lab.score [--platforms A B] [--faults X Y] [--again | --wrong] [--trial] [--keep FOLDER | --judge FOLDER]

One machine runs at a time. Cells that are in score.json are not run again
unless asked for. ``--keep`` saves what each cell saw: evidence, diagnosis, the
kernel's log and what memory_fault returned; ``--judge`` diagnoses such evidence
anew and runs no machine.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import typing

from . import accuracy_page, ansible_on, judging, machine, monitor, platforms, processes
from .errors import LabError
from .progress import say
from .ssh_output import ssh_output

sys.path.insert(0, str(ansible_on.ROOT / "collections"))

from ansible_collections.memops.linux.plugins.module_utils.memory_fault.catalogue import FAULTS
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose

#: Emulated processors are slow; those of a machine that has more to do than it can are slower still.
SECONDS, KEEP_SECONDS = 150, 600
MOST_SLOWED = 4
REBOOT_SECONDS = 600
LOGS_SETTLE_SECONDS = 3
TRIES = 2


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.trial:
        with tempfile.TemporaryDirectory(prefix="memops-score-") as folder:
            accuracy_page.KEPT, accuracy_page.PAGE = pathlib.Path(folder) / "score.json", pathlib.Path(folder) / "accuracy.md"
            return _scored(options)
    return _scored(options)


def _scored(options: argparse.Namespace) -> int:
    unknown = sorted(set(options.faults) - set(FAULTS))
    if unknown:
        say(f"There is no fault {', '.join(unknown)}. There are: {', '.join(FAULTS)}.")
        return 1
    if options.judge:
        return _judge_again(options)
    run = f"score-{os.getpid()}"
    started, kept = time.monotonic(), accuracy_page.load()
    todo = [(name, fault) for name in options.platforms for fault in FAULTS if fault in (options.faults or FAULTS)]
    impossible = [(name, fault) for name, fault in todo if name in FAULTS[fault].get("not_on", {})]
    for name, fault in impossible:
        accuracy_page.keep({"platform": name, "fault": fault, "state": "cannot_be", "why": FAULTS[fault]["not_on"][name]})
    left = [cell for cell in todo if cell not in impossible and (options.again or _is_open(kept.get(cell[0], {}).get(cell[1]), options.wrong))]
    say(f"{len(todo)} cells: {len(impossible)} cannot be, {len(todo) - len(impossible) - len(left)} are done, {len(left)} are to be run")
    number = 0
    # Faults that need the same machine share it.
    for (name, changes), cells in itertools.groupby(sorted(left, key=_same_machine), key=_same_machine):
        with _Lab(name, json.loads(changes), run) as lab:
            for _name, fault in cells:
                number += 1
                cell = lab.cell(fault, options.keep)
                accuracy_page.keep(cell)
                say(f"{number} of {len(left)} ({(time.monotonic() - started) / 60:.0f} min): {fault} on {name}: {_in_a_word(cell)}")
    return _told(todo)


def _is_open(cell: typing.Mapping[str, typing.Any] | None, also_wrong: bool) -> bool:
    """Whether a cell has no answer yet, or none that counts."""
    return cell is None or cell["state"] == "not_made" or (also_wrong and not cell.get("got", {}).get("all_right", True))


def _told(todo: list[tuple[str, str]]) -> int:
    """Write the page; 1 where one of these cells is not right."""
    accuracy_page.write(FAULTS)
    chosen = accuracy_page.load()
    wrong = [cell for name, fault in todo if (cell := chosen[name][fault])["state"] == "not_made" or not cell.get("got", {}).get("all_right", True)]
    say(f"{len(wrong)} of {len(todo)} cells are not right; see {accuracy_page.PAGE.name}")
    for cell in wrong:
        say(f"  {cell['fault']} on {cell['platform']}: {_in_a_word(cell)}")
    return 1 if wrong else 0


def _judge_again(options: argparse.Namespace) -> int:
    """The cells whose evidence is kept, with today's diagnosis and today's expectations."""
    todo, kept = [], accuracy_page.load()
    for name in options.platforms:
        for fault in options.faults or FAULTS:
            folder = options.judge / name / fault
            if not (folder / "evidence.json").exists() or fault not in kept.get(name, {}):
                continue
            diagnosis = diagnose(json.loads((folder / "evidence.json").read_text(encoding="utf-8")))
            made = json.loads((folder / "made.json").read_text(encoding="utf-8"))
            expect = judging.expected(FAULTS[fault], name)
            accuracy_page.keep({**kept[name][fault], "expected": expect, "got": judging.judge(expect, diagnosis, made)})
            todo.append((name, fault))
    return _told(todo)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.score", description="Make faults, diagnose them, count what is right.")
    parser.add_argument("--platforms", nargs="*", default=platforms.names(), choices=platforms.names(), metavar="PLATFORM", help="default: all")
    parser.add_argument("--faults", nargs="*", default=[], metavar="FAULT", help="default: all of the catalogue")
    parser.add_argument("--again", action="store_true", help="also what is done already")
    parser.add_argument("--wrong", action="store_true", help="also what is done and was not right")
    parser.add_argument("--trial", action="store_true", help="keep no cell and write no page: the exit status tells")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="save what each cell saw below this folder")
    parser.add_argument("--judge", type=pathlib.Path, metavar="FOLDER", help="diagnose anew what --keep saved there; no machine is run")
    return parser


def _same_machine(cell: tuple[str, str]) -> tuple[str, str]:
    return cell[0], json.dumps(FAULTS[cell[1]].get("machine", {}), sort_keys=True)


def _in_a_word(cell: typing.Mapping[str, typing.Any]) -> str:
    if cell["state"] != "diagnosed":
        return f"not made: {cell['why']}"
    got = cell["got"]
    said = f"{got['verdict']}, {got['kind']}, {got['cause']}, victim {got['victim']}"
    return f"{'right' if got['all_right'] else 'WRONG'} ({said}), {cell['seconds']:.0f} s"


class _Lab:
    """A machine for cells one after the other; replaced when a fault has harmed it."""

    def __init__(self, platform: str, changes: dict[str, typing.Any], run: str) -> None:
        self.platform = platforms.load(platform, changes)
        self.run = run
        self.machine: machine.Machine | None = None

    def __enter__(self) -> _Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def cell(self, fault: str, keep: pathlib.Path | None) -> dict[str, typing.Any]:
        """Make the fault and diagnose it. A fault that could not be made gets a fresh machine and one more try."""
        cell: dict[str, typing.Any] = {}
        for _attempt in range(TRIES):
            try:
                cell = self._tried(fault, keep)
            except LabError as error:
                cell = self._cell(fault, state="not_made", why=str(error).splitlines()[0])
                say(str(error))
                self._end()
            if cell["state"] == "diagnosed":
                break
        return cell

    def _cell(self, fault: str, **more: typing.Any) -> dict[str, typing.Any]:
        kernel = self.machine.kernel if self.machine else None
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
        return {"platform": self.platform.name, "fault": fault, "kernel": kernel, "date": now, **more}

    def _tried(self, fault: str, keep: pathlib.Path | None) -> dict[str, typing.Any]:
        spec = FAULTS[fault]
        one = self._up()
        if spec.get("modprobe"):
            ssh_output(one, f"modprobe {spec['modprobe']} && echo {spec['modprobe']} > /etc/modules-load.d/memops-lab.conf")
        if spec.get("balloon_mib"):
            monitor.human_command(one.folder, f"balloon {spec['balloon_mib']}")
            time.sleep(10)
        since, began = _guest_time(one), time.monotonic()
        boot = ssh_output(one, "cat", "/proc/sys/kernel/random/boot_id")
        limit = _seconds(os.getloadavg()[0], os.cpu_count() or 1)
        arguments = {"fault": fault, "allowed": True, "whole_host": True, "seconds": limit, "keep_seconds": KEEP_SECONDS}
        made = ansible_on.module(one, "memops.linux.memory_fault", arguments, limit * 4)
        if made.get("failed") or made.get("unreachable"):
            raise LabError(f"{fault} on {one.name}: {made.get('msg')}")
        if made.get("reboots"):
            _await_boot_after(one, boot)
        if not made["happened"] and spec["until"] != "ended":
            if keep:
                _keep(keep / self.platform.name / f"{fault}.not_made", None, made, one)
            raise LabError(f"{fault} on {one.name}: it did not come about within {limit} s")
        time.sleep(LOGS_SETTLE_SECONDS)
        with tempfile.TemporaryDirectory() as folder:
            seen = ansible_on.diagnose(one, since, pathlib.Path(folder))
            diagnosis = json.loads((seen / "diagnosis.json").read_text(encoding="utf-8"))
            seconds = time.monotonic() - began
            if keep:
                _keep(keep / self.platform.name / fault, seen, made, one)
        expect = judging.expected(spec, self.platform.name)
        cell = self._cell(fault, state="diagnosed", seconds=round(seconds, 1), expected=expect, got=judging.judge(expect, diagnosis, made))
        self._clean(spec, made, one)
        return cell

    def _clean(self, spec: typing.Mapping[str, typing.Any], made: typing.Mapping[str, typing.Any], one: machine.Machine) -> None:
        try:
            if not made.get("reboots"):
                done = ansible_on.module(one, "memops.linux.memory_fault", {"state": "cleaned", "allowed": True})
                if done.get("failed") or done.get("unreachable"):
                    raise LabError(f"{one.name} could not be cleaned: {done.get('msg')}")
            if spec.get("balloon_mib"):
                monitor.human_command(one.folder, f"balloon {self.platform.memory_mib}")
                time.sleep(5)
            failed = ssh_output(one, "systemctl", "--failed", "--no-legend", "--plain")
        except LabError as error:
            failed = str(error)
        if failed:
            say(f"a fresh machine after this: {failed.splitlines()[0]}")
            self._end()

    def _up(self) -> machine.Machine:
        if self.machine is None:
            name = self.platform.name
            self.machine = machine.up(self.platform, self.run, name, processes.of(os.getpid()))
        return self.machine

    def _end(self) -> None:
        if self.machine is not None:
            self.machine = None
            machine.down(self.run, self.platform.name)


def _seconds(load: float, processors: int) -> int:
    """How long a fault may take to come about."""
    return int(SECONDS * min(MOST_SLOWED, max(1.0, load / processors)))


def _guest_time(one: machine.Machine) -> str:
    return ssh_output(one, "date", "-u", "+%Y-%m-%dT%H:%M:%S")


def _await_boot_after(one: machine.Machine, boot: str) -> None:
    deadline = time.monotonic() + REBOOT_SECONDS
    while time.monotonic() < deadline:
        try:
            if ssh_output(one, "cat", "/proc/sys/kernel/random/boot_id", timeout_seconds=40) != boot:
                ssh_output(one, "systemctl is-system-running --wait || true", timeout_seconds=300)
                return
        except LabError:
            pass
        time.sleep(3)
    raise LabError(f"{one.name} did not reboot within {REBOOT_SECONDS} s")


def _keep(folder: pathlib.Path, seen: pathlib.Path | None, made: typing.Mapping[str, typing.Any], one: machine.Machine) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("evidence.json", "diagnosis.json") if seen else ():
        if not (seen / name).exists():  # of a host that did not answer there is a diagnosis only
            continue
        shutil.copyfile(seen / name, folder / name)
    (folder / "made.json").write_text(json.dumps(made, indent=1), encoding="utf-8")
    (folder / "dmesg.txt").write_text(ssh_output(one, "dmesg"), encoding="utf-8")
    (folder / "journal.txt").write_text(ssh_output(one, "journalctl", "--no-pager", "-o", "short-iso-precise", "-b"), encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
