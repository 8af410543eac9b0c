# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A number for people, with the quoted line that it stands in."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...diagnosis.wording import size


class Figure(NamedTuple):
    """text: as it is shown; quote: the number of the quote that it rests on, None where the line is not known."""

    text: str
    quote: int | None = None


def of_memory(incident: dict[str, Any], name: str) -> Figure | None:
    """A figure of an incident's memory (``anon_bytes``); None where the log does not show it."""
    value = (incident.get("memory") or {}).get(name)
    return None if value is None else bytes_of(incident, f"memory.{name}", value)


def bytes_of(incident: dict[str, Any], source: str, value: int | None) -> Figure | None:
    """Bytes whose line the diagnosis knows by this name."""
    return None if value is None else Figure(size(value), quote_of(incident, source))


def quote_of(incident: dict[str, Any], source: str) -> int | None:
    """The number of the quote behind a figure; runs from before figures were kept have none."""
    return (incident.get("figures") or {}).get(source)
