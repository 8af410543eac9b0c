# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of an unpacked sosreport. Nothing outside of its folder is opened, wherever its links point."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..log_lines.model import DamagedLog, LogFile
from . import sosreport
from .disk import plain_blocks, raw_blocks, why
from .naming import text_of

FOLDERS = ("var/log", "var/crash", "var/lib/systemd/pstore", "sys/fs/pstore", "sos_commands", "sos_strings")
DEPTH = 6


class Holding(NamedTuple):
    """What a sosreport's folder holds of its host.

    logs: (family, file). facts: sections of an evidence document.
    unreadable: {section, source, why} of what could not be opened.
    """

    logs: list[tuple[str, LogFile]]
    facts: dict[str, Any]
    unreadable: list[dict[str, str]]


def holding(folder: str, limit_bytes: int) -> Holding:
    """The logs and facts in a folder, without what leads out of it."""
    logs, unreadable = [], []
    for path in sorted(_logs_below(folder)):
        family = sosreport.log_family(path)
        full = os.path.join(folder, path)
        if family is None:
            continue
        if len(logs) >= sosreport.LOGS:
            unreadable.append(_note(path, f"only the first {sosreport.LOGS} logs were read"))
            break
        if not _inside(folder, full):
            unreadable.append(_note(path, "it is a link that leads out of the sosreport"))
            continue
        try:
            modified_at = os.stat(full).st_mtime
        except OSError as error:
            unreadable.append(_note(path, why(error)))
            continue
        logs.append((family, LogFile(text_of(path), lambda full=full: plain_blocks(full, limit_bytes), modified_at)))
    return Holding(logs, sosreport.evidence(_texts(folder)), unreadable)


def host_of(folder: str) -> str | None:
    """The host's name, if a file of the sosreport tells it."""
    return sosreport.hostname(_texts(folder, ("hostname", "uname")))


def _texts(folder: str, wanted: tuple[str, ...] = ()) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in sosreport.FACT_PATHS:
        name = sosreport.fact_name(path)
        full = os.path.join(folder, path)
        if name is None or name in texts or (wanted and name not in wanted) or not _inside(folder, full):
            continue
        try:
            text = b"".join(_bounded(raw_blocks(full), sosreport.FACT_BYTES))
        except (OSError, DamagedLog):
            continue
        if text.strip():
            texts[name] = text.decode("utf-8", "replace")
    return texts


def _bounded(blocks: Iterator[bytes], most_bytes: int) -> Iterator[bytes]:
    left = most_bytes
    for block in blocks:
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return


def _logs_below(folder: str) -> Iterator[str]:
    """Paths below the sosreport that may be logs; folders that are links are not entered."""
    for top in FOLDERS:
        start = os.path.join(folder, top)
        if not _inside(folder, start):
            continue
        for where, folders, names in os.walk(start):
            if where.count("/") - start.count("/") >= DEPTH:
                folders.clear()
            folders.sort()
            for name in names:
                yield os.path.relpath(os.path.join(where, name), folder)


def _inside(folder: str, path: str) -> bool:
    real, top = os.path.realpath(path), os.path.realpath(folder)
    return real == top or real.startswith(top.rstrip("/") + "/")


def _note(path: str, reason: str) -> dict[str, str]:
    return {"section": "kernel_log", "source": text_of(path), "why": reason}
