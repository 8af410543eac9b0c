# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel messages in, events out: one pass, one line at a time.

Each form of line knows the part of a report in which the kernel prints it. A
line of an earlier part than the report at hand has reached, or one that this
report has already, begins the next report; a line of no form is none of ours.
That carries through reports that are cut, interleaved or run together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from . import cgroup_memory, faults, kill, task_table, trigger
from .draft import Draft, far_apart
from .form import CONSTRAINT, KILL, MEMORY, STACK, TASKS, Form
from .mem_info import MemInfoReading
from .model import AllocationFailure, Event, Line, ProcessFault, Victim
from .page_size import page_size
from .pattern import Pattern

_ROW = task_table.ROW_FORM
_FORMS = tuple((form.key, form.pattern, form) for form in trigger.FORMS + kill.FORMS + cgroup_memory.FORMS + task_table.FORMS + trigger.STACK_FORMS)
#: Said by the log, the console or whoever pasted it: lines are left out here. Or a row that is cut short.
_ELISION = Pattern(r"\[[\d \]]*$|\.\.\.|…|--$|[\[(<]\.\.\.|[\[<]?snip|.*messages dropped|.*Missed \d+ kernel messages|.*\d (?:lines|rows) omitted")
#: Longer than any line that the kernel writes, and short enough for every pattern and for int().
_LONGEST = 4096


def read_kernel(lines: Iterable[Line], page_bytes: int | None = None) -> list[Event]:
    """The events in kernel messages without their prefixes, in the order in which they begin.

    page_bytes: of the machine that wrote the log; inferred from each report if None.
    """
    reader = KernelReader()
    for line in lines:
        reader.feed(line)
    return reader.finish(page_bytes)


def _single_lines(line: Line) -> Iterator[Line]:
    """memory.stat and the totals are one message of many lines; /dev/kmsg writes its breaks as ``\\x0a``."""
    if "\n" in line.text or "\\x0a" in line.text:
        for part in line.text.replace("\\x0a", "\n").split("\n"):
            yield Line(part, line.time, line.where, line.uptime_seconds)
    else:
        yield line


class _Failure:
    """An AllocationFailure in the making: its stack and its Mem-Info follow it."""

    def __init__(self, event: AllocationFailure) -> None:
        self.event = event
        self.memory = MemInfoReading()

    def finish(self, page_bytes: int | None) -> AllocationFailure:
        if self.memory.begun or self.memory.pages:
            self.event.memory = self.memory.finish(page_bytes or page_size(self.memory, None, []))
            self.event.quotes = self.memory.quotes | self.event.quotes
        return self.event


