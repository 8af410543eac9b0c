# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes that ended by SIGKILL, as shells, build tools, supervisors and container engines tell it.

Nobody of them knows who sent it, so the kernel's log decides; some lines say it themselves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .draft import far_apart
from .pattern import Pattern
from .service_form import ServiceForm, ServiceRecord

if TYPE_CHECKING:
    from .services import ServiceReader

#: Who sends the SIGKILL, in the command's own words.
_SENDER = Pattern(r"\btimeout (?:.{0,80}? )?(?:(?:-s|--signal)[ =]?(?:SIG)?(?:KILL|9)\b|-k|--kill-after)|\bkill -(?:s )?(?:SIG)?(?:9|KILL)\b|\bdocker kill\b")
_COMMAND = Pattern(r"(?:sudo |exec |nice |nohup )*(\S{1,128})")
#: Exit codes without a name, in one go: a script tells of one death in several lines.
_UNNAMED = "exit 137"
#: containerd's note on each container that ends, with 137 also where it was stopped as usual.
_ORDINARY_END = "exit_status:"
#: "exit code 137", "exit_code=137", "Exit Code: 137", "exited with 137", "Exited (137)", "exit status 137", "returned code 137"
_CODE = (
    r"\b(?:exit(?:ed)?[ _-]?(?:code|status)?(?:(?: with)?(?: (?:exit )?code| status)?)[ :=\"]{1,16}"
    r"|exited \(|non-zero code: |return(?:ed|code)? ?(?:code)?[ :=]{1,3})"
)


def _shell(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """bash names the pid and the command of what a signal ended."""
    pid, command = match[1] or match[2], match[3]
    _killed(reading, record, f"pid {pid}" if pid else f"command {command}", "Killed", record.process or "shell", pid, command)


def _foreground(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    if record.process and not record.process.endswith("sh"):
        return False
    _killed(reading, record, _UNNAMED, "Killed", record.process or "shell", None, match.groupdict().get("command"))
    return True


def _by_signal(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    named = match.groupdict()
    pid, process = named.get("pid"), named.get("process")
    _killed(reading, record, f"pid {pid}" if pid else f"signal {process}" if process else _UNNAMED, "signal", record.process or None, pid, process)


def _compiler(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """A compiler's driver tells of the part that died right after its shell did."""
    _killed(reading, record, _UNNAMED, "compiler", record.process or None, None, match.groupdict().get("process"))


def _exit_code(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    if _ORDINARY_END in record.text:
        return False
    process = match.groupdict().get("process")
    _killed(reading, record, f"exit of {process}" if process else _UNNAMED, match[0].lower()[:40], record.process or None, None, process)
    return True


def _killed(reading: ServiceReader, record: ServiceRecord, key: str, phrase: str, by: str | None, pid: str | None, command: str | None) -> None:
    name = _COMMAND.match(command) if command else None
    event = reading.of_death(
        record,
        key,
        phrase,
        "unit_killed",
        by,
        process=name[1] if name else None,
        pid=int(pid) if pid else None,
        unit=record.unit,
        near=key == _UNNAMED,
    )
    event.process = event.process or (name[1] if name else None)
    if _SENDER.search(record.text):
        event.quotes.setdefault("sender", record.line)
    if key != _UNNAMED:
        # The exit code that a script or an engine tells next is this one's.
        reading.same_death(event, phrase, _UNNAMED)


def _stops(reading: ServiceReader, record: ServiceRecord, _match: re.Match[str]) -> bool:
    """The engine loses patience with a container that does not stop."""
    reading.sends("", record.line)
    last = reading.events[-1] if reading.events else None
    if last is not None and last.kind == "unit_killed" and not last.unit and not far_apart(last.lines[-1], record.line):
        last.quotes.setdefault("sender", record.line)
    return False


FORMS = (
    ServiceForm(" Killed", Pattern(r"^(?:.{1,200}: )?line \d+: +(\d+) Killed(?:: 9)? +(?:\(core dumped\) +)?()(.*)"), _shell),
    ServiceForm(" Killed ", Pattern(r"^\[\d+\][+-]? +()(\d+)? *Killed(?:: 9)? +(.+)"), _shell),
    ServiceForm("illed", Pattern(r"^Killed(?:: 9)?$|^(?:zsh: )?killed  +(?P<command>.+)"), _foreground),
    # PostgreSQL, php-fpm, uWSGI, supervisors and compilers
    ServiceForm("signal 9", Pattern(r"\(PID (?P<pid>\d+)\) was terminated by signal 9\b"), _by_signal),
    ServiceForm("signal 9", Pattern(r"\bchild (?P<pid>\d+) exited on signal 9\b"), _by_signal),
    ServiceForm("signal 9", Pattern(r"\(pid: (?P<pid>\d+)\) died, killed by signal 9\b"), _by_signal),
    ServiceForm(
        "signal 9", Pattern(r"\bexited prematurely: signal 9\b|(?:terminated by|killed by|exited (?:on|with)|died (?:on|from)) signal 9\b"), _by_signal
    ),
    ServiceForm("signal: 9", Pattern(r"\(signal: 9, SIGKILL: kill\)"), _by_signal),
    ServiceForm("signal: killed", Pattern(r"(?:^|[ :\"])signal: killed\b"), _by_signal),
    ServiceForm("SIGKILL", Pattern(r"\(pid:(?P<pid>\d+)\) was sent SIGKILL! Perhaps out of memory"), _by_signal),
    ServiceForm("SIGKILL", Pattern(r"exited: (?P<process>\S+) \(terminated by SIGKILL"), _by_signal),
    ServiceForm("SIGKILL", Pattern(r"(?:terminated (?:by|with)|killed by|died (?:from|with)) (?:signal )?SIGKILL\b"), _by_signal),
    ServiceForm("Killed", Pattern(r"Killed signal terminated program (?P<process>\S+)|internal compiler error: Killed \(program (?:\S+)\)"), _compiler),
    ServiceForm("137", Pattern(r"^(?P<process>\S+) exited with code 137$"), _exit_code),
    ServiceForm("137", Pattern(rf"(?i){_CODE}137\b"), _exit_code),
    ServiceForm("using the force", Pattern(r"failed to exit within .{1,40} of signal 15 - using the force"), _stops),
)
