# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person sees at the end of a run: a short table, and for one host the reasoning.

All text of hosts is hostile here: what is not printable is shown as its escape,
so that a process name cannot move the cursor or colour the screen.
"""

from __future__ import annotations

import textwrap
from typing import Any

from .view.story import chapters, of_finding

COLOURS = {
    "memory": "red",
    "not_memory": "yellow",
    "at_risk": "yellow",
    "cannot_tell": "yellow",
    "no_evidence": "bright red",
    "healthy": "green",
}
ROWS_SHOWN = 40
WIDTHS = {"host": 24, "verdict": 12, "when": 20, "victim": 18, "cause": 24}


def printable(text: Any) -> str:
    """The text on one line, with everything that is not printable escaped.

    >>> printable("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def table(rows: list[dict[str, Any]], columns: int) -> list[tuple[str, str | None]]:
    """(line, colour) of the fleet's table; healthy hosts are only counted when there are many."""
    lines: list[tuple[str, str | None]] = []
    shown = rows
    if len(rows) > ROWS_SHOWN:
        shown = [row for row in rows if row["verdict"]["code"] != "healthy"][:ROWS_SHOWN]
    widths = {name: max(len(name), min(width, max((len(_cells(row)[name]) for row in shown), default=0))) for name, width in WIDTHS.items()}
    heads = {name: name.upper() for name in WIDTHS}
    lines.append((_joined(heads, widths, "FIRST REMEDY", columns), None))
    for row in shown:
        lines.append((_joined(_cells(row), widths, _last_cell(row), columns), COLOURS[row["verdict"]["code"]]))
    left = len(rows) - len(shown)
    if left:
        lines.append((f"... and {left} more (healthy ones first left out); all are in report.json", None))
    return lines


def reasoning(diagnosis: dict[str, Any], columns: int) -> list[tuple[str, str | None]]:
    """(line, colour) of one host's story: the verdict, each step with its quote, the remedies."""
    verdict = diagnosis["verdict"]
    lines = [("", None), *_wrapped(f"{diagnosis['host']}: {verdict['summary']}", "", columns, COLOURS[verdict["code"]])]
    if verdict["code"] == "memory" or verdict["incident"] is not None:
        lines.append((f"confidence: {verdict['confidence']}", None))
    if verdict["incident"] is not None:
        incident = diagnosis["incidents"][verdict["incident"]]
        lines += _because(incident, columns)
        lines += _remedies(incident, columns)
    for finding in diagnosis["findings"]:
        lines += [("", None), *_wrapped(finding["summary"], "", columns, "yellow")]
        lines += _because(finding, columns)
        lines += _remedies(finding, columns)
    others = len(diagnosis["incidents"]) - (verdict["incident"] is not None)
    if others > 0:
        lines += [("", None), (f"{others} more incident{'s' if others > 1 else ''} in the report.", None)]
    if diagnosis["unreadable"]:
        lines += [("", None), ("Could not be read:", None)]
        for note in diagnosis["unreadable"][:8]:
            lines += _wrapped(f"- {note['source']}: {note['why']}", "  ", columns, None)
        if len(diagnosis["unreadable"]) > 8:
            lines.append((f"  ... and {len(diagnosis['unreadable']) - 8} more", None))
    return lines


def _because(item: dict[str, Any], columns: int) -> list[tuple[str, str | None]]:
    lines: list[tuple[str, str | None]] = []
    steps = [step for chapter in (chapters(item) if "kind" in item else of_finding(item)) for step in chapter.steps]
    for number, step in enumerate(steps, 1):
        lines += _wrapped(f"{number}. {step.text}", "   ", columns, None)
        for index in step.quotes:
            quote = item["quotes"][index]
            where = f" [{quote['where']}]" if quote["where"] else ""
            lines.append((_cut("   > " + printable(quote["text"]), columns - len(where)) + where, "dark gray"))
    return lines


def _remedies(item: dict[str, Any], columns: int) -> list[tuple[str, str | None]]:
    lines: list[tuple[str, str | None]] = []
    for remedy in item["remedies"]:
        lines += _wrapped(f"-> {remedy['action']}", "   ", columns, "cyan")
        if remedy["command"]:
            lines.append((f"     {printable(remedy['command'])}", None))  # never wrapped: it is there to be pasted
    return lines


def _wrapped(text: str, indent: str, columns: int, colour: str | None) -> list[tuple[str, str | None]]:
    wrapped = textwrap.wrap(printable(text), columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [(line, colour) for line in wrapped or [""]]


def _cells(row: dict[str, Any]) -> dict[str, str]:
    cause = row["cause"] or ("cannot tell" if row["kind"] else "-")
    return {
        "host": printable(row["host"]),
        "verdict": row["verdict"]["code"],
        "when": (row["time"] or "-")[:19].replace("T", " "),
        "victim": printable(row["victim"] or "-"),
        "cause": cause,
    }


def _last_cell(row: dict[str, Any]) -> str:
    return printable(row["remedy"] or row["verdict"]["summary"])


def _joined(cells: dict[str, str], widths: dict[str, int], last: str, columns: int) -> str:
    cut = [_cut(cells[name], width).ljust(width) for name, width in widths.items()]
    start = "  ".join(cut) + "  "
    return (start + _cut(last, max(20, columns - len(start)))).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
