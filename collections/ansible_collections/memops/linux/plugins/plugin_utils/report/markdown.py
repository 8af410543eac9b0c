# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""report.md: the same story, fit to be pasted into a ticket."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Any

import jinja2

from .terminal import printable

_TEMPLATES = pathlib.Path(__file__).parent / "templates"
#: Markdown's own signs, and what HTML inside it would start with; an underscore inside a word is none.
_SIGNS = re.compile(r"([\\`*{}\[\]<>#|~!&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
#: A ticket is read by people: this many hosts are told, and this many incidents of one host alone or of each of several.
HOSTS_TOLD = 25
INCIDENTS_OF_ONE = 10
INCIDENTS_OF_EACH = 2


def markdown(report: dict[str, Any], diagnoses: Iterator[dict[str, Any]]) -> str:
    """The report as Markdown: the table of hosts, then the story of each that has one."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=False,  # Markdown, not HTML: each value goes through md or code
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["md"] = escaped
    environment.filters["code"] = code
    most = INCIDENTS_OF_ONE if len(report["hosts"]) == 1 else INCIDENTS_OF_EACH
    return environment.get_template("report.md.j2").render(report=report, diagnoses=diagnoses, told=lambda diagnosis: told(diagnosis, most))


def told(diagnosis: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """The incidents to tell: the one that the verdict speaks of first, and of those that are alike only one."""
    lead = diagnosis["verdict"]["incident"]
    incidents = diagnosis["incidents"]
    ordered = incidents if lead is None else [incidents[lead], *incidents[:lead], *incidents[lead + 1 :]]
    by_kind: dict[tuple, dict[str, Any]] = {}
    for incident in ordered:
        place = (incident["container"] or {}).get("name") or incident["unit"] or incident["cgroup"]
        by_kind.setdefault((incident["kind"], incident["cause"], place, (incident["concerned"] or {}).get("process")), incident)
    return list(by_kind.values())[:most]


def escaped(text: Any) -> str:
    """Text of a host as Markdown that shows just that text.

    >>> escaped("a|b<script>")
    'a\\\\|b\\\\<script\\\\>'
    """
    return _SIGNS.sub(r"\\\1", printable("-" if text is None else text))


def code(text: Any) -> str:
    """Text as inline code, whatever backquotes it holds; not for tables, where a bar would end the cell."""
    shown = printable(text)
    fence = "`" * (max((len(run) for run in re.findall(r"`+", shown)), default=0) + 1)
    return f"{fence} {shown} {fence}" if len(fence) > 1 else f"`{shown}`"
