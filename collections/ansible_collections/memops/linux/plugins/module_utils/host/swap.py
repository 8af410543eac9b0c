# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Swap areas, and what zram makes of the memory it takes."""

import re

from .large_pages import chosen
from .shared_memory import unescape

DROPPABLE = ("devices",)

_MM_STAT = ("orig_data_bytes", "compr_data_bytes", "mem_used_bytes", "mem_limit_bytes")


def collect(reader, request):
    """{total_bytes, used_bytes, devices}: parse_swaps, with ``zram`` for zram devices.

    zram: {orig_data_bytes, compr_data_bytes, mem_used_bytes, mem_limit_bytes
    ("max": no limit), algorithm, disksize_bytes}, or None for other devices.
    """
    section = parse_swaps(reader.text("/proc/swaps"))
    for device in section["devices"]:
        device["zram"] = _zram(reader, device["path"].rsplit("/", 1)[-1]) if device["kind"] == "zram" else None
    return section


def parse_swaps(text):
    """/proc/swaps (proc(5)), in the order in which the kernel fills the areas.

    {total_bytes, used_bytes, devices: [{path, kind: "partition" | "file" |
    "zram", size_bytes, used_bytes, priority}]}; the sums are 0 on a host
    without swap, null where the file cannot be read.
    """
    if text is None:
        return {"total_bytes": None, "used_bytes": None, "devices": []}
    devices = []
    for line in text.splitlines()[1:]:
        try:
            path, kind, size, used, priority = line.split()
            device = {"path": unescape(path), "kind": kind, "size_bytes": int(size) * 1024, "used_bytes": int(used) * 1024}
            device["priority"] = int(priority)
        except ValueError:
            continue
        if re.search(r"/zram\d+$", path):
            device["kind"] = "zram"
        devices.append(device)
    devices.sort(key=lambda device: device["priority"], reverse=True)
    return {
        "total_bytes": sum(device["size_bytes"] for device in devices),
        "used_bytes": sum(device["used_bytes"] for device in devices),
        "devices": devices,
    }


def parse_mm_stat(text):
    """The first fields of /sys/block/zramN/mm_stat (Documentation/admin-guide/blockdev/zram.rst)."""
    values = [int(field) for field in (text or "").split() if field.isdigit()]
    stat = dict(zip(_MM_STAT, values + [None] * len(_MM_STAT)))
    if stat["mem_limit_bytes"] == 0:
        stat["mem_limit_bytes"] = "max"
    return stat


def _zram(reader, name):
    folder = "/sys/block/%s/" % name
    zram = parse_mm_stat(reader.text(folder + "mm_stat", 4096))
    zram["algorithm"] = chosen(reader.text(folder + "comp_algorithm", 4096))
    zram["disksize_bytes"] = reader.number(folder + "disksize")
    return zram
