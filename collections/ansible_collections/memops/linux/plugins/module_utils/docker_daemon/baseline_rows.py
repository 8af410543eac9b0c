# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What /etc/memops/BASELINE.md says of Docker."""

import collections
import json

from ..changes import baseline_page
from ..changes.baseline_page import Row
from . import container_limits

AREA = "docker_daemon"
_MANUAL = "https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file"

#: key: (default, why, danger, reference)
_TOLD = {
    "cgroup-parent": (
        "system.slice, or /docker with the cgroup driver cgroupfs",
        "Docker has no default limit per container; a slice bounds all of them together, so that they cannot starve the host.",
        "Containers come into it when they are started the next time. At its limit the kernel kills one of them.",
        "https://docs.docker.com/reference/cli/dockerd/#default-cgroup-parent",
    ),
    "live-restore": (
        "false",
        "Containers go on running while dockerd is stopped, restarted or upgraded.",
        "Not possible in swarm mode. What a container writes to its log waits while dockerd is away.",
        "https://docs.docker.com/engine/daemon/live-restore/",
    ),
    "default-shm-size": (
        "64M",
        "The size of /dev/shm in containers that are made afterwards.",
        "What is in it counts to the container's memory limit, and is not reclaimable.",
        _MANUAL,
    ),
    "default-ulimits": ("none", "Limits of processes in containers that are made afterwards.", "A program that needs more fails.", _MANUAL),
    "log-opts": (
        "none",
        "How container logs are kept and buffered, in containers that are made afterwards.",
        "In mode non-blocking, max-buffer-size of memory is taken per container in dockerd, and what does not fit is lost.",
        "https://docs.docker.com/engine/logging/configure/",
    ),
    "exec-opts": (
        "the cgroup driver systemd on cgroup v2, cgroupfs on v1",
        "Which cgroup driver Docker uses.",
        "It must be the one that others on the host use (kubelet). It cannot be changed while containers run.",
        _MANUAL,
    ),
}
_LIMIT = (
    "no limit",
    "A container without a limit, or with one that is too low or too high for what it does, harms others or itself.",
    "It is killed at its limit. Whoever makes it anew (compose, a deployment) must give the limit again.",
    "https://docs.docker.com/engine/containers/resource_constraints/",
)


def put(files, values, path):
    """Have these on the page, beside what is there; a value of None goes away. values: {key: JSON value}. path: of daemon.json. Raises OSError."""
    rows = collections.OrderedDict((row["key"], row) for row in _there(files))
    for key, value in values.items():
        rows.pop(key, None)
        if value is not None:
            rows[key] = _row(key, value, path)._asdict()
    baseline_page.write(files, AREA, [Row(**rows[key]) for key in sorted(rows)])


def _row(key, value, path):
    if key.startswith("container:"):
        return Row(key, container_limits.size(value), *(_LIMIT + ("Docker, with the container",)))
    default, why, danger, reference = _TOLD.get(key, ("see the reference", "", "", _MANUAL))
    return Row(key, json.dumps(value), default, why, danger, reference, path)


def _there(files):
    try:
        found = json.loads(files.read(baseline_page.ROWS % AREA) or "[]")
        return [row for row in found if set(row) == set(Row._fields)]
    except (ValueError, TypeError):
        return []
