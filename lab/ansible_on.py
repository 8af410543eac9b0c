"""The collection's module and playbooks on a machine of the lab."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing

from . import machine
from .errors import LabError

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(sys.executable).parent


def inventory(one: machine.Machine) -> dict[str, typing.Any]:
    """An inventory of this machine alone; it may be harmed."""
    options = f"-F none -o UserKnownHostsFile={one.known_hosts_file} -o GlobalKnownHostsFile=/dev/null -o ControlMaster=auto -o ControlPersist=60s"
    return {
        "all": {
            "hosts": {
                one.name: {
                    "ansible_host": one.address,
                    "ansible_port": one.port,
                    "ansible_user": one.user,
                    "ansible_ssh_private_key_file": one.identity_file,
                    "ansible_ssh_common_args": f"{options} -o ServerAliveInterval=15 -o ServerAliveCountMax=20",
                    "ansible_timeout": 60,
                    "ansible_python_interpreter": "/usr/bin/python3",
                    "reproduce_allowed": True,
                    "reproduce_whole_host": True,
                }
            }
        }
    }


def module(one: machine.Machine, name: str, arguments: typing.Mapping[str, typing.Any], timeout_seconds: int = 900) -> dict[str, typing.Any]:
    """The module's result, failed or not. Raises LabError where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        done = _run(one, ["ansible", "all", "-m", name, "-a", json.dumps(arguments), "--tree", folder], timeout_seconds)
        try:
            return json.loads((pathlib.Path(folder) / one.name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise LabError(f"{name} on {one.name} gave no result.\n{done[-2000:]}") from None


def diagnose(one: machine.Machine, since: str, into: pathlib.Path) -> pathlib.Path:
    """Run diagnose.yml; the folder with the host's evidence.json and diagnosis.json."""
    words = ["ansible-playbook", str(ROOT / "playbooks/diagnose.yml"), "-e", f"diagnose_since={since}", "-e", f"diagnose_report_dir={into}"]
    output = _run(one, words, 900)
    folder = into / "latest" / "hosts" / one.name
    if not (folder / "diagnosis.json").exists():
        raise LabError(f"diagnose.yml wrote no diagnosis of {one.name}.\n{output[-2000:]}")
    return folder


def _run(one: machine.Machine, words: list[str], timeout_seconds: int) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump(inventory(one), file)
        file.flush()
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        command = [str(BIN / words[0]), "-i", file.name, *words[1:]]
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_seconds, stdin=subprocess.DEVNULL, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{words[0]} on {one.name} did not end within {timeout_seconds} s.") from error
    return done.stdout + done.stderr
