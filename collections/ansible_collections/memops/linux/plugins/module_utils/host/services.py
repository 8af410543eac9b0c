# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What systemd says of failed units, which OOM daemons run, and what services logged about memory.

Only the system manager is asked; units of users' managers speak through the
journal. systemctl of version 239 (EL8) and later gives what is used here.
"""

import calendar
import time

from ..collection import identity
from . import journal_services

DROPPABLE = ("lines", "failed_units")

SECONDS = 5
FAILED_UNITS = 100

_PROPERTIES = (
    "Id,Result,ExecMainCode,ExecMainStatus,StateChangeTimestamp,MemoryMax,MemoryLimit,MemoryPeak,OOMPolicy,NRestarts"
)
#: wait(2)'s si_code, in the words of systemd's own messages.
_CODES = {"1": "exited", "2": "killed", "3": "dumped"}
#: SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV: what nobody sends to end a service in good order, except KILL.
_VIOLENT = ("4", "6", "7", "8", "9", "11")
_DAEMONS = (
    ("systemd-oomd", ("systemd-oomd.service",)),
    ("earlyoom", ("earlyoom.service",)),
    ("nohang", ("nohang.service", "nohang-desktop.service")),
    ("oomd", ("oomd.service",)),
    ("kubelet", ("kubelet.service", "k3s.service", "k3s-agent.service", "rke2-server.service", "rke2-agent.service")),
)
_UNSET = "18446744073709551615"


def collect(reader, request):
    """The section ``services``: {manager, failed_units, oom_daemons, lines}.

    manager: "systemd" or None. failed_units, oom_daemons: None where systemd
    did not say. Result is explained in systemd.service(5).
    """
    manager = "systemd" if "system" in reader.names("/run/systemd", expected=False) else None
    states = failed = daemons = None
    if manager:
        states = unit_states(reader)
    else:
        reader.note("systemd", "does not manage this host: there are no unit states")
    if states is not None:
        failed = failed_units(reader, [unit for unit in states if _has_failed(states[unit])])
        daemons = [
            {"name": name, "active": any(states.get(unit, ("",))[0] == "active" for unit in units)} for name, units in _DAEMONS
        ]
    lines = journal_services.lines(reader, request.since, request.now)
    return {"manager": manager, "failed_units": failed, "oom_daemons": daemons, "lines": lines}


def unit_states(reader, systemctl="systemctl"):
    """{unit: (active state, sub state)} of all loaded services and scopes; None if systemd did not answer."""
    options = ["--all", "--full", "--plain", "--no-legend", "--no-pager", "--type=service,scope"]
    states = parse_list(reader.lines_of([systemctl, "list-units"] + options, SECONDS))
    if not states:
        # It fails with the status that also means "no match"; yet one scope, init.scope, there always is.
        reader.note(systemctl, "named no units")
    return states or None


def failed_units(reader, units, systemctl="systemctl"):
    """[{unit, result, exec_main_status, ...}] of the units that died of memory or violently, OOM kills first."""
    if not units:
        return []
    if len(units) > FAILED_UNITS:
        reader.note("systemctl show", "%d units failed, %d were looked at" % (len(units), FAILED_UNITS))
    argv = [systemctl, "show", "--no-pager", "--property=" + _PROPERTIES, "--"] + units[:FAILED_UNITS]
    failed = [unit for unit in parse_show(reader.lines_of(argv, SECONDS)) if _is_violent(unit)]
    failed.sort(key=lambda unit: unit["state_changed_at"] or "", reverse=True)
    failed.sort(key=lambda unit: unit["result"] != "oom-kill")
    return failed


def parse_list(lines):
    """{unit: (active, sub)} from the lines (bytes) of ``systemctl list-units --plain --no-legend``."""
    states = {}
    for line in lines:
        fields = line.decode("utf-8", "replace").split(None, 4)
        # A description of several lines goes on in lines of its own.
        if len(fields) >= 4 and line[:1] not in b" \t" and fields[0].endswith((".service", ".scope")):
            states[fields[0]] = (fields[2], fields[3])
    return states


def parse_show(lines):
    """One dict for each block of ``systemctl show``, in the shape of ``failed_units``; times are read as UTC."""
    units, block = [], {}
    for line in list(lines) + [b""]:
        name, equals, value = line.decode("utf-8", "replace").partition("=")
        if equals:
            block[name] = value
        elif block:
            units.append(block)
            block = {}
    return [_unit(block) for block in units if block.get("Id")]


def _unit(block):
    # With cgroup v1 an old MemoryLimit= is the limit and MemoryMax stays infinity.
    maximum = _bytes(block.get("MemoryMax"))
    return {
        "unit": block["Id"],
        "result": block.get("Result") or None,
        "exec_main_status": _number(block.get("ExecMainStatus")) if block.get("ExecMainCode") in _CODES else None,
        "exec_main_code": _CODES.get(block.get("ExecMainCode")),
        "state_changed_at": _time(block.get("StateChangeTimestamp")),
        "memory_max_bytes": _bytes(block.get("MemoryLimit")) or maximum if maximum == "max" else maximum,
        "memory_peak_bytes": _number(block.get("MemoryPeak")),
        "oom_policy": block.get("OOMPolicy") or None,
        "restarts": _number(block.get("NRestarts")),
    }


def _has_failed(state):
    return state[0] == "failed" or state[1].startswith("auto-restart")


def _is_violent(unit):
    result, status = unit["result"], unit["exec_main_status"]
    if result in ("oom-kill", "core-dump", "resources"):
        return True
    # 137: a shell or a container client tells that what it ran got SIGKILL.
    return (result == "signal" and str(status) in _VIOLENT) or (result == "exit-code" and status == 137)


def _number(value):
    return int(value) if value and value.isdigit() and value != _UNSET else None


def _bytes(value):
    return "max" if value in ("infinity", _UNSET) else _number(value)


def _time(value):
    """"Sun 2026-11-22 22:36:37 UTC"; the weekday is skipped."""
    try:
        _weekday, day, clock, zone = (value or "").split()
        return identity.utc(calendar.timegm(time.strptime(day + " " + clock, "%Y-%m-%d %H:%M:%S"))) if zone == "UTC" else None
    except ValueError:
        return None
