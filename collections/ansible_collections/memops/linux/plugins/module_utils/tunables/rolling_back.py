# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the journal says was there before, as a plan: live and lasting.

A tunable stands in the journal under its key, what our file kept of it under
``key@boot``, and a line of a foreign file that was taken out of use under
``key@/path``. They go back together, or are left alone together.
"""

import collections

from ..changes import change_journal
from . import kept, refusals, write_order
from .plan import AT_BOOT, Conflict, Plan, plan_files

AREA = "tunables"

#: run: a run's name, LAST or ALL. keys: only these; none means each.
Wish = collections.namedtuple("Wish", "run keys force")


def decide(entries, wish, catalogue, now):
    """(Plan, the run's name or None, [Change] to write down). entries: of the journal. now: a Present."""
    plan = Plan()
    name = change_journal.last_run(entries) if wish.run == change_journal.LAST else wish.run
    former = change_journal.former_values(entries, AREA, name, ()) if name else {}
    groups = _groups(former, wish.keys, catalogue)
    if not groups:
        nameless = name in (None, change_journal.ALL)
        plan.notes.append("No run that still stands changed a tunable here." if nameless else "Nothing that the run %s changed here still stands." % name)
        return plan, name, []
    set_by = _last_values(entries, name)
    back = collections.OrderedDict()
    for key, parts in groups.items():
        why = _why_not(key, parts, set_by, catalogue, now, wish.force)
        if why:
            plan.left_alone.append({"key": key, "why": why})
        else:
            back[key] = parts
    _leave_half_pairs_alone(plan, back, catalogue)
    _plan_values(plan, back, catalogue, now, wish.force)
    lasting = {key: parts[AT_BOOT]["old"] for key, parts in back.items() if AT_BOOT in parts}
    if lasting:
        plan_files(plan, lasting, catalogue, now)
    _put_lines_back(plan, back, now)
    return plan, name, list(_changes(back, now, catalogue))


def _of_area(entries):
    return [entry for entry in entries if entry["area"] == AREA]


def _groups(former, keys, catalogue):
    """{key: {"" or AT_BOOT or "@/path": former value}} of the keys that are asked for; with a key go its parts, and the other one of its pair."""
    keys = {key.partition("@")[0] for key in keys}
    asked = keys | {catalogue[key]["pair"] for key in keys if catalogue.get(key, {}).get("pair")}
    groups = collections.OrderedDict()
    for name, one in former.items():
        key, sign, part = name.partition("@")
        if not asked or key in asked:
            groups.setdefault(key, {})[sign + part] = one
    return groups


def _last_values(entries, run):
    """{name in the journal: what it was set to last, by the run (or by any, for ALL)}."""
    values = {}
    for entry in change_journal.standing(_of_area(entries)):
        if run in (change_journal.ALL, entry["run"]):
            values[entry["key"]] = entry["new"]
    return values


def _why_not(key, parts, set_by, catalogue, now, force):
    """Why the key is left alone; None if it can go back."""
    later = next((one["later"] for one in parts.values() if one["later"]), None)
    if later:
        return "the run %s changed it again since; take that back first, or all runs with rollback_run=all" % later
    if key not in catalogue:
        return "this version of the collection does not know it"
    if now.running.get(key) is None and "" in parts:
        return "kernel %s does not have it" % now.host.release
    if force:
        return None
    for part, found in (("", now.running.get(key)), (AT_BOOT, kept.value_of(now.kept, key, catalogue[key]))):
        if part in parts and found not in (parts[part]["old"], set_by[key + part]):
            what = "in %s" % kept.SYSCTL_FILE if part else "now"
            return "it is %s %s, which is not what the run %s set (%s): somebody changed it since. To take it back all the same, set force" % (
                found,
                what,
                parts[part]["run"],
                set_by[key + part],
            )
    return None


def _leave_half_pairs_alone(plan, back, catalogue):
    """A former 0 of a pair comes by writing the other one, so without that it cannot come."""
    for key in list(back):
        partner = catalogue[key].get("pair")
        if not partner or back[key].get("", {}).get("old") != "0":
            continue
        other = back.get(partner, {}).get("", {}).get("old")
        if other in (None, "0"):
            plan.left_alone.append({"key": key, "why": "it was 0, which the kernel takes only by a value of %s, and none is known" % partner})
            del back[key]


def _plan_values(plan, back, catalogue, now, force):
    wanted = {key: parts[""]["old"] for key, parts in back.items() if "" in parts}
    writes = {
        key: value
        for key, value in wanted.items()
        if now.running[key] != value and not (catalogue[key].get("pair") and value == "0" and wanted.get(catalogue[key]["pair"]) not in (None, "0"))
    }
    state = refusals.State(list(writes), now.running, dict(now.running, **wanted), now.host, None, catalogue)
    for one in refusals.refused_now(state):
        if force:
            plan.warnings.append("%s: done by force, although %s." % (one["key"], one["why"]))
            continue
        plan.left_alone.append({"key": one["key"], "why": one["why"]})
        writes.pop(one["key"], None)
        back.pop(one["key"], None)
    running = {key: value for key, value in now.running.items() if value is not None}
    for key in write_order.ordered(writes, running, now.host):
        plan.values[key] = (now.running[key], writes[key])
    plan.wanted.update(sorted(wanted.items()))


def _put_lines_back(plan, back, now):
    for key, parts in back.items():
        for part, one in parts.items():
            if not part.startswith("@/") or not one["old"]:
                continue
            path = part[1:]
            first = plan.texts.get(path)
            text = first[1] if first else now.reader.text(path, expected=False)
            again = kept.with_again(text or "", one["old"].split("\n"))
            if again is None:
                plan.notes.append("%s: its line in %s is gone since, and was not put back: %s." % (key, path, one["old"]))
                continue
            plan.texts[path] = (first[0] if first else text, again)
            plan.conflicts.append(Conflict(path, key, one["old"].split("\n")))


def _changes(back, now, catalogue):
    for key, parts in back.items():
        for part, one in parts.items():
            found = now.running.get(key) if not part else kept.value_of(now.kept, key, catalogue[key]) if part == AT_BOOT else None
            yield change_journal.Change(key + part, found, one["old"])
