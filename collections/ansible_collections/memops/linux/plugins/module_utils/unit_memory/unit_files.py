# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Unit files and drop-ins: which file gives a setting, and the text of ours.

systemd.unit(5): of drop-ins with one name the first folder's counts; the rest
are read in the order of their names, wherever they lie, after the unit file;
the last assignment wins. ``systemctl set-property`` writes 50-*.conf and
``systemctl edit`` override.conf, so ours sorts after both.
"""

import collections
import os

from . import unit_names
from .settings import SETTINGS

FOLDER = "/etc/systemd/system"
DROP_IN = "zz-memops.conf"
HEADER = "# Set by memops. Change it in the inventory: the next run would set it back.\n"
#: What lies here is gone with the next boot; generators, in contrast, write theirs again.
GONE_AT_BOOT = ("/run/systemd/system.control/", "/run/systemd/transient/", "/run/systemd/system/", "/run/systemd/system.attached/")

#: text: as in the file; path: of that file.
Assignment = collections.namedtuple("Assignment", "text path")


def drop_in(name):
    return "%s/%s.d/%s" % (FOLDER, name, DROP_IN)


def assignments(text):
    """The settings that a unit file assigns, {property: text}, the last one of each; "" where it is reset."""
    found, kept = {}, ""
    for line in (text or "").splitlines():
        if line.lstrip()[:1] in ("#", ";"):
            continue
        line, kept = kept + line.strip(), ""
        if line.endswith("\\"):
            kept = line[:-1] + " "
            continue
        name, equals, value = line.partition("=")
        if equals and name.strip() in SETTINGS:
            found[name.strip()] = value.strip()
    return found


def render(kind, wanted):
    """Our drop-in's text of {property: text}; None where it is empty."""
    if not wanted:
        return None
    lines = ["%s=%s\n" % (name, wanted[name]) for name in SETTINGS if name in wanted]
    return HEADER + "[%s]\n" % kind.capitalize() + "".join(lines)


def slice_file(description):
    """The text of a unit file of a slice."""
    plain = "".join(sign if sign.isprintable() else " " for sign in description).strip()
    return "%s[Unit]\nDescription=%s\n" % (HEADER, plain.replace("%", "%%"))


def at_boot_file(name):
    """(path, text) of what starts our slice at boot. Where a container engine makes the cgroup itself (cgroupfs), nothing else would.

    slices.target(systemd.special(7)) is for slices that are always to be active.
    """
    return "%s/slices.target.d/zz-memops-%s.conf" % (FOLDER, name), "%s[Unit]\nWants=%s\n" % (HEADER, name)


def files_of(files, names, folders, fragment):
    """The unit's files in the order in which they are read: [(path, {property: text})].

    files: a HostFiles. names: the unit's, its aliases after it. folders: systemd's
    UnitPath, the first wins. fragment: the unit file's path or "".
    """
    by_name = {}
    for name in names:
        for folder_name in unit_names.drop_in_folders(name):
            for folder in folders:
                place = "%s/%s" % (folder, folder_name)
                for base in _listed(files, place):
                    by_name.setdefault(base, "%s/%s" % (place, base))
    paths = ([fragment] if fragment else []) + [by_name[base] for base in sorted(by_name)]
    return [(path, assignments(_text(files, path))) for path in paths]


def winner(read, name, at_boot):
    """The Assignment that counts of those in ``read`` (see files_of); None where no file has one. at_boot: without files that are gone then."""
    last = None
    for path, found in read:
        if name in found and not (at_boot and path.startswith(GONE_AT_BOOT)):
            last = Assignment(found[name], path)
    return last


def with_ours(read, path, wanted):
    """``read`` as it will be when our drop-in at ``path`` holds ``wanted``."""
    fragments = [one for one in read if not one[0].rpartition("/")[0].endswith(".d")]
    others = [one for one in read if one[0].rpartition("/")[0].endswith(".d") and one[0] != path]
    # One of the same name that comes first in systemd's path hides ours.
    if any(os.path.basename(one[0]) == DROP_IN for one in others):
        return read
    return fragments + sorted(others + [(path, wanted)], key=lambda one: os.path.basename(one[0]))


def _listed(files, folder):
    try:
        return [base for base in os.listdir(files.path(folder)) if base.endswith(".conf") and not base.startswith(".")]
    except OSError:
        return []


def _text(files, path):
    try:
        return files.read(path)
    except (OSError, ValueError):
        return None  # a folder, a broken link: systemd reads nothing there either
