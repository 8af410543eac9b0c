# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole call: decide, write it down, change, look again; or put back what was there and say both."""

import collections
import json

from ..changes import baseline_page, change_journal, host_command
from . import deciding
from .boot import found
from .doing import Doing
from .errors import SwapError
from .judging import BOOT, DELETE, LEAVE, MAKE, SWITCH
from .sizes import told

AREA = "swap"

FAILURES = (SwapError, host_command.CommandError, OSError, ValueError)

#: How a call ended. decision: what was decided last; changed: whether anything is different now.
Done = collections.namedtuple("Done", "decision changed")


def apply(probe, request, run, only_look=False, undone=()):
    """Make the host as the Request wants it. Raises SwapError (deciding.Decision in ``.decision``, where there is one) and nothing is changed then.

    run: change_journal.Run. undone: keys that a rollback takes back, which are
    written down even where nothing differs any more.
    """
    decision = deciding.decide(probe, request)
    _refuse(decision)
    if only_look:
        return Done(decision, decision.changed)
    with probe.files.locked(change_journal.LOCK):
        if decision.changed:
            decision = deciding.decide(probe, request)
            _refuse(decision)
        entries = _entries(probe.files, decision, undone)
        if entries and not run.undoes:
            change_journal.record(probe.files, run, entries)
        if decision.changed:
            _change(probe, request, decision, run, entries)
        if entries and run.undoes:
            # What it goes back to stands in the journal already; written first, a rollback that is killed could not be asked for again.
            change_journal.record(probe.files, run, entries)
        now = deciding.decide(probe, request._replace(format_devices=())) if decision.changed else decision
        baseline_page.write(probe.files, AREA, _rows(probe.files, now, run, undone))
    return Done(decision, decision.changed)


def _refuse(decision):
    if decision.refused:
        raise _failure("Nothing was changed. %s" % " ".join("%(key)s: %(why)s." % one for one in decision.refused), decision)


def _failure(text, decision):
    error = SwapError(text)
    error.decision = decision
    return error


def _change(probe, request, decision, run, entries):
    doing = Doing(probe, decision.host, decision.plan, decision.margin)
    try:
        for phase in (MAKE, SWITCH, BOOT, LEAVE):
            if phase == BOOT:
                doing.write_boot()
            for judged in decision.judged:
                for step in judged.steps:
                    if step.phase == phase:
                        doing.do(judged, step)
        _verify(probe, request, decision)
    except FAILURES as error:
        failed = doing.take_back()
        if not failed and not run.undoes:
            back = [change_journal.Change(one.key, one.new, one.old) for one in entries]
            why = run._replace(reason="put back after a failure: %s" % error, undoes=run.name)
            change_journal.record(probe.files, why, back)
        if not failed:
            raise _failure("%s. What was there before is there again" % _sentence(error), decision) from error
        text = "%s. This could not be put back: %s. Run it again when that is mended"
        raise _failure(text % (_sentence(error), "; ".join(failed)), decision) from error
    for judged in decision.judged:
        for step in judged.steps:
            if step.phase == DELETE:
                doing.do(judged, step)


def _sentence(error):
    return str(error).rstrip(".")


def _verify(probe, request, decision):
    """Read it all again: only what is deleted last may still differ."""
    again = deciding.decide(probe, request._replace(format_devices=()))
    left = [entry for entry in again.drift if entry["face"] != "file"]
    left += [entry for entry in again.drift if entry["face"] == "file" and not _goes_last(again, entry["key"])]
    if left or again.boot_changes:
        what = left[0] if left else {"key": "at boot", "wanted": "the planned files", "found": "others", "where": "/etc"}
        raise SwapError("After the change %(key)s is not as wanted: %(wanted)s, but %(found)s (%(where)s)" % what)


def _goes_last(decision, key):
    steps = [step for one in decision.judged if one.wanted.key == key for step in one.steps]
    return all(step.phase == DELETE or step.verb == "sweep" for step in steps)


def _entries(files, decision, undone):
    """The journal's changes. What a killed run left half done still has the former value of before that run."""
    earlier = change_journal.standing(change_journal.read(files))
    entries = []
    for change in decision.changes:
        old = change["old"]
        newest = next((entry for entry in reversed(earlier) if entry["area"] == AREA and entry["key"] == change["key"]), None)
        if newest and is_half_done(old) and same(newest["new"], change["new"]):
            old = newest["old"]
        entries.append(change_journal.Change(change["key"], old, change["new"]))
    for judged in decision.judged:
        key = judged.wanted.key
        if key in undone and all(entry.key != key for entry in entries):
            now = deciding.as_is(judged.wanted, judged.seen, decision.host)
            entries.append(change_journal.Change(key, now, now))
    return entries


def is_half_done(entry):
    """Whether an area is in neither of the states in which a run leaves it: in use and at boot, or neither and not there."""
    return bool(entry) and not (entry["running"] and entry["at_boot"])


def same(one, other):
    """Whether two of deciding.as_is say the same; what one of them does not say is not compared."""
    if not one or not other:
        return not one and not other
    both = set(one) & set(other) - {"made"}
    return all(one[name] == other[name] for name in both if name in ("running", "at_boot") or (one[name] is not None and other[name] is not None))


def _rows(files, decision, run, undone):
    """The page's rows: those of former calls, without what is gone, and with what is there now."""
    rows = collections.OrderedDict()
    try:
        for row in json.loads(files.read(baseline_page.ROWS % AREA) or "[]"):
            rows[row["key"]] = baseline_page.Row(**row)
    except (ValueError, TypeError, KeyError):
        pass
    standing = {entry["key"] for entry in change_journal.standing(change_journal.read(files)) if entry["area"] == AREA}
    for judged in decision.judged:
        wanted = judged.wanted
        rows.pop(wanted.key, None)
        if wanted.running and wanted.at_boot and (wanted.key not in undone or wanted.key in standing):
            rows[wanted.key] = _row(wanted, deciding.as_wanted(wanted, judged.seen, decision.host), found(wanted, judged.seen, decision.host), run)
    return list(rows.values())


def _row(wanted, entry, at_boot, run):
    priority = "the kernel's choice" if entry["priority"] is None else entry["priority"]
    return baseline_page.Row(
        key=wanted.key,
        value="%s of swap (%s), priority %s" % (told(entry["size_bytes"] or 0), wanted.kind, priority),
        default="a kernel has no swap until it is given some",
        why="%s. Memory that nobody has touched for long can leave RAM, and a shortage becomes slow before it becomes deadly%s"
        % (run.reason, "; " + wanted.told if wanted.told else ""),
        danger="swapoff with more in it than fits into memory takes the host down; a working set larger than RAM thrashes instead of being killed",
        reference="https://docs.kernel.org/admin-guide/blockdev/zram.html" if wanted.kind == "zram" else "swapon(8), mkswap(8)",
        where=at_boot.where or "",
    )
