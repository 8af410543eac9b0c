"""Labelled real logs, where there are some: each event found, none invented, every field right."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from checkout import ROOT

#: A folder with labels.json, or whatever stands beside the checkout.
FOLDERS = [pathlib.Path(os.environ["LABELS"])] if os.environ.get("LABELS") else sorted(path.parent for path in ROOT.parent.glob("*/oom-logs/labels.json"))


@pytest.mark.skipif(not FOLDERS, reason="no labelled logs here (LABELS=FOLDER with labels.json)")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_labelled_logs_are_read_without_a_fault(folder):
    told = subprocess.run([sys.executable, ROOT / "tools/accuracy.py", folder], capture_output=True, text=True)

    assert told.returncode == 0, told.stdout + told.stderr
