# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run of the module, from the look at the host to the page that tells of it."""

import collections
import os
import time

from ..changes import baseline_page, change_journal
from . import carrying_out, faces, kept, page_rows, plan, rolling_back
from . import host as hosts
from .carrying_out import TunableError

LAST_SECONDS = 60


class Refused(TunableError):
    """Nothing was touched; the text names each key and its sum."""


def apply(files, reader, request, run, check_mode):
    """(result, warnings) as the module returns them. Raises TunableError, with what is known so far as its ``result``.

    files: a HostFiles, reader: a Reader, both of the host. request: a
    plan.Request. run: a change_journal.Run.
    """
    now = plan.present(reader, request.catalogue)
    planned = plan.decide(request, now)
    rows = _rows_after(files, planned, request, now, run)
    result = _result(planned, now, _changes(planned, now, request.catalogue), rows[1])
    _refuse(planned, result)
    _look_writable(files, planned, request.catalogue, result)
    if check_mode or not result["changed"]:
        return result, planned.warnings
    with _locked(files, result):
        now = plan.present(reader, request.catalogue)
        planned = plan.decide(request, now)
        rows = _rows_after(files, planned, request, now, run)
        result = _result(planned, now, _changes(planned, now, request.catalogue), rows[1])
        _refuse(planned, result)
        partly = ("vm.nr_hugepages",) if request.force else ()
        changes = list(_changes(planned, now, request.catalogue))
        _make(files, reader, planned, request.catalogue, now, run, changes, rows[0], result, partly)
        if partly and "vm.nr_hugepages" in planned.values:
            _tell_pages_got(planned, reader, request.catalogue)
    return result, planned.warnings


def roll_back(files, reader, wish, catalogue, run, check_mode):
    """The same for state rolled_back; run.undoes is found here. wish: a rolling_back.Wish."""
    now = plan.present(reader, catalogue)
    planned, name, changes = rolling_back.decide(change_journal.read(files), wish, catalogue, now)
    result = _result(planned, now, _rollback_changes(changes), False)
    _look_writable(files, planned, catalogue, result)
    if check_mode or not changes:
        return result, planned.warnings
    with _locked(files, result):
        now = plan.present(reader, catalogue)
        planned, name, changes = rolling_back.decide(change_journal.read(files), wish, catalogue, now)
        result = _result(planned, now, _rollback_changes(changes), False)
        after = kept.changed(now.kept, {key: new for key, (_old, new) in planned.kept.items()}, catalogue)
        rows = page_rows.rows_without(files, after, planned, catalogue)
        _make(files, reader, planned, catalogue, now, run._replace(undoes=name), changes, rows, result, ())
    return result, planned.warnings


def _make(files, reader, planned, catalogue, now, run, changes, rows, result, partly):
    """Write down, change, and tell on the page.

    A change is written down before it is made, so that its former value cannot
    be lost; that a run is taken back is written down after it is, so that a
    rollback that is cut off can be done again.
    """
    if not run.undoes:
        _record(files, run, changes, "nothing was changed", result)
    try:
        carrying_out.carry_out(files, reader, planned.values, planned.texts, catalogue, now.running, partly)
    except TunableError as error:
        if not run.undoes:
            _take_back_in_journal(files, run, changes)
        raise _failed(str(error), result) from error
    if run.undoes:
        _record(files, run, changes, "all is rolled back, and the next rollback will write that down", result)
    try:
        baseline_page.write(files, rolling_back.AREA, rows)
    except OSError as error:
        raise _failed("All values are set, but %s could not be written: %s" % (baseline_page.PAGE, error.strerror), result) from error


def _record(files, run, changes, otherwise, result):
    try:
        change_journal.record(files, run, changes)
    except OSError as error:
        raise _failed("%s could not be written (%s); %s" % (change_journal.PATH, error.strerror, otherwise), result) from error


def _take_back_in_journal(files, run, changes):
    """What was announced did not stay; where even that cannot be written, the announcement does no harm."""
    try:
        undone = [change_journal.Change(one.key, one.new, one.old) for one in changes]
        change_journal.record(files, run._replace(undoes=run.name, reason="it failed and was put back"), undone)
    except OSError:
        pass


