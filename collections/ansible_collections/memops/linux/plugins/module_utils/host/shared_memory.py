# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Memory that no process owns: files in tmpfs and System V segments.

It outlives the process that filled it, and only swap or removal frees it.
"""

import os
import re

LARGEST_SEGMENTS = 10
IN_MEMORY = ("tmpfs", "devtmpfs", "ramfs")


def tmpfs(reader):
    """The file systems that live in memory, largest use first.

    [{mountpoint, size_bytes, used_bytes}] by statvfs(3). A file system that is
    mounted in several places counts once. Null: another mount covers it, or
    it has no limit (size), or does not count its use (ramfs).
    """
    found = []
    for mountpoint, device in parse_mountinfo(reader.text("/proc/self/mountinfo", 4 << 20)):
        size, used = _space(reader, mountpoint, device)
        found.append({"mountpoint": mountpoint, "size_bytes": size, "used_bytes": used})
    found.sort(key=lambda mount: mount["used_bytes"] or 0, reverse=True)
    return found


def parse_mountinfo(text):
    """[(mountpoint, device number)] of the in-memory file systems (proc_pid_mountinfo(5))."""
    found = {}
    for line in (text or "").splitlines():
        left, _separator, right = line.partition(" - ")
        fields = left.split(" ")
        if right.split(" ")[0] not in IN_MEMORY or len(fields) < 6:
            continue
        major, _colon, minor = fields[2].partition(":")
        if not (major.isdigit() and minor.isdigit()):
            continue
        device = os.makedev(int(major), int(minor))
        # A mount of the whole file system names it better than one of a folder in it.
        if device not in found or (fields[3] == "/" and found[device][0] != "/"):
            found[device] = (fields[3], unescape(fields[4]))
    return [(mountpoint, device) for device, (_root, mountpoint) in found.items()]


def unescape(name):
    """A name from a /proc table, where blanks and backslashes are octal escapes."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), name)


def sysv(reader):
    """System V shared memory of this IPC namespace (proc_sysvipc(5)), or None.

    {segments, bytes, rss_bytes, swap_bytes, largest: [{id, bytes, rss_bytes,
    attached (processes), uid}]}. A segment with attached 0 is held by nobody.
    """
    return parse_sysvipc_shm(reader.text("/proc/sysvipc/shm", expected=False))


def parse_sysvipc_shm(text):
    """/proc/sysvipc/shm as described at sysv; rss and swap are null before 2.6.38."""
    lines = (text or "").splitlines()
    if not lines:
        return None
    names = lines[0].split()
    segments = []
    for line in lines[1:]:
        try:
            values = dict(zip(names, map(int, line.split())))
            segment = {
                "id": values["shmid"],
                "bytes": values["size"],
                "rss_bytes": values.get("rss"),
                "attached": values["nattch"],
                "uid": values["uid"],
            }
        except (KeyError, ValueError):
            continue
        segments.append((segment, values.get("swap")))
    segments.sort(key=lambda entry: (entry[0]["rss_bytes"] or 0, entry[0]["bytes"]), reverse=True)
    return {
        "segments": len(segments),
        "bytes": sum(segment["bytes"] for segment, _swap in segments),
        "rss_bytes": _sum(segment["rss_bytes"] for segment, _swap in segments),
        "swap_bytes": _sum(swap for _segment, swap in segments),
        "largest": [segment for segment, _swap in segments[:LARGEST_SEGMENTS]],
    }


def _space(reader, mountpoint, device):
    # The path may lead through a mount that hangs, so it is announced and skipped like a file.
    if not reader.may_touch(mountpoint):
        return None, None
    try:
        path = reader.path(mountpoint)
        if os.stat(path).st_dev != device:
            return None, None
        space = os.statvfs(path)
    except OSError as error:
        reader.note(mountpoint, error.strerror or str(error))
        return None, None
    if not space.f_blocks:
        return None, None
    return space.f_blocks * space.f_frsize, (space.f_blocks - space.f_bfree) * space.f_frsize


def _sum(values):
    values = list(values)
    return None if None in values else sum(values)
