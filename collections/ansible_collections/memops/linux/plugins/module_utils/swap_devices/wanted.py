# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked for, checked and with its sizes in bytes, before any host is looked at."""

import collections
import re

from .errors import SwapError
from .sizes import MIB, parse, round_up, told
from .usual_size import usual, usual_zram

KINDS = ("file", "partition", "lv", "zram")
DISCARDS = ("none", "once", "pages", "both")
HIGHEST_PRIORITY = 32767
LARGEST_BYTES = 1 << 46

#: No blank, quote, backslash, % or control character: it goes into fstab and unit files as it is.
_PATH = re.compile(r"^(/[A-Za-z0-9_.:@+,=~-]+)+$")
_LVM_NAME = re.compile(r"^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$")
_ALGORITHM = re.compile(r"^[a-z0-9][a-z0-9_-]{0,30}$")


class Wanted(collections.namedtuple("Wanted", "key kind path size_bytes told priority exists running at_boot algorithm discard volume_group name set_up_by")):
    """One swap area as it is to be.

    key: its path, or ``zram0``. size_bytes: None for a device that is taken as
    it is. told: how the size came about, "" where it was given. priority: None
    leaves it to the kernel. exists: True makes it, False deletes it, None
    leaves the file or device as it is. running, at_boot: in use now, and after a reboot.
    set_up_by: the file of somebody else that is to bring a zram up, None where it is to be one of ours.
    """


def resolve(devices, workload, ram_bytes):
    """[Wanted] of the module's ``devices``. Raises SwapError for what cannot be meant."""
    wanted = [_one(device, workload, ram_bytes) for device in devices]
    seen = set()
    for area in wanted:
        if area.key in seen:
            raise SwapError("%s is listed twice; list each area once" % area.key)
        seen.add(area.key)
    return wanted


def checked_path(path, what="path"):
    """The path as it stands. Raises SwapError unless it is absolute, plain and in its shortest form."""
    if not _PATH.match(path or "") or "/./" in path + "/" or "/../" in path + "/" or len(path) > 1024:
        raise SwapError("%s must be an absolute path of letters, digits and _.:@+,=~- without . or .. parts, not %r" % (what, path))
    return path


def _one(device, workload, ram_bytes):
    kind = device["kind"]
    present = (device.get("state") or "present") == "present"
    volume_group, name = device.get("volume_group"), device.get("name")
    path = _path(kind, device.get("path"), volume_group, name)
    key = path[len("/dev/") :] if kind == "zram" else path
    priority = device.get("priority")
    if priority is not None and not 0 <= priority <= HIGHEST_PRIORITY:
        raise SwapError("%s: priority must be 0 to %d, or left out for the kernel's choice, not %d" % (key, HIGHEST_PRIORITY, priority))
    algorithm = device.get("algorithm")
    if algorithm and (kind != "zram" or not _ALGORITHM.match(algorithm)):
        raise SwapError("%s: algorithm is the name of one of the kernel's compressors, and for kind zram only, not %r" % (key, algorithm))
    size, how = _size(key, kind, device, workload, ram_bytes) if present else (None, "")
    return Wanted(
        key=key,
        kind=kind,
        path=path,
        size_bytes=size,
        told=how,
        priority=100 if kind == "zram" and priority is None else priority,
        exists=present if present or kind in ("file", "zram") else None,
        running=present,
        at_boot=present,
        algorithm=algorithm,
        discard=device.get("discard") or "none",
        volume_group=volume_group,
        name=name,
        set_up_by=None,
    )


def _path(kind, path, volume_group, name):
    if kind == "lv" and (volume_group or name):
        for part in (volume_group, name):
            if not part or not _LVM_NAME.match(part) or part in (".", ".."):
                raise SwapError("kind lv takes volume_group and name, both names of LVM, not %r and %r" % (volume_group, name))
        if path and path != "/dev/%s/%s" % (volume_group, name):
            raise SwapError("%s is not /dev/%s/%s; leave path out" % (path, volume_group, name))
        return "/dev/%s/%s" % (volume_group, name)
    if volume_group or name:
        raise SwapError("volume_group and name are for kind lv, not %s" % kind)
    if kind == "zram":
        path = path or "zram0"
        path = path if path.startswith("/") else "/dev/" + path
        if not re.match(r"^/dev/zram\d{1,2}$", path):
            raise SwapError("the path of kind zram is zram0 (or another number), not %r" % path)
        return path
    checked_path(path, "path of kind %s" % kind)
    if (kind == "file") == path.startswith("/dev/"):
        raise SwapError("%s: kind %s %s" % (path, kind, "does not live below /dev" if kind == "file" else "lives below /dev"))
    return path


def _size(key, kind, device, workload, ram_bytes):
    size, text = device.get("size_bytes"), device.get("size")
    if size is not None and text is not None:
        raise SwapError("%s: give size_bytes or size, not both" % key)
    if kind == "partition":
        if size is not None or text is not None:
            raise SwapError("%s: a partition has the size that it has; leave size out" % key)
        return None, ""
    how = ""
    if text == "usual":
        size, how = usual_zram(ram_bytes) if kind == "zram" else usual(ram_bytes, workload)
    elif text is not None:
        size = parse(text, ram_bytes)
        if size is None:
            raise SwapError("%s: size must be usual, a size such as 512M or 2G, or a share of RAM such as 25%%, not %r" % (key, text))
        how = "%s of %s of RAM: %s" % (text, told(ram_bytes), told(size)) if str(text).strip().endswith("%") else ""
    if size is None:
        if kind == "lv" and not device.get("volume_group"):
            return None, ""
        raise SwapError("%s: kind %s needs a size, such as 2G or usual" % (key, kind))
    if kind == "lv" and not device.get("volume_group"):
        raise SwapError("%s: a volume is made or resized only where volume_group and name are given; else leave size out" % key)
    if not MIB <= size <= LARGEST_BYTES:
        raise SwapError("%s: the size must be 1 MiB to 64 TiB, not %s" % (key, told(size) if size > 0 else size))
    return round_up(size, MIB), how
