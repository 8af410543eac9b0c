# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The processes of the report, the largest first, as bars of RAM, swap and page tables."""

from __future__ import annotations

from typing import Any

from ..view.figure import bytes_of
from ..view.story import task_held
from . import svg
from .picture import Head, Picture, Row

TITLE = "The processes"


def picture(incident: dict[str, Any]) -> Picture:
    """A row for each process that the diagnosis keeps; victim and trigger are marked."""
    tasks = sorted(incident["tasks"], key=task_held, reverse=True)
    if not tasks:
        return Picture("tasks", TITLE, "The log does not show a table of the processes.")
    scale = max(task_held(task) for task in tasks) or 1
    victims = {victim["pid"] for victim in (incident["victim"], *incident["also_killed"]) if victim}
    trigger = (incident["trigger"] or {}).get("pid")
    rows = tuple(_row(incident, task, scale, victims, trigger) for task in tasks)
    said = f"The largest {len(tasks)} processes of the report." if len(tasks) > 1 else "The report lists one process."
    if victims and not any(task["pid"] in victims for task in tasks):
        said += " The victim is not among them."
    return Picture(
        "tasks",
        TITLE,
        said,
        (
            Head("process"),
            Head("held", css="wide"),
            Head("RAM", "rss", svg.swatch("c-anon"), "number"),
            Head("swap", "swapents", svg.swatch("c-swap"), "number"),
            Head("page tables", "page tables", svg.swatch("c-tables"), "number"),
            Head("oom_score_adj", "oom_score_adj", css="number"),
        ),
        rows,
        note="" if all(task["swap_bytes"] is not None for task in tasks) else "This kernel's table does not show what was in swap.",
    )


def _row(incident: dict[str, Any], task: dict[str, Any], scale: int, victims: set[int | None], trigger: int | None) -> Row:
    shapes, start = [], 0.0
    for name, css in (("rss_bytes", "c-anon"), ("swap_bytes", "c-swap"), ("page_tables_bytes", "c-tables")):
        share = (task[name] or 0) / scale
        shapes.append(svg.block(start, share, css))
        start += share
    source = f"task.{task['pid']}"
    figures = [bytes_of(incident, source, task[name]) for name in ("rss_bytes", "swap_bytes", "page_tables_bytes")]
    marks = ()
    if task["pid"] in victims:
        marks += (("killed", "killed"),)
    if task["pid"] == trigger and trigger is not None:
        marks += (("asked", "asked"),)
    adj = None if task["oom_score_adj"] is None else str(task["oom_score_adj"])
    return Row([f"{task['process']} ({task['pid']})", svg.picture(shapes), *figures, adj], marks)
