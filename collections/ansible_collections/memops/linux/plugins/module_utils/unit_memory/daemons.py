# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which of systemd-oomd and earlyoom runs, with what configuration: read, decide, carry out, take back. Never both at once."""

import collections

from . import daemon_config
from .daemon_config import EARLYOOM, FILES, OOMD, UNITS

#: Debian enables through its old init scripts as well, which takes a slow host more than a minute.
SLOW_SECONDS = 300
CONFIGURATION, ENABLED = "Configuration", "Enabled"

#: exists: whether it is installed. config: its file's text or None. words: the running one's arguments (earlyoom), numbers: what oomctl shows.
Daemon = collections.namedtuple("Daemon", "unit exists enabled active masked config words numbers")
#: A file to be replaced, and the unit that reads it only when it starts.
FileStep = collections.namedtuple("FileStep", "unit path old new")
#: old, new: {"enabled": bool, "active": bool, "masked": bool}; an old of None is not known.
SwitchStep = collections.namedtuple("SwitchStep", "unit old new")


def read(files, commands):
    """{name: Daemon} of both."""
    properties = "LoadState,UnitFileState,ActiveState,MainPID"
    output = commands.do(["systemctl", "show", "--no-pager", "--property=" + properties, "--"] + list(UNITS.values()))
    found = collections.OrderedDict()
    for (name, unit), block in zip(UNITS.items(), output.strip("\n").split("\n\n")):
        shown = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        active = shown.get("ActiveState") in ("active", "activating", "reloading")
        words, numbers = None, {}
        if active and name == EARLYOOM:
            text = files.read("/proc/%s/cmdline" % shown.get("MainPID", "0")) or ""
            words = text.rstrip("\0").split("\0")[1:]
        if active and name == OOMD:
            numbers = daemon_config.oomctl_numbers(commands.ask(["oomctl"]).output)
        enabled = shown.get("UnitFileState", "").startswith("enabled")
        found[name] = Daemon(
            unit, shown.get("LoadState") in ("loaded", "masked"), enabled, active, shown.get("LoadState") == "masked", files.read(FILES[name]), words, numbers
        )
    return found


def decide(decision, about, found, given, meminfo, check_mode, force):
    """Add to the decision what is to be done for ``given``, the module's ``daemon``. meminfo: {name: bytes} of /proc/meminfo."""
    name = given["name"]
    if name == "none":
        return
    one, unit = found[name], UNITS[name]
    try:
        strange = daemon_config.foreign(name, given)
        if strange:
            raise ValueError("%s has no %s" % (name, ", ".join(strange)))
        words = daemon_config.earlyoom_arguments(given) if name == EARLYOOM else None
        new = daemon_config.earlyoom_file(one.config, words) if name == EARLYOOM else daemon_config.oomd_file(given)
    except ValueError as error:
        decision.refuse("%s:%s" % (unit, CONFIGURATION), str(error))
        return
    why = _refusal(name, about, given, meminfo, force)
    if why:
        decision.refuse(unit, why)
        return
    if not one.exists and not check_mode:
        decision.refuse(unit, "%s is not installed; with oom_protection_daemon_install: true it is" % name)
        return
    if not one.exists:
        decision.notes.append("%s is not installed yet; what is said of it is what would be once it is." % name)
    if name == OOMD and not meminfo.get("SwapTotal"):
        decision.notes.append("There is no swap: systemd-oomd then sees pressure late, or only when it is too late (systemd-oomd.service(8)).")
    _configuration(decision, one, name, given, words, new)
    for other, daemon in found.items():
        # Units with ManagedOOM* of kill want systemd-oomd, and start it though it is disabled (unit_add_oomd_default_dependency): it has to be masked.
        masked = other != name and daemon.exists and (daemon.masked or other == OOMD)
        _switch(decision, daemon, {"enabled": other == name, "active": other == name, "masked": masked})


def _configuration(decision, one, name, given, words, new):
    key = "%s:%s" % (one.unit, CONFIGURATION)
    off = []
    if one.config != new:
        off.append({"key": key, "face": "boot", "wanted": short(new) or "", "found": short(one.config) or "", "where": FILES[name]})
    if one.active and words is not None and one.words != words:
        off.append({"key": key, "face": "running", "wanted": " ".join(words), "found": " ".join(one.words), "where": "its arguments"})
    wanted = daemon_config.oomd_numbers(given) if name == OOMD else {}
    if one.active and any(one.numbers.get(label) != number for label, number in wanted.items()):
        off.append({"key": key, "face": "running", "wanted": _told(wanted), "found": _told(one.numbers), "where": "oomctl"})
    decision.drift += off
    if off:
        decision.file_steps.append(FileStep(one.unit, FILES[name], one.config, new))
    else:
        decision.compliant.append(key)


