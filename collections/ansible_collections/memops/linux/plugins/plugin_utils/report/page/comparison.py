# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""compare.html: the numbers of before and after side by side, host by host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from .. import glossary
from ..pictures import svg
from ..view import words
from .escaping import data_block, policy
from .rendering import asset, environment

#: Of more hosts only those on which something differs are shown by themselves; the table has all.
HOSTS_SHOWN = 300


def page(document: dict[str, Any], meanings: Mapping[str, str]) -> Iterator[str]:
    """The page in pieces. document: ``memops.comparison/1``; meanings: of its verdicts."""
    style, script = asset("page.css"), asset("page.js")
    rows = document["hosts"]
    told = [row for row in rows if len(rows) <= HOSTS_SHOWN or row["verdict"] in ("worse", "mixed", "better")][:HOSTS_SHOWN]
    anchors = {row["host"]: f"c{place}" for place, row in enumerate(told)}
    return (
        environment()
        .get_template("comparison.html.j2")
        .generate(
            document=document,
            meanings=meanings,
            rows=[_row(row, anchors.get(row["host"])) for row in rows],
            told=[{**_row(row, anchors[row["host"]]), "measures": [_measure(one) for one in row["measures"]], "changed": _changed(row)} for row in told],
            title="Memory before and after",
            policy=Markup(policy(style, script)),
            style=style,
            script=script,
            entries=glossary.ENTRIES,
            data=data_block(
                {"columns": {}, "shown": [], "interned": {}, "words": [], "verdicts": [], "groups": [], "hosts": [], "single": False, "views": False}
            ),
        )
    )


def _row(row: dict[str, Any], anchor: str | None) -> dict[str, Any]:
    kills = row["measures"][0] if row["measures"] else {"before": None, "after": None}
    return {
        "anchor": anchor,
        "host": row["host"],
        "verdict": row["verdict"],
        "why": row["why"],
        "before_at": words.moment(row["before_at"]),
        "after_at": words.moment(row["after_at"]),
        "before_kills": _number(kills["before"]),
        "after_kills": _number(kills["after"]),
        "settings": len(row["changed"]),
        "notes": row["notes"],
    }


def _measure(one: dict[str, Any]) -> dict[str, Any]:
    """A measure with both numbers drawn against the larger of them; what was not counted is not drawn."""
    most = max((value for value in (one["before"], one["after"]) if value), default=0)
    drawn = [
        None if value is None else svg.picture([svg.block(0, 1, "c-back"), svg.block(0, value / most if most else 0, css)])
        for value, css in ((one["before"], "c-level-soft"), (one["after"], "c-level"))
    ]
    return {**one, "before": _number(one["before"]), "after": _number(one["after"]), "before_drawn": drawn[0], "after_drawn": drawn[1]}


def _changed(row: dict[str, Any]) -> list[dict[str, str]]:
    return [{"area": one["area"], "key": one["key"], "before": _value(one["before"]), "after": _value(one["after"])} for one in row["changed"]]


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _value(value: Any) -> str:
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value)
