"""promtool, as Prometheus ships it."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def promtool(*arguments: str, stdin: str | None = None) -> str:
    """Its output; the test fails with it where promtool does not say success, or is not there."""
    if not shutil.which("promtool"):
        pytest.fail("there is no promtool here: `make alerts-setup` installs it, as root, by apt-get")
    told = subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, text=True, timeout=600, check=False)
    if told.returncode:
        pytest.fail(f"promtool {' '.join(arguments[:2])}: {told.stdout}{told.stderr}")
    return told.stdout + told.stderr
