# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The unit that a running program belongs to, by the program's name alone."""

import os

from ..host import cgroup_owner

#: The kernel keeps this many bytes of a name (TASK_COMM_LEN less its end).
COMM_BYTES = 15


def find(files, process):
    """The one unit that processes of this name are in. Raises ValueError that says why there is not one."""
    wanted = process.encode("utf-8", "surrogateescape")[:COMM_BYTES]
    places = {}
    for pid in os.listdir(files.path("/proc")):
        if pid.isdigit() and _bytes(files, "/proc/%s/comm" % pid).rstrip(b"\n") == wanted:
            group = _group(_bytes(files, "/proc/%s/cgroup" % pid).decode("utf-8", "replace"))
            places.setdefault(group, pid)
    if not places:
        raise ValueError("no process of this name runs here now; name its unit instead")
    units, others = set(), []
    for group, pid in sorted(places.items()):
        unit, why = _unit(group)
        if unit:
            units.add(unit)
        else:
            others.append("process %s %s" % (pid, why))
    if len(units) > 1 or (units and others):
        raise ValueError("processes of this name are in more than one place (%s); name the unit that is meant" % "; ".join(sorted(units) + others))
    if not units:
        raise ValueError("; ".join(others))
    return units.pop()


def _unit(group):
    if group is None:
        return None, "has no cgroup that could be read"
    container = cgroup_owner.container_id(group)
    if container:
        return None, "runs in container %s: give the container --oom-score-adj or --memory" % container[:12]
    if "/user@" in group and not group.endswith(".service/init.scope") and group.count(".service") > 1:
        return None, "belongs to a user's own service manager (%s)" % group
    unit = cgroup_owner.unit(group)
    if unit and unit.endswith(".service"):
        return unit, None
    return None, "belongs to no service, but to %s" % (unit or "no unit at all (%s)" % (group or "/"))


def _group(text):
    """The cgroup's path by systemd's own hierarchy (cgroup v1) or the only one (v2)."""
    paths = {}
    for line in text.splitlines():
        controllers, _colon, path = line.partition(":")[2].partition(":")
        paths[controllers] = path
    return paths.get("name=systemd", paths.get(""))


def _bytes(files, path):
    try:
        with open(files.path(path), "rb") as stream:
            return stream.read(4096)
    except OSError:
        return b""
