# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module's work from its arguments to its result: read, decide, write down, change, look."""

import os

from ..changes import baseline_page, change_journal, host_command
from . import applying, daemon_config, daemons, deciding, entries, going_back, host_units, protection, unit_files
from .settings import SETTINGS

AREA = "unit_memory"


class WorkError(Exception):
    """It ends here. result: what is known all the same."""

    def __init__(self, text, result=None):
        Exception.__init__(self, text)
        self.result = result or {}


def work(files, commands, given, run, check_mode):
    """The result as a dict. given: the module's arguments; run: change_journal.Run. Raises WorkError."""
    decide = _applying if given["state"] == "applied" else _going_back
    given = dict(given, check_mode=check_mode)
    result = {name: [] for name in ("drift", "compliant", "refused", "left_alone", "unsupported", "notes")}
    try:
        about = host_units.host(files, commands)
        decision = decide(files, commands, about, given)
        result = _result(decision, about)
        if decision.refused:
            raise WorkError(_refusal(decision), result)
        if check_mode:
            return result
        with files.locked(change_journal.LOCK):
            if not result["changed"] and not decision.already_back:
                baseline_page.write(files, AREA, rows(files))
                return result
            decision = decide(files, commands, about, given)
            result = _result(decision, about)
            if decision.refused:
                raise WorkError(_refusal(decision), result)
            if result["changed"] and not decision.undoes:
                change_journal.record(files, run, _journal(files, decision, about))
            if result["changed"]:
                applying.carry_out(files, commands, about, decision)
            if decision.undoes:
                # Only now: what is noted as taken back and was not, no later run would take back.
                change_journal.record(files, run._replace(undoes=decision.undoes), _journal(files, decision, about))
            baseline_page.write(files, AREA, rows(files))
        return result
    except (OSError, ValueError, host_units.UnitError, host_command.CommandError, applying.ApplyError) as error:
        raise WorkError(str(error), dict(result, changed=False, changes=[], diff={"before": "", "after": ""})) from None


def _applying(files, commands, about, given):
    decision = deciding.Decision()
    read = entries.read(files, commands, about, given["units"], decision)
    keepers = protection.keepers(read.units, read.wanted, about.memory) if about.cgroup == 2 else []
    kept_in = {name: host_units.protections(files, name) for name in {name for keeper in keepers for name in keeper.slices}}
    deciding.decide(decision, about, read.units, read.wanted, given["force"])
    if not given["force"]:
        protection.judge(decision, about, keepers, kept_in)
    protection.note_gaps(decision, keepers, kept_in)
    by_name = {unit.name: unit for unit in read.units.values()}
    _note_idle_oomd(decision, commands, read.wanted, given["daemon"])
    deciding.create(decision, read.created)
    decision.idle = read.idle
    for name in read.absent:
        deciding.remove(decision, by_name[name])
    if given["daemon"] and given["daemon"]["name"] != "none":
        found = daemons.read(files, commands)
        daemons.decide(decision, about, found, given["daemon"], daemons.meminfo(files.read("/proc/meminfo")), given["check_mode"], given["force"])
    return decision


def _note_idle_oomd(decision, commands, wanted, daemon):
    names = sorted({one.name for one in wanted if one.property in ("ManagedOOMSwap", "ManagedOOMMemoryPressure") and one.text == "kill"})
    chosen = daemon and daemon["name"] == daemon_config.OOMD
    if names and not chosen and commands.ask(["systemctl", "is-active", "--quiet", "--", daemon_config.UNITS[daemon_config.OOMD]]).status:
        decision.notes.append("systemd-oomd does not run, so nothing acts on ManagedOOM of %s yet." % ", ".join(names))


def _going_back(files, commands, about, given):
    noted = change_journal.read(files)
    return going_back.decide(files, commands, about, noted, given["rollback_run"], given["rollback_keys"], given["force"])


