# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""systemd on units: who died of what, and to whom systemd itself sends a SIGKILL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .pattern import Pattern
from .service_form import ServiceForm, ServiceRecord

if TYPE_CHECKING:
    from .services import ServiceReader

_CRASHES = ("SEGV", "BUS", "ILL", "FPE", "ABRT", "SYS", "TRAP")
#: 128 + 9: a shell between systemd and the process passes a SIGKILL on like that.
_KILLED_STATUS = "137"


def _oom(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    reading.of_death(record, match[1], "oom", "unit_oom_kill", "systemd", unit=match[1])


def _exited(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    how, number, signal = match[3], match[4], match[5]
    if (how == "exited" and number == _KILLED_STATUS) or (how != "exited" and (signal == "KILL" or number == "9")):
        kind = "unit_killed"
    elif how != "exited" and signal in _CRASHES:
        kind = "unit_crashed"
    else:
        return False
    reading.of_death(record, match[1], f"{match[2].lower()} exited", kind, "systemd", unit=match[1])
    return True


def _result(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """The last word on a unit's death."""
    unit, result = match[1], match[2]
    kind = {"oom-kill": "unit_oom_kill", "core-dump": "unit_crashed"}.get(result)
    if kind is not None:
        reading.of_death(record, unit, "result", kind, "systemd", unit=unit)
    elif result in ("signal", "timeout", "exit-code") and unit in reading.of_unit:
        reading.of_unit[unit][0].note(record.line, "result")
    reading.of_unit.pop(unit, None)


def _sends(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    """systemd is the one who kills: at a timeout, or because somebody asked for it."""
    reading.sends(match[1], record.line)
    return False


FORMS = (
    ServiceForm("kernel OOM killer killed", Pattern(r"^(\S+): The kernel OOM killer killed some processes in this unit"), _oom),
    ServiceForm("killed by the OOM killer", Pattern(r"^(\S+): A process (?:of this unit )?has been killed by the OOM killer"), _oom),
    # "main process exited" until 230
    ServiceForm(
        " process exited, code=",
        Pattern(r"^(\S+): ([Mm]ain|[Cc]ontrol) process exited, code=(killed|dumped|exited),? status=(\d+)(?:/([A-Z]+))?"),
        _exited,
    ),
    # "Unit entered failed state" says no result until 230
    ServiceForm("ailed with result", Pattern(r"^(?:Unit )?(\S+): Failed with result '([a-z-]+)'"), _result),
    ServiceForm("imed out", Pattern(r"^(\S+?):? (?:State '?\S{1,40}'? |\S{1,40} |stopping )?[Tt]imed out\. Killing"), _sends),
    ServiceForm(
        "signal SIGKILL", Pattern(r"^(\S+): (?:Sent signal SIGKILL to .* on client request|Killing process \d+ \(.{0,64}\) with signal SIGKILL)"), _sends
    ),
)
