# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words and figures for people: sizes, shares, counts."""

from __future__ import annotations

import math

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: float | None) -> str:
    """Bytes as a person writes them: ``size(67108864) == "64 MiB"``."""
    if count is None:
        return "unknown"
    if math.isinf(count):
        return "unlimited"
    value = float(count)
    unit = 0
    while abs(value) >= 1024 and unit < len(_UNITS) - 1:
        value /= 1024
        unit += 1
    return f"{value:.0f} {_UNITS[unit]}" if value >= 100 or value == int(value) else f"{value:.1f} {_UNITS[unit]}"


def percent(part: float, whole: float) -> str:
    """A share in whole per cent: ``percent(1, 3) == "33 %"``; of nothing, all."""
    return f"{100 * part / whole:.0f} %" if whole else "all"


def count(number: int, noun: str) -> str:
    """``count(2, "host") == "2 hosts"``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def process(name: str, pid: int | None) -> str:
    """``process("dd", 7) == "dd (pid 7)"``; a service's line may name no pid."""
    return name if pid is None else f"{name} (pid {pid})"
