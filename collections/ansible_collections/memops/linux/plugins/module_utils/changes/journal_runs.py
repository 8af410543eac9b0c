# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal by runs: which there were, what still stands of each, and what a rollback would be about."""

import collections

from .change_journal import ALL, LAST, last_run, standing


def summary(entries, most=20):
    """The newest runs first, at most so many: [{run, time, reason, diagnosis, undoes, changes, standing}].

    changes, standing: how many it made, and how many of them no rollback has taken back.
    """
    left = collections.Counter(entry["run"] for entry in standing(entries))
    runs = collections.OrderedDict()
    for entry in entries:
        run = runs.setdefault(entry["run"], {"run": entry["run"], "changes": 0})
        run["changes"] += 1
        for name in ("time", "reason", "diagnosis", "undoes"):
            run[name] = entry.get(name)
    for run in runs.values():
        run["standing"] = left[run["run"]]
    return list(reversed(list(runs.values())))[:most]


def chosen(entries, run, keys=()):
    """What a rollback of that run is about: {run: name or None, areas: {area: [key]}, unknown_keys: [key]}.

    run: a run's name, LAST (which becomes a name here, for with each area that
    is taken back another run can become the last one) or ALL. keys: only these,
    each also as a part of its area's keys ("vm.swappiness" for
    "vm.swappiness@boot"); empty means all, and then no keys are given.
    """
    left = standing(entries)
    name = last_run(entries) if run == LAST else run
    found = [(entry["area"], entry["key"]) for entry in left if name in (ALL, entry["run"])]
    areas = collections.OrderedDict()
    known = set()
    for area, key in found:
        if not keys:
            areas.setdefault(area, [])
        for asked in keys:
            if key == asked or key.startswith(asked + "@"):
                known.add(asked)
                if asked not in areas.setdefault(area, []):
                    areas[area].append(asked)
    return {"run": name, "areas": areas, "unknown_keys": [key for key in keys if key not in known]}
