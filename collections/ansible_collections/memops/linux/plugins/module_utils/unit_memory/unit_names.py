# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of units: which are valid, which folders hold their drop-ins, which slice is above which (systemd.unit(5), systemd.slice(5))."""

import re

#: systemd.unit(5): "The unit name prefix must consist of one or more valid characters"; 255 is its longest.
_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]+\.(service|slice|scope|socket|mount|swap|target|timer|path|device|automount)\Z")
LONGEST = 255
ROOT = "-.slice"


def kind(name):
    """The unit's kind, e.g. "service". Raises ValueError that says why the name is none of a unit that can be set."""
    found = _NAME.match(name)
    if not found or len(name) > LONGEST or ".." in name or name.startswith("."):
        raise ValueError("this is not a unit's name (systemd.unit(5)): letters, digits and :-_.\\@, and an ending such as .service or .slice")
    if found.group(1) == "scope":
        raise ValueError("a scope ends with its processes and does not come back under that name: set its slice or the service that starts it")
    if found.group(1) not in ("service", "slice"):
        raise ValueError("only services and slices have processes of their own to protect or bound, not a %s" % found.group(1))
    if "@." in name:
        raise ValueError("this is a template, not a unit: name an instance of it, as in %s" % name.replace("@.", "@NAME."))
    return found.group(1)


def drop_in_folders(name):
    """The folders' names that hold drop-ins of a unit, the most specific first: a-b@i.service has also a-b@.service.d, a-.service.d, service.d."""
    stem, _dot, ending = name.rpartition(".")
    folders = [name + ".d"]
    prefix, instance, _rest = stem.partition("@")
    if instance:
        folders.append("%s@.%s.d" % (prefix, ending))
    cut = prefix.rstrip("-").rfind("-")
    while cut > 0:
        folders.append("%s-.%s.d" % (prefix[:cut], ending))
        cut = prefix[:cut].rstrip("-").rfind("-")
    folders.append(ending + ".d")
    return folders


def slice_above(name):
    """The slice that a slice is in: a-b.slice is in a.slice, that in -.slice; None for -.slice."""
    if name == ROOT:
        return None
    above = name[: -len(".slice")].rpartition("-")[0]
    return above + ".slice" if above else ROOT


def slice_path(name):
    """A slice's cgroup: /a.slice/a-b.slice for a-b.slice; "" for -.slice."""
    above = slice_above(name)
    return slice_path(above) + "/" + name if above else ""
