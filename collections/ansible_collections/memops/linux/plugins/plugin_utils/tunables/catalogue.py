# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The catalogue of tunables, as the role ships it."""

from __future__ import annotations

import functools
import pathlib

import yaml

PATH = pathlib.Path(__file__).resolve().parents[3] / "roles" / "vm_tunables" / "vars" / "main.yml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@functools.lru_cache(maxsize=1)
def catalogue() -> dict[str, dict]:
    """{key: entry}; each entry holds its key too. Do not change it: it is shared. Raises OSError."""
    with PATH.open(encoding="utf-8") as stream:
        entries = yaml.load(stream, Loader=_LOADER)["vm_tunables_catalogue"]  # a safe loader, in C where there is one
    return {key: {"key": key, **entry} for key, entry in entries.items()}
