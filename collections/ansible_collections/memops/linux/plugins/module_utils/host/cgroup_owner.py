# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose a cgroup is: systemd unit, container or pod, read from its path alone.

The forms are those of systemd (systemd.unit(5)), of Docker, containerd, CRI-O
and podman with the cgroupfs and the systemd driver, of Kubernetes and of LXC.
A container that runs systemd has units of its own below its cgroup; the host
knows neither these nor containers inside it, so only the outermost counts.
"""

import re

_UNIT = re.compile(r"_?(.+\.(?:service|scope|slice|socket|mount|swap))$")
_HEX = "[0-9a-f]"
_CONTAINER = re.compile(
    r"(?:(?:docker|cri-containerd|containerd|crio|libpod|nerdctl)[-:](?P<named>%s{64}|%s{12})|(?P<bare>%s{64}))(?:\.scope)?$"
    % (_HEX, _HEX, _HEX)
)
_SHORT = re.compile(r"%s{12}$" % _HEX)
_SHORT_PARENT = re.compile(r"docker$|.*pod%s{8}" % _HEX)
_POD = re.compile(r"(?:.*-)?pod(%s{8}(?:[-_]%s{4}){3}[-_]%s{12}|%s{32})(?:\.slice)?(?::|$)" % (_HEX, _HEX, _HEX, _HEX))
_LXC = re.compile(r"lxc\.payload\.(.+)$")


def unit(path):
    """The innermost unit of the host that the cgroup belongs to, e.g. ``ssh.service``; or None."""
    parts = _parts(path)
    container = _container(parts)
    if container:
        parts = parts[: container[0] + 1]
    for part in reversed(parts):
        found = _UNIT.match(part)
        if found:
            return found.group(1)
    return None


def container_id(path):
    """The id of the outermost container (64 or 12 hexadecimal digits), or None.

    A monitor of a container (``libpod-conmon-<id>.scope``) is not the container.
    LXC has names instead: see lxc_name.
    """
    container = _container(_parts(path))
    return container[1] if container else None


def pod_uid(path):
    """The Kubernetes pod's uid with dashes (a static pod's has none), or None."""
    for part in _parts(path):
        found = _POD.match(part)
        if found:
            return found.group(1).replace("_", "-")
    return None


def lxc_name(path):
    """The LXC container's name, of ``/lxc.payload.<name>`` or ``/lxc/<name>``; or None."""
    parts = _parts(path)
    for part in parts:
        found = _LXC.match(part)
        if found:
            return found.group(1)
    return parts[1] if len(parts) > 1 and parts[0] == "lxc" else None


def _parts(path):
    return [part for part in (path or "").split("/") if part]


def _container(parts):
    """(index of the outermost container's part, its id or None) or None."""
    for index, part in enumerate(parts):
        if _LXC.match(part):
            return index, None
        # With drivers mixed up runc makes "x.slice:cri-containerd:<id>" one name.
        found = _CONTAINER.match(part) or _CONTAINER.match(part.partition(":")[2])
        if found:
            return index, found.group("named") or found.group("bare")
        if index and _SHORT.match(part) and _SHORT_PARENT.match(parts[index - 1]):
            return index, part
    return None
