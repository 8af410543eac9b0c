# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Containers as the kernel sees them: by the names of their memory cgroups.

This finds what no engine's socket names: the containers of Kubernetes, of
containerd and CRI-O, of an engine that hangs.
"""

import os
import re

from . import cgroup_owner
from .cgroups import parse_mounts

#: So many folders are listed; the first 200 pods of a node need some 1000.
FOLDERS = 4000
FOUND = 1000

_RUNTIMES = (
    (re.compile(r"cri-containerd-|/k8s\.io/|:cri-containerd:|nerdctl-|/containerd-"), "containerd"),
    (re.compile(r"/crio-|:crio:"), "cri-o"),
    (re.compile(r"/docker-|/docker/|:docker:"), "docker"),
    (re.compile(r"/libpod-|/libpod_parent/"), "podman"),
)


def found(reader):
    """[(container id, path below the memory hierarchy)], the outermost containers only."""
    mounts = parse_mounts(reader.text("/proc/self/mounts", expected=False))
    top = mounts["memory"] or mounts["unified"]
    containers, pending, listed = [], [""], 0
    while pending and top:
        if listed >= FOLDERS or len(containers) >= FOUND:
            reader.note(top, "containers were looked for in %d cgroups only" % listed)
            break
        listed += 1
        folder = pending.pop(0)
        for name in _folders(reader, top + folder):
            path = folder + "/" + name
            container_id = cgroup_owner.container_id(path)
            if container_id:
                # A folder's name may be any bytes; the evidence is UTF-8.
                containers.append((container_id, path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")))
            elif _may_hold_containers(name):
                pending.append(path)
    return containers


def runtime(path):
    """Which runtime names a cgroup so: "containerd", "cri-o", "docker", "podman" or "unknown"."""
    return next((name for form, name in _RUNTIMES if form.search(path)), "unknown")


def describe(container_id, path):
    """One entry of ``cgroup_only``."""
    return {"container_id": container_id, "runtime": runtime(path), "pod_uid": cgroup_owner.pod_uid(path), "cgroup": path}


def of_process(text, container_id):
    """The container's cgroup from the /proc/<pid>/cgroup (cgroups(7)) of its first process, or None.

    A process that an engine names but that runs elsewhere proves nothing.
    """
    for line in (text or "").split("\n"):
        _number, _colon, rest = line.partition(":")
        controllers, _colon, path = rest.partition(":")
        if (controllers == "" or "memory" in controllers.split(",")) and container_id in path:
            end = path.find("/", path.index(container_id))
            return path if end < 0 else path[:end]
    return None


def _may_hold_containers(name):
    return not name.endswith((".service", ".scope", ".mount", ".socket", ".swap")) or name.startswith("user@")


def _folders(reader, folder):
    reader.announce(folder)
    try:
        with os.scandir(reader.path(folder)) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []  # removed meanwhile
