"""A command on a machine of the lab, by ssh."""

from __future__ import annotations

import subprocess

from . import machine
from .errors import LabError


def ssh_output(one: machine.Machine, *words: str, timeout_seconds: int = 120) -> str:
    """What a command on it prints. Raises LabError where it fails."""
    try:
        done = subprocess.run(one.ssh(*words), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{one.name} does not answer") from error
    if done.returncode:
        raise LabError(f"{' '.join(words)} on {one.name} failed: {done.stderr.strip()}")
    return done.stdout.strip()
