# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cgroup's path from the top down, each level with its limit and what it used."""

from __future__ import annotations

from typing import Any

from ...diagnosis.wording import size
from ..view.figure import Figure, of_memory
from . import svg
from .picture import Head, Picture, Row

TITLE = "The cgroup's path"


def picture(incident: dict[str, Any], groups: dict[str, dict[str, Any]] | None, facts: list[dict[str, Any]]) -> Picture | None:
    """A row for each level above the victim.

    groups: path -> its record in the host's evidence, which is of the moment of
    collecting; None where the run kept no evidence. facts: quotes of evidence to
    which those of these figures are added.
    """
    path = incident["victim_cgroup"] or incident["cgroup"]
    if not path or path == "/":
        return None
    at_limit = incident["cgroup"] if incident["kind"] == "memcg_oom" else None
    names = [part for part in path.split("/") if part]
    paths = ["/" + "/".join(names[: depth + 1]) for depth in range(len(names))]
    rows = [_row(incident, each, depth, at_limit, groups or {}, facts) for depth, each in enumerate(paths)]
    said = (
        f"The limit that was hit is that of {at_limit}."
        if at_limit
        else "No limit of these was hit; the whole host was short."
        if incident["kind"] == "global_oom"
        else ""
    )
    if not groups:
        said += " The log shows no other level." if at_limit else " The log shows no usage and no limit of these."
    note = "Figures marked now are of the moment when the evidence was collected, the others of the kill." if groups else ""
    if groups is not None and any(each not in groups and each != at_limit for each in paths):
        note += " A level without figures was gone by then or could not be read."
    head = (
        Head("level"),
        Head("of its limit", css="wide"),
        Head("used", css="number"),
        Head("limit (max)", "memory.max", css="number"),
        Head("high", "memory.high", css="number"),
    )
    return Picture("levels", TITLE, said.strip(), head, tuple(rows), note=note.strip())


def _row(incident: dict[str, Any], path: str, depth: int, at_limit: str | None, groups: dict[str, dict[str, Any]], facts: list[dict[str, Any]]) -> Row:
    name = path.rpartition("/")[2]
    group = groups.get(path)
    if path == at_limit and incident["memory"] and incident["memory"]["used_bytes"] is not None:
        used, limit = incident["memory"]["used_bytes"], incident["memory"]["total_bytes"]
        high = None if group is None else _fact(group, "high_bytes", facts)
        return Row(
            [name, _bar(used, limit), of_memory(incident, "used_bytes"), of_memory(incident, "total_bytes") or "none", high],
            (("killed", "limit hit"),),
            None,
            depth,
        )
    if group is None:
        return Row([name, None, None, None, None], (("killed", "limit hit"),) if path == at_limit else (), None, depth)
    limit = group["max_bytes"] if isinstance(group["max_bytes"], int) else None
    cells = [_fact(group, column, facts) for column in ("usage_bytes", "max_bytes", "high_bytes")]
    return Row([name, _bar(group["usage_bytes"], limit), *cells], (("now", "now"),), None, depth)


def _bar(used: int | None, limit: int | None):
    if used is None:
        return None
    return svg.picture([svg.block(0, 1, "c-back"), svg.block(0, used / limit, "c-level")]) if limit else "no limit"


def _fact(group: dict[str, Any], column: str, facts: list[dict[str, Any]]) -> Figure | None:
    value = group[column]
    if value is None:
        return None
    columns = ("usage_bytes", "max_bytes", "high_bytes")
    fact = {"text": f"{group['path']}: {' '.join(f'{each}={group[each]}' for each in columns)}", "where": "evidence.json, cgroups.groups", "time": None}
    if fact not in facts:
        facts.append(fact)
    return Figure("none" if value == "max" else size(value), facts.index(fact))
