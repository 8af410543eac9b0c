# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what logs say to one entry's diagnosis document."""

from __future__ import annotations

import dataclasses
import gc
import json
from collections.abc import Iterable, Iterator
from typing import Any

from ..diagnosis.diagnose import diagnose, diagnose_events
from ..diagnosis.document import unread
from ..diagnosis.host_facts import HostFacts
from ..log_lines.model import DamagedLog, LogFile, LogReading
from ..log_lines.reading import read_log
from .joining import joined

EVIDENCE_SCHEMA = "memops.evidence/1"
EVIDENCE_BYTES = 64 << 20
LEAST_BYTES = 1 << 20
NOT_A_LOG = "not a log: no line has a form that memops knows"
#: What was read of one log, under its family and name; or why nothing was.
Log = tuple[str, str, LogReading | None, str]


def read(family: str, file: LogFile) -> Log:
    """One log of an entry. A log that cannot be read is told of, not raised."""
    try:
        return family, file.name, read_log(file), ""
    except DamagedLog as damage:
        return family, file.name, None, str(damage)
    except OSError as error:
        return family, file.name, None, error.strerror or str(error)


def diagnosis_within_memory(name: str, family: str, file: LogFile) -> dict[str, Any]:
    """The diagnosis of one log, of its first half (or quarter) where the whole needs more memory than this process may have.

    Raises MemoryError for a log that is small and yet needs too much.
    """
    most_bytes = None
    while True:
        start = _Start(file, most_bytes)
        try:
            return diagnosis_of_log(name, read(family, dataclasses.replace(file, blocks=start.blocks)))
        except MemoryError:
            most_bytes = start.given_bytes // 2
        if most_bytes < LEAST_BYTES:
            raise MemoryError
        gc.collect()  # what was read refers to itself, and would take the room of the next attempt


class _Start:
    """The first bytes of a log, counted."""

    def __init__(self, file: LogFile, most_bytes: int | None) -> None:
        self.given_bytes = 0
        self._file, self._most_bytes = file, most_bytes

    def blocks(self) -> Iterator[bytes]:
        for block in self._file.blocks():
            if self._most_bytes is not None and self.given_bytes + len(block) > self._most_bytes:
                raise DamagedLog(f"only its first {self.given_bytes} bytes were read: all events of the whole take too much memory; split it for the rest")
            self.given_bytes += len(block)
            yield block


def diagnosis_of_log(name: str, log: Log) -> dict[str, Any]:
    """The diagnosis of one log by itself."""
    return _diagnosis(name, [log], {}, [], "this log alone does not show the host")


def diagnosis_of_host(name: str, logs: list[Log], facts: dict[str, Any], unreadable: list[dict[str, str]]) -> dict[str, Any]:
    """The diagnosis of all logs of one host, with what else is known of it.

    facts: sections of an evidence document.
    """
    if not logs:
        return unread(name, "the sosreport holds no log of the kernel that memops knows" + _reasons(unreadable))
    return _diagnosis(name, logs, facts, unreadable, "a sosreport shows the host at one moment only")


def diagnosis_of_evidence(name: str, blocks: Iterable[bytes]) -> dict[str, Any]:
    """The diagnosis of saved evidence, as for a live host. Raises OSError, DamagedLog."""
    text = bytearray()
    for block in blocks:
        text += block
        if len(text) > EVIDENCE_BYTES:
            return unread(name, f"it is larger than {EVIDENCE_BYTES} bytes, which no evidence is")
    try:
        evidence = json.loads(text)
    except (ValueError, RecursionError) as error:
        return unread(name, f"it is no evidence, or was cut: {error}")
    if not isinstance(evidence, dict) or evidence.get("schema") != EVIDENCE_SCHEMA:
        return unread(name, f"it is no evidence of the form {EVIDENCE_SCHEMA}")
    return diagnose({**evidence, "host": name})


def _diagnosis(name: str, logs: list[Log], facts: dict[str, Any], unreadable: list[dict[str, str]], alone: str) -> dict[str, Any]:
    readings = [(family, shown, reading) for family, shown, reading, _why in logs if reading is not None and _is_log(reading)]
    unreadable = [*unreadable, *(_note(shown, why) for shown, why in _notes(logs))]
    if not readings:
        return {**unread(name, _why_none(logs)), "unreadable": unreadable}
    reading_times = [(reading.first_at, reading.last_at) for _family, _shown, reading in readings]
    first = min((first for first, _last in reading_times if first), default=None)
    last = max((last for _first, last in reading_times if last), default=None)
    sources = [
        {
            "source": "file",
            "path": shown,
            "first_at": reading.first_at,
            "last_at": reading.last_at,
            "bytes_read": reading.bytes_read,
            "lines_read": reading.lines_read,
        }
        for _family, shown, reading in readings
    ]
    host = HostFacts(
        {
            "host": name,
            "subset": ["kernel_log", *facts],
            "kernel_log": {"sources": sources, "window": {"from": first, "to": last}, "excerpts": []},
            "unreadable": unreadable,
            **facts,
        }
    )
    if len(readings) == 1:
        events, services = readings[0][2].events, readings[0][2].services
    else:
        events, services = joined((family, reading) for family, _shown, reading in readings)
    diagnosis = diagnose_events(host, events, services)
    if diagnosis["verdict"]["code"] == "healthy":
        diagnosis["verdict"] = _nothing_found(host, first, last, alone)
    return diagnosis


def _is_log(reading: LogReading) -> bool:
    return bool(reading.stamped_lines or reading.events or reading.services)


def _nothing_found(host: HostFacts, first: str | None, last: str | None, alone: str) -> dict[str, Any]:
    """No death in a log: that says less of the host than its own evidence would."""
    kills = host.kernel_kills_since_boot()
    reach = f"from {first} to {last}" if first and last else "over a time that its lines do not tell"
    if kills:
        summary = f"cannot tell: the kernel counted {kills} OOM kills since boot, and the logs, which reach {reach}, show none"
        return {"code": "cannot_tell", "confidence": "certain", "summary": summary, "incident": None}
    summary = f"no death by memory in what was read, {reach}; {alone}"
    return {"code": "healthy", "confidence": "possible", "summary": summary, "incident": None}


def _notes(logs: list[Log]) -> list[tuple[str, str]]:
    notes = []
    for _family, shown, reading, why in logs:
        if reading is None:
            notes.append((shown, why))
        else:
            notes += [(shown, note) for note in reading.notes]
            if not _is_log(reading):
                notes.append((shown, NOT_A_LOG if reading.bytes_read else "it is empty"))
    return notes


def _note(source: str, why: str) -> dict[str, str]:
    return {"section": "kernel_log", "source": source, "why": why}


def _why_none(logs: list[Log]) -> str:
    """Why no log of an entry could be read, in one sentence: damage explains more than what is left of a file."""
    notes = _notes(logs)
    told = [why if len(logs) == 1 else f"{shown}: {why}" for shown, why in notes]
    telling = [why for why in told if "stamps have no" not in why]
    return "; ".join((telling or told)[:3])


def _reasons(unreadable: list[dict[str, str]]) -> str:
    return "".join(f"; {note['source']}: {note['why']}" for note in unreadable[:3])
