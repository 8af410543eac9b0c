# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The three faces of a tunable: what it is, what the next boot would make of it, and what ``sysctl --system`` would.

The loaders read different files in different order (host/sysctl_files.py), and
values of /sys come from tmpfiles.d (tmpfiles.py). Of a pair, the one that is
written last counts, and the other becomes 0.
"""

import collections

from ..host import sysctl_files
from . import tmpfiles

RUNNING, BOOT, PROCPS = "running", "boot", "procps"

#: value: text; None where no file sets it, and it stays what the kernel makes it. where: the file that wins, or None.
#: shadowed: [{path, value}] that lose.
Face = collections.namedtuple("Face", "value where shadowed")
_NOTHING = Face(None, None, ())


def at_boot(reader, catalogue):
    """{key: {face: Face}}, of the faces BOOT and PROCPS, for each key of the catalogue. reader: a Reader or an Overlay."""
    faces = collections.OrderedDict((key, {}) for key in catalogue)
    sysctls = [key for key, entry in catalogue.items() if entry["kind"] == "sysctl"]
    partners = {catalogue[key]["pair"] for key in sysctls if catalogue[key].get("pair")}
    read = sysctl_files.read(reader)
    known = set(sysctls) | partners
    decisions = {one["key"]: one for one in sysctl_files.decide(read.drop_ins, read.last, known, known.__contains__, read.credential)}
    files = [file for file in read.drop_ins if not file.masked]
    orders = {BOOT: files + [read.credential] * bool(read.credential), PROCPS: files + [read.last] * bool(read.last)}
    for key in sysctls:
        for face, order in orders.items():
            faces[key][face] = _of_sysctl(decisions, order, face, key, catalogue[key].get("pair"))
    paths = {entry["path"]: key for key, entry in catalogue.items() if entry["kind"] != "sysctl"}
    for path, (value, where, shadowed) in tmpfiles.decide(tmpfiles.read(reader), paths).items():
        faces[paths[path]][BOOT] = Face(value, where, shadowed)
    return faces


def _of_sysctl(decisions, order, face, key, partner):
    own = _decided(decisions, face, key)
    if partner is None or own.where is None:
        return own
    other = _decided(decisions, face, partner)
    if other.value is not None and _place(order, other.where, partner) > _place(order, own.where, key):
        return Face("0", other.where, own.shadowed + ({"path": own.where, "value": own.value},))
    return own


def _decided(decisions, face, key):
    decision = decisions.get(key)
    if decision is None:
        return _NOTHING
    shadowed = tuple(decision["shadowed"])
    if face == BOOT:
        return Face(decision["value"], decision["winner"], shadowed)
    if decision["winner"] and decision["winner"] != decision["procps_winner"]:
        # To procps, what wins at boot is one more that loses.
        shadowed = tuple(one for one in shadowed if one["path"] != decision["procps_winner"])
        shadowed = ({"path": decision["winner"], "value": decision["value"]},) + shadowed
    return Face(decision["procps_value"], decision["procps_winner"], shadowed)


def _place(order, path, key):
    """When the assignment is applied: the file's place, and the line's in it."""
    for number, file in enumerate(order):
        if file.path == path:
            names = [name for name in file.assignments if sysctl_files.concerns(name, key)]
            return number, list(file.assignments).index(names[-1]) if names else -1
    return -1, -1
