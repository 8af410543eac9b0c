# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of hosts, as data for the script and as rows for those without one."""

from __future__ import annotations

from typing import Any

from ...diagnosis.verdict import CODES
from ...diagnosis.wording import count
from ..terminal import printable
from ..view import words

COLUMNS = (
    ("host", "host"),
    ("verdict", "verdict"),
    ("when", "when (UTC)"),
    ("victim", "victim"),
    ("cause", "cause"),
    ("place", "where"),
    ("text", "first remedy, or why"),
)
#: Without a script a table of more rows is of no use.
ROWS_WITHOUT_SCRIPT = 300
_INTERNED = ("verdict", "victim", "cause", "place", "text")


def data(report: dict[str, Any], anchors: dict[str, str]) -> dict[str, Any]:
    """{columns: name -> place in a row, shown, interned, words, verdicts, groups, hosts: [row]}; words that repeat stand there once."""
    places: dict[str, int] = {}
    groups = sorted({group for row in report["hosts"] for group in row["groups"]})
    number_of = {group: number for number, group in enumerate(groups)}
    hosts = []
    for row in report["hosts"]:
        cells = _cells(row)
        shared = [places.setdefault(cells[name], len(places)) for name in _INTERNED]
        hosts.append([cells["host"], cells["when"], *shared, [number_of[group] for group in row["groups"]], anchors.get(row["host"], 0)])
    columns = ("host", "when", *_INTERNED, "groups", "anchor")
    return {
        "columns": {name: place for place, name in enumerate(columns)},
        "shown": [name for name, _text in COLUMNS],
        "interned": dict.fromkeys(_INTERNED, 1),
        "words": list(places),
        "verdicts": list(CODES),
        "groups": [printable(group) for group in groups],
        "hosts": hosts,
    }


def static(report: dict[str, Any], anchors: dict[str, str]) -> list[dict[str, Any]]:
    """The same rows for a page without a script; none where there are too many."""
    if len(report["hosts"]) > ROWS_WITHOUT_SCRIPT:
        return []
    return [{**_cells(row), "anchor": anchors.get(row["host"])} for row in report["hosts"]]


def lead(report: dict[str, Any]) -> str:
    """The fleet in one sentence."""
    hit = report["counts"].get("memory", 0)
    asked = report["asked"]
    if not report["answered"]:
        return f"None of {count(asked, 'host')} gave evidence."
    text = f"Memory ran out on {hit} of {count(asked, 'host')}" if hit else f"No death by memory is known on {count(asked, 'host')}"
    blind = asked - report["answered"] + report["counts"].get("cannot_tell", 0)
    return f"{text}; {blind} cannot be told." if blind else f"{text}."


def _cells(row: dict[str, Any]) -> dict[str, str]:
    return {
        "host": printable(row["host"]),
        "verdict": row["verdict"]["code"],
        "when": words.moment(row["time"]) or "-",
        "victim": printable(row["victim"] or "-"),
        "cause": row["cause"] or ("cannot tell" if row["kind"] else "-"),
        "place": printable(row["place"] or "-"),
        "text": printable(row["remedy"] or row["verdict"]["summary"]),
    }
