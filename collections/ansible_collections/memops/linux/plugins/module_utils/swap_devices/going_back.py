# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Back to what was before a run: the journal's former values, as areas that are wanted."""

import collections

from ..changes import change_journal
from . import deciding, host_state
from .applying import AREA, is_half_done, same
from .wanted import Wanted

#: wanted: [Wanted]. left_alone: [{key, why}]. undoes: the run, or change_journal.ALL; None where there is nothing to take back.
Back = collections.namedtuple("Back", "wanted left_alone undoes")


def back(probe, run, keys, force):
    """What to go back to. run: a name, LAST or ALL; keys: only these, none for each. Raises SwapError where the host cannot be read."""
    entries = change_journal.read(probe.files)
    former = change_journal.former_values(entries, AREA, run, keys)
    standing = [entry for entry in change_journal.standing(entries) if entry["area"] == AREA]
    undoes = change_journal.last_run(entries) if run == change_journal.LAST else run
    host = host_state.host(probe)
    wanted, left_alone = [], []
    for key, value in former.items():
        taken_back = [entry for entry in standing if entry["key"] == key and (run == change_journal.ALL or entry["run"] == value["run"])]
        newest = taken_back[-1]
        told = [state for entry in taken_back for state in (entry["old"], entry["new"]) if state]
        if not told:
            continue
        area = _wanted(key, value["old"], told[-1], any(state.get("made") for state in told))
        if value["later"] and not force:
            left_alone.append({"key": key, "why": "the run %s changed it again since; take that one back first" % value["later"]})
            continue
        now = deciding.as_is(area, host_state.area(probe, host, area), host)
        if not (force or same(now, newest["new"]) or same(now, value["old"]) or is_half_done(now)):
            left_alone.append({"key": key, "why": "it is not as that run left it, so somebody changed it since; force takes it back all the same"})
            continue
        wanted.append(area)
    return Back(wanted, left_alone, undoes if wanted else None)


def _wanted(key, old, some, made):
    """The Wanted for a former value. One that there was not is deleted, if the runs made it: files, zram and volumes, never a device."""
    some = old or some
    kind = some["kind"]
    path = "/dev/" + key if kind == "zram" else key
    if old:
        exists = True if old["running"] or old["at_boot"] or kind == "file" else None
    elif kind in ("file", "zram") or made:
        exists = False
    else:
        exists = None
    return Wanted(
        key=key,
        kind=kind,
        path=path,
        size_bytes=old["size_bytes"] if old and (kind in ("file", "zram") or some.get("volume_group")) else None,
        told="",
        priority=old["priority"] if old else None,
        exists=exists,
        running=bool(old and old["running"]),
        at_boot=bool(old and old["at_boot"]),
        algorithm=old.get("algorithm") if old else None,
        discard=old.get("discard", "none") if old else "none",
        volume_group=some.get("volume_group"),
        name=some.get("name"),
        set_up_by=old.get("set_up_by") if old else None,
    )
