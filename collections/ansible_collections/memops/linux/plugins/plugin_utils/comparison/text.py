# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A comparison for people: compare.md, and what the terminal shows."""

from __future__ import annotations

import json
from typing import Any

from ..report.markdown import escaped
from ..report.terminal import printable
from .document import VERDICTS

COLOURS = {"better": "green", "worse": "red", "mixed": "yellow", "same": None, "cannot_tell": "dark gray"}
HOSTS_SHOWN = 20
SETTINGS_SHOWN = 30


def markdown(document: dict[str, Any]) -> str:
    """compare.md: the table of hosts, then for each what was set differently and the numbers side by side."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in document["counts"].items()) or "no host"
    lines = ["# Before and after", "", f"{document['made_at']} · before: {escaped(document['before'])} · after: {escaped(document['after'])} · {counts}", ""]
    lines += [f"- {verdict}: {meaning}" for verdict, meaning in VERDICTS.items() if verdict in document["counts"]]
    lines += ["", "| host | verdict | OOM kills per hour before | after | settings changed | why |", "|---|---|---|---|---|---|"]
    for row in document["hosts"]:
        kills = row["measures"][0] if row["measures"] else {"before": None, "after": None, "why": None}
        cells = [
            escaped(row["host"]),
            row["verdict"],
            number(kills["before"]),
            number(kills["after"]),
            len(row["changed"]),
            escaped(row["why"] or kills["why"]),
        ]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    for row in document["hosts"]:
        lines += ["", f"## {escaped(row['host'])}", "", f"{row['before_at'] or '-'} and {row['after_at'] or '-'}", ""]
        if row["changed"]:
            lines += ["| changed | key | before | after |", "|---|---|---|---|"]
            lines += [
                f"| {one['area']} | {escaped(one['key'])} | {escaped(_value(one['before']))} | {escaped(_value(one['after']))} |" for one in row["changed"]
            ]
            lines.append("")
        if row["measures"]:
            lines += ["| measure | before | after | unit | verdict | why |", "|---|---|---|---|---|---|"]
            for one in row["measures"]:
                lines.append(
                    f"| {one['measure']} | {number(one['before'])} | {number(one['after'])} | {one['unit']} | {one['verdict']} | {escaped(one['why'])} |"
                )
        lines += [f"\n- {escaped(note)}" for note in row["notes"]]
    return "\n".join(lines) + "\n"


def table(document: dict[str, Any]) -> list[tuple[str, str | None]]:
    """(line, colour): each host with what was set differently and every measure that tells something."""
    lines: list[tuple[str, str | None]] = []
    for row in document["hosts"][:HOSTS_SHOWN]:
        lines += [("", None), (f"{printable(row['host'])}: {row['verdict']}" + (f": {printable(row['why'])}" if row["why"] else ""), COLOURS[row["verdict"]])]
        for one in row["changed"][:SETTINGS_SHOWN]:
            lines.append((f"  {one['area']} {printable(one['key'])}: {printable(_value(one['before']))} -> {printable(_value(one['after']))}", "cyan"))
        if len(row["changed"]) > SETTINGS_SHOWN:
            lines.append((f"  ... and {len(row['changed']) - SETTINGS_SHOWN} more settings", "cyan"))
        for one in row["measures"]:
            told = f"  {one['measure'].ljust(22)} {number(one['before']).rjust(10)} -> {number(one['after']).rjust(10)} {one['unit'].ljust(19)}"
            lines.append((f"{told} {one['verdict']}: {one['why']}", COLOURS[one["verdict"]]))
    left = len(document["hosts"]) - HOSTS_SHOWN
    if left > 0:
        lines += [("", None), (f"... and {left} more hosts; all are in compare.json", None)]
    return lines


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _value(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value)
