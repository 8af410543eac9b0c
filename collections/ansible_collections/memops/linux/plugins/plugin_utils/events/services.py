# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of user-space programs in, events about memory out.

Only acts and results count: a daemon that killed, a unit that died, a program
that was refused memory. A line that merely speaks of OOM is no event. Where the
program that wrote a line is not known, only unmistakable words count.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from . import container_lines, daemon_lines, exit_lines, kubelet_lines, refusal_lines, unit_lines
from .draft import far_apart
from .form import by_shared_word
from .model import Line, ServiceEvent
from .service_form import ServiceRecord

_LONGEST = 4096
#: How far away in the list of events the unit may be whose slices systemd names too.
_NEIGHBOURS = 32
_SAME_KILL_SECONDS = 60
_TREE = re.compile(r"[-.@]")
#: Lines that may lie between who sends a SIGKILL, what ends by it, and the exit code that a script then tells.
_NEAR_LINES = 20
#: What says more about one death wins: systemd alone knows that the OOM killer did it.
_WEIGHT = {"unit_killed": 1, "unit_crashed": 2, "unit_oom_kill": 3, "oom_daemon_kill": 4}
_FORMS = by_shared_word(unit_lines.FORMS + daemon_lines.FORMS + kubelet_lines.FORMS + container_lines.FORMS + exit_lines.FORMS + refusal_lines.FORMS)


def read_services(records: Iterable[Mapping[str, Any]]) -> list[ServiceEvent]:
    """The events in records {time, unit, process, pid, text}, in the order in which they begin.

    process is the program that wrote the line and unit where it runs; each of
    them may be missing. Lines on one death of one unit make one event.
    """
    reader = ServiceReader()
    for record in records:
        reader.feed(record)
    return reader.finish()


class ServiceReader:
    """Takes messages one at a time; gives the events at the end.

    events: so far. of_unit: the open event of a unit's death, or of a process's,
    with the phrases it has and its last line's number. eviction: the one under way. refusals: the last of
    each program. said: what daemons told before they acted. senders: the last
    line on who sends a unit, or "" anybody, a SIGKILL.
    """

    def __init__(self) -> None:
        self.events: list[ServiceEvent] = []
        self.of_unit: dict[str, tuple[ServiceEvent, set[str], int]] = {}
        self.eviction: ServiceEvent | None = None
        self.refusals: dict[tuple[str, str | None], ServiceEvent] = {}
        self.nohang: dict[str, Any] = {}
        self.said: dict[str, Line] = {}
        self.senders: dict[str, tuple[Line, int]] = {}
        self._lines = 0

    def feed(self, record: Mapping[str, Any]) -> bool:
        """Take one record; whether any line of it belongs to an event."""
        self._lines += 1
        text = str(record.get("text") or "")[:_LONGEST]
        if "\n" not in text and "\\x0a" not in text:
            return self._read(record, text)
        taken = False
        for part in text.replace("\\x0a", "\n").split("\n"):
            taken = self._read(record, part) or taken
        return taken

    def finish(self) -> list[ServiceEvent]:
        """All events, in the order in which they begin."""
        return _without_enclosing_units(self.events)

    def _read(self, record: Mapping[str, Any], text: str) -> bool:
        made = None
        for word, forms in _FORMS:
            if word not in text:
                continue
            for form in forms:
                if form.key in text:
                    made = made or ServiceRecord(record, text.strip())
                    match = form.pattern.search(made.text)
                    if match is not None and form.take(self, made, match) is not False:
                        return True
        return False

    def add(self, record: ServiceRecord, kind: str, by: str | None, **facts: Any) -> ServiceEvent:
        event = ServiceEvent(kind=kind, by=by, detail=record.text, **facts)
        event.note(record.line, "line")
        self.events.append(event)
        return event

    def of_death(self, record: ServiceRecord, key: str, phrase: str, kind: str, by: str | None, near: bool = False, **facts: Any) -> ServiceEvent:
        """An event of this death, or one more line of the one at hand.

        key: the unit, or what else tells one death from another. near: the lines
        follow one another, whatever their times.
        """
        event, phrases, at = self.of_unit.get(key, (None, set(), 0))
        # A group kill is announced several times, an exit once for each death.
        if event is None or (phrase in phrases and phrase != "oom") or self._is_over(event, at, near, record):
            event = self.add(record, kind, by, **facts)
            self.of_unit[key] = event, {phrase}, self._lines
            self._name_sender(event, facts.get("unit") or "")
            return event
        phrases.add(phrase)
        self.of_unit[key] = event, phrases, self._lines
        event.note(record.line, phrase)
        if _WEIGHT[kind] > _WEIGHT[event.kind]:
            event.kind, event.detail = kind, record.text
            event.quotes["line"] = record.line
        return event

    def _is_over(self, event: ServiceEvent, at: int, near: bool, record: ServiceRecord) -> bool:
        if near and self._lines - at <= _NEAR_LINES:
            return False
        return far_apart(event.lines[-1], record.line)

    def same_death(self, event: ServiceEvent, phrase: str, key: str) -> None:
        """What is said next under this key is of this event."""
        self.of_unit[key] = event, {phrase}, self._lines

    def sends(self, unit: str, line: Line) -> None:
        """Somebody says that he sends a SIGKILL to this unit, or "" to whatever ends next."""
        self.senders[unit] = line, self._lines

    def _name_sender(self, event: ServiceEvent, unit: str) -> None:
        sender, said_at = self.senders.pop(unit, (None, 0))
        near = self._lines - said_at <= _NEAR_LINES and sender is not None and not far_apart(sender, event.lines[0])
        if sender is not None and near and event.kind == "unit_killed":
            event.quotes["sender"] = sender


def _without_enclosing_units(events: list[ServiceEvent]) -> list[ServiceEvent]:
    """The kernel counts a kill in each cgroup above it, so that systemd reports it of the slices and of user@ too."""
    places = [place for place, event in enumerate(events) if event.kind == "unit_oom_kill" and event.unit is not None and not _encloses(event.unit)]
    kept = []
    for place, event in enumerate(events):
        if event.kind == "unit_oom_kill" and _encloses(event.unit):
            nearest = bisect.bisect(places, place)
            near = (events[other] for other in places[max(0, nearest - _NEIGHBOURS) : nearest + _NEIGHBOURS])
            inner = next((other for other in near if not far_apart(other.lines[0], event.lines[0], _SAME_KILL_SECONDS)), None)
            inner = inner or next((other for other in kept[-_NEIGHBOURS:] if _of_one_tree(other, event)), None)
            if inner is not None:
                inner.lines += event.lines
                continue
        kept.append(event)
    return kept


def _of_one_tree(one: ServiceEvent, other: ServiceEvent) -> bool:
    """Whether two slices, or a user's manager and a slice, stand one above the other: user.slice, user-7.slice, user@7.service."""
    if one.kind != other.kind or not _encloses(one.unit) or far_apart(one.lines[0], other.lines[0], _SAME_KILL_SECONDS):
        return False
    return _TREE.split(one.unit or "", maxsplit=1)[0] == _TREE.split(other.unit or "", maxsplit=1)[0]


def _encloses(unit: str | None) -> bool:
    return unit is not None and (unit.endswith(".slice") or unit.startswith("user@"))