def _journal(files, decision, about):
    """The changes with all that a rollback needs: what stood in our drop-in, and what ran."""
    standing = {}
    for entry in change_journal.standing(change_journal.read(files)):
        if entry["area"] == AREA:
            standing[entry["key"]] = entry
    changes = []
    for step in decision.steps + decision.already_back:
        key = deciding.key_of(step.unit.name, step.property)
        old = {"setting": step.former, "running": step.found}
        new = {"setting": step.text, "running": deciding.expected(step, about)}
        before = standing.get(key)
        # A run that was killed between the file and the kernel: what it found is what was there before.
        if not decision.undoes and before and before["new"] == new and before["old"]["running"] == old["running"] != new["running"]:
            old = before["old"]
        changes.append(change_journal.Change(key, old, new))
    for step in decision.file_steps:
        changes.append(change_journal.Change("%s:%s" % (step.unit, daemons.CONFIGURATION), step.old, step.new))
    for step in decision.switches:
        changes.append(change_journal.Change("%s:%s" % (step.unit, daemons.ENABLED), step.old, step.new))
    for name, text in decision.created.items():
        changes.append(change_journal.Change(deciding.key_of(name, deciding.UNIT_FILE), None, text))
    for unit in decision.removed:
        changes.append(change_journal.Change(deciding.key_of(unit.name, deciding.UNIT_FILE), unit.fragment_text, None))
    return changes


def _result(decision, about):
    changes = [{"key": deciding.key_of(step.unit.name, step.property), "old": _old(step), "new": _new(step, about)} for step in decision.steps]
    changes += [{"key": deciding.key_of(name, deciding.UNIT_FILE), "old": None, "new": text} for name, text in decision.created.items()]
    changes += [{"key": deciding.key_of(unit.name, deciding.UNIT_FILE), "old": unit.fragment_text, "new": None} for unit in decision.removed]
    changes += [
        {"key": "%s:%s" % (step.unit, daemons.CONFIGURATION), "old": daemons.short(step.old), "new": daemons.short(step.new)} for step in decision.file_steps
    ]
    changes += [{"key": "%s:%s" % (step.unit, daemons.ENABLED), "old": step.old, "new": step.new} for step in decision.switches]
    if decision.refused:
        changes = []
    return {
        "changed": bool(changes),
        "diff": deciding.diff_of(decision, about) if changes else {"before": "", "after": ""},
        "changes": changes,
        "drift": decision.drift,
        "compliant": decision.compliant,
        "refused": decision.refused,
        "left_alone": decision.left_alone,
        "unsupported": decision.unsupported,
        "notes": decision.notes,
    }


def _old(step):
    """What counts now: the running value, or where nothing runs what a start would give."""
    if step.found is not None:
        return step.unit.shown[step.property] if step.property == "OOMPolicy" else str(step.found)
    won = unit_files.winner(step.unit.read, step.property, at_boot=True)
    return won.text if won else None


def _new(step, about):
    if step.text is not None:
        return step.text
    number = deciding.expected(step, about) if step.property != "OOMPolicy" else None
    return None if number is None else str(number)


def _refusal(decision):
    return "Nothing was changed. Refused: %s" % "; ".join("%s: %s" % (one["key"], one["why"]) for one in decision.refused)


def rows(files):
    """What all our drop-ins on this host hold, for its page."""
    reasons = {}
    for entry in change_journal.standing(change_journal.read(files)):
        if entry["area"] == AREA:
            reasons[entry["key"]] = " ".join(part for part in (entry.get("reason"), entry.get("diagnosis")) if part)
    found = []
    for folder in sorted(os.listdir(files.path(unit_files.FOLDER))) if files.exists(unit_files.FOLDER) else []:
        path = "%s/%s/%s" % (unit_files.FOLDER, folder, unit_files.DROP_IN)
        text = files.read(path) if folder.endswith(".d") else None
        for name, held in unit_files.assignments(text).items():
            setting, key = SETTINGS[name], deciding.key_of(folder[:-2], name)
            found.append(baseline_page.Row(key, held, setting.default, reasons.get(key, ""), setting.danger, setting.reference, path))
    return found
