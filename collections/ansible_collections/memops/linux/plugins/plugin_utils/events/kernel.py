# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel messages in, events out: one pass, one line at a time.

Each form of line knows the part of a report in which the kernel prints it. A
line of an earlier part than the report at hand has reached, or one that this
report has already, begins the next report; a line of no form is none of ours.
That carries through reports that are cut, interleaved or run together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from . import cgroup_memory, constraint, ending, faults, kill, refusals, task_table, trigger
from .draft import Draft, far_apart
from .faults import FaultForm
from .form import CONSTRAINT, KILL, MEMORY, STACK, TASKS, Form, by_shared_word
from .mem_info import MemInfoReading
from .model import AllocationFailure, Event, Line, ProcessFault, Victim
from .page_size import page_size
from .pattern import Pattern

_ROW = task_table.ROW_FORM
_FORMS = by_shared_word(trigger.FORMS + constraint.FORMS + kill.FORMS + ending.FORMS + cgroup_memory.FORMS + task_table.FORMS)
_REFUSALS_AND_FAULTS = by_shared_word(refusals.FORMS + faults.FORMS)
#: Said by the log, the console or whoever pasted it: lines are left out here. Or a row that is cut short.
_ELISION = Pattern(r"\[[\d \]]*$|\.\.\.|…|--$|[\[(<]\.\.\.|[\[<]?snip|.*messages dropped|.*Missed \d+ kernel messages|.*\d (?:lines|rows) omitted")
#: Between the line that names the chosen one and the line on its death a slow console can lie.
_LONG_PAUSE_SECONDS = 1800
#: Lines within which a fault's stack follows it: registers, modules and the code come first.
_STACK_LINES = 100
#: Frames of the OOM killer at work.
_AT_WORK = Pattern(r".*\b(?:oom_kill_process|out_of_memory|dump_header)\+0x")
_HEADER_FRAME = Pattern(r"[^?]{0,80}\bdump_header(?:\+0x| from )")
#: Longer than any line that the kernel writes, and short enough for every pattern and for int().
_LONGEST = 4096


def read_kernel(lines: Iterable[Line], page_bytes: int | None = None) -> list[Event]:
    """The events in kernel messages without their prefixes, in the order in which they begin.

    page_bytes: of the machine that wrote the log; inferred from each report if None.
    """
    reader = KernelReader(page_bytes)
    for line in lines:
        reader.feed(line)
    return reader.finish()


#: Of so many events the newest may still be added to, but for the reaper's word.
_HELD = 8


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


def _before(line: Line, last: Line) -> bool:
    """Whether time goes back by more than the disorder of a log: another boot, or another log."""
    if line.uptime_seconds is not None and last.uptime_seconds is not None:
        return line.uptime_seconds < last.uptime_seconds - 1
    # Comparing texts is cheap; times of one form sort like their moments.
    return bool(line.time and last.time and line.time < last.time) and far_apart(last, line, math.inf)


def _may_be_said_again(line: Line) -> bool:
    """Old kernels refuse again and again in the same words; without a stamp nothing says that two lines are one."""
    return line.time is None and line.uptime_seconds is None and "allocation fail" in line.text


