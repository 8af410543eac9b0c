# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Daemons that kill before the kernel must: systemd-oomd, earlyoom, nohang, oomd, Android's lmkd."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .draft import far_apart
from .pattern import Pattern
from .service_form import ServiceForm, ServiceRecord

if TYPE_CHECKING:
    from .services import ServiceReader

_SCORE_ADJ = Pattern(r"oom_score \d+, oom_score_adj (-?\d{1,4}),")
_MIB = Pattern(r"VmRSS:? (\d+) MiB")


def _oomd(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """systemd-oomd names the cgroup; systemd says it again of the unit, and from 258 on a mark comes before the kill."""
    cgroup = match[1]
    unit = cgroup.rpartition("/")[2]
    reading.of_death(record, unit, record.text.split(None, 1)[0], "oom_daemon_kill", "systemd-oomd", unit=unit, cgroup=cgroup)


def _oomd_in_unit(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    reading.of_death(record, match[1], "oomd", "oom_daemon_kill", "systemd-oomd", unit=match[1])


def _earlyoom_says(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    """earlyoom prints the memory it saw once a minute and before each kill."""
    reading.said["limits" if match[1] else "available"] = record.line
    return False


def _earlyoom(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """A SIGKILL to the pid that just had its SIGTERM is the same kill."""
    named = match.groupdict()
    pid = int(named["pid"]) if named["pid"].isdecimal() else None
    last = reading.events[-1] if reading.events else None
    same = last is not None and last.by == "earlyoom" and last.pid == pid and named.get("signal") == "KILL"
    if last is not None and same and not far_apart(last.lines[-1], record.line):
        last.note(record.line)
        return
    rss, adj = _MIB.search(named["rest"]), _SCORE_ADJ.match(named["rest"])
    event = reading.add(
        record,
        "oom_daemon_kill",
        "earlyoom",
        process=named["process"],
        pid=pid,
        rss_bytes=int(rss[1]) << 20 if rss else None,
        oom_score_adj=int(adj[1]) if adj else None,
    )
    for role in ("available", "limits"):
        line = reading.said.pop(role, None)
        if line is not None and not far_apart(line, record.line):
            event.quotes[role] = line


def _earlyoom_of_old(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    if record.process != "earlyoom" and not match["rest"]:
        return False
    _earlyoom(reading, record, match)
    return True


def _nohang_victim(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    if record.process and "nohang" not in record.process:
        return False
    reading.nohang = {"pid": int(match[1]), "process": match[2]}
    return True


def _nohang_victim_by_lines(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    """Until 0.1 name and pid stand on lines of their own."""
    if "nohang" not in record.process:
        return False
    reading.nohang |= {"pid": int(match[1])} if match[1] else {"process": match[2]}
    return True


def _nohang(reading: ServiceReader, record: ServiceRecord, _match: re.Match[str]) -> None:
    reading.add(record, "oom_daemon_kill", "nohang", **reading.nohang)
    reading.nohang = {}


def _nohang_command(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> bool:
    """Instead of a signal nohang may run a command that ends the victim."""
    if "nohang" not in record.process:
        return False
    _nohang(reading, record, match)
    return True


def _meta_oomd(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    cgroup = "/" + match[1].lstrip("/")
    unit = cgroup.rpartition("/")[2]
    reading.of_death(record, unit, "oomd kill", "oom_daemon_kill", "oomd", unit=unit, cgroup=cgroup)


def _lmkd(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    adj = int(match[3])
    rss = int(match[4]) << 10 if match[4] else None
    reading.add(record, "oom_daemon_kill", "lmkd", process=match[1], pid=int(match[2]), rss_bytes=rss, oom_score_adj=adj)


def _heroku(reading: ServiceReader, record: ServiceRecord, _match: re.Match[str]) -> None:
    """The dyno manager ends a dyno at twice its quota; R14 before it only says that the dyno swaps."""
    event = reading.add(record, "oom_daemon_kill", "heroku")
    reading.same_death(event, "R15", "exit 137")


def _talos(reading: ServiceReader, record: ServiceRecord, match: re.Match[str]) -> None:
    """Its OOM controller kills a pod's or a container's whole cgroup."""
    path = match[1] or match[2]
    cgroup = None if "<" in path or path.startswith("...") else "/" + path.replace(" ", "").removeprefix("/sys/fs/cgroup").lstrip("/")
    reading.add(record, "oom_daemon_kill", "talos", cgroup=cgroup)


FORMS = (
    ServiceForm(" due to ", Pattern(r"^(?:Killed|Marked) (/.*?) (?:for killing )?due to (?:memory|swap) (?:pressure|used)"), _oomd),
    # a pager or a terminal cut the line
    ServiceForm("Killed /", Pattern(r"^Killed (/\S+) due to (?:m[emory]{0,5}|s[wap]{0,3})(?: [a-z]{0,9})? ?(?:>|…|\.\.\.)?$"), _oomd),
    ServiceForm("systemd-oomd killed", Pattern(r"^(\S+): systemd-oomd killed (?:\d+|some) process"), _oomd_in_unit),
    ServiceForm("mem avail: ", Pattern(r"^mem avail: ()"), _earlyoom_says),
    ServiceForm("ow memory! ", Pattern(r"^([Ll]ow memory!) [Aa]t or below SIG"), _earlyoom_says),
    # since 1.3; the uid since 1.6, "oom_score" for "badness" and the command line since 1.7
    ServiceForm(
        "sending SIG",
        Pattern(
            r"^(?:\S+: )?sending SIG(?P<signal>TERM|KILL) to process (?P<pid>\d+|…|\.{3}|[xX*]{1,8}) (?:uid \d+ )?"
            r'"(?P<process>.*)": (?P<rest>(?:badness|oom_score) .*)'
        ),
        _earlyoom,
    ),
    # 1.2 and 1.3, then 1.1, which put the name first, then older ones
    ServiceForm(
        "killing process ",
        Pattern(r'^killing process (?P<pid>\d+) "(?P<process>.*)" with signal \d+: (?P<rest>badness \d.*)'),
        _earlyoom,
    ),
    ServiceForm(
        "Killing process '",
        Pattern(r"^Killing process '(?P<process>.{1,64})' with signal \d+, pid: (?P<pid>\d+), (?P<rest>badness: \d.*)"),
        _earlyoom,
    ),
    ServiceForm("Killing process: ", Pattern(r"^Killing process: (?P<process>.{1,64}), pid: (?P<pid>\d+), (?P<rest>badness: \d.*)"), _earlyoom),
    ServiceForm("Killing process ", Pattern(r"^Killing process (?P<pid>\d+) \(?(?P<process>.{1,64}?)\)?(?P<rest>(?: with badness .*)?)$"), _earlyoom_of_old),
    ServiceForm(", badness: ", Pattern(r"^PID: (\d+), [Nn]ame: (.*), badness: \d"), _nohang_victim),
    ServiceForm("PID: ", Pattern(r"^PID: +(\d+)$"), _nohang_victim_by_lines),
    ServiceForm("Name: ", Pattern(r"^Name: +()(\S.{0,63})$"), _nohang_victim_by_lines),
    ServiceForm(" to the victim", Pattern(r"^(?:\[ OK \] )?Send(?:ing)? SIG(?:TERM|KILL) to the victim"), _nohang),
    ServiceForm("Run the command: ", Pattern(r"^(?:\[ OK \] )?Run the command: "), _nohang_command),
    # three pressures and the cgroup, also written to the kernel log
    ServiceForm("oomd kill: ", Pattern(r"^oomd kill: [\d.]+ [\d.]+ [\d.]+ (\S+) \d+ "), _meta_oomd),
    ServiceForm(
        "ill",
        Pattern(r"^(?:lowmemorykiller: )?[Kk]ill(?:ing)? '(.{1,128}?)' \((\d+)\), uid \d+, (?:oom_score_adj|oom_adj|adj) (-?\d{1,4})(?: to free (\d+)kB)?"),
        _lmkd,
    ),
    # runtime.OOMController, internal/app/machined
    ServiceForm("SIGKILL to cgroup ", Pattern(r'^(?:\[talos\] )?Sending SIGKILL to cgroup (?:\{.*"cgroup": ?"([^"]{1,512})"|((?:\.\.\.)?/\S+))'), _talos),
    ServiceForm("quota vastly exceeded", Pattern(r"(?:^|^.{0,60}\bheroku\[[\w.-]{1,64}\]: )Error R15 \(Memory quota vastly exceeded\)$"), _heroku),
)
