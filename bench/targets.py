"""Many hosts on one machine: an sshd for each, on loopback addresses of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator

from .measure import CannotMeasure, tree_cpu_seconds

SSHD = "/usr/sbin/sshd"
START_SECONDS = 30

# SHLVL: bash below sshd reads ~/.bashrc if it takes itself for the first shell, and whatever stands there would be measured too.
_CONFIG = """\
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {key}.pub
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel ERROR
SetEnv SHLVL=1 PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
"""


@dataclasses.dataclass(frozen=True)
class Targets:
    """The running hosts: what ansible needs to reach them, and what to ask the kernel about them."""

    inventory: pathlib.Path
    environment: dict[str, str]
    folder: pathlib.Path
    sshd_pids: tuple[int, ...]

    def cpu_seconds(self) -> float:
        """CPU seconds of all hosts so far: sshd, and what was run over it."""
        return sum(map(tree_cpu_seconds, self.sshd_pids))

    def close_connections(self) -> None:
        """End the persistent ssh masters, so that the next command connects anew."""
        for control in (self.folder / "control").iterdir():
            subprocess.run(["ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={control}", "host"], capture_output=True, check=False)


@contextlib.contextmanager
def ssh_targets(
    count: int, python: str, repository: pathlib.Path, inside: Callable[[pathlib.Path], list[str]] = lambda folder: []
) -> Iterator[Targets]:
    """``count`` hosts, host001 and so on, at 127.0.1.1 and so on; all of it is gone afterwards, however this ends.

    inside: gives the words that sshd's command begins with, for the host's folder.
    """
    _check(count)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="memops-bench-"))
    processes: list[subprocess.Popen] = []
    targets = None
    try:
        (folder / "control").mkdir(mode=0o700)
        key = folder / "key"
        _make_key(key)
        hosts, known = {}, []
        for number in range(1, count + 1):
            address = f"127.0.1.{number}"
            process, port, host_key = _start(folder / f"host{number:03}", address, key, inside)
            processes.append(process)
            hosts[f"host{number:03}"] = {"ansible_host": address, "ansible_port": port}
            known.append(f"[{address}]:{port} {host_key}")
        (folder / "known_hosts").write_text("".join(known))
        options = f"-F none -o UserKnownHostsFile={folder}/known_hosts -o GlobalKnownHostsFile=none -o IdentitiesOnly=yes -o IdentityAgent=none"
        every = {
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_common_args": options,
            "ansible_python_interpreter": python,
        }
        inventory = folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": every}}))
        environment = {"ANSIBLE_CONFIG": str(repository / "ansible.cfg"), "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "control")}
        targets = Targets(inventory, environment, folder, tuple(process.pid for process in processes))
        _await_all(hosts.values(), folder)
        yield targets
    finally:
        if targets:
            targets.close_connections()
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _check(count: int) -> None:
    if not pathlib.Path(SSHD).exists():
        raise CannotMeasure(f"{SSHD} is missing: apt-get install openssh-server (it need not run as a service)")
    if not pathlib.Path(f"/proc/self/task/{os.getpid()}/children").exists():
        raise CannotMeasure("this kernel does not list a process's children (CONFIG_PROC_CHILDREN), so the hosts' CPU time is unknown")
    if not 1 <= count <= 250:
        raise CannotMeasure("there is room for 1 to 250 hosts at 127.0.1.x")


def _start(folder: pathlib.Path, address: str, key: pathlib.Path, inside: Callable[[pathlib.Path], list[str]]) -> tuple[subprocess.Popen, int, str]:
    folder.mkdir()
    _make_key(folder / "host_key")
    with socket.socket() as probe:
        probe.bind((address, 0))
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(_CONFIG.format(port=port, address=address, folder=folder, key=key))
    with open(folder / "log", "wb") as log:
        # In a session of its own: Ctrl-C is for the benchmark, which then ends this one.
        command = [*inside(folder), SSHD, "-D", "-e", "-f", str(folder / "sshd_config")]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    return process, port, (folder / "host_key.pub").read_text()


def _make_key(path: pathlib.Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "memops-bench", "-f", str(path)], check=True, stdin=subprocess.DEVNULL)


def _await_all(hosts, folder: pathlib.Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    for host in hosts:
        while True:
            try:
                socket.create_connection((host["ansible_host"], host["ansible_port"]), timeout=5).close()
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    said = "".join(path.read_text() for path in folder.glob("*/log"))[:500]
                    raise CannotMeasure(f"sshd at {host['ansible_host']} does not answer: {said or error}") from error
                time.sleep(0.1)
