"""This checkout, and its ansible run with a private HOME."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLLECTION = ROOT / "collections/ansible_collections/memops/linux"


def ansible(command: str, *arguments: str, home: pathlib.Path, cwd: pathlib.Path = ROOT) -> subprocess.CompletedProcess:
    """One of ansible's commands, of the same environment as these tests."""
    environment = {
        "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "160",
    }
    if cwd == ROOT:
        environment["ANSIBLE_CONFIG"] = str(ROOT / "ansible.cfg")  # else ignored where a folder above is writable by all
    return subprocess.run([command, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
