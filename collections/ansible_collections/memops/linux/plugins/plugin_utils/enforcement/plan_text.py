# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan as a person reads it before anything is done."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from typing import Any

from ..report.terminal import printable

HOSTS_SHOWN = 40
PASSED_SHOWN = 5


def plan_lines(plans: Iterable[dict[str, Any]], columns: int) -> list[tuple[str, str | None]]:
    """(line, colour) of all plans: per host each setting with its value, why and risk, then what is not done and why."""
    told = list(plans)
    lines: list[tuple[str, str | None]] = []
    for plan in [plan for plan in told if plan["rows"] or plan["refused"]][:HOSTS_SHOWN]:
        lines += [("", None), (f"{printable(plan['host'])}: {_summary(plan)}", "yellow" if plan["rows"] else None)]
        lines += _rows(plan["rows"], columns)
        for refused in plan["refused"]:
            lines += _wrapped(f"not set: {refused['variable']} {refused['key']}: {refused['why']}", columns, "bright red")
        lines += _passed(plan["passed"], columns)
    idle = [plan for plan in told if not plan["rows"] and not plan["refused"]]
    for plan in idle[:HOSTS_SHOWN]:
        lines += [("", None), (f"{printable(plan['host'])}: nothing that a role can apply", None), *_passed(plan["passed"], columns)]
    left = len(told) - sum(1 for line in lines if line[0] == "")
    if left > 0:
        lines += [("", None), (f"... and {left} more hosts", None)]
    return lines


def _summary(plan: dict[str, Any]) -> str:
    if not plan["rows"]:
        return "nothing is set"
    return f"{len(plan['rows'])} setting{'s' if len(plan['rows']) > 1 else ''} by {', '.join(plan['roles'])}"


def _rows(rows: list[dict[str, Any]], columns: int) -> list[tuple[str, str | None]]:
    cells = [(row["variable"], printable(row["key"]), printable(value(row["value"]))) for row in rows]
    widths = [max((len(cell[place]) for cell in cells), default=0) for place in range(3)]
    lines: list[tuple[str, str | None]] = []
    for row, cell in zip(rows, cells, strict=True):
        lines.append(("  " + "  ".join(text.ljust(width) for text, width in zip(cell, widths, strict=True)).rstrip(), "cyan"))
        lines += _wrapped(
            f"why:  {row['why']} [{', '.join(row['causes'])}: {', '.join(row['asked_by'][:3])}{', ...' if len(row['asked_by']) > 3 else ''}]", columns
        )
        lines += _wrapped(f"risk: {row['risk']}", columns)
        if row["chosen"]:
            lines += _wrapped(f"took: {row['chosen']}", columns)
    return lines


def _passed(passed: list[dict[str, Any]], columns: int) -> list[tuple[str, str | None]]:
    by_reason: dict[tuple[Any, str], list[str]] = {}
    for one in passed:
        by_reason.setdefault((one["cause"], one["why"]), []).append(one["where"])
    lines: list[tuple[str, str | None]] = []
    for (cause, why), where in list(by_reason.items())[:PASSED_SHOWN]:
        lines += _wrapped(f"left: {cause or 'no cause'} ({len(where)}, {where[0]}): {why}", columns, "dark gray")
    if len(by_reason) > PASSED_SHOWN:
        lines.append((f"      ... and {len(by_reason) - PASSED_SHOWN} more reasons", "dark gray"))
    return lines


def value(setting: Any) -> str:
    """A value as it would stand in the inventory."""
    return setting if isinstance(setting, str) else json.dumps(setting)


def _wrapped(text: str, columns: int, colour: str | None = None) -> list[tuple[str, str | None]]:
    wrapped = textwrap.wrap(printable(text), columns, initial_indent="    ", subsequent_indent="          ", break_long_words=False, break_on_hyphens=False)
    return [(line, colour) for line in wrapped]
