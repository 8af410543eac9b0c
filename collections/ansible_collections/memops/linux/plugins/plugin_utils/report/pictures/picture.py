# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every picture is: a sentence, a drawing, and a table with the same numbers as its text alternative."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup


class Head(NamedTuple):
    """A column's head. term: the entry of the glossary that explains it; sign: the mark that stands for it in the drawing."""

    text: str
    term: str | None = None
    sign: Markup | None = None
    css: str = ""


class Row(NamedTuple):
    """cells: text, a Figure, a drawing, (drawing, Figure), or None where the source does not say.

    marks: (class, word) tags beside the first cell; indent: its depth in a tree.
    """

    cells: list[Any]
    marks: tuple[tuple[str, str], ...] = ()
    sign: Markup | None = None
    indent: int = 0


class Picture(NamedTuple):
    """name: its part of an anchor. said: in a sentence, also where the evidence lacks something. drawing: above the table, if any."""

    name: str
    title: str
    said: str
    head: tuple[Head, ...] = ()
    rows: tuple[Row, ...] = ()
    drawing: Markup | None = None
    note: str = ""
