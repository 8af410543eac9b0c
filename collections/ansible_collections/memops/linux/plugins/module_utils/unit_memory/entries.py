# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module's list of units, as settings of units that exist on this host."""

import difflib
import os

from . import deciding, host_units, owning_unit, unit_files, unit_names
from .settings import OPTIONS, value

#: Slices of systemd's own, which are always there and have no unit file.
BUILT_IN = (unit_names.ROOT, "system.slice", "user.slice", "machine.slice")


class Entries:
    """wanted: [deciding.Wanted]. units: {name as it was given: Unit}. absent: names to clear.

    created: {slice's name: its file's text}. idle: slices that are to be there and do not run.
    """

    def __init__(self):
        self.wanted = []
        self.units = {}
        self.absent = []
        self.created = {}
        self.idle = []


def read(files, commands, about, given, decision):
    """Entries of the dicts given to the module; what cannot be is refused in ``decision``. Reads the host."""
    entries, named = Entries(), []
    for one in given:
        name = _named(files, one, decision)
        if name:
            named.append((name, one))
    entries.units = host_units.units(files, commands, about, sorted({name for name, _one in named}))
    known = None
    for name, one in named:
        unit = entries.units[name]
        if unit.name in _refused_names(decision):
            continue
        if one.get("state") == "absent":
            if unit.name not in entries.absent:
                entries.absent.append(unit.name)
            continue
        if unit.kind == "slice" and one.get("create") and not unit.active:
            entries.idle.append(unit.name)
        if unit.kind == "slice" and not _slice_exists(unit):
            if not one.get("create"):
                decision.refuse(unit.name, "there is no such slice on this host; with create: true it is made")
                continue
            entries.created[unit.name] = unit_files.slice_file(one.get("description") or unit.name)
        elif unit.kind == "slice" and one.get("create") and not _has_file(unit) and unit.name not in BUILT_IN:
            # It runs without a unit file, as one does whose making was taken back: at boot nothing would start it.
            entries.created[unit.name] = unit_files.slice_file(one.get("description") or unit.name)
        elif unit.state == "not-found":
            known = known if known is not None else host_units.known_names(commands)
            near = difflib.get_close_matches(unit.name, known, 3)
            decision.refuse(unit.name, "there is no such unit on this host%s" % ("; near to it are %s" % ", ".join(near) if near else ""))
            continue
        elif unit.state != "loaded":
            decision.refuse(unit.name, "systemd could not load it (%s%s)" % (unit.state, ": " + unit.error if unit.error else ""))
            continue
        settings = _settings(unit.name, one, about, decision)
        entries.wanted += [deciding.Wanted(name, setting, text) for setting, text in settings]
        if not settings and unit.name not in entries.created:
            decision.notes.append("%s: nothing is wanted of it; say how much it may take, as in memory_max_bytes: 512M." % unit.name)
        if unit.transient:
            decision.notes.append("%s was started by a program and has no unit file: the setting counts again whenever a unit of this name runs." % unit.name)
    return entries


def _refused_names(decision):
    return {one["key"] for one in decision.refused}


def _named(files, one, decision):
    name = one.get("name")
    if not name:
        try:
            name = owning_unit.find(files, one["process"])
        except ValueError as error:
            decision.refuse("process %s" % one["process"], str(error))
            return None
    try:
        unit_names.kind(name)
    except ValueError as error:
        decision.refuse(name, str(error))
        return None
    return name


def _slice_exists(unit):
    return bool(unit.read or unit.active or unit.fragment_text is not None)


def _has_file(unit):
    return unit.fragment_text is not None or any(not os.path.dirname(path).endswith(".d") for path, _found in unit.read)


def _settings(name, one, about, decision):
    """[(property, text)] of what is given; a value that is none is refused here, before anything is compared."""
    found = []
    for option, setting in OPTIONS.items():
        given = one.get(option)
        if given is None:
            continue
        text = str(given).strip()
        try:
            if not text:
                raise ValueError("it is empty; leave it out, or write infinity or 0")
            value(setting.property, text, about.memory)
        except ValueError as error:
            decision.refuse(deciding.key_of(name, setting.property), str(error))
            continue
        found.append((setting.property, text))
    return found
