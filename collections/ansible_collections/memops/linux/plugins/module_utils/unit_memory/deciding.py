# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done so that units are as wanted: pure functions over what host_units has read."""

import collections

from . import refusals, unit_files
from .settings import SETTINGS, in_kernel, same, shown_value, to_kernel, value

UNIT_FILE = "UnitFile"
#: A running value that follows from what systemd then has.
FOLLOW = "follow"

#: One wanted setting. text: as it stands in a unit file.
Wanted = collections.namedtuple("Wanted", "name property text")

#: What is done to one setting: text in our drop-in (None: not there), and what it is to be in the running kernel
#: (a value, FOLLOW, or None where nothing runs). former: what is in our drop-in now; found: what the kernel has now.
Step = collections.namedtuple("Step", "unit property text running former found")


class Decision:
    """What is to be done. steps: [Step]. created: {slice's name: its unit file's text}; removed: [Unit] of slices whose file goes.

    idle: slices to start once there is something to do, so that their limits stand before their first program.
    undoes: see change_journal.Run. already_back: steps of a rollback that need nothing more but to be noted.
    file_steps, switches: of the daemons (see daemons).
    """

    def __init__(self):
        self.steps = []
        self.created = collections.OrderedDict()
        self.removed = []
        self.idle = []
        self.drift = []
        self.compliant = []
        self.refused = []
        self.unsupported = []
        self.left_alone = []
        self.notes = []
        self.undoes = None
        self.already_back = []
        self.file_steps = []
        self.switches = []

    def refuse(self, key, why):
        self.refused.append({"key": key, "why": why})


def key_of(unit_name, property_):
    return "%s:%s" % (unit_name, property_)


def decide(decision, about, units, wanted, force):
    """Add to the decision what ``wanted`` asks for: [Wanted]. units: {name: Unit}; about: host_units.Host.

    What units keep for themselves together is judged by protection.judge.
    """
    by_unit = collections.OrderedDict()
    for one in wanted:
        by_unit.setdefault(units[one.name].name, []).append(one)
    for name, several in by_unit.items():
        unit = next(unit for unit in units.values() if unit.name == name)
        _decide_unit(decision, about, unit, several, force)


def _decide_unit(decision, about, unit, several, force):
    values = {}
    for one in several:
        key = key_of(unit.name, one.property)
        try:
            number = value(one.property, one.text, about.memory)
        except ValueError as error:
            decision.refuse(key, str(error))
            continue
        if one.property in values and values[one.property][1] != number:
            decision.refuse(key, "it is wanted twice, as %s and as %s" % (values[one.property][0], one.text))
        values[one.property] = (one.text, number)
    others = {name: shown_value(name, text) for name, text in unit.shown.items()}
    others.update((name, number) for name, (_text, number) in values.items())
    kept = {}
    for name, (text, number) in values.items():
        key = key_of(unit.name, name)
        lacking = _unsupported(about, unit, name)
        if lacking:
            decision.unsupported.append({"key": key, "why": lacking})
            continue
        why = refusals.of_unit(unit, name) or refusals.of_value(unit, name, number, about, others, force)
        if why:
            decision.refuse(key, why)
            continue
        kept[name] = (text, number)
    maximum, high = others.get("MemoryMax"), others.get("MemoryHigh")
    if "MemoryMax" in kept and "MemoryHigh" not in values and isinstance(maximum, int) and isinstance(high, int) and high >= maximum:
        decision.notes.append(
            "%s: its MemoryHigh of %s is not below MemoryMax %s; lower it too, so that it is reclaimed from before it is killed."
            % (unit.name, refusals.size(high), refusals.size(maximum))
        )
    if about.cgroup == 1 and kept.get("OOMPolicy", ("",))[0] == "kill":
        decision.notes.append("%s: OOMPolicy=kill ends all its processes only on cgroup v2; on this host the kernel kills one of them." % unit.name)
    _compare(decision, about, unit, kept)


