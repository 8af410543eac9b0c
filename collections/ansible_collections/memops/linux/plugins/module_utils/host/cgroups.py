# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The memory cgroups that matter: with a limit, with a history of trouble, or large.

A first look at every group reads a few small files; memory.stat, which makes
the kernel add up counters of all CPUs, is read for the kept groups only.
"""

import collections
import heapq
import os
import re

from . import cgroup_owner, cgroup_v1, cgroup_v2

DROPPABLE = ("groups",)

LARGEST = 20
#: So many groups are described; more would not fit into any sensible budget.
KEPT = 400
#: So many groups are looked at, in the walk's order (parents before children).
LOOKED_AT = 20000
#: A group this near to its limit comes before larger ones without a limit.
NEAR_LIMIT = 0.8

_EVENTS = ("low", "high", "max", "oom", "oom_kill", "oom_group_kill")
_STAT = [name for name, _key in cgroup_v2._STAT]
#: (a v1 memory tree is mounted, a v2 tree is mounted) -> version
_VERSIONS = {(True, False): "v1", (True, True): "hybrid", (False, True): "v2"}
_OCTAL = re.compile(r"\\([0-7]{3})")


def parse_mounts(text):
    """{version, memory, pids, unified} of /proc/self/mounts.

    version: "v1", "v2", "hybrid" (memory in v1, beside a v2 tree) or None.
    memory, pids: where the v1 controller is mounted, or None; unified: the v2 tree.
    """
    found = {"memory": None, "pids": None, "unified": None}
    for line in (text or "").split("\n"):
        fields = line.split(" ")
        if len(fields) < 4 or not fields[2].startswith("cgroup"):
            continue
        where = _OCTAL.sub(lambda octal: chr(int(octal.group(1), 8)), fields[1])
        names = ["unified"] if fields[2] == "cgroup2" else fields[3].split(",")
        for name in found:
            if name in names and found[name] is None:
                found[name] = where
    version = _VERSIONS.get((found["memory"] is not None, found["unified"] is not None))
    return dict(found, version=version)


def collect(reader, request, at_most=None):
    """The section ``cgroups``; count is all memory cgroups that were looked at, of which ``at_most`` (KEPT) are described.

    groups: killed or limited ones first (see _rank). A path is relative to the
    memory hierarchy, as the kernel prints it in an OOM report.
    """
    text = reader.text("/proc/self/mounts")
    mounts = parse_mounts(text)
    version = mounts["version"]
    form, top, pids_top = cgroup_v1, mounts["memory"], mounts["pids"]
    if version == "v2":
        form, top = cgroup_v2, mounts["unified"]
        pids_top = top
        controllers = reader.text(top + "/cgroup.controllers", 4096)
        if controllers is not None and "memory" not in controllers.split():
            version = None
    if version is None:
        if text is not None:
            reader.note("memory cgroups", "the kernel offers no memory controller here")
        return {"version": None, "mount": None, "count": None, "groups": []}
    # Without PSI each group's file would be one more that cannot be read.
    with_pressure = form is cgroup_v2 and bool(reader.text("/proc/pressure/memory", 4096, expected=False))
    looks = list(_looks(reader, top, form, with_pressure))
    kept = _kept(looks)
    at_most = at_most or KEPT
    if len(kept) > at_most:
        reader.note(top, "%d memory cgroups matter, only the first %d were described" % (len(kept), at_most))
    groups = []
    for path, _look in kept[:at_most]:
        group = {
            "path": path.encode("utf-8", "surrogateescape").decode("utf-8", "replace") or "/",
            "unit": cgroup_owner.unit(path),
            "container_id": cgroup_owner.container_id(path),
        }
        group.update(form.describe(reader, top + path, with_pressure))
        if group["usage_bytes"] is None:
            continue  # removed meanwhile
        for name in ("events", "events_local"):
            if group[name] is not None:
                group[name] = {event: group[name].get(event) for event in _EVENTS}
        group["stat"] = {name: group["stat"].get(name) for name in _STAT}
        group["processes"] = reader.number(pids_top + path + "/pids.current", expected=False) if pids_top else None
        groups.append(group)
    return {"version": version, "mount": top, "count": len(looks), "groups": groups}


def _looks(reader, top, form, with_pressure):
    """Yield (path below the hierarchy's top, first look) of each memory cgroup, parents first; the top is ""."""
    pending = collections.deque([""])
    seen = 0
    while pending:
        if seen >= LOOKED_AT:
            reader.note(top, "only the first %d cgroups were looked at" % LOOKED_AT)
            return
        seen += 1
        path = pending.popleft()
        look = form.first_look(reader, top + path, with_pressure)
        if look["usage_bytes"] is not None:
            yield path, look
        elif path:
            continue  # without the controller here there is none further down
        pending.extend(path + "/" + name for name in _children(reader, top + path))


def _children(reader, folder):
    """Names of the folders in a folder; a group's other entries, up to 90 files, cost no call."""
    reader.announce(folder)
    try:
        # kernfs counts subfolders in the links of a folder: most groups have none.
        if os.stat(reader.path(folder)).st_nlink == 2:
            return []
        with os.scandir(reader.path(folder)) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []  # removed meanwhile


def _kept(looks):
    """The (path, look) worth a description, the most important first."""
    largest = heapq.nlargest(LARGEST, ((look["usage_bytes"], path) for path, look in looks if path))
    large = {path for _usage, path in largest}
    kept = [
        (path, look)
        for path, look in looks
        if path in large or look["limited"] or look["killed"] or look["hit"] or look["in_trouble"]
    ]
    return sorted(kept, key=lambda item: _rank(item[1], item[0] in large))


def _rank(look, large):
    """Order: kills, other trouble (events, pressure), near a limit, large, the rest; in each the fullest or largest first."""
    limit = look["max_bytes"]
    fullness = look["usage_bytes"] / float(limit) if isinstance(limit, int) and limit else 0.0
    if look["killed"]:
        order = 0
    elif look["hit"] or look["in_trouble"]:
        order = 1
    elif fullness >= NEAR_LIMIT:
        order = 2
    else:
        order = 3 if large else 4
    return order, -fullness, -look["usage_bytes"]
