# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An alert as it came in: what of it is kept, and from when on a host's logs are read for it.

Labels and annotations were written by whoever could reach the monitoring. They
are kept to be read, bounded, and become nothing else.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import math
import re
from typing import Any

from ...module_utils.collection.window import seconds_back

EVENT_BYTES = 256 << 10
ENTRIES = 64
NAME_CHARACTERS = 128
VALUE_CHARACTERS = 2000
MARGIN_SECONDS = 600
LONGEST_SECONDS = 30 * 86400

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")


def is_name(text: str) -> bool:
    """Whether this can be an alert's name, and with it a folder's.

    >>> is_name("HostOomKill"), is_name("../x"), is_name("Host\\n")
    (True, False, False)
    """
    return _NAME.fullmatch(text) is not None


def read_event(packed: str | None, now: datetime.datetime) -> dict[str, Any]:
    """What is kept of an event: {labels, annotations, started_at, fingerprint, generator_url, problems}.

    packed: base64 of JSON {labels, annotations, startsAt, fingerprint,
    generatorURL}, or None where a person started the runbook. started_at:
    ISO 8601 in UTC or None. problems: what could not be kept, as sentences.
    A bad event is a problem and no error, for the host wants to be examined all the same.
    """
    problems: list[str] = []
    event = _unpacked(packed, problems) if packed else {}
    return {
        "labels": _texts(event, "labels", problems),
        "annotations": _texts(event, "annotations", problems),
        "started_at": _started(event.get("startsAt"), now, problems),
        "fingerprint": _text(event.get("fingerprint"), NAME_CHARACTERS),
        "generator_url": _text(event.get("generatorURL"), VALUE_CHARACTERS),
        "problems": problems,
    }


def since(window: str, started_at: str | None, now: datetime.datetime) -> str:
    """The age from which on logs are read: the window, and more where the alert began before it, but no more than 30 days.

    window: an age or a UTC time, as evidence_info takes it. Raises ValueError for anything else.

    >>> since("1h", "2026-11-25T10:00:00Z", datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC))
    '130m'
    """
    seconds = float(seconds_back(window, now.timestamp()))
    if started_at is not None:
        seconds = max(seconds, (now - datetime.datetime.fromisoformat(started_at)).total_seconds() + MARGIN_SECONDS)
    return f"{math.ceil(min(seconds, LONGEST_SECONDS) / 60)}m"


def stamp(moment: datetime.datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unpacked(packed: str, problems: list[str]) -> dict[str, Any]:
    if len(packed) > EVENT_BYTES:
        problems.append(f"the event has {len(packed)} bytes, more than {EVENT_BYTES}: nothing of it is kept")
        return {}
    try:
        event = json.loads(base64.b64decode(packed, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        problems.append("the event is no base64 of a JSON object: nothing of it is kept")
        return {}
    return event


def _texts(event: dict[str, Any], name: str, problems: list[str]) -> dict[str, str]:
    given = event.get(name) or {}
    if not isinstance(given, dict):
        problems.append(f"the event's {name} are no mapping")
        return {}
    kept = {key[:NAME_CHARACTERS]: value[:VALUE_CHARACTERS] for key, value in list(given.items())[:ENTRIES] if isinstance(value, str)}
    if kept != given:
        problems.append(f"of the event's {name} only {ENTRIES} texts of {VALUE_CHARACTERS} characters are kept")
    return kept


def _text(value: Any, characters: int) -> str | None:
    return value[:characters] if isinstance(value, str) else None


def _started(value: Any, now: datetime.datetime, problems: list[str]) -> str | None:
    if value is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(value)
        if moment.tzinfo is None or not datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC) < moment < now + datetime.timedelta(days=1):
            raise ValueError(value)
    except (TypeError, ValueError, OverflowError):
        problems.append("the event's startsAt is no time at which an alert can have begun")
        return None
    return stamp(moment)
