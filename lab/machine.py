"""A machine's life: made, booted, waited for, ended. Everything of it is one folder, ``vms/RUN/NAME`` of the cache.

Whoever starts a machine holds its lock until it answers. A machine whose lock is free and that was never
called ready, whose QEMU is gone or whose owner is dead is a leftover: ``leftovers``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import typing

from . import acceleration, cache, cloud_image, command_line, debian_image, emulator, monitor, platforms, processes, programs
from .errors import LabError
from .progress import say

STATE = "machine.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
BOOT_LIMIT_SECONDS = {"kvm": 180, "tcg": 900}


@dataclasses.dataclass(frozen=True)
class Machine:
    """One that answers: what ssh needs to know, and what it was made of."""

    run: str
    name: str
    platform: str
    address: str
    port: int
    user: str
    identity_file: str
    known_hosts_file: str
    serial_log: str
    accelerator: str
    kernel: str
    owner: tuple[int, int] | None = None

    @property
    def folder(self) -> pathlib.Path:
        return folder_of(self.run, self.name)

    def ssh(self, *more: str) -> list[str]:
        """The command line that logs in."""
        options = {
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.known_hosts_file,
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "30",
            "LogLevel": "ERROR",
        }
        words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return [programs.need("ssh", "log in"), "-F", "none", *words, "-i", self.identity_file, "-p", str(self.port), f"{self.user}@{self.address}", *more]


def folder_of(run: str, name: str) -> pathlib.Path:
    for word in (run, name):
        if not NAME.fullmatch(word):
            raise LabError(f"{word!r} is no name: letters, digits, dots, dashes and underscores, 63 at most.")
    return cache.home() / "vms" / run / name


def up(platform: platforms.Platform, run: str, name: str, owner: processes.Process | None = None) -> Machine:
    """Boot it and return when it answers by ssh. Raises LabError, with the end of its serial log, and leaves nothing then."""
    image = os.environ.get(cloud_image.VARIABLE)
    folder = folder_of(run, name)
    if image:
        disk, kernel, version = cloud_image.ensure(image), None, f"of {image}"
    else:
        made = debian_image.ensure(platform.image)
        disk, kernel = made / "disk.raw", command_line.DirectKernel(made / "vmlinuz", made / "initrd")
        version = (made / "kernel_version").read_text(encoding="utf-8").strip()
    accelerator = acceleration.choose(emulator.find(0), kernel and kernel.vmlinuz, kernel and kernel.initrd)
    qemu = emulator.find(platform.tcg_qemu if accelerator == "tcg" else 0)

    with cache.locked(_lock(run, name), wait=False) as free:
        if not free:
            raise LabError(f"Another process is starting {name} of run {run}.")
        try:
            folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            raise LabError(f"There is {name} of run {run} already: `python -m lab down --run {run} {name}` ends it, or choose another --name.") from None
        try:
            hostname = re.sub(r"[^a-z0-9-]", "-", name.lower())
            _write_files(folder, platform, hostname, disk, qemu, cloud=bool(image))
            arguments = command_line.qemu_arguments(platform, folder, hostname, accelerator, kernel)
            process = _start(qemu, arguments, folder)
            port = _wait_for(lambda: monitor.forwarded_port(folder), folder, process, time.monotonic() + 60, "QEMU's monitor")
            machine = Machine(
                run=run,
                name=name,
                platform=platform.name,
                address="127.0.0.1",
                port=port,
                user="root",
                identity_file=str(folder / command_line.KEY),
                known_hosts_file=str(folder / "known_hosts"),
                serial_log=str(folder / command_line.SERIAL),
                accelerator=accelerator,
                kernel=version,
                owner=dataclasses.astuple(owner) if owner else None,
            )
            host_key = (folder / f"{command_line.HOST_KEY}.pub").read_text(encoding="utf-8").split()
            (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key[0]} {host_key[1]}\n", encoding="utf-8")
            _await_login(machine, process)
            _write_state(machine)
            return machine
        except BaseException:
            _remove(folder)
            raise


def _write_files(folder: pathlib.Path, platform: platforms.Platform, hostname: str, disk: pathlib.Path, qemu: emulator.Emulator, *, cloud: bool) -> None:
    keygen = programs.need("ssh-keygen", "make the keys of a run")
    for key in (command_line.KEY, command_line.HOST_KEY):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-C", "memops-lab", "-f", str(folder / key)], check=True, stdin=subprocess.DEVNULL)
    if cloud:
        cloud_image.write_seed(folder / "seed", hostname, (folder / f"{command_line.KEY}.pub").read_text(), (folder / command_line.HOST_KEY).read_text())
    form, size = cloud_image.form_and_size(disk, qemu) if cloud else ("raw", 0)  # a cloud image grows its file system itself
    create = [*qemu.image, "create", "-q", "-f", "qcow2", "-b", str(disk), "-F", form, str(folder / command_line.ROOT_DISK)]
    create.append(str(max(size, platform.image.disk_mib * 1024 * 1024)))
    programs.run(create, folder / "qemu-img.log", "qemu-img", qemu.environment)
    for number, extra in enumerate(platform.disks, start=1):
        with (folder / command_line.extra_disk(number)).open("wb") as file:
            file.truncate(extra.size_mib * 1024 * 1024)


def _start(qemu: emulator.Emulator, arguments: list[str], folder: pathlib.Path) -> subprocess.Popen[bytes]:
    """In the machine's folder, where its monitor's socket is, and apart from our terminal, so that Ctrl-C is ours alone."""
    with (folder / "qemu.log").open("wb") as log:
        return subprocess.Popen(
            [*qemu.machine, *arguments],
            cwd=folder,
            env={**os.environ, **qemu.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_for(ask: typing.Callable[[], typing.Any], folder: pathlib.Path, process: subprocess.Popen[bytes], deadline: float, what: str) -> typing.Any:
    """What ``ask`` returns as soon as it returns something; its OSErrors mean not yet."""
    started = told = time.monotonic()
    while True:
        with contextlib.suppress(OSError):
            answer = ask()
            if answer:
                return answer
        now = time.monotonic()
        serial = folder / command_line.SERIAL
        if process.poll() is not None:
            said = programs.tail(folder / "qemu.log")
            raise LabError(f"QEMU ended (exit status {process.returncode}) before {what} answered.\n{said}\n{_last_words(serial)}")
        if now > deadline:
            raise LabError(f"{what} did not answer within {now - started:.0f} s.\n{_last_words(serial)}")
        if now - told > 10:
            told = now
            line = programs.tail(serial, 1).strip() if serial.exists() else ""
            say(f"{folder.name}: {now - started:.0f} s, waiting for {what}; the machine's last line: {line[:100]}")
            if "Kernel panic - not syncing" in programs.tail(serial, 60):
                raise LabError(f"The kernel panicked before {what} answered.\n{_last_words(serial)}")
        time.sleep(0.3)


def _last_words(serial: pathlib.Path) -> str:
    return f"The end of the serial log:\n{programs.tail(serial, 40)}" if serial.exists() else "There is no serial log."


def _await_login(machine: Machine, process: subprocess.Popen[bytes]) -> None:
    started = time.monotonic()
    deadline = started + BOOT_LIMIT_SECONDS[machine.accelerator]

    def banner() -> bool:
        with socket.create_connection((machine.address, machine.port), timeout=5) as connection:
            return connection.recv(4) == b"SSH-"

    def login() -> bool:
        try:
            return subprocess.run(machine.ssh("true"), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    say(f"booting {machine.name} ({machine.kernel}, {machine.accelerator})")
    _wait_for(banner, machine.folder, process, deadline, "ssh")
    _wait_for(login, machine.folder, process, deadline, "a login by ssh")
    say(f"{machine.name} answers on port {machine.port} after {time.monotonic() - started:.0f} s")


def find(run: str, name: str) -> Machine:
    """A machine that is up. Raises LabError where it is not."""
    try:
        state = json.loads((folder_of(run, name) / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(f"There is no {name} of run {run} that is up. `python -m lab list` tells what is.") from None
    if state["owner"]:
        state["owner"] = tuple(state["owner"])
    return Machine(**state)


def all_folders() -> list[pathlib.Path]:
    return sorted(folder for folder in (cache.home() / "vms").glob("*/*") if folder.is_dir())


def down(run: str, name: str) -> bool:
    """End it and remove all of it. False where there was nothing. One that is being started is waited for."""
    with cache.locked(_lock(run, name)):
        return _remove(folder_of(run, name))


def leftovers() -> list[tuple[str, str, str]]:
    """(run, name, why) of machines that no living run has a use for."""
    found = []
    for folder in all_folders():
        run, name = folder.parent.name, folder.name
        with cache.locked(_lock(run, name), wait=False) as free:
            why = _why_left_over(run, name) if free else None
        if why:
            found.append((run, name, why))
    return found


def _why_left_over(run: str, name: str) -> str | None:
    try:
        machine = find(run, name)
    except LabError:
        return "whoever started it died before it was up"
    if not processes.with_argument(str(machine.folder / command_line.PIDFILE)):
        return "its QEMU is gone"
    if machine.owner and not processes.lives(processes.Process(*machine.owner)):
        return "the run that it was for is dead"
    return None


def _remove(folder: pathlib.Path) -> bool:
    for process in processes.with_argument(str(folder / command_line.PIDFILE)):
        if not processes.end(process):
            raise LabError(f"QEMU (pid {process.pid}) of {folder.name} does not end.")
    if not folder.is_dir():
        return False
    shutil.rmtree(folder)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()
    (cache.home() / "locks" / _lock(folder.parent.name, folder.name)).unlink(missing_ok=True)
    return True


def _write_state(machine: Machine) -> None:
    partial = machine.folder / f"{STATE}.new"
    partial.write_text(json.dumps(dataclasses.asdict(machine)), encoding="utf-8")
    partial.replace(machine.folder / STATE)


def _lock(run: str, name: str) -> str:
    return f"vms.{run}.{name}"