def _changes(planned, now, catalogue):
    """What goes into the journal: the values, the other one of each pair, what our files keep, and lines of foreign files."""
    for key, (old, new) in planned.values.items():
        yield change_journal.Change(key, old, new)
        partner = catalogue[key].get("pair")
        if partner and now.running.get(partner) not in (None, "0"):
            yield change_journal.Change(partner, now.running[partner], "0")
    for key, (old, new) in planned.kept.items():
        yield change_journal.Change(key + plan.AT_BOOT, old, new)
    for conflict in planned.conflicts:
        yield change_journal.Change("%s@%s" % (conflict.key, conflict.path), "\n".join(conflict.lines), None)


def _rows_after(files, planned, request, now, run):
    after = kept.changed(now.kept, planned.wanted, request.catalogue) if request.persist else now.kept
    rows = page_rows.rows(files, after, planned, request.catalogue, run.reason, request.persist)
    return rows, page_rows.differ(files, rows)


def _rollback_changes(changes):
    """What goes back, without what is as it was before already."""
    return [one for one in changes if one.old != one.new]


def _result(planned, now, changes, page_differs):
    shown = collections.OrderedDict()
    for key in planned.wanted:
        told = {"running": now.running.get(key)}
        for name, face in now.faces.get(key, {}).items():
            told.update({name: face.value, name + "_file": face.where})
            if name == faces.BOOT:
                told["shadowed"] = list(face.shadowed)
        shown[key] = told
    return {
        "changed": planned.changes_anything or page_differs,
        "diff": _diff(planned, page_differs),
        "changes": [collections.OrderedDict(one._asdict()) for one in changes],
        "drift": planned.drift,
        "compliant": planned.compliant,
        "refused": planned.refused,
        "left_alone": planned.left_alone,
        "unsupported": planned.unsupported,
        "notes": planned.notes,
        "faces": shown,
    }


def _diff(planned, page_differs):
    before, after = [], []
    if planned.values:
        before.append("# running\n" + "".join("%s = %s\n" % (key, old) for key, (old, _new) in planned.values.items()))
        after.append("# running\n" + "".join("%s = %s\n" % (key, new) for key, (_old, new) in planned.values.items()))
    for path, (old, new) in planned.texts.items():
        before.append("# %s\n%s" % (path, "(no such file)\n" if old is None else old))
        after.append("# %s\n%s" % (path, "(no such file)\n" if new is None else new))
    if page_differs and not planned.changes_anything:
        before.append("# %s\n(older)\n" % baseline_page.PAGE)
        after.append("# %s\n(made again)\n" % baseline_page.PAGE)
    return {"before": "\n".join(before), "after": "\n".join(after)}


def _refuse(planned, result):
    if planned.refused:
        told = "; ".join("%s: %s" % (one["key"], one["why"]) for one in planned.refused)
        hint = " To do it all the same, set force (vm_tunables_force)." if planned.force_helps else ""
        raise _with_result(Refused("Refused, and nothing was touched: %s.%s" % (told, hint)), result)


def _look_writable(files, planned, catalogue, result):
    """A container's /proc/sys is read-only, and only root may write elsewhere: better said before anything is done."""
    for key in planned.values:
        path = hosts.path_of(key, catalogue[key])
        if not os.access(files.path(path), os.W_OK):
            why = "become root" if os.geteuid() else "it is read-only, as in a container: set it on the host that runs the container"
            raise _failed("%s: %s cannot be written; %s" % (key, path, why), result)


def _tell_pages_got(planned, reader, catalogue):
    key = "vm.nr_hugepages"
    got = hosts.running(reader, {key: catalogue[key]})[key]
    if got != planned.values[key][1]:
        planned.warnings.append("%s: the kernel found only %s of %s pages in one piece, and they were kept by force." % (key, got, planned.values[key][1]))


class _locked:
    """The lock of all that changes this host, or a TunableError that says who holds it."""

    def __init__(self, files, result):
        self._context = files.locked(change_journal.LOCK, LAST_SECONDS)
        self._result = result

    def __enter__(self):
        try:
            return self._context.__enter__()
        except OSError as error:
            told = str(error) if isinstance(error, TimeoutError) else "%s: %s" % (change_journal.LOCK, error.strerror)
            raise _failed(told, self._result) from error

    def __exit__(self, *what):
        return self._context.__exit__(*what)


def _failed(text, result):
    return _with_result(TunableError(text), result)


def _with_result(error, result):
    error.result = dict(result, changed=False)
    return error


def run_name():
    """The default name of a run: the time, in UTC."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
