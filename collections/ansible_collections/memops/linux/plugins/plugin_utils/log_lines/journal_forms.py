# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Logs whose lines are not text: journalctl's JSON, export and verbose forms, and containers' JSON.

https://systemd.io/JOURNAL_EXPORT_FORMATS, journalctl(1), Docker's json-file driver.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .prefix import KERNEL, Message, cleaned, message
from .stamps import Clock

_TEXT = ("MESSAGE", "message", "msg", "log", "textPayload", "@message", "short_message")
_TIME = ("time", "timestamp", "@timestamp", "ts", "__REALTIME_TIMESTAMP")
_PROGRAM = ("SYSLOG_IDENTIFIER", "_COMM", "program", "programname", "appname", "ident", "tag")
_HOST = ("_HOSTNAME", "hostname", "host")
_FIELD = re.compile(r"[ \t]*([A-Z_][A-Z0-9_]{0,63})=(.*)$", re.DOTALL)
_ENTRY = re.compile(rb"(?m)^(?:__CURSOR|__REALTIME_TIMESTAMP)=")
_VERBOSE = re.compile(r"\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d.{0,40}\[s=[0-9a-f]+;")


def is_export(head: bytes) -> bool:
    """Whether a log begins as ``journalctl -o export`` does."""
    return _ENTRY.search(head[:4096]) is not None


def is_verbose(line: str) -> bool:
    """The head of an entry as ``journalctl -o verbose`` writes it."""
    return _VERBOSE.match(line) is not None


def verbose_field(line: str) -> tuple[str, str] | None:
    """One of the fields below such a head."""
    found = _FIELD.match(line) if line.startswith("    ") else None
    return (found[1], found[2]) if found else None


def of_json(line: str, clock: Clock) -> Message | None:
    """One object on one line; None if it is none, or holds no message."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return of_fields(entry, clock) if isinstance(entry, dict) else None


def of_fields(entry: dict[str, Any], clock: Clock) -> Message | None:
    """The message of a journal's or a logging agent's entry."""
    text = next((found for name in _TEXT if (found := _as_text(entry.get(name))) is not None), None)
    if text is None:
        return None
    inner = message(cleaned(text.split("\n", 1)[0]), clock)
    rest = text.partition("\n")[2]
    journal = "MESSAGE" in entry
    time = _time(entry, clock)
    uptime = _seconds(entry.get("_SOURCE_MONOTONIC_TIMESTAMP") or entry.get("__MONOTONIC_TIMESTAMP"))
    program = KERNEL if entry.get("_TRANSPORT") == "kernel" else next((entry[name] for name in _PROGRAM if isinstance(entry.get(name), str)), None)
    if program is None and "log" in entry and "stream" in entry:
        program = ""  # a container's own output
    unit = entry.get("UNIT") or entry.get("USER_UNIT") or entry.get("_SYSTEMD_UNIT")
    host = next((entry[name] for name in _HOST if isinstance(entry.get(name), str)), None)
    whole = cleaned(text.split("\n", 1)[0]) if journal and program != KERNEL else inner.text
    pid = entry.get("_PID") or entry.get("SYSLOG_PID")
    return inner._replace(
        text=whole + ("\n" + rest if rest else ""),
        time=time or inner.time,
        uptime_seconds=inner.uptime_seconds if uptime is None else uptime,
        program=inner.program if program is None else program,
        pid=int(pid) if isinstance(pid, str) and pid.isdecimal() and len(pid) < 11 else inner.pid,
        host=host or inner.host,
        unit=unit if isinstance(unit, str) else None,
        sure=program is not None or inner.sure,
        of_ring_buffer=program is None and inner.of_ring_buffer,
        stamped=True,
        moment=("time", time) if time else inner.moment,
    )


def export_entries(data: bytes, line_number: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number of its first line, fields) of each entry in a piece of an export.

    A field is ``NAME=value``, or where the value is binary ``NAME``, a length of
    eight bytes and the value. A first entry that is cut gives what is left of it.
    """
    entry: dict[str, Any] = {}
    position, number, first = 0, line_number, line_number
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        line = data[position:end]
        if not line.strip():
            if entry:
                yield first, entry
            entry = {}
            first = number + 1
        elif b"=" in line:
            name, _equals, value = line.partition(b"=")
            entry[name.decode("ascii", "replace")[:64]] = value.decode("utf-8", "replace")
        else:
            size = int.from_bytes(data[end + 1 : end + 9], "little")
            if end + 9 + size < len(data):
                entry[line.decode("ascii", "replace")[:64]] = data[end + 9 : end + 9 + size].decode("utf-8", "replace")
                number += data.count(b"\n", end, end + 9 + size)
                end += 9 + size
        position = end + 1
        number += 1
    if entry:
        yield first, entry


def _as_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
        return bytes(value).decode("utf-8", "replace")
    return None


def _seconds(microseconds: Any) -> float | None:
    return int(microseconds) / 1e6 if isinstance(microseconds, str) and microseconds.isdecimal() and len(microseconds) < 20 else None


def _time(entry: dict[str, Any], clock: Clock) -> str | None:
    for name in _TIME:
        value = entry.get(name)
        if name == "__REALTIME_TIMESTAMP" and (seconds := _seconds(value)) is not None:
            return clock.of_epoch(seconds)
        if isinstance(value, str) and (time := clock.iso(value[:40])) is not None:
            return time
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 1e9 < value < 1e10:
            return clock.of_epoch(value)
    return None
