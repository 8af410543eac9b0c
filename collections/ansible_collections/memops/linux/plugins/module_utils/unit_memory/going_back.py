# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take back what runs have changed, by the journal: what stood in our drop-ins, and what ran."""

import collections

from ..changes import change_journal
from . import daemon_config, daemons, deciding, host_units, refusals, unit_files
from .settings import SETTINGS

AREA = "unit_memory"


def decide(files, commands, about, noted, rollback_run, keys, force):
    """A Decision of what goes back. noted: the journal's entries. Reads the host."""
    decision = deciding.Decision()
    run = change_journal.last_run(noted) if rollback_run == change_journal.LAST else rollback_run
    former = change_journal.former_values(noted, AREA, run, keys) if run else {}
    decision.undoes = run
    latest = _latest(noted, run)
    for key in keys:
        if key not in former:
            decision.left_alone.append({"key": key, "why": "the journal has no change of it that run %s made and that still stands" % run})
    parted = collections.OrderedDict((key, key.rpartition(":")) for key in former)
    names = {name for name, _colon, setting in parted.values() if setting in SETTINGS or setting == deciding.UNIT_FILE}
    units = host_units.units(files, commands, about, sorted(names))
    with_daemons = any(setting in (daemons.CONFIGURATION, daemons.ENABLED) for _name, _colon, setting in parted.values())
    of_daemons = {one.unit: one for one in daemons.read(files, commands).values()} if with_daemons else {}
    for key, (name, _colon, setting) in parted.items():
        was = former[key]
        if setting in SETTINGS and not all(isinstance(one, dict) and {"setting", "running"} <= set(one) for one in (was["old"], latest[key])):
            why = "the journal does not say what was there before in a form that is known here"
        elif was["later"]:
            why = "run %s has changed it again since; take that one back first" % was["later"]
        elif setting == deciding.UNIT_FILE:
            why = _unit_file(decision, units[name], was["old"], latest[key], force)
        elif setting in SETTINGS:
            why = _setting(decision, about, units[name], setting, was["old"], latest[key], force)
        elif setting in (daemons.CONFIGURATION, daemons.ENABLED) and name in of_daemons:
            why = _daemon(decision, of_daemons[name], setting, was["old"], latest[key], force)
        else:
            why = "this is no setting that is known here"
        if why:
            decision.left_alone.append({"key": key, "why": why})
    if of_daemons and not force:
        _leave_a_killer(decision, of_daemons, daemons.meminfo(files.read("/proc/meminfo")))
    if not former and not decision.left_alone:
        decision.notes.append("There is nothing to take back: the journal has no change of units that stands%s." % (" of run %s" % run if run else ""))
    return decision


def _latest(noted, run):
    """What the run (or any, for ALL) set last: {key: new}."""
    found = {}
    for entry in change_journal.standing(noted):
        if entry["area"] == AREA and run in (change_journal.ALL, entry["run"]):
            found[entry["key"]] = entry["new"]
    return found


def _daemon(decision, one, setting, old, new, force):
    if setting == daemons.CONFIGURATION:
        path = daemon_config.FILES[next(name for name, unit in daemon_config.UNITS.items() if unit == one.unit)]
        if one.config not in (new, old) and not force:
            return "%s is not what that run wrote; with force it is taken back all the same" % path
        decision.file_steps.append(daemons.FileStep(one.unit, path, one.config, old))
        return None
    now = daemons.state(one)
    old, new = ({part: bool(state.get(part)) for part in now} for state in (old, new))
    # Part by part: a run that was killed may have left some of each.
    strange = [part for part in now if now[part] not in (new[part], old[part])]
    if strange and not force:
        return "it is not what that run set (%s); with force it is taken back all the same" % ", ".join(
            "%s%s" % ("" if now[part] else "not ", part) for part in strange
        )
    if not one.exists and old["active"]:
        return "it is not installed any more"
    if one.exists:
        decision.switches.append(daemons.SwitchStep(one.unit, now, old))
    return None


def _leave_a_killer(decision, of_daemons, numbers):
    """Leave both daemons as they are where earlyoom would come back with thresholds by which it kills at once."""
    unit = daemon_config.UNITS[daemon_config.EARLYOOM]
    one = of_daemons[unit]
    config = next((step.new for step in decision.file_steps if step.unit == unit), one.config)
    runs = next((step.new["active"] for step in decision.switches if step.unit == unit), one.active)
    why = daemons.kills_at_once(*daemon_config.earlyoom_percents(config), numbers=numbers) if runs and (config != one.config or not one.active) else None
    if not why:
        return
    for key in [(step.unit, daemons.CONFIGURATION) for step in decision.file_steps] + [(step.unit, daemons.ENABLED) for step in decision.switches]:
        decision.left_alone.append({"key": "%s:%s" % key, "why": "with what was there before, %s; with force it is taken back all the same" % why})
    del decision.file_steps[:], decision.switches[:]


def _unit_file(decision, unit, old, new, force):
    if unit.fragment_text not in (old, new) and not force:
        return "%s/%s is not what that run wrote; with force it is taken back all the same" % (unit_files.FOLDER, unit.name)
    if old is None and unit.fragment_text is not None:
        decision.removed.append(unit)
    elif old is not None and unit.fragment_text is None:
        decision.created[unit.name] = old
    return None


def _setting(decision, about, unit, setting, old, new, force):
    """Add the step, or say why not."""
    now = unit.ours.get(setting)
    running = next(iter(unit.processes.values()), None) if setting == "OOMScoreAdjust" else unit.kernel.get(setting)
    if not force:
        if now != new["setting"] and now != old["setting"]:
            return "%s has %s now, not what that run wrote (%s); with force it is taken back all the same" % (
                unit_files.drop_in(unit.name),
                now,
                new["setting"],
            )
        if running is not None and new["running"] is not None and running not in (new["running"], old["running"]):
            return "it is %s now, not what that run set (%s); with force it is taken back all the same" % (running, new["running"])
    target = old["running"] if old["running"] is not None else deciding.FOLLOW
    step = deciding.Step(unit, setting, old["setting"], target if running is not None else None, now, running)
    aim = deciding.expected(step, about) if step.running is not None else None
    if not force and setting in ("MemoryMax", "MemoryHigh") and isinstance(aim, int):
        why = refusals.of_value(unit, setting, aim, about, {}, False)
        if why:
            return why
    if now == step.text and (step.running is None or aim == running):
        decision.already_back.append(step)
    else:
        decision.steps.append(step)
    return None
