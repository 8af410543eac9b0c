# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What units keep for themselves (MemoryMin, MemoryLow): judged by the sum, and by whether the slices above pass it on.

cgroup-v2.rst, "memory.min": protection is bounded by that of every ancestor, so
a service keeps nothing while its slice keeps nothing.
"""

import collections

from . import refusals, unit_names
from .settings import INFINITY, SETTINGS, value

#: A unit for which MemoryMin or MemoryLow is wanted. group: its cgroup, also where it does not run. slices: those above it, the nearest first.
Keeper = collections.namedtuple("Keeper", "name group slices values")


def keepers(units, wanted, memory):
    """[Keeper] of what is wanted. Values that are none are left out here; deciding refuses them."""
    found = collections.OrderedDict()
    for one in wanted:
        if one.property not in ("MemoryMin", "MemoryLow"):
            continue
        unit = units[one.name]
        try:
            number = value(one.property, one.text, memory)
        except ValueError:
            continue
        group = unit.group or "%s/%s" % (unit_names.slice_path(unit.slice_name), unit.name)
        found.setdefault(unit.name, Keeper(unit.name, group, _above(unit.slice_name), {})).values[one.property] = number
    return list(found.values())


def _above(slice_name):
    above = []
    while slice_name:
        above.append(slice_name)
        slice_name = unit_names.slice_above(slice_name)
    return above


def judge(decision, about, found, kept_in):
    """Refuse what is too much below one slice. kept_in: {slice: {cgroup: bytes or "infinity"}} as the kernel has it (host_units.protections)."""
    by_slice = collections.OrderedDict()
    for keeper in found:
        if keeper.slices:
            by_slice.setdefault(keeper.slices[0], []).append(keeper)
    for slice_name, several in by_slice.items():
        wanted = {keeper.group: INFINITY if INFINITY in keeper.values.values() else max(keeper.values.values()) for keeper in several}
        why = refusals.of_protection(slice_name, kept_in.get(slice_name, {}), wanted, about)
        if why:
            for keeper in several:
                decision.refuse("%s:%s" % (keeper.name, next(iter(keeper.values))), why)


def note_gaps(decision, found, kept_in):
    """Say which slice passes nothing on to a unit that is to keep something."""
    given = {keeper.name for keeper in found if any(keeper.values.values())}
    for keeper in found:
        if not any(keeper.values.values()):
            continue
        # A slice's own protection stands among the children of the slice above it.
        for slice_name in keeper.slices[:-1]:
            if slice_name in given or unit_names.slice_path(slice_name) in kept_in.get(unit_names.slice_above(slice_name), {}):
                continue
            name, number = next((name, number) for name, number in keeper.values.items() if number)
            decision.notes.append(
                "%s: %s has no effect while %s keeps nothing; give {name: %s, %s: %s} as well."
                % (keeper.name, name, slice_name, slice_name, SETTINGS[name].option, number)
            )
