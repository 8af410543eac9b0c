"""Install what the lab needs, as root on Debian and its like; elsewhere say what it is."""

from __future__ import annotations

import os
import pathlib
import subprocess

from . import programs
from .errors import LabError
from .progress import say


def missing() -> list[str]:
    """Debian packages whose programs are not here, and a keyring that is too old for the newest suites."""
    absent = {package for program, package in programs.PACKAGES.items() if not programs.find(program)}
    keyrings = pathlib.Path("/usr/share/keyrings")
    if not any(keyrings.glob("debian-archive-trixie-*")):
        absent.update(programs.OTHER_PACKAGES)
    return sorted(absent)


def install() -> None:
    """Raises LabError where it cannot."""
    packages = missing()
    if not packages:
        return
    apt = programs.find("apt-get")
    if not apt or os.geteuid() != 0:
        reason = "there is no apt-get here" if not apt else "that takes root"
        raise LabError(f"Not installed: {', '.join(packages)} (Debian's names), and {reason}. Install them, then try again.")
    say(f"installing {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "--yes", "--no-install-recommends", *packages]):
        result = subprocess.run([apt, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
        if result.returncode:
            raise LabError(f"apt-get {arguments[0]} failed:\n{(result.stdout + result.stderr)[-3000:]}")
    still = missing()
    if still:
        raise LabError(f"Still missing after apt-get install: {', '.join(still)}.")
