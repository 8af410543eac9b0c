# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel tunables as they are now, and as the sysctl files would set them."""

from . import sysctl_files

DROPPABLE = ("files",)
KERNEL_KEYS = ("panic", "panic_on_oops", "panic_on_warn", "pid_max", "threads-max", "shmmax", "shmall")
# They act when touched: on a write, stat_refresh on a read too.
ACTIONS = ("compact_memory", "drop_caches", "stat_refresh")


def collect(reader, request):
    """{values: {"vm.swappiness": "60", ...}, files: sysctl_files.decide(...)}.

    values: all of /proc/sys/vm and KERNEL_KEYS, as sysctl prints them, fields
    apart by one blank (Documentation/admin-guide/sysctl/vm.rst).
    files: keys of vm.* and KERNEL_KEYS that a file sets, whether or not the
    running kernel has them.
    """
    values = {}
    names = ["vm/" + name for name in reader.names("/proc/sys/vm") if name not in ACTIONS]
    for name in names + ["kernel/" + name for name in KERNEL_KEYS]:
        text = reader.text("/proc/sys/" + name, 4096, expected=False)
        if text is not None:
            values[name.replace("/", ".", 1)] = " ".join(text.split())
    read = sysctl_files.read(reader)
    return {"values": values, "files": sysctl_files.decide(read.drop_ins, read.last, values, _wanted, read.credential)}


def _wanted(key):
    return key.startswith("vm.") or (key.startswith("kernel.") and key[len("kernel."):] in KERNEL_KEYS)
