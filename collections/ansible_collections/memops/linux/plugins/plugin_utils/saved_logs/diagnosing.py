# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All places that were found, diagnosed into one run's folder: archives are looked into first, then each entry has its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..diagnosis.document import unread
from ..log_places import sosreport_folder
from ..log_places.naming import distinct, text_of
from ..log_places.sources import Found, Place
from ..report.host_files import write_diagnosis
from . import crew

TICK_SECONDS = 1.0

Skipped = list[dict[str, str]]


class CannotWrite(Exception):
    """The run's folder cannot be written."""


@dataclasses.dataclass
class Progress:
    """How many entries there are, how many are done, and how many of those could not be read."""

    all: int
    done: int = 0
    unread: int = 0


def diagnose_all(
    found: Found, run_folder: str, processes: int, limit_bytes: int, tell: Callable[[Progress], None]
) -> tuple[dict[str, str], Skipped]:
    """({entry: verdict's code}, what is no log), with a diagnosis document in the run's folder for each entry.

    Raises CannotWrite, OSError and crew.CannotStart.
    """
    contents, skipped = _contents([place for place in found.places if place.kind == "archive"], processes, limit_bytes)
    tasks = [_task(place, contents.get(place.path, {}), run_folder, limit_bytes) for place in found.places]
    _name(tasks)
    verdicts: dict[str, str] = {}
    progress = Progress(sum(len(task["entries"]) for task in tasks))
    for result in crew.done(tasks, processes, TICK_SECONDS):
        if result is not None:
            told = _verdicts(*result, run_folder)
            verdicts |= told
            progress.done += len(told)
            progress.unread += sum(code == "no_evidence" for code in told.values())
        tell(progress)
    return verdicts, found.skipped + skipped


def _contents(archives: list[Place], processes: int, limit_bytes: int) -> tuple[dict[str, crew.Answer], Skipped]:
    """What each archive holds, or why it cannot be read; and what in it is no log."""
    tasks = [{"do": "examine", "path": place.path, "limit_bytes": limit_bytes} for place in archives]
    contents, skipped = {}, []
    for result in crew.done(tasks, processes, TICK_SECONDS):
        if result is not None:
            task, answer = result
            contents[task["path"]] = answer
            skipped += [{"path": f"{text_of(task['path'])}: {item['path']}", "why": item["why"]} for item in answer.get("skipped", ())]
    return contents, sorted(skipped, key=lambda item: item["path"])


def _task(place: Place, content: crew.Answer, run_folder: str, limit_bytes: int) -> dict[str, Any]:
    """The task that reads a place, its entries still without names."""
    kind, why_not, entries = place.kind, place.why_not, content.get("entries")
    if kind == "archive" and not entries:
        kind, why_not = "unread", content.get("failed") or "the archive holds no log"
    if not entries:
        wanted = sosreport_folder.host_of(place.path) if kind == "sosreport" else None
        entries = [{"kind": kind, "path": "", "wanted": wanted or place.wanted}]
    return {
        "do": "diagnose",
        "kind": kind,
        "path": place.path,
        "why_not": why_not,
        "run_folder": run_folder,
        "limit_bytes": limit_bytes,
        "entries": entries,
    }


def _name(tasks: list[dict[str, Any]]) -> None:
    entries = [(task, entry) for task in tasks for entry in task["entries"]]
    names = distinct([(entry["wanted"], f"{text_of(task['path'])}/{entry['path']}") for task, entry in entries])
    for (_task, entry), name in zip(entries, names, strict=True):
        entry["name"] = name


def _verdicts(task: crew.Task, answer: crew.Answer, run_folder: str) -> dict[str, str]:
    """The verdict of each entry of a task; one that has none becomes a document that says why."""
    if answer.get("cannot_write"):
        raise CannotWrite(answer["failed"])
    verdicts = answer.get("verdicts", {})
    reason = answer.get("failed") or "the archive changed while it was read, and no longer holds it"
    for entry in task["entries"]:
        if entry["name"] not in verdicts:
            write_diagnosis(run_folder, entry["name"], unread(entry["name"], reason))
            verdicts[entry["name"]] = "no_evidence"
    return verdicts
