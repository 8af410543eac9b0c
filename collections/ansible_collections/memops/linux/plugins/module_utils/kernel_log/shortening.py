# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fits an excerpt into its bytes: small tasks go first, what states the event stays."""

import re

from . import phrases

EXCERPT_BYTES = 96 * 1024
#: What a line costs in JSON besides its text.
LINE_BYTES = 50

_ROW_PID = re.compile(r"\[ *(\d+)\]")
_TRIGGER = re.compile(r"CPU: \d+ (?:UID: \d+ )?PID: (\d+) |^Pid: (\d+), comm:")
_TRACE = re.compile(r" |\[<|[A-Z][A-Z0-9]{2}: |Code: |Call Trace:|Hardware name:|Modules linked in:")
_NUMBER_COLUMNS = re.compile(r"-?\d+")


def size(lines):
    """The bytes that lines, of any tuple with a text second, take in the evidence."""
    return sum(len(line[1]) + LINE_BYTES for line in lines)


def shortened(lines, budget_bytes, victims=()):
    """``(lines that fit, how many were left out)``.

    lines: ``(time, text, role)``. Rows of the task table are left out first,
    the least memory first, but not those of the victims and of the process
    that asked; then traces and registers, then what is not essential, and at
    last the middle of many kill lines.
    """
    excess = size(lines) - budget_bytes
    if excess <= 0:
        return lines, 0
    dropped = set()
    for number in _least_important_first(lines, set(victims)):
        if excess <= 0:
            break
        excess -= len(lines[number][1]) + LINE_BYTES
        dropped.add(number)
    return [line for number, line in enumerate(lines) if number not in dropped], len(dropped)


def _least_important_first(lines, pids):
    columns = None
    rows, traces, others, essential = [], [], [], []
    for number, (_time, text, role) in enumerate(lines):
        trigger = _TRIGGER.search(text)
        if trigger:
            pids.add(int(trigger.group(1) or trigger.group(2)))
        if role == "table" and "total_vm" in text:
            columns = _columns(text)
        if role == "row":
            rows.append((_weight(text, columns), number))
        elif role in phrases.ESSENTIAL or trigger:
            essential.append(number)
        else:
            (traces if _TRACE.match(text) else others).append(number)
    small_rows = [number for _weight_of, number in sorted(rows) if int(_ROW_PID.match(lines[number][1]).group(1)) not in pids]
    return small_rows + traces + others[::-1] + essential[40:-10][::-1]


def _columns(text):
    """Which numbers of a row are memory in pages: rss, and swapents where there is one."""
    names = text.replace("[", " ").replace("]", " ").split()
    return [index for index, name in enumerate(names) if name in ("rss", "swapents")]


def _weight(text, columns):
    numbers = _NUMBER_COLUMNS.findall(text[:160])
    # Without the table's head: pid, uid, tgid, total_vm, rss is the order of all kernels.
    return sum(int(numbers[index]) for index in columns or [4] if index < len(numbers))
