# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pressure stall information: how long work waited for memory, I/O and CPU."""

import re

DROPPABLE = ()
RESOURCES = ("memory", "io", "cpu")

_LINE = re.compile(r"^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)$", re.MULTILINE)


def collect(reader, request):
    """{"memory" | "io" | "cpu": parse(...)} of /proc/pressure."""
    section = {name: parse(reader.text("/proc/pressure/" + name, 4096, expected=False)) for name in RESOURCES}
    if not any(section.values()):
        reader.note("/proc/pressure", "no PSI: kernel without CONFIG_PSI, or psi=0")
    return section


def parse(text):
    """{some, full: {avg10, avg60, avg300, total_seconds} or None}, or None without PSI.

    The averages are percent of the last 10, 60, 300 seconds; total_seconds is
    since boot (since the cgroup was made). A host's cpu has "full" since 5.13
    only, where it is always 0. Source: Documentation/accounting/psi.rst.
    """
    lines = {
        kind: {"avg10": float(avg10), "avg60": float(avg60), "avg300": float(avg300), "total_seconds": int(total) / 1000000}
        for kind, avg10, avg60, avg300, total in _LINE.findall(text or "")
    }
    return {"some": lines.get("some"), "full": lines.get("full")} if lines else None
