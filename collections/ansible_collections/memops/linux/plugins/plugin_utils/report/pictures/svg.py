# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bars as inline SVG. Only numbers and class names written here get into the markup; text of hosts never does.

Lengths are percentages of the picture's width, so that a picture fits any
screen without its parts being distorted. Colours are the style sheet's.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup


def block(start: float, width: float, css: str, top: float = 0, height: float = 14) -> str:
    """A part of a bar. start, width: shares of the whole, 0 to 1."""
    left, across = max(0.0, min(1.0, start)), max(0.0, min(1.0 - start, width))
    return f'<rect x="{100 * left:.1f}%" y="{top:g}" width="{100 * across:.1f}%" height="{height:g}" class="{css}"/>'


def tick(at: float, css: str, top: float = 0, height: float = 14) -> str:
    """A mark across a bar."""
    return f'<line x1="{100 * at:.1f}%" x2="{100 * at:.1f}%" y1="{top:g}" y2="{top + height:g}" class="{css}"/>'


def label(at: float, y: float, words: str, css: str = "on") -> str:
    """A word of ours in a picture, centred at a share of its width."""
    return f'<text x="{100 * at:.1f}%" y="{y:g}" class="{css}">{Markup.escape(words)}</text>'


def picture(shapes: Iterable[str], height: float = 14, css: str = "bar") -> Markup:
    """A picture whose numbers stand in the table around it, so that a screen reader need not read it."""
    return Markup(f'<svg class="{css}" width="100%" height="{height:g}" aria-hidden="true" focusable="false">{"".join(shapes)}</svg>')


def swatch(css: str) -> Markup:
    """The colour and pattern of a part, for a legend."""
    return Markup(f'<svg class="swatch" width="14" height="14" aria-hidden="true" focusable="false"><rect width="14" height="14" class="{css}"/></svg>')


def tick_swatch(css: str) -> Markup:
    """A mark's look, for a table's head."""
    return Markup(f'<svg class="swatch" width="6" height="14" aria-hidden="true" focusable="false"><line x1="3" x2="3" y1="0" y2="14" class="{css}"/></svg>')
