# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The configuration of the daemons that kill before the kernel does: earlyoom(1), oomd.conf(5). Pure functions; bad values raise ValueError."""

import collections
import re

from . import settings, unit_files

OOMD, EARLYOOM = "systemd-oomd", "earlyoom"
#: What a unit of either is called, and its file of ours or of the distribution's.
UNITS = collections.OrderedDict([(OOMD, "systemd-oomd.service"), (EARLYOOM, "earlyoom.service")])
FILES = {OOMD: "/etc/systemd/oomd.conf.d/zz-memops.conf", EARLYOOM: "/etc/default/earlyoom"}
FOREIGN = {
    OOMD: ("memory_percent", "memory_kill_percent", "swap_percent", "swap_kill_percent", "report_interval_seconds", "avoid", "prefer"),
    EARLYOOM: ("swap_used_limit", "memory_pressure_limit", "memory_pressure_seconds"),
}

_PROCESS = re.compile(r"[A-Za-z0-9_.:@+/()\[\]{} -]{1,15}\Z")
_LINE = re.compile(r"^[ \t]*EARLYOOM_ARGS[ \t]*=(?:[^\n]*\\\n)*[^\n]*\n?", re.MULTILINE)


def foreign(name, given):
    """Options that the other daemon takes and this one has no use for."""
    return [option for option in FOREIGN[name] if given.get(option) not in (None, [])]


def earlyoom_arguments(given):
    """earlyoom's argument list of the module's options."""
    words = []
    if given.get("report_interval_seconds") is not None:
        words += ["-r", str(_between("report_interval_seconds", given["report_interval_seconds"], 0, 86400))]
    for flag, start in (("-m", "memory"), ("-s", "swap")):
        percent, kill = given.get(start + "_percent"), given.get(start + "_kill_percent")
        if percent is None:
            if kill is not None:
                raise ValueError("%s_kill_percent needs %s_percent" % (start, start))
            continue
        _between(start + "_percent", percent, 1, 99)
        if kill is not None and _between(start + "_kill_percent", kill, 1, 99) > percent:
            raise ValueError("%s_kill_percent %d is above %s_percent %d: it would never ask before it kills" % (start, kill, start, percent))
        words += [flag, "%d,%d" % (percent, kill) if kill is not None else str(percent)]
    both = sorted(set(given.get("avoid") or []) & set(given.get("prefer") or []))
    if both:
        raise ValueError("to be avoided and preferred at once: %s" % ", ".join(both))
    for option in ("prefer", "avoid"):
        if given.get(option):
            words += ["--" + option, "^(%s)$" % "|".join(_pattern(option, name) for name in given[option])]
    return words


def _between(option, number, least, most):
    if not least <= number <= most:
        raise ValueError("%s is %d, and must be from %d to %d" % (option, number, least, most))
    return number


def _pattern(option, name):
    """A process's name as an extended regular expression that matches it alone, without a backslash: systemd's quoting would take that away."""
    if not _PROCESS.match(name):
        raise ValueError(
            "%s: %r is no name of a process as the kernel keeps it: at most 15 letters, digits, spaces and any of _.:@+/()[]{}- (it is not a pattern)"
            % (option, name)
        )
    return "".join("[%s]" % sign if sign in ".+()[]{}" else sign for sign in name)


def earlyoom_file(text, words):
    """/etc/default/earlyoom with these arguments; all else in it stays. text: the file now, None where there is none."""
    line = 'EARLYOOM_ARGS="%s"\n' % " ".join("'%s'" % word if re.search(r"[^A-Za-z0-9,-]", word) else word for word in words)
    text = text or ""
    if _LINE.search(text):
        parts = _LINE.split(text)
        # Of several the last one counts; one is left, where the first one was.
        return parts[0] + line + "".join(parts[1:])
    return text + ("" if not text or text.endswith("\n") else "\n") + line


def earlyoom_percents(text):
    """(percent of memory, percent of swap) below which earlyoom acts by this /etc/default/earlyoom, or None: its default is 10 of each."""
    lines = _LINE.findall(text or "")
    words = " ".join(re.sub(r"[\"'=\\]", " ", line) for line in lines[-1:])
    return tuple(int(found[-1]) if found else 10 for found in (re.findall(r"(?:^|\s)-%s\s*(\d{1,3})" % flag, words) for flag in "ms"))


def oomd_file(given):
    """Our drop-in of oomd.conf; None where nothing is set."""
    lines = []
    for option, name in (("swap_used_limit", "SwapUsedLimit"), ("memory_pressure_limit", "DefaultMemoryPressureLimit")):
        if given.get(option) is not None:
            settings.permyriad(given[option])
            lines.append("%s=%s\n" % (name, given[option]))
    if given.get("memory_pressure_seconds") is not None:
        lines.append("DefaultMemoryPressureDurationSec=%ds\n" % _between("memory_pressure_seconds", given["memory_pressure_seconds"], 1, 3600))
    return unit_files.HEADER + "[OOM]\n" + "".join(lines) if lines else None


def oomd_numbers(given):
    """What ``oomctl`` is to show of the options: {its label: ten-thousandths, or seconds}."""
    wanted = {}
    for option, label in (("swap_used_limit", "Swap Used Limit"), ("memory_pressure_limit", "Default Memory Pressure Limit")):
        if given.get(option) is not None:
            wanted[label] = settings.permyriad(given[option])
    if given.get("memory_pressure_seconds") is not None:
        wanted["Default Memory Pressure Duration"] = given["memory_pressure_seconds"]
    return wanted


def oomctl_numbers(output):
    """The same of its output. Newer ones write a duration as "1min 30s"."""
    found = {}
    for line in output.splitlines():
        label, colon, text = line.strip().partition(": ")
        if colon and label in ("Swap Used Limit", "Default Memory Pressure Limit"):
            try:
                found[label] = settings.permyriad(text.strip())
            except ValueError:
                continue
        elif colon and label == "Default Memory Pressure Duration":
            parts = re.findall(r"(\d+)(h|min|s)\b", text)
            found[label] = sum(int(number) * {"h": 3600, "min": 60, "s": 1}[unit] for number, unit in parts)
    return found
