# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Containers and their memory limits, from Docker's and Podman's sockets and from the cgroups.

$DOCKER_HOST is not read: it belongs to whoever runs the collector and often
names another machine, and this is evidence about this one.
"""

import os
import re
import stat
import time

from . import container_cgroups

DROPPABLE = ("cgroup_only", "containers")

ENGINE_SECONDS = 6
SECONDS = 15
USERS = 20
#: A host with less left is not asked to start Podman's service, which takes some 50 MB.
ENOUGH_BYTES = 256 << 20

_OF_USER = re.compile(r"/run/user/(\d+)/")
_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB", re.M)
_TOPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")


def collect(reader, request):
    """The section ``containers``: {engines, containers, cgroup_only}.

    containers: killed ones (oom_killed, exit code 137) first, then running
    ones, then those that ended last. cgroup_only: {container_id, runtime,
    pod_uid, cgroup} of containers that no engine named.
    """
    deadline = time.monotonic() + SECONDS
    in_cgroups = container_cgroups.found(reader)
    paths = dict(in_cgroups)
    engines, containers, named = [], [], set()
    for path, kind in _sockets(reader):
        why = _reason_not_to_ask(reader, path, kind)
        if why:
            reader.note(path, why)
            continue
        from . import engine  # dear to import, and most hosts have none

        told, found, listed = engine.ask(reader, path, kind, min(deadline, time.monotonic() + ENGINE_SECONDS))
        engines.append(told)
        # Any user's program may stand behind a rootless socket: it speaks of no one else's containers.
        theirs = {container_id for container_id in listed if _may_be_of(path, paths.get(container_id))} - named
        named |= theirs
        for container in found:
            if container["id"] in theirs:
                container["cgroup"] = paths.get(container["id"]) or _cgroup(reader, container)
                containers.append(container)
    containers.sort(key=lambda item: item["finished_at"] or item["started_at"] or "", reverse=True)
    containers.sort(key=_rank)
    others = [container_cgroups.describe(*item) for item in in_cgroups if item[0] not in named]
    return {"engines": engines, "containers": containers, "cgroup_only": others}


def _sockets(reader):
    """[(path, likely engine)] of the sockets that are there; one that stands under two names is asked once."""
    candidates = [("/run/podman/podman.sock", "podman"), ("/run/docker.sock", "docker"), ("/var/run/docker.sock", "docker")]
    for user in reader.names("/run/user", expected=False)[:USERS]:
        candidates.append(("/run/user/%s/podman/podman.sock" % user, "podman"))
        candidates.append(("/run/user/%s/docker.sock" % user, "docker"))
    seen, present = set(), []
    for path, kind in candidates:
        reader.announce(path)
        try:
            status = os.stat(reader.path(path))
        except OSError:
            continue
        if stat.S_ISSOCK(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            present.append((path, kind))
    return present


def _reason_not_to_ask(reader, path, kind):
    """A text where asking would start a service: systemd listens in place of an engine that does not run."""
    names = next((found for found in (reader.names(top + "/system.slice", expected=False) for top in _TOPS) if found), None)
    if not names:
        return None
    if kind == "docker" and not _OF_USER.match(path):
        runs = "docker.service" in names or "snap.docker.dockerd.service" in names or reader.text("/run/docker.pid", 32, expected=False)
        return None if runs else "Docker does not run; asking would start it"
    if kind == "podman" and "podman.service" not in names:
        available = _AVAILABLE.search(reader.text("/proc/meminfo", expected=False) or "")
        if available and int(available.group(1)) * 1024 < ENOUGH_BYTES:
            return "the host is short of memory; asking would start Podman's service"
    return None


def _cgroup(reader, container):
    if not container["pid"]:
        return None
    text = reader.text("/proc/%d/cgroup" % container["pid"], 65536, expected=False)
    path = container_cgroups.of_process(text, container["id"])
    return path if _may_be_of(container["socket"], path) else None


def _may_be_of(path, cgroup):
    """Whether the engine behind this socket can have a container in this cgroup."""
    user = _OF_USER.match(path)
    return cgroup is None or user is None or "/user-%s.slice/" % user.group(1) in cgroup


def _rank(container):
    if container["oom_killed"] or container["exit_code"] == 137:
        return 0
    return 1 if container["state"] == "running" else 2