def _unsupported(about, unit, name):
    setting = SETTINGS[name]
    if unit.kind not in setting.kinds:
        return "a %s has no %s" % (unit.kind, name)
    if name not in unit.shown:
        return "systemd %d has no %s; %d and newer have it" % (about.systemd, name, setting.since)
    if about.cgroup == 1 and (name.startswith("ManagedOOM") or (setting.v2 and not setting.v1 and name != "OOMPolicy")):
        return "it needs cgroup v2, and this host counts memory by v1, where it has no effect"
    if name.startswith("ManagedOOM") and not about.psi:
        return "systemd-oomd needs pressure information: there is no /proc/pressure/memory (boot with psi=1)"
    return None


def _compare(decision, about, unit, kept):
    path = unit_files.drop_in(unit.name)
    steps = []
    for name, (text, number) in kept.items():
        faces = _faces(about, unit, name, number)
        key = key_of(unit.name, name)
        off = [face for face in faces if not face["holds"]]
        decision.drift += [{"key": key, "face": face["face"], "wanted": text, "found": face["found"], "where": face["where"]} for face in off]
        if not off:
            decision.compliant.append(key)
            continue
        lasting = any(face["face"] != "running" for face in off)
        running = _running(unit, name)
        if name == "OOMScoreAdjust":
            wanted = number if running is not None else None
        else:
            wanted = in_kernel(name, number, about.memory) if unit.group and host_file(about, name) else None
        steps.append(Step(unit, name, text if lasting else unit.ours.get(name), wanted, unit.ours.get(name), running))
    ours = _after(unit, steps)
    read = unit_files.with_ours(unit.read, path, ours)
    for step in steps:
        won = unit_files.winner(read, step.property, at_boot=False)
        if step.property in ours and (not won or won.path != path):
            where = won.path if won else "%s in a folder that systemd reads first" % unit_files.DROP_IN
            why = "%s is read after %s and sets it to %s; remove it there" % (where, path, won.text if won else "?")
            decision.refuse(key_of(unit.name, step.property), why)
    decision.steps += steps


def _after(unit, steps):
    ours = dict(unit.ours)
    for step in steps:
        if step.text is None:
            ours.pop(step.property, None)
        else:
            ours[step.property] = step.text
    return ours


def host_file(about, name):
    """The name of the setting's file in a cgroup of this host's version; None where there is none."""
    return SETTINGS[name].v2 if about.cgroup == 2 else SETTINGS[name].v1


def _running(unit, name):
    """What runs now: the main process's oom_score_adj, or the cgroup's value; None where nothing does."""
    if name == "OOMScoreAdjust":
        return None if unit.name in refusals.SETS_ITS_OWN_SCORE else next(iter(unit.processes.values()), None)
    return unit.kernel.get(name)


def _faces(about, unit, name, number):
    boot = unit_files.winner(unit.read, name, at_boot=True)
    faces = [_face("boot", boot.text if boot else "", boot.path if boot else "", boot is not None and _means(name, boot.text, number, about))]
    shown = unit.shown.get(name, "")
    faces.append(_face("manager", shown, "systemctl show", same(name, shown_value(name, shown), number, about.memory)))
    running = _running(unit, name)
    if running is not None:
        if name == "OOMScoreAdjust":
            pid = next(iter(unit.processes))
            faces.append(_face("running", str(running), "/proc/%d/oom_score_adj" % pid, running == number))
        else:
            where = "cgroup %s" % unit.group
            faces.append(_face("running", str(running), where, running == in_kernel(name, number, about.memory)))
    return faces


def _face(face, found, where, holds):
    return {"face": face, "found": found, "where": where, "holds": holds}


def _means(name, text, number, about):
    try:
        return same(name, value(name, text, about.memory), number, about.memory)
    except ValueError:
        return False  # systemd ignores such a line


