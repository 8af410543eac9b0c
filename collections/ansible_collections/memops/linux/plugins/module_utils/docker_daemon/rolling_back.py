# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking back what runs of this area changed, as the journal has it.

What is taken back is written down when it has come about, not before: a rollback that was
cut off then still finds in the journal what is left to do.
"""

import collections

from ..changes import change_journal
from ..changes.change_journal import Change
from . import baseline_rows, container_limits, daemon_file, daemon_keys, enforcing

#: settings, limits: what to go back to, as a request has them. settled: Change, to be written down when all is done.
#: left_alone: [{key, why}]. emptied: whether the file was made by the run and goes away when nothing is left in it.
Former = collections.namedtuple("Former", "settings limits settled left_alone emptied")


def roll_back(files, request, rollback_run, keys, check_mode):
    """The module's result for state=rolled_back. request: without settings and limits. Raises enforcing.EnforcementError."""
    entries = change_journal.read(files)
    former = change_journal.former_values(entries, enforcing.AREA, rollback_run, tuple(keys))
    if not former:
        told = "There is nothing to take back here."
        return {"changed": False, "diff": {"before": "", "after": ""}, "notes": [told], "rollback_run": _undone(entries, rollback_run)}
    with enforcing.Telling({}):
        if check_mode:
            return _decided(files, request, entries, former, rollback_run)[1]
        with files.locked(change_journal.LOCK):
            decision, result, settled = _decided(files, request, entries, former, rollback_run)
            if decision.changed:
                enforcing.carry_out(files, decision, decision.request)
            run = request.run._replace(undoes=_undone(entries, rollback_run))
            change_journal.record(files, run, settled)
            left = {entry["key"]: entry["new"] for entry in change_journal.standing(change_journal.read(files)) if entry["area"] == enforcing.AREA}
            baseline_rows.put(files, {change.key: _row_value(left.get(change.key)) for change in settled}, decision.situation.daemon.path)
            return result


def wanted(former, standing, situation, force):
    """The Former: what of the former values is gone back to.

    former: as change_journal.former_values gives it. standing: {key: what that run set}. situation: a daemon_reading.Situation.
    Raises daemon_file.DaemonFileError.
    """
    now = daemon_file.settings(situation.daemon.text)
    found = Former(collections.OrderedDict(), [], [], [], [])
    for key, value in former.items():
        if value["later"] and not force:
            _leave(found, key, "run %s changed it again since; take that run back first" % value["later"])
        elif key == enforcing.MADE:
            found.emptied.append(True)
            found.settled.append(Change(key, "made", None))
        elif key.startswith("container:"):
            _container(found, key, value["old"], standing[key], situation, force)
        else:
            _setting(found, key, value["old"], standing[key], now.get(key), force)
    return found


def _setting(found, key, old, new, now, force):
    if old is not None and key in daemon_keys.STALE:
        _leave(found, key, daemon_keys.STALE[key])
        return
    # Cut off while it was taken back, it can stand there as its default.
    expected = (new, old, daemon_keys.default(key) if old is None else old)
    if not force and not any(daemon_file.same(now, value) for value in expected):
        _leave(found, key, "somebody has set it to %s since" % daemon_file.json.dumps(now))
        return
    found.settings[key] = old
    found.settled.append(Change(key, now, old))


def _container(found, key, old, new, situation, force):
    name = key.split(":", 1)[1]
    container = next((one for one in situation.containers if one.name == name), None)
    if container is None:
        why = "that container is gone" if situation.daemon.state == "running" else "Docker does not run"
        if situation.daemon.state == "running":
            found.settled.append(Change(key, new, old))
        _leave(found, key, why)
        return
    if container.id != old.get("id"):
        found.settled.append(Change(key, new, old))
        _leave(found, key, "the container of that name was made anew since, with limits of its own")
        return
    now = container_limits.current(container)
    if not force and not (_same_limits(now, new) or _same_limits(now, old)):
        _leave(found, key, "somebody has set it to %s since" % daemon_file.json.dumps(now, sort_keys=True))
        return
    limits = {part: old.get(part) for part in now}
    found.limits.append(dict(limits, name=name, exact=True))
    found.settled.append(Change(key, dict(now, id=container.id), old))


def _same_limits(now, journalled):
    # Swap that the kernel does not limit is -1 with Docker, whatever it was asked for.
    parts = [part for part in now if part != "memory_swap_bytes" or now[part] not in (-1, None)]
    return all(now[part] == journalled.get(part) or (part == "memory_reservation_bytes" and not journalled.get(part)) for part in parts)


def _decided(files, request, entries, former, rollback_run):
    named = request._replace(limits=[{"name": key.split(":", 1)[1]} for key in former if key.startswith("container:")])
    situation = enforcing.situation_of(files, named)
    runs = {value["run"] for value in former.values()}
    standing = {}
    for entry in change_journal.standing(entries):
        if entry["area"] == enforcing.AREA and (rollback_run == change_journal.ALL or entry["run"] in runs):
            standing[entry["key"]] = entry["new"]
    try:
        back = wanted(former, standing, situation, request.force)
    except daemon_file.DaemonFileError as error:
        raise enforcing.EnforcementError("%s is not what Docker reads: %s. Nothing was changed; mend it by hand." % (situation.daemon.path, error)) from None
    request = request._replace(settings=back.settings, limits=back.limits, remove_stale=False)
    decision = enforcing.decided(files, request, situation)
    decision.request = request
    decision.left_alone = back.left_alone
    if back.emptied and situation.daemon.text is not None and not daemon_file.settings(decision.daemon.text):
        decision.remove_file = True
    elif back.left_alone:
        back.settled[:] = [change for change in back.settled if change.key != enforcing.MADE]
    result = dict(enforcing.result_of(decision, request), rollback_run=_undone(entries, rollback_run))
    enforcing.stop_if_refused(decision, result)
    return decision, result, back.settled


def _undone(entries, rollback_run):
    return (change_journal.last_run(entries) or rollback_run) if rollback_run == change_journal.LAST else rollback_run


def _row_value(value):
    return value.get("memory_bytes") if isinstance(value, dict) and "id" in value else value


def _leave(found, key, why):
    found.left_alone.append({"key": key, "why": why})
