"""``python -m lab``: machines for tests, by name of their platform."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import subprocess
import sys
import typing

import yaml

from . import cache, debian_image, emulator, machine, monitor, platforms, processes, setup
from .errors import LabError
from .progress import say

DEFAULT_RUN = "by-hand"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was begun is cleaned up
    try:
        return options.do(options) or 0
    except LabError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="Virtual machines of several kernels, for tests.")
    commands = parser.add_subparsers(required=True)

    def command(name: str, do, summary: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=summary, description=summary)
        one.set_defaults(do=do)
        return one

    def with_run(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
        one.add_argument("--run", default=DEFAULT_RUN, help="whose machines: names of two runs do not collide (default: %(default)s)")
        return one

    command("setup", _setup, "install what the lab needs (root, apt-get)")
    image = command("image", _image, "make the images of platforms, and the QEMU they need, now")
    image.add_argument("platforms", nargs="*", metavar="PLATFORM", help="default: all")
    up = with_run(command("up", _up, "boot a machine; its address and keys are printed as JSON"))
    up.add_argument("platform", choices=platforms.names())
    up.add_argument("--name", help="default: the platform's")
    up.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a key of the platform; YAML, also {KEY: VALUE, ...}")
    up.add_argument("--while-pid", type=int, metavar="PID", help="a process whose end makes the machine a leftover, for prune to remove")
    up.add_argument("--while-running", nargs=2, metavar=("PROGRAM", "ARGUMENT"), help="likewise, the ancestor of this process with that command line")
    down = with_run(command("down", _down, "end machines and remove all that belongs to them"))
    down.add_argument("names", nargs="*", metavar="NAME", help="default: all of the run")
    command("list", _list, "the machines there are")
    ssh = with_run(command("ssh", _ssh, "log in, or run a command"))
    ssh.add_argument("name")
    ssh.add_argument("command", nargs=argparse.REMAINDER)
    say_to = with_run(command("monitor", _monitor, "say a line to the machine's QEMU, such as `balloon 512`"))
    say_to.add_argument("name")
    say_to.add_argument("words", nargs="+")
    log = with_run(command("log", _log, "print the machine's serial log"))
    log.add_argument("name")
    prune = command("prune", _prune, "remove what dead runs left")
    prune.add_argument("--images", action="store_true", help="the images and the own QEMU too")
    return parser


def _setup(options: argparse.Namespace) -> None:
    setup.install()


def _image(options: argparse.Namespace) -> None:
    for name in options.platforms or platforms.names():
        platform = platforms.load(name)
        folder = debian_image.ensure(platform.image)
        emulator.find(platform.tcg_qemu)
        print(f"{name}\t{folder}")


def _up(options: argparse.Namespace) -> None:
    changes = {}
    for word in options.set:
        changes.update(_changes(word))
    _prune_quietly()
    owner = None
    if options.while_pid:
        owner = processes.of(options.while_pid)
        if not owner:
            raise LabError(f"There is no process {options.while_pid}.")
    elif options.while_running:
        owner = processes.ancestor_running(*options.while_running)
    booted = machine.up(platforms.load(options.platform, changes), options.run, options.name or options.platform, owner)
    print(json.dumps(dataclasses.asdict(booted), indent=2))


def _changes(word: str) -> dict[str, typing.Any]:
    """KEY=VALUE or {KEY: VALUE, ...}, values in YAML."""
    try:
        if word.startswith("{"):
            return yaml.safe_load(word)
        key, equals, value = word.partition("=")
        if equals:
            return {key: yaml.safe_load(value)}
    except yaml.YAMLError as error:
        raise LabError(f"--set {word}: {error}") from error
    raise LabError(f"--set takes KEY=VALUE or {{KEY: VALUE}}, not {word!r}.")


def _down(options: argparse.Namespace) -> None:
    names = options.names or [folder.name for folder in machine.all_folders() if folder.parent.name == options.run]
    for name in names:
        say(f"{name} is gone" if machine.down(options.run, name) else f"there was no {name} of run {options.run}")


def _list(options: argparse.Namespace) -> None:
    left_over = {(run, name): why for run, name, why in machine.leftovers()}
    for folder in machine.all_folders():
        run, name = folder.parent.name, folder.name
        try:
            one = machine.find(run, name)
            print(f"{run}\t{name}\t{one.platform}\t{one.address}:{one.port}\t{left_over.get((run, name), 'up')}")
        except LabError:
            print(f"{run}\t{name}\t-\t-\t{left_over.get((run, name), 'being started')}")


def _ssh(options: argparse.Namespace) -> int:
    words = machine.find(options.run, options.name).ssh(*(options.command[1:] if options.command[:1] == ["--"] else options.command))
    return subprocess.run(words, check=False).returncode


def _monitor(options: argparse.Namespace) -> None:
    try:
        print(monitor.human_command(machine.find(options.run, options.name).folder, " ".join(options.words)).rstrip())
    except OSError as error:
        raise LabError(f"The monitor of {options.name} does not answer: {error}") from error


def _log(options: argparse.Namespace) -> None:
    with open(machine.find(options.run, options.name).serial_log, "rb") as log:
        sys.stdout.buffer.write(log.read())


def _prune(options: argparse.Namespace) -> None:
    _prune_quietly()
    if options.images:
        if machine.all_folders():
            raise LabError("Machines are up that use the images; `python -m lab list` names them.")
        for kind in ("images", "tools"):
            cache.discard(cache.home() / kind)


def _prune_quietly() -> None:
    for run, name, why in machine.leftovers():
        machine.down(run, name)
        say(f"removed {name} of run {run}: {why}")
    for folder in cache.discard_unfinished():
        say(f"removed {os.path.basename(folder)}, which was never finished")


if __name__ == "__main__":
    sys.exit(main())
