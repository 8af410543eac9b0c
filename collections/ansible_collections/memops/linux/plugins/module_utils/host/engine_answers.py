# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a container engine's answers say, in the evidence's own words.

The answers are those of the Docker Engine API v1.24 to v1.5x (``docker inspect``
gives the same) and of Podman's compatible API. They are hostile text at worst:
a value of another type than documented is unknown, text is cut, and neither
environment nor command line is ever taken over.
"""

import calendar
import re

from ..collection import identity

NAME_CHARACTERS = 300
LABELS = 20

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:Z|([+-])(\d\d):(\d\d))$")
_LABELS = ("com.docker.compose.project", "com.docker.compose.service", "com.docker.swarm.service.name")
_DAEMON_KEYS = (
    "cgroup-parent",
    "default-shm-size",
    "default-ulimits",
    "live-restore",
    "exec-opts",
    "oom-score-adjust",
    "default-runtime",
)


def container(engine, inspected, listed):
    """One container of the section, without its cgroup, or None for an answer that is none.

    inspected: of /containers/<id>/json. listed: its entry of /containers/json.
    Sizes are bytes; a limit of 0 or -1 means that there is none: "max".
    memory_swap_limit_bytes bounds memory and swap together.
    """
    if not _text(_member(inspected, "Id")):
        return None
    state, host, config = (_dict(inspected, name) for name in ("State", "HostConfig", "Config"))
    status = _text(state.get("Status"))
    limit = _limit(host.get("Memory"))
    swap_limit = _limit(host.get("MemorySwap"))
    if swap_limit == "max" and host.get("MemorySwap") == 0 and limit != "max":
        swap_limit = None  # unset; what it then is depends on engine and host
    return {
        "engine": engine,
        "id": _text(inspected["Id"]),
        "name": (_text(inspected.get("Name")) or "").lstrip("/") or None,
        "image": _text(config.get("Image")) or _text(inspected.get("ImageName")),
        "state": status,
        "status_text": _text(_member(listed, "Status")),
        # The engine says 0 while nothing has ended yet.
        "exit_code": None if status in ("running", "paused", "created") else _number(state.get("ExitCode")),
        "oom_killed": _flag(state.get("OOMKilled")),
        "restarts": _number(inspected.get("RestartCount")),
        "started_at": utc(state.get("StartedAt")),
        "finished_at": utc(state.get("FinishedAt")),
        "pid": _number(state.get("Pid")) or None,
        "memory_limit_bytes": limit,
        "memory_swap_limit_bytes": swap_limit,
        "memory_reservation_bytes": _number(host.get("MemoryReservation")) or None,
        "oom_kill_disabled": _flag(host.get("OomKillDisable")),
        "shm_bytes": _number(host.get("ShmSize")) or None,
        "oom_score_adj": _number(host.get("OomScoreAdj")),
        "pids_limit": _limit(host.get("PidsLimit")),
        "cgroup_parent": _text(host.get("CgroupParent")),
        "labels": labels(config.get("Labels")),
    }


def labels(found):
    """Those labels that say which service or pod a container belongs to."""
    if not isinstance(found, dict):
        return {}
    names = sorted(name for name in found if name in _LABELS or name.startswith("io.kubernetes."))[:LABELS]
    return {_text(name): _text(found[name]) for name in names}


def settings(info):
    """What /info says of memory and cgroups; every value may be None."""
    version = re.search(r"\d+", _text(_member(info, "CgroupVersion")) or "")
    return {
        "cgroup_driver": _text(_member(info, "CgroupDriver")),
        "cgroup_version": int(version.group()[:3]) if version else None,
        "storage_driver": _text(_member(info, "Driver")),
        "memory_limit_support": _flag(_member(info, "MemoryLimit")),
        "swap_limit_support": _flag(_member(info, "SwapLimit")),
        "live_restore": _flag(_member(info, "LiveRestoreEnabled")),
        "default_runtime": _text(_member(info, "DefaultRuntime")),
    }


def engine(version, expected):
    """("docker" or "podman", version, API version) from /version; Podman may stand behind Docker's socket."""
    components = _member(version, "Components")
    names = [_text(_member(part, "Name")) or "" for part in components] if isinstance(components, list) else []
    kind = "podman" if any("Podman" in name for name in names) else "docker" if names else expected
    return kind, _text(_member(version, "Version")), _text(_member(version, "ApiVersion"))


def daemon_config(parsed):
    """The keys of daemon.json that touch memory, as they stand there; None for what is no daemon.json."""
    if not isinstance(parsed, dict):
        return None
    return {key: parsed[key] for key in _DAEMON_KEYS if key in parsed}


def utc(text):
    """An RFC 3339 time in UTC as the evidence has it; None also for Go's zero time."""
    found = _TIME.match(text) if isinstance(text, str) else None
    if not found or found.group(1) < "1971":
        return None
    try:
        seconds = calendar.timegm(tuple(int(part) for part in found.groups()[:6]))
        if found.group(8):
            seconds -= int(found.group(8) + "1") * (int(found.group(9)) * 3600 + int(found.group(10)) * 60)
        return identity.utc(seconds + float(found.group(7) or 0))
    except (ValueError, OverflowError, OSError):
        return None


def _member(value, name):
    return value.get(name) if isinstance(value, dict) else None


def _dict(value, name):
    found = _member(value, name)
    return found if isinstance(found, dict) else {}


def _text(value):
    """Text, cut; None for "" and for anything else."""
    # A lone surrogate could not be written out as UTF-8.
    return value[:NAME_CHARACTERS].encode("utf-8", "replace").decode() or None if isinstance(value, str) else None


def _flag(value):
    return value if isinstance(value, bool) else None


def _number(value):
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _limit(value):
    number = _number(value)
    return "max" if number is not None and number <= 0 else number
