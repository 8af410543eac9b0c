# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The task table (``dump_tasks``, mm/oom_kill.c), whose columns grew over the years.

    2.6.25    [ pid ]   uid  tgid total_vm      rss cpu oom_adj name
    2.6.36    [ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name
    3.x       [ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name
    4.x       [ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds [nr_puds] swapents oom_score_adj name
    4.15      [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
    6.8       [  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name

The header is believed. Rows whose header is lost give the columns that all
layouts have in the same place.
"""

from __future__ import annotations

import heapq
import re
from typing import NamedTuple

from .draft import Draft
from .form import TASKS, Form
from .model import Line, Task
from .pattern import Pattern

#: Of each layout that rows without a header can have; the last number is oom_score_adj, of seven oom_adj.
_COMMON = ("pid", "uid", "tgid", "total_vm", "rss")
_HEADERLESS_NUMBERS = range(7, 12)
_WITH_OOM_ADJ = 7
_TOTAL_VM, _RSS = 3, 4
MAX_SCORE_ADJ = 1000
LINES_QUOTED = 20
_COUNTS = {"nr_ptes", "nr_pmds", "nr_puds"}
_UNIT = Pattern(r"-?\d+$")


class Row(NamedTuple):
    numbers: dict[str, int]
    process: str
    line: Line


class TaskTable:
    """One report's table, in pages until the page size is known."""

    def __init__(self) -> None:
        self.columns: tuple[str, ...] = ()
        self.has_header = False
        self.rows: list[Row] = []
        self._of_pid: dict[int, Row] = {}
        self.damaged = False

    def header(self, text: str) -> None:
        self.has_header = True
        words = tuple(text.replace("[", " ").replace("]", " ").split())
        if words[-1] == "name" and set(_COMMON) <= set(words):
            self.columns = words

    def row(self, text: str, line: Line) -> None:
        words = text[1:].replace("]", " ", 1)
        row = self._with_header(words, line) if self.has_header else self._without_header(words, line)
        if row is None:
            self.damaged = True
        else:
            self.rows.append(row)
            self._of_pid.setdefault(row.numbers["pid"], row)

    def _with_header(self, words: str, line: Line) -> Row | None:
        count = len(self.columns) - 1
        values = words.split(None, count)
        if count < len(_COMMON) or len(values) < count:
            return None  # the header or the row is cut
        try:
            numbers = [int(value) for value in values[:count]]
        except ValueError:
            return None
        return Row(dict(zip(self.columns, numbers, strict=False)), values[count] if len(values) > count else "", line)

    @staticmethod
    def _without_header(words: str, line: Line) -> Row | None:
        values = words.split()
        count = next((index for index, value in enumerate(values) if not _UNIT.match(value)), len(values))
        if count not in _HEADERLESS_NUMBERS or count == len(values):
            return None
        numbers = [int(value) for value in values[:count]]
        if abs(numbers[-1]) > MAX_SCORE_ADJ or numbers[_RSS] > numbers[_TOTAL_VM]:
            return None
        named = dict(zip(_COMMON, numbers, strict=False))
        if count == _WITH_OOM_ADJ:
            return Row(named, words.split(None, count)[-1], line)
        return Row(named | {"oom_score_adj": numbers[-1]}, words.split(None, count)[-1], line)

    def find(self, pid: int | None) -> Row | None:
        return self._of_pid.get(pid) if pid is not None else None

    def largest(self) -> Line | None:
        """The line of the task whose death would have given most back."""
        return max(self.rows, key=_held).line if self.rows else None

    def lines_of(self, pids: set[int | None]) -> dict[int, Line]:
        """pid -> its line, of the largest tasks and of these."""
        largest = heapq.nlargest(LINES_QUOTED, self.rows, key=_held)
        return {row.numbers["pid"]: row.line for row in (*largest, *(self._of_pid[pid] for pid in pids if pid in self._of_pid))}

    def finish(self, page_bytes: int) -> list[Task]:
        return [_task(row.numbers, row.process, page_bytes) for row in self.rows]


def _held(row: Row) -> int:
    return row.numbers["rss"] + row.numbers.get("swapents", 0)


def _task(numbers: dict[str, int], process: str, page_bytes: int) -> Task:
    def size(name: str) -> int | None:
        pages = numbers.get(name)
        return None if pages is None else pages * page_bytes

    tables = numbers.get("pgtables_bytes")
    if tables is None and "nr_ptes" in numbers:
        tables = sum(pages for name, pages in numbers.items() if name in _COUNTS) * page_bytes
    return Task(
        numbers["pid"],
        numbers.get("tgid"),
        numbers.get("uid"),
        process,
        size("total_vm"),
        size("rss"),
        size("swapents"),
        tables,
        numbers.get("oom_score_adj"),
        size("rss_anon"),
        size("rss_file"),
        size("rss_shmem"),
    )


def _table(draft: Draft) -> TaskTable:
    if draft.table is None:
        draft.table = TaskTable()
    return draft.table


def _title(draft: Draft, _match: re.Match[str]) -> None:
    _table(draft)


def _header(draft: Draft, match: re.Match[str]) -> None:
    _table(draft).header(match.string)


def _header_seen(draft: Draft, _match: re.Match[str]) -> bool:
    return draft.table is not None and draft.table.has_header


def _row(draft: Draft, match: re.Match[str]) -> None:
    _table(draft).row(match.string, draft.line)


ROW_FORM = Form("]", Pattern(r"\[ *\d+\] +\d+ +\d+ +\d+ "), TASKS, _row)
FORMS = (
    ROW_FORM,
    Form("Tasks state", Pattern(r"Tasks state \(memory values in pages\):"), TASKS, _title, another=_header_seen),
    Form("total_vm", Pattern(r"\[ *pid *\] +uid +tgid +total_vm +rss"), TASKS, _header, another=_header_seen),
)
