# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The recorded kernel logs as lines, and short ways from text to events."""

from __future__ import annotations

import pathlib
import re

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line, OomReport

FOLDER = pathlib.Path(__file__).parents[2] / "fixtures" / "kernel_logs"
NAMES = sorted(path.stem for path in FOLDER.glob("*.log"))
_STAMP = re.compile(r"\[ *(\d+\.\d+)\] ")


def recorded(name: str) -> list[Line]:
    """A recorded log; dmesg indents the further lines of one message and gives them no stamp."""
    lines = []
    for number, text in enumerate((FOLDER / f"{name}.log").read_text(encoding="utf-8").splitlines(), 1):
        stamp = _STAMP.match(text)
        message = text[stamp.end() :] if stamp else text
        uptime = float(stamp[1]) if stamp else None
        lines.append(Line(message, None, f"{name}:{number}", uptime))
    return lines


def lines_of(text: str) -> list[Line]:
    """Lines without times, of a text without prefixes."""
    return [Line(line) for line in text.strip("\n").split("\n")]


def events(text: str) -> list:
    return read_kernel(lines_of(text))


def only(text: str) -> OomReport:
    (report,) = events(text)
    assert isinstance(report, OomReport)
    return report


def killed(report: OomReport) -> list[tuple]:
    return [(victim.process, victim.pid) for victim in report.victims]