class KernelReader:
    """Takes the messages of one log, one at a time; gives its events at the end.

    draft: the report at hand. failure: an allocation failure, if it began later.
    killed: the report that named a pid last. spare: takes the first line of a
    Mem-Info in.
    """

    def __init__(self) -> None:
        self.found: list[Draft | _Failure | ProcessFault] = []
        self.draft: Draft | None = None
        self.failure: _Failure | None = None
        self.killed: dict[int | None, Draft] = {}
        self.spare = MemInfoReading()
        self._last: tuple | None = None

    @property
    def open(self) -> bool:
        """Whether an event has begun and its end has not come yet."""
        return self.failure is not None or (self.draft is not None and self.draft.part < KILL)

    def feed(self, line: Line) -> bool:
        """Take one message; whether any line of it belongs to an event."""
        taken = False
        for single in _single_lines(line):
            moment = (single.text, single.time, single.uptime_seconds)
            # Two sources may have brought the same line.
            taken = (self._read(single) if moment != self._last else taken) or taken
            self._last = moment
        return taken

    def finish(self, page_bytes: int | None) -> list[Event]:
        for found in self.found:
            if isinstance(found, Draft) and found.proven:
                found.adopt_reaped()
        proven = (found for found in self.found if not isinstance(found, Draft) or found.proven)
        return [found if isinstance(found, ProcessFault) else found.finish(page_bytes) for found in proven]

    def _read(self, line: Line) -> bool:
        text = line.text[:_LONGEST].strip()
        match = _ROW.pattern.match(text) if text.startswith("[") else None
        if match is not None:
            return self._report_line(_ROW, match, line)
        for key, pattern, form in _FORMS:
            if key in text and (match := pattern.match(text)) is not None:
                take = self._stack_line if form.part == STACK else self._report_line
                return take(form, match, line)
        if self._reaper_line(text, line) or self._fault_line(text, line) or self._memory_line(text, line) or self._stat_line(text, line):
            return True
        self._other_line(text)
        return False

    def _report_line(self, form: Form, match: re.Match[str], line: Line) -> bool:
        draft = self.draft
        if draft is None or form.part < draft.part or far_apart(draft.last, line) or form.another(draft, match):
            earlier, draft = draft, self._begin()
            if form.role == "group" and earlier is not None:
                kill.hand_over_last_kill(earlier, draft)
        self._fill(draft, form, match, line)
        draft.proven = True
        if form.part >= CONSTRAINT:
            for victim in (*draft.report.victims[-1:], draft.named):
                if victim is not None:
                    self.killed[victim.pid] = draft
        elif form.part != TASKS:
            self.failure = None
        return True

    def _stack_line(self, form: Form, match: re.Match[str], line: Line) -> bool:
        """Stacks are printed for many reasons, so they belong only to what has just begun, or to a panic."""
        draft = self.draft
        if self.failure is not None:
            if form is trigger.CPU_FORM:
                self._who_failed(self.failure.event, match, line)
        elif draft is not None and (draft.part <= STACK or draft.report.panic) and not far_apart(draft.last, line):
            self._fill(draft, form, match, line)
        else:
            return False
        return True

    @staticmethod
    def _fill(draft: Draft, form: Form, match: re.Match[str], line: Line) -> None:
        draft.line = line
        draft.take(line, form.part, form.role)
        form.fill(draft, match)

    def _begin(self) -> Draft:
        self.draft = Draft()
        self.found.append(self.draft)
        return self.draft

    def _reaper_line(self, text: str, line: Line) -> bool:
        """The reaper speaks seconds after the kill, perhaps within the next report: its pid says of whom."""
        match = kill.REAPER_LINE.match(text)
        if match is None:
            return False
        done = match[1] is not None
        pid, process = (int(match[1]), match[2]) if done else (int(match[3]), match[4])
        draft = self.killed.get(pid)
        if draft is None or (done and any(pid == reaped for _name, reaped in draft.report.reaped)):
            draft = self.killed[pid] = Draft()
            self.found.append(draft)
            draft.proven = True
            draft.named = Victim(process=process, pid=pid)
            if self.draft is not None and not far_apart(self.draft.last, line):
                self.draft.reaped_meanwhile.append(draft)
        if done:
            draft.report.reaped.append((process, pid))
        draft.note(line, "reaper")
        return True

    def _fault_line(self, text: str, line: Line) -> bool:
        last = self.found[-1] if self.found else None
        asked_before = last if isinstance(last, ProcessFault) and last.kind == "vmalloc" else None
        for key, pattern, read in faults.FORMS:
            if key in text and (match := pattern.match(text)) is not None:
                event = read(match)
                if isinstance(event, AllocationFailure):
                    if asked_before:  # the vmap lines right before a failure are its first words
                        self.found.pop()
                        event.lines, event.time = asked_before.lines, asked_before.time
                    self.failure = _Failure(event)
                    self.found.append(self.failure)
                    event.quotes["trigger"] = line
                elif asked_before and event.kind == "vmalloc":
                    event = asked_before
                else:
                    self.found.append(event)
                event.note(line, "line")
                return True
        return False

    @staticmethod
    def _who_failed(event: AllocationFailure, match: re.Match[str], line: Line) -> None:
        pid, process, _kernel = trigger.read_cpu_line(match)
        if event.pid is None and event.process in (None, process):
            event.pid, event.process = pid, process
            event.note(line, "stack")

    def _memory_line(self, text: str, line: Line) -> bool:
        begins = text.startswith("Mem-")
        failure, draft = self.failure, self.draft
        if failure is not None and far_apart(failure.event.lines[-1], line):
            failure = self.failure = None
        if failure is not None and not (begins and failure.memory.begun) and failure.memory.read(text, line):
            failure.event.note(line)
            return True
        if draft is not None and MEMORY < draft.part < KILL and not begins:
            return False  # a stray line does not end a report
        known = draft.memory if draft is not None else None
        fresh = draft is None or draft.part > MEMORY or (begins and known is not None and known.begun) or far_apart(draft.last, line)
        reading = self.spare if fresh or known is None else known
        if not reading.read(text, line):
            return False
        if reading is self.spare:
            # Unproven: other things than the OOM killer print a Mem-Info.
            draft = self._begin() if fresh else draft
            draft.memory, self.spare = reading, MemInfoReading()
        draft.take(line, MEMORY)
        return True

    def _stat_line(self, text: str, line: Line) -> bool:
        draft = self.draft
        if draft is None or draft.part != MEMORY or not cgroup_memory.take_stat(draft, text, line):
            return False
        draft.take(line, MEMORY)
        return True

    def _other_line(self, text: str) -> None:
        if self.draft is not None and self.draft.part == TASKS and _ELISION.match(text):
            self.draft.cut = True
