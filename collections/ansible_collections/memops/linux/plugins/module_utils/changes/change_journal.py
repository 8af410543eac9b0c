# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was changed on this host, by which run, why, and what was there before: the memory that a rollback reads.

A change is written down before it is made. One that was cut off by a kill then
stands there without having come about, which does no harm: to go back to what
was there before is right either way, and the next run writes it down again.
"""

import collections
import json
import time

PATH = "/var/lib/memops/changes.jsonl"
LOCK = "/var/lib/memops/lock"
LAST, ALL = "last", "all"

#: key: what was changed, such as "vm.swappiness". old, new: JSON values; None says that it was not set.
Change = collections.namedtuple("Change", "key old new")


class Run(collections.namedtuple("Run", "name area reason diagnosis undoes")):
    """Who changes: the run's name, the area (a module's name), why, and the diagnosis it came from (None: none).

    undoes: the run that this one takes back, where it is a rollback; else None.
    """


def record(files, run, changes):
    """Write the changes down, before they are made. Raises OSError, and then nothing may be changed.

    files: a HostFiles. changes: Change.
    """
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for change in changes:
        entry = collections.OrderedDict([("time", now), ("run", run.name), ("area", run.area)])
        entry.update(key=change.key, old=change.old, new=change.new, reason=run.reason, diagnosis=run.diagnosis)
        if run.undoes:
            entry["undoes"] = run.undoes
        files.append(PATH, json.dumps(entry))


def read(files):
    """The entries, oldest first: [{time, run, area, key, old, new, reason, diagnosis, undoes?}]; lines that are cut off are left out."""
    entries = []
    for line in (files.read(PATH) or "").splitlines():
        try:
            entry = json.loads(line)
            if all(isinstance(entry[name], str) for name in ("run", "area", "key")):
                entries.append(entry)
        except (ValueError, KeyError, TypeError):
            continue  # the power went while it was written; what it announced never began
    return entries


def last_run(entries):
    """The newest run that changed something and is not a rollback nor wholly taken back; None where there is none."""
    for entry in reversed(standing(entries)):
        return entry["run"]
    return None


def standing(entries):
    """The changes that no rollback has taken back, oldest first."""
    left = []
    for entry in entries:
        undone = entry.get("undoes")
        if undone is None:
            left.append(entry)
            continue
        left = [one for one in left if (one["area"], one["key"]) != (entry["area"], entry["key"]) or (undone != ALL and one["run"] != undone)]
    return left


def former_values(entries, area, run, keys=()):
    """What to go back to: {key: {"old": value, "run": name, "later": run or None}}, in the order in which keys were first changed.

    run: a run's name, LAST or ALL. keys: only these; none means each.
    later: a run that changed the key again since; who rolls back an earlier run leaves such a key alone, or takes that run back first.
    """
    left = standing(entries)
    wanted = last_run(entries) if run == LAST else run
    former = collections.OrderedDict()
    for entry in left:
        if entry["area"] != area or (keys and entry["key"] not in keys):
            continue
        key = entry["key"]
        if wanted in (ALL, entry["run"]):
            former.setdefault(key, {"old": entry["old"], "run": entry["run"], "later": None})
            if wanted != ALL:
                former[key]["later"] = None  # the run itself may change a key twice
        elif key in former:
            former[key]["later"] = entry["run"]
    return former
