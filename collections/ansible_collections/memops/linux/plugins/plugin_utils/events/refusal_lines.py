# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs that were refused memory and say so; nobody was killed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .draft import far_apart
from .pattern import Pattern
from .service_form import ServiceForm, ServiceRecord

if TYPE_CHECKING:
    from .services import ServiceReader


def _sure(reading: ServiceReader, record: ServiceRecord, _match: re.Match[str]) -> bool:
    """Words that a program writes for no other reason. A program that goes on asking is refused more than once."""
    if record.process == "kernel":
        return False
    asked = record.process, record.unit
    last = reading.refusals.get(asked)
    if last is not None and not far_apart(last.lines[-1], record.line):
        last.note(record.line)
        return True
    reading.refusals[asked] = reading.add(record, "enomem", record.process or "unknown", process=record.process or None, unit=record.unit)
    return True


def _of_a_program(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    """Words that also stand in prose: they count from a program's own mouth."""
    return bool(record.process) and _sure(reading, record, match)


FORMS = (
    ServiceForm("annot allocate memory", Pattern(r"\bfork: Cannot allocate memory|commit_memory\(.{1,80}failed; error='Cannot allocate memory'"), _sure),
    ServiceForm("annot allocate memory", Pattern("[Cc]annot allocate memory"), _of_a_program),
    ServiceForm("an't allocate memory", Pattern("[Cc]an't allocate memory"), _of_a_program),
    ServiceForm("ENOMEM", Pattern(r"\bspawn(?: \S{1,200})? ENOMEM$"), _sure),
    ServiceForm("ENOMEM", Pattern(r"\bENOMEM\b"), _of_a_program),
    ServiceForm("bad_alloc", Pattern(r"terminate called after throwing an instance of 'std::bad_alloc'"), _sure),
    ServiceForm("bad_alloc", Pattern(r"\bstd::bad_alloc\b"), _of_a_program),
    ServiceForm("MemoryError", Pattern(r"^MemoryError\b"), _of_a_program),
    ServiceForm("out of memory", Pattern(r"(?:ERROR|FATAL):\s{1,4}out of memory$|^(?:fatal error: runtime|runtime): out of memory"), _sure),
    ServiceForm("memory allocation of", Pattern(r"^memory allocation of \d+ bytes failed"), _sure),
    ServiceForm("insufficient memory for the Java", Pattern(r"There is insufficient memory for the Java Runtime Environment to continue"), _sure),
    ServiceForm("Native memory allocation", Pattern(r"Native memory allocation \(\w{1,16}\) failed to (?:map|allocate) \d+ bytes"), _sure),
    ServiceForm("native thread", Pattern(r"java\.lang\.OutOfMemoryError: unable to create (?:new )?native thread"), _sure),
)