def _told(numbers):
    return ", ".join("%s %s" % (label, number) for label, number in sorted(numbers.items()))


def _switch(decision, daemon, new):
    """Have it run and start at boot, or not."""
    key = "%s:%s" % (daemon.unit, ENABLED)
    old = state(daemon)
    for face, part in (("boot", "enabled"), ("boot", "masked"), ("running", "active")):
        if old[part] != new[part]:
            words = ("no", "yes")
            decision.drift.append({"key": key, "face": face, "wanted": words[new[part]], "found": words[old[part]], "where": part})
    if old != new:
        decision.switches.append(SwitchStep(daemon.unit, old, new))
    elif new["enabled"]:
        decision.compliant.append(key)


def state(daemon):
    """A Daemon's part that is switched."""
    return {"enabled": daemon.enabled, "active": daemon.active, "masked": daemon.masked}


def short(text):
    """What a configuration file says, for people: earlyoom's arguments, or the file without its comments."""
    lines = [line for line in (text or "").splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(lines) or None


def _refusal(name, about, given, meminfo, force):
    if name == OOMD:
        lacking = [] if about.cgroup == 2 else ["cgroup v2, and this host counts memory by v1"]
        if not about.psi:
            lacking.append("pressure information, and there is no /proc/pressure/memory (boot with psi=1)")
        return "systemd-oomd needs %s; earlyoom needs neither" % " and ".join(lacking) if lacking else None
    return None if force else kills_at_once(given.get("memory_percent") or 10, given.get("swap_percent") or 10, meminfo)


def kills_at_once(memory_percent, swap_percent, numbers):
    """Why earlyoom with these thresholds would kill as soon as it starts, or None. numbers: as ``meminfo`` gives them."""
    if not numbers.get("MemTotal"):
        return None
    # It acts when both are below; with no swap that half always is.
    free = 100 * numbers.get("MemAvailable", 0) // numbers["MemTotal"]
    swap = 100 * numbers.get("SwapFree", 0) // numbers["SwapTotal"] if numbers.get("SwapTotal") else 0
    if free < memory_percent and swap < swap_percent:
        return "it would kill at once: %d %% of memory is available, below %d %%, and %d %% of swap is free, below %d %%" % (
            free,
            memory_percent,
            swap,
            swap_percent,
        )
    return None


def meminfo(text):
    """{name: bytes} of /proc/meminfo."""
    found = {}
    for line in (text or "").splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isdigit() and words[2] == "kB":
            found[words[0].rstrip(":")] = int(words[1]) * 1024
    return found


def carry_out(files, commands, file_steps, switches):
    """Those that end first, then the files, then those that begin; a running one whose file changed is restarted. Raises as the host does."""

    def do(words, unit):
        commands.do(["systemctl"] + words + ["--", unit], SLOW_SECONDS)

    for step in switches:
        if not step.new["active"] and (step.old is None or step.old["active"]):
            do(["stop"], step.unit)
    for step in switches:
        for words in _lasting(step):
            do(words + ["--no-reload", "--quiet"], step.unit)
    for step in file_steps:
        if step.new is None:
            files.remove(step.path)
        elif files.read(step.path) != step.new:
            files.write(step.path, step.new)
    if switches:
        commands.do(["systemctl", "daemon-reload"], SLOW_SECONDS)
    starting = {step.unit for step in switches if step.new["active"] and not (step.old or {}).get("active")}
    for step in file_steps:
        if step.unit not in starting and commands.ask(["systemctl", "is-active", "--quiet", "--", step.unit]).status == 0:
            do(["restart"], step.unit)
    for unit in sorted(starting):
        do(["start"], unit)


def _lasting(step):
    """What makes it start at the next boot, or not."""
    old, new = step.old or {}, step.new
    words = []
    if not new["masked"] and old.get("masked") is not False:
        words.append(["unmask"])
    if new["enabled"] != old.get("enabled"):
        words.append(["enable" if new["enabled"] else "disable"])
    if new["masked"] and not old.get("masked"):
        words.append(["mask"])
    return words


def back(file_steps, switches):
    """The steps that undo these, in reverse."""
    return (
        [step._replace(old=step.new, new=step.old) for step in reversed(file_steps)],
        [step._replace(old=None, new=step.old) for step in reversed(switches)],
    )


def wrong(commands, switches):
    """What is not as it should be after carry_out, as sentences."""
    return [
        "%s %s" % (step.unit, "does not run" if step.new["active"] else "still runs")
        for step in switches
        if (commands.ask(["systemctl", "is-active", "--quiet", "--", step.unit]).status == 0) != step.new["active"]
    ]
