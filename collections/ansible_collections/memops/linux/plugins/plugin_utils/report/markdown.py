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
from .view import covering, same_cause, story, words

_TEMPLATES = pathlib.Path(__file__).parent / "templates"
#: Markdown's own signs, and what HTML inside it would start with; an underscore inside a word is none.
_SIGNS = re.compile(r"([\\`*{}\[\]<>#|~!&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
#: A ticket is read by people: this many hosts are told, and this many incidents of one host alone or of each of several.
HOSTS_TOLD = 25
INCIDENTS_OF_ONE = 10
INCIDENTS_OF_EACH = 2
GROUPS_TOLD = 10
#: A ticket's table is read, not searched: of more rows the healthy ones are only counted.
ROWS_SHOWN = 500


def markdown(report: dict[str, Any], diagnoses: Iterator[dict[str, Any]], run_folder: str) -> str:
    """The report as Markdown: the table of hosts, then the story of each that has one.

    run_folder: for the command that applies the remedies.
    """
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
    environment.filters["line"] = printable
    most = INCIDENTS_OF_ONE if len(report["hosts"]) == 1 else INCIDENTS_OF_EACH
    variables = [item["variable"] for item in report["remedies"]["variables"]]
    return environment.get_template("report.md.j2").render(
        report=report,
        diagnoses=diagnoses,
        told=lambda diagnosis: words.told(diagnosis, most),
        chapters=story.chapters,
        of_finding=story.of_finding,
        rows=report["hosts"] if len(report["hosts"]) <= ROWS_SHOWN else [row for row in report["hosts"] if row["verdict"]["code"] != "healthy"][:ROWS_SHOWN],
        same=[same_cause.told(group) for group in report["same_cause"][:GROUPS_TOLD]],
        command=covering.command(run_folder, variables) if variables else None,
    )


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
