# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of user-space programs in, events about memory out.

Only acts and results count: a daemon that killed, a unit that died, a program
that was refused memory. A line that merely speaks of OOM is no event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .draft import far_apart
from .model import Line, ServiceEvent
from .pattern import Pattern

_LONGEST = 4096
#: What says more about one death wins: systemd alone knows that the OOM killer did it.
_WEIGHT = {"unit_killed": 1, "unit_crashed": 2, "unit_oom_kill": 3, "oom_daemon_kill": 4}


def read_services(records: Iterable[Mapping[str, Any]]) -> list[ServiceEvent]:
    """The events in records {time, unit, process, pid, text}, in the order in which they begin.

    process is the program that wrote the line and unit where it runs; each of
    them may be missing. Lines on one death of one unit make one event.
    """
    reader = ServiceReader()
    for record in records:
        reader.feed(record)
    return reader.finish()


def _without_enclosing_units(events: list[ServiceEvent]) -> list[ServiceEvent]:
    """The kernel counts a kill in each cgroup above it, so that systemd reports it of the slices and of user@ too."""
    own = [event for event in events if event.kind == "unit_oom_kill" and not _encloses(event.unit)]
    kept = []
    for event in events:
        if event.kind == "unit_oom_kill" and _encloses(event.unit):
            inner = next((other for other in own if not far_apart(other.lines[0], event.lines[0])), None)
            if inner is not None:
                inner.lines += event.lines
                continue
        kept.append(event)
    return kept


def _encloses(unit: str | None) -> bool:
    return unit is not None and (unit.endswith(".slice") or unit.startswith("user@"))


class _Record:
    def __init__(self, record: Mapping[str, Any], text: str) -> None:
        self.text = text
        self.process: str = record.get("process") or ""
        self.unit: str | None = record.get("unit")
        where = record.get("where") or self.unit or self.process
        self.line = Line(text, record.get("time"), str(where))


class ServiceReader:
    """Takes messages one at a time; gives the events at the end.

    events so far; of_unit: the open event of a unit's death, with the phrases it has; then what daemons said before they acted.
    """

    def __init__(self) -> None:
        self.events: list[ServiceEvent] = []
        self.of_unit: dict[str, tuple[ServiceEvent, set[str]]] = {}
        self.eviction: ServiceEvent | None = None
        self.nohang: dict[str, Any] = {}

    def feed(self, record: Mapping[str, Any]) -> bool:
        """Take one record; whether any line of it belongs to an event."""
        text = str(record.get("text") or "")[:_LONGEST]
        taken = False
        for part in text.replace("\\x0a", "\n").split("\n"):
            taken = self._read(_Record(record, part.strip())) or taken
        return taken

    def finish(self) -> list[ServiceEvent]:
        """All events, in the order in which they begin."""
        return _without_enclosing_units(self.events)

    def _read(self, record: _Record) -> bool:
        for form in _FORMS:
            if form.key in record.text:
                match = form.pattern.search(record.text)
                if match is not None and form.take(self, record, match) is not False:
                    return True
        return False

    def add(self, record: _Record, kind: str, by: str, **facts: Any) -> ServiceEvent:
        event = ServiceEvent(kind=kind, by=by, detail=record.text, **facts)
        event.note(record.line, "line")
        self.events.append(event)
        return event

    def of_death(self, record: _Record, unit: str, phrase: str, kind: str, by: str, **facts: Any) -> None:
        """An event of this unit's death, or one more line of the one at hand."""
        event, phrases = self.of_unit.get(unit, (None, set()))
        # A group kill is announced several times, an exit once for each death.
        if event is None or (phrase in phrases and phrase != "oom") or far_apart(event.lines[-1], record.line):
            self.of_unit[unit] = self.add(record, kind, by, unit=unit, **facts), {phrase}
            return
        phrases.add(phrase)
        event.note(record.line, phrase)
        if _WEIGHT[kind] > _WEIGHT[event.kind]:
            event.kind, event.detail = kind, record.text
            event.quotes["line"] = record.line


def _unit_oom(reading: ServiceReader, record: _Record, match: re.Match[str]) -> None:
    reading.of_death(record, match[1], "oom", "unit_oom_kill", "systemd")


def _unit_exited(reading: ServiceReader, record: _Record, match: re.Match[str]) -> bool:
    signal = match[3]
    if signal == "KILL":
        kind = "unit_killed"
    elif signal in ("SEGV", "BUS", "ILL", "FPE", "ABRT", "SYS", "TRAP"):
        kind = "unit_crashed"
    else:
        return False
    reading.of_death(record, match[1], f"{match[2]} exited", kind, "systemd")
    return True


def _unit_result(reading: ServiceReader, record: _Record, match: re.Match[str]) -> None:
    """The last word on a unit's death."""
    unit, result = match[1], match[2]
    kind = {"oom-kill": "unit_oom_kill", "core-dump": "unit_crashed"}.get(result)
    if kind is not None:
        reading.of_death(record, unit, "result", kind, "systemd")
    elif result == "signal" and unit in reading.of_unit:
        reading.of_unit[unit][0].note(record.line, "result")
    reading.of_unit.pop(unit, None)


def _oomd(reading: ServiceReader, record: _Record, match: re.Match[str]) -> None:
    """systemd-oomd names the cgroup; systemd says it again of the unit, and from 258 on a mark comes before the kill."""
    cgroup = match[1]
    name = cgroup.rpartition("/")[2]
    reading.of_death(record, name, record.text.split(None, 1)[0], "oom_daemon_kill", "systemd-oomd", cgroup=cgroup)


