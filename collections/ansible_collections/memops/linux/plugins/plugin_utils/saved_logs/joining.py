# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several logs of one host, in which the same events stand: each event once, in its most complete copy.

The ring buffer, the journal and the syslog files tell of the same kill, each
with its own stamps and its own gaps. Two copies are of one event where they
share a line that no two events have alike: a kill line (process id and sizes),
or the constraint line that names the victim.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from ..diagnosis.times import seconds_between
from ..events.model import Event, OomReport, ServiceEvent
from ..log_lines.model import LogReading

#: Clocks of two logs that tell of the same event may differ so much: drift, suspended time, a wrong zone.
CLOCK_SECONDS = 86400 + 3600
#: Services' lines hold no sizes that tell two deaths apart, and are copied with their own stamps.
SERVICE_SECONDS = 2

_Any = TypeVar("_Any", bound=Event)


@dataclasses.dataclass
class _Kept:
    event: Event
    families: set[str]


def joined(logs: Iterable[tuple[str, LogReading]]) -> tuple[list[Event], list[ServiceEvent]]:
    """(kernel events, service events) of all logs, the oldest first.

    logs: (family, reading). Files of one family follow each other and hold no
    event twice, so what is alike in them are two events.
    """
    readings = list(logs)
    events = _united([(family, reading.events) for family, reading in readings], _kernel_keys, CLOCK_SECONDS)
    services = _united([(family, reading.services) for family, reading in readings], _service_keys, SERVICE_SECONDS)
    return events, services


def _united(logs: list[tuple[str, list[_Any]]], keys, most_seconds: float) -> list[_Any]:
    kept: list[_Kept] = []
    by_key: dict[object, list[_Kept]] = defaultdict(list)
    for family, events in logs:
        for event in events:
            own = keys(event)
            alike = [other for key in own for other in by_key[key] if family not in other.families and _distance(other.event, event) <= most_seconds]
            same = min(alike, key=lambda other: _distance(other.event, event), default=None)
            if same is None:
                same = _Kept(event, {family})
                kept.append(same)
            else:
                same.event = _better(same.event, event)
                same.families.add(family)
            for key in own:
                if same not in by_key[key]:
                    by_key[key].append(same)
    return _in_time([item.event for item in kept])


def _kernel_keys(event: Event) -> set[object]:
    """What only copies of this event have: a kill line's victim and sizes, a constraint line, else its first lines."""
    if not isinstance(event, OomReport):
        return {" ".join(" ".join(line.text for line in event.lines[:2]).split())} - {""}
    own: set[object] = {
        (victim.process, victim.pid, victim.total_vm_bytes, victim.anon_rss_bytes, victim.file_rss_bytes)
        for victim in event.victims
        if victim.pid is not None and victim.total_vm_bytes is not None
    }
    own.update(" ".join(line.text.split()) for role, line in event.quotes.items() if role in ("constraint", "kill", "panic"))
    return own or {" ".join(line.text.split()) for line in event.lines[:1]}


def _service_keys(event: ServiceEvent) -> set[object]:
    line = event.quotes.get("line") or (event.lines[0] if event.lines else None)
    return {(event.kind, event.pid, event.unit, line.text)} if line else set()


def _better(one: Event, other: Event) -> Event:
    """The more complete copy; a time that only the other one knows is kept."""
    if _completeness(other) > _completeness(one):
        one, other = other, one
    if one.time is None:
        one.time = other.time
    return one


def _completeness(event: Event) -> tuple[int, int, bool]:
    missing = len(event.missing) if isinstance(event, OomReport) else 0
    return -missing, event.line_count + event.omitted_lines, event.time is not None


def _distance(one: Event, other: Event) -> float:
    return seconds_between(one.time, other.time) or 0


def _in_time(events: list[_Any]) -> list[_Any]:
    """In the order of their times; one without a time stays behind the one it followed."""
    last, dated = "", []
    for number, event in enumerate(events):
        last = event.time or last
        dated.append((last, number, event))
    return [event for _time, _number, event in sorted(dated, key=lambda item: item[:2])]