class KernelReader:
    """Takes the messages of one log, one at a time; gives its events at the end.

    draft: the report at hand. failure: an allocation failure, if it began later.
    fault: the last one, while a stack may follow that belongs to it.
    standing: the faults that the kernel may speak of again. killed: the report
    that named a pid last. spare: takes the first line of a Mem-Info in.
    """

    def __init__(self, page_bytes: int | None = None) -> None:
        self.page_bytes = page_bytes
        self.found: list[Draft | _Failure | ProcessFault] = []
        self._settled = 0
        self.spare = MemInfoReading()
        self._last = self._stamped = Line("")
        self._begin_log()

    def _begin_log(self) -> None:
        """What comes now goes on with nothing that came before."""
        self.draft: Draft | None = None
        self.failure: _Failure | None = None
        self.fault: ProcessFault | None = None
        self._since_fault = 0
        self.standing: dict[tuple, ProcessFault] = {}
        self.killed: dict[int | None, Draft] = {}

    @property
    def open(self) -> bool:
        """Whether an event has begun and its end has not come yet."""
        return self.failure is not None or self.fault is not None or (self.draft is not None and self.draft.part < KILL)

    def feed(self, line: Line) -> bool:
        """Take one message; whether any line of it belongs to an event."""
        if line.time is not None or line.uptime_seconds is not None:
            if _before(line, self._stamped):
                self._begin_log()
            self._stamped = line
        text = line.text
        if "\n" in text or "\\x0a" in text:
            # memory.stat and the totals are one message of many lines; /dev/kmsg writes its breaks as ``\x0a``.
            taken = False
            for part in text.replace("\\x0a", "\n").split("\n"):
                taken = self._feed_single(Line(part, line.time, line.where, line.uptime_seconds, line.of_kernel)) or taken
            return taken
        return self._feed_single(line)

    def _feed_single(self, line: Line) -> bool:
        last, self._last = self._last, line
        if line.text == last.text and line.time == last.time and line.uptime_seconds == last.uptime_seconds and not _may_be_said_again(line):
            return False  # two sources have brought the same line
        return self._read(line)

    def finish(self) -> list[Event]:
        self._settle(0)
        proven = (found for found in self.found if not isinstance(found, Draft) or found.proven)
        return [found if isinstance(found, ProcessFault) else found.finish(self.page_bytes) for found in proven]

    def _settle(self, held: int) -> None:
        """What has begun long ago is over: its lines become figures, which take a tenth of the memory."""
        while self._settled < len(self.found) - held:
            found = self.found[self._settled]
            if isinstance(found, Draft) and found.proven:
                found.adopt_reaped()
                found.finish(self.page_bytes)
            self._settled += 1

    def _read(self, line: Line) -> bool:
        text = line.text[:_LONGEST].strip()
        if text.startswith("["):
            match = _ROW.pattern.match(text)
            if match is not None:
                return self._report_line(_ROW, match, line)
        for word, forms in _FORMS:
            if word in text:
                for form in forms:
                    if form.key in text and (match := form.pattern.match(text)) is not None:
                        return self._report_line(form, match, line)
        if "oom_reaper: " in text and self._reaper_line(text, line):
            return True
        if not self.found and "dump_header" in text and self._begin_within_stack(text, line):
            return True
        if self._in_stack and self._stack_line(text, line):
            return True
        if self._fault_line(text, line) or self._memory_line(text, line) or self._stat_line(text, line):
            return True
        return self._other_line(text, line)

    def _report_line(self, form: Form, match: re.Match[str], line: Line) -> bool:
        draft = self.draft
        # A stamp since boot is the kernel's own.
        certain = form.unmistakable(match) or line.uptime_seconds is not None or line.of_kernel
        if draft is None and not certain:
            return False
        refused = self._refused_to_victim(line) if form is kill.PAGE_FAULT_FORM else None
        if draft is None or refused or form.part < draft.part or self._too_late(draft, form, match, line) or form.another(draft, match):
            earlier, draft = draft, self._begin()
            if form.role == "group" and earlier is not None:
                ending.hand_over_last_kill(earlier, draft)
        if refused:
            kill.take_refusal(draft, refused)
        self._fill(draft, form, match, line)
        draft.proven = draft.proven or (certain and (form is not _ROW or bool(draft.table and draft.table.rows)))
        self.fault = None
        if form.part >= CONSTRAINT:
            for victim in (*draft.report.victims[-1:], draft.named):
                if victim is not None:
                    self.killed[victim.pid] = draft
        elif form.part != TASKS:
            self.failure = None
        return True

    def _refused_to_victim(self, line: Line) -> list[AllocationFailure]:
        """The refusals of 2.4, which name nobody, right before the kill for which they are the reason."""
        refused: list[AllocationFailure] = []
        while self.found and isinstance(last := self.found[-1], _Failure) and refusals.is_of_24(last.event) and not far_apart(last.event.lines[-1], line):
            refused.insert(0, last.event)
            self.found.pop()
        if refused:
            self.failure = None
        return refused

    @staticmethod
    def _too_late(draft: Draft, form: Form, match: re.Match[str], line: Line) -> bool:
        if draft.last is None:
            # A paste may begin in the middle of a line; more lines without a stamp are of another log than lines with one.
            return len(draft.report.lines) > 1 and (line.time is not None or line.uptime_seconds is not None)
        if not far_apart(draft.last, line):
            return False
        named = draft.named
        announced = form.role == "kill" and draft.part < KILL and named is not None and f"process {named.pid} " in match[0]
        return not announced or far_apart(draft.last, line, _LONG_PAUSE_SECONDS)

    @property
    def _in_stack(self) -> bool:
        """Stacks are printed for many reasons, so they belong only to what has just begun, or to a panic."""
        draft = self.draft
        return self.failure is not None or self.fault is not None or (draft is not None and (draft.part <= STACK or draft.report.panic))

    def _begin_within_stack(self, text: str, line: Line) -> bool:
        """A paste may begin below a report's first line; only the OOM killer prints its header."""
        if not (line.of_kernel or line.uptime_seconds is not None) or not _HEADER_FRAME.match(text):
            return False
        draft = self._begin()
        draft.take(line, STACK, "stack")
        draft.proven = True
        return True

    def _stack_line(self, text: str, line: Line) -> bool:
        form, match = next(((form, match) for form in trigger.STACK_FORMS if form.key in text and (match := form.pattern.match(text))), (None, None))
        draft = self.draft
        if self.fault is not None:
            return self._stack_of_fault(self.fault, text, match if form is trigger.CPU_FORM else None, line)
        if form is None or match is None:
            return False
        if self.failure is not None:
            if form is trigger.CPU_FORM:
                self._who_failed(self.failure.event, match, line)
        elif draft is not None and not far_apart(draft.last, line):
            self._fill(draft, form, match, line)
        else:
            return False
        return True

    def _stack_of_fault(self, fault: ProcessFault, text: str, cpu: re.Match[str] | None, line: Line) -> bool:
        self._since_fault += 1
        if self._since_fault > _STACK_LINES or far_apart(fault.lines[-1], line):
            self.fault = None
        elif cpu is not None and fault.pid is None:
            pid, process, _kernel = trigger.read_cpu_line(cpu)
            if fault.process in (None, process):
                fault.pid, fault.process = pid, process
                fault.note(line, "stack")
                return True
        elif fault.kind == "soft_lockup" and _AT_WORK.match(text) and self.found[-1] is fault:
            # The CPU is busy printing the report: the lockup is a consequence of the kill, no event of its own.
            report = self.draft
            if report is not None and report.proven and not far_apart(report.last, fault.lines[0]):
                self.found.pop()
                self.standing.pop((fault.kind, fault.process, fault.pid, fault.cgroup), None)
                report.note(fault.lines[0], "lockup")
                self.fault = None
                return True
        return False

    @staticmethod
    def _fill(draft: Draft, form: Form, match: re.Match[str], line: Line) -> None:
        draft.line = line
        draft.take(line, form.part, form.role)
        form.fill(draft, match)

    def _begin(self) -> Draft:
        self._settle(_HELD)
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
        for word, forms in _REFUSALS_AND_FAULTS:
            if word in text:
                for form in forms:
                    if form.key in text and (match := form.pattern.match(text)) is not None:
                        take = self._take_fault if isinstance(form, FaultForm) else self._take_refusal
                        take(form, match, line)
                        return True
        return False

    def _asked_before(self) -> ProcessFault | None:
        """The vmap lines right before a failure are its first words."""
        last = self.found[-1] if self.found else None
        return last if isinstance(last, ProcessFault) and last.kind == "vmalloc" else None

    def _take_fault(self, form: FaultForm, match: re.Match[str], line: Line) -> None:
        event, known = form.read(match), None
        if form.standing:
            known = self.standing.setdefault((event.kind, event.process, event.pid, event.cgroup), event)
        elif event.kind == "vmalloc":
            known = self._asked_before()
        if known is None or known is event:
            self.found.append(event)
        else:
            event = known
        self.fault, self._since_fault = event if form.unnamed or event.kind == "soft_lockup" else None, 0
        event.note(line, "line")

    def _take_refusal(self, form: refusals.RefusalForm, match: re.Match[str], line: Line) -> None:
        event = form.read(match)
        failed = self.failure.event if self.failure is not None else None
        asked_by_slab = form.caches and failed is not None and "slab" not in failed.quotes and refusals.may_be_of(event, failed)
        if asked_by_slab and not far_apart(failed.lines[-1], line):
            failed.note(line, "slab")
            return
        asked_before = self._asked_before()
        if asked_before is not None:
            self.found.pop()
            event.lines, event.time = asked_before.lines, asked_before.time
        self.failure = _Failure(event)
        self.found.append(self.failure)
        self.fault = None
        event.quotes["trigger"] = line
        if form.caches:
            event.quotes["slab"] = line
        event.note(line, "line")

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
        if draft is not None and MEMORY < draft.part < KILL and not begins and not far_apart(draft.last, line):
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

    def _other_line(self, text: str, line: Line) -> bool:
        if self.draft is not None and self.draft.part == TASKS and _ELISION.match(text):
            self.draft.cut = True
        failed = self.failure.event if self.failure is not None else None
        if failed is None or "slab" not in failed.quotes or not text.startswith("cache: ") or far_apart(failed.lines[-1], line):
            return False
        failed.note(line, "cache")  # which cache could not grow, and so whose it is
        return True
