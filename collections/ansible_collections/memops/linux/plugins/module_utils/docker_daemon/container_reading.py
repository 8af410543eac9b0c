# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The containers of this host as Docker and their cgroups have them."""

import re
import urllib.parse

from .container_limits import ENOUGH_TO_BE_NONE, Container
from .engine_client import ClientError

#: How many are looked at; the rest is told of.
INSPECTED = 1000

_V2, _V1 = "/sys/fs/cgroup", "/sys/fs/cgroup/memory"


def read(files, client, names=()):
    """([Container], how many were left out) of those that run, and those of these names. Raises ClientError."""
    listed = client.get("/containers/json")
    wanted = [item["Id"] for item in listed if isinstance(item, dict) and isinstance(item.get("Id"), str)]
    found = []
    for one in wanted[:INSPECTED] + list(names):
        container = _inspected(files, client, one)
        if container and container.id not in [other.id for other in found]:
            found.append(container)
    return found, max(0, len(wanted) - INSPECTED)


def again(files, client, container):
    """The same container as it is now. Raises ClientError."""
    found = _inspected(files, client, container.id)
    if found is None:
        raise ClientError("container %s is gone" % container.name)
    return found


def cgroup_memory(files, pid, container_id):
    """(cgroup, live_bytes, used_bytes, bound_bytes, bound_by) of a container by its first process, each as Container has it."""
    text = _text(files, "/proc/%d/cgroup" % pid) or ""
    if files.exists(_V2 + "/cgroup.controllers"):
        found = re.search(r"^0::(/.*)$", text, re.M)
        top, limit, usage, prefix = _V2, "memory.max", "memory.current", ""
    else:
        found = re.search(r"^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(/.*)$", text, re.M)
        top, limit, usage, prefix = _V1, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"
    if not found or "/.." in found.group(1):
        return None, "", None, None, None
    path = _of_container(found.group(1), container_id)
    live = _limit(_text(files, "%s%s/%s" % (top, path, limit)))
    used = _not_reclaimable(_text(files, "%s%s/%s" % (top, path, usage)), _text(files, "%s%s/memory.stat" % (top, path)), prefix)
    bound, by, above = None, None, path.rsplit("/", 1)[0]
    while above:
        there = _limit(_text(files, "%s%s/%s" % (top, above, limit)))
        if there and (bound is None or there < bound):
            bound, by = there, above
        above = above.rsplit("/", 1)[0]
    return path, live, used, bound, by


def _of_container(path, container_id):
    """The container's own cgroup: what runs in it may have made others below (systemd does)."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        if container_id in part:
            return "/".join(parts[: index + 1])
    return path


def _inspected(files, client, name):
    try:
        answer = client.get("/containers/%s/json" % urllib.parse.quote(name, safe=""))
    except ClientError as error:
        if error.status == 404:
            return None
        raise
    state, config = (answer.get(part) if isinstance(answer.get(part), dict) else {} for part in ("State", "HostConfig"))
    running = bool(state.get("Running"))
    pid = _number(state.get("Pid")) if running else 0
    cgroup, live, used, bound, by = cgroup_memory(files, pid, str(answer.get("Id"))) if pid else (None, "", None, None, None)
    swap = _number(config.get("MemorySwap"))
    return Container(
        id=str(answer.get("Id", "")),
        name=str(answer.get("Name", "")).lstrip("/"),
        running=running,
        pid=pid,
        started_at=str(state.get("StartedAt", "")),
        memory_bytes=_bounded(_number(config.get("Memory"))),
        memory_swap_bytes=-1 if swap < 0 or swap >= ENOUGH_TO_BE_NONE else swap or None,
        memory_reservation_bytes=_bounded(_number(config.get("MemoryReservation"))),
        live_bytes=live,
        used_bytes=used,
        bound_bytes=bound,
        bound_by=by,
        cgroup=cgroup,
    )


def _not_reclaimable(usage, stat, prefix):
    if not usage or not usage.strip().isdigit() or not stat:
        return None
    counts = dict(line.split(" ", 1) for line in stat.splitlines() if " " in line)
    taken = sum(int(counts.get(prefix + name, "0")) for name in ("active_file", "inactive_file"))
    return max(0, int(usage) - taken - int(counts.get("slab_reclaimable", "0")))


def _limit(text):
    if text is None:
        return ""
    text = text.strip()
    if text == "max":
        return None
    return _bounded(int(text)) if text.isdigit() else ""


def _bounded(number):
    return number if 0 < number < ENOUGH_TO_BE_NONE else None


def _number(value):
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _text(files, path):
    try:
        return files.read(path)
    except (OSError, ValueError):
        return None
