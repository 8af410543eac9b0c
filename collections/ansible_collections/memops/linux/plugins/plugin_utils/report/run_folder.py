# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One folder for each run: ``<reports>/<UTC stamp>``, and ``latest`` that points to the newest."""

from __future__ import annotations

import datetime
import os
import pathlib


def open_run(reports: str) -> str:
    """Make the folder of a new run and point ``latest`` to it; its path.

    Raises OSError where the folder cannot be made or written.
    """
    top = pathlib.Path(reports).expanduser().absolute()
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H%M%SZ")
    for number in range(1, 1000):
        run = top / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            run.mkdir(mode=0o700)
        except FileExistsError:
            continue  # another run began in the same second
        (run / "hosts").mkdir(mode=0o700)
        _point_latest(top, run.name)
        return str(run)
    raise FileExistsError(f"{top} holds a thousand runs of {stamp}")


def _point_latest(top: pathlib.Path, name: str) -> None:
    temporary = top / f".latest-{os.getpid()}"
    temporary.symlink_to(name)
    os.replace(temporary, top / "latest")