def remove(decision, unit):
    """Take all of our settings from a unit, and the unit file if it is ours."""
    for name, text in unit.ours.items():
        running = _running(unit, name)
        decision.steps.append(Step(unit, name, None, FOLLOW if running is not None else None, text, running))
        decision.drift.append({"key": key_of(unit.name, name), "face": "boot", "wanted": "", "found": text, "where": unit_files.drop_in(unit.name)})
    if (unit.fragment_text or "").startswith(unit_files.HEADER):
        decision.removed.append(unit)
        path = "%s/%s" % (unit_files.FOLDER, unit.name)
        decision.drift.append({"key": key_of(unit.name, UNIT_FILE), "face": "boot", "wanted": "", "found": "a unit file", "where": path})
    if not unit.ours and unit not in decision.removed:
        decision.compliant.append(unit.name)


def create(decision, texts):
    """Make unit files: {slice's name: text}."""
    for name, text in texts.items():
        decision.created[name] = text
        path = "%s/%s" % (unit_files.FOLDER, name)
        decision.drift.append({"key": key_of(name, UNIT_FILE), "face": "boot", "wanted": "a unit file", "found": "", "where": path})


def texts_of(decision):
    """The files as they are and will be: {path: (old text or None, new text or None)}."""
    changed = collections.OrderedDict()
    by_unit = collections.OrderedDict()
    for step in decision.steps:
        by_unit.setdefault(step.unit.name, []).append(step)
    # First what starts a slice at boot: a run that is killed behind it makes or removes the slice once more.
    for name, text in decision.created.items():
        path, starts = unit_files.at_boot_file(name)
        changed[path] = (None, starts)
        changed["%s/%s" % (unit_files.FOLDER, name)] = (None, text)
    for unit in decision.removed:
        path, starts = unit_files.at_boot_file(unit.name)
        changed[path] = (starts, None)
        changed["%s/%s" % (unit_files.FOLDER, unit.name)] = (unit.fragment_text, None)
    for name, steps in by_unit.items():
        unit = steps[0].unit
        if all(step.text == step.former for step in steps):
            continue
        changed[unit_files.drop_in(name)] = (unit.ours_text, unit_files.render(unit.kind, _after(unit, steps)))
    return changed


def diff_of(decision, about):
    """{"before", "after"}: the files, and what runs."""
    before, after = [], []
    for path, (old, new) in texts_of(decision).items():
        before.append("# %s\n%s" % (path, old or ""))
        after.append("# %s\n%s" % (path, new or ""))
    for step in decision.file_steps:
        if step.old != step.new:
            before.append("# %s\n%s" % (step.path, step.old or ""))
            after.append("# %s\n%s" % (step.path, step.new or ""))
    for step in decision.switches:
        before.append("# %s\n%s\n" % (step.unit, _switched(step.old)))
        after.append("# %s\n%s\n" % (step.unit, _switched(step.new)))
    live = [step for step in decision.steps if step.running is not None and step.running != step.found]
    if live:
        before.append("# running\n" + "".join("%s %s\n" % (key_of(step.unit.name, step.property), _told(step.found, about)) for step in live))
        after.append("# running\n" + "".join("%s %s\n" % (key_of(step.unit.name, step.property), _told(expected(step, about), about)) for step in live))
    return {"before": "".join(before), "after": "".join(after)}


def _switched(state):
    return "%s, %s" % ("masked" if state["masked"] else "enabled" if state["enabled"] else "disabled", "running" if state["active"] else "stopped")


def _told(number, about):
    if number is None:
        return "as systemd has it by default"
    return to_kernel(number, about.cgroup)


def expected(step, about):
    """What will run after a step: its value, or the one that the other files give; None where only systemd's default does."""
    if step.running != FOLLOW:
        return step.running
    read = [one for one in step.unit.read if one[0] != unit_files.drop_in(step.unit.name)]
    won = unit_files.winner(read, step.property, at_boot=False)
    try:
        number = value(step.property, won.text, about.memory) if won else None
    except ValueError:
        return None
    if number is None:
        return None
    return number if step.property == "OOMScoreAdjust" else in_kernel(step.property, number, about.memory)
