# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take back what runs have changed, by the journal: what stood in our drop-ins, and what ran."""

import collections

from ..changes import change_journal
from . import deciding, host_units, refusals, unit_files
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
    units = host_units.units(files, commands, about, sorted({name for name, _colon, _property in parted.values()}))
    for key, (name, _colon, setting) in parted.items():
        was = former[key]
        if was["later"]:
            why = "run %s has changed it again since; take that one back first" % was["later"]
        elif setting == deciding.UNIT_FILE:
            why = None
            _unit_file(decision, units[name], was["old"])
        elif setting in SETTINGS:
            why = _setting(decision, about, units[name], setting, was["old"], latest[key], force)
        else:
            why = "this is no setting that is known here"
        if why:
            decision.left_alone.append({"key": key, "why": why})
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


def _unit_file(decision, unit, old):
    if old is None and unit.fragment_text is not None:
        decision.removed.append(unit)
    elif old is not None and unit.fragment_text is None:
        decision.created[unit.name] = old


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