def _oomd_in_unit(reading: ServiceReader, record: _Record, match: re.Match[str]) -> None:
    reading.of_death(record, match[1], "oomd", "oom_daemon_kill", "systemd-oomd")


def _earlyoom(reading: ServiceReader, record: _Record, match: re.Match[str]) -> None:
    """A SIGKILL to the pid that just had its SIGTERM is the same kill."""
    pid, last = int(match[2]), reading.events[-1] if reading.events else None
    if last and last.by == "earlyoom" and last.pid == pid and match[1] == "KILL" and not far_apart(last.lines[-1], record.line):
        last.note(record.line)
        return
    rss = _MIB.search(match[4])
    reading.add(record, "oom_daemon_kill", "earlyoom", process=match[3], pid=pid, rss_bytes=int(rss[1]) << 20 if rss else None)


def _nohang_victim(reading: ServiceReader, record: _Record, match: re.Match[str]) -> bool:
    if "nohang" not in record.process:
        return False
    reading.nohang = {"pid": int(match[1]), "process": match[2]}
    return True


def _nohang(reading: ServiceReader, record: _Record, _match: re.Match[str]) -> None:
    reading.add(record, "oom_daemon_kill", "nohang", **reading.nohang)
    reading.nohang = {}


def _evicting(reading: ServiceReader, record: _Record, match: re.Match[str]) -> None:
    """The kubelet's steps on one shortage: attempt, must evict, evicted. Shortages of disk are none of ours."""
    if match["resource"] != "memory":
        reading.eviction = None
    elif reading.eviction is not None and not far_apart(reading.eviction.lines[-1], record.line):
        reading.eviction.note(record.line)
    else:
        reading.eviction = reading.add(record, "kubelet_eviction", "kubelet")


def _evicted(reading: ServiceReader, record: _Record, match: re.Match[str]) -> None:
    if reading.eviction is not None:
        reading.eviction.note(record.line, "pod")
        reading.eviction.process = match[1] or match[2]
        reading.eviction = None


def _enomem(reading: ServiceReader, record: _Record, _match: re.Match[str]) -> bool:
    if record.process == "kernel":
        return False
    reading.add(record, "enomem", record.process or "unknown", process=record.process or None, unit=record.unit)
    return True


class _Form(NamedTuple):
    key: str
    pattern: Pattern
    take: Callable[[ServiceReader, _Record, re.Match[str]], bool | None]


_MIB = Pattern(r"VmRSS (\d+) MiB")
_FORMS = (
    _Form("kernel OOM killer killed", Pattern(r"^(\S+): The kernel OOM killer killed some processes in this unit"), _unit_oom),
    _Form("killed by the OOM killer", Pattern(r"^(\S+): A process of this unit has been killed by the OOM killer"), _unit_oom),
    _Form(
        " process exited, code=",
        Pattern(r"^(\S+): (Main|Control) process exited, code=(?:killed|dumped), status=\d+/([A-Z]+)"),
        _unit_exited,
    ),
    _Form("Failed with result", Pattern(r"^(\S+): Failed with result '([a-z-]+)'"), _unit_result),
    _Form(" due to ", Pattern(r"^(?:Killed|Marked) (/.*?) (?:for killing )?due to (?:memory|swap) (?:pressure|used)"), _oomd),
    _Form("systemd-oomd killed", Pattern(r"^(\S+): systemd-oomd killed \d+ process"), _oomd_in_unit),
    _Form(
        "sending SIG",
        Pattern(r'^(?:\S+: )?sending SIG(TERM|KILL) to process (\d+) (?:uid \d+ )?"(.*)": ((?:badness|oom_score) .*)'),
        _earlyoom,
    ),
    _Form("PID: ", Pattern(r"^PID: (\d+), [Nn]ame: (.*), badness: \d"), _nohang_victim),
    _Form(" to the victim", Pattern(r"^Send(?:ing)? SIG(?:TERM|KILL) to the victim"), _nohang),
    _Form(
        "viction manager: ",
        Pattern(r'viction manager: (?:attempting|must evict pod\(s\)) to reclaim(?:" resourceName="| )(?P<resource>[\w-]+)'),
        _evicting,
    ),
    _Form("is evicted successfully", Pattern(r'viction manager: pod (?:(\S+) )?is evicted successfully(?:" pod="([^"]*)")?'), _evicted),
    _Form("low on resource", Pattern(r"The node was low on resource: (?P<resource>[\w-]+)"), _evicting),
    _Form("EvictionThresholdMet", Pattern(r"EvictionThresholdMet.* Attempting to reclaim (?P<resource>[\w-]+)"), _evicting),
    _Form("annot allocate memory", Pattern("[Cc]annot allocate memory"), _enomem),
    _Form("an't allocate memory", Pattern("[Cc]an't allocate memory"), _enomem),
    _Form("ENOMEM", Pattern(r"\bENOMEM\b"), _enomem),
    _Form("bad_alloc", Pattern(r"\bstd::bad_alloc\b"), _enomem),
    _Form("MemoryError", Pattern(r"^MemoryError\b"), _enomem),
    _Form("out of memory", Pattern(r"(?:ERROR|FATAL):\s{1,4}out of memory$|^(?:fatal error: runtime|runtime): out of memory"), _enomem),
    _Form("memory allocation of", Pattern(r"^memory allocation of \d+ bytes failed"), _enomem),
)
