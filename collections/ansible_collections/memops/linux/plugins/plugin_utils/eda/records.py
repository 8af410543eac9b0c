# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""alerts.jsonl: one line per alert that came, with what was decided. A record, not a queue: the rule engine's database is that."""

from __future__ import annotations

import datetime
import json
import logging
import os
import pathlib
from collections.abc import Sequence

from .alerts import Decision

MOST_BYTES = 32 * 2**20


def line(decision: Decision, now: datetime.datetime) -> str:
    """JSON without the alert's own text, in ASCII, so that it is one line whatever the alert was called."""
    return json.dumps(
        {
            "time": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "alert": decision.alert,
            "host": decision.host,
            "decision": decision.decision,
            "why": decision.why,
            "fingerprint": decision.fingerprint,
            "starts_at": decision.starts_at,
        }
    )


def append(path: pathlib.Path, decisions: Sequence[Decision], logger: logging.Logger) -> None:
    """Also to the log where nothing is run. A full disk keeps nothing from running: it is logged. The file of before is kept as .1."""
    if not decisions:
        return
    now = datetime.datetime.now(datetime.UTC)
    lines = [line(decision, now) for decision in decisions]
    for text, decision in zip(lines, decisions, strict=True):
        (logger.info if decision.decision in ("run", "resolved") else logger.warning)("alert %s", text)
    try:
        if path.exists() and path.stat().st_size > MOST_BYTES:
            path.replace(path.with_suffix(".jsonl.1"))
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, "".join(f"{text}\n" for text in lines).encode("ascii"))
        finally:
            os.close(file)
    except OSError as error:
        logger.error("alerts were not recorded in %s: %s", path, error.strerror)
