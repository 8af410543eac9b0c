# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Memory cgroups of version 2: Documentation/admin-guide/cgroup-v2.rst, "Memory"."""

from . import pressure
from .cgroup_v1 import parse_flat

#: Events that show trouble; "low" only says that a protection was breached.
TROUBLE = ("high", "max", "oom", "oom_kill")

_STAT = (
    ("anon_bytes", "anon"),
    ("file_bytes", "file"),
    ("shmem_bytes", "shmem"),
    ("file_dirty_bytes", "file_dirty"),
    ("file_writeback_bytes", "file_writeback"),
    ("slab_bytes", "slab"),
    ("slab_unreclaimable_bytes", "slab_unreclaimable"),
    ("slab_reclaimable_bytes", "slab_reclaimable"),
    ("kernel_stack_bytes", "kernel_stack"),
    ("page_tables_bytes", "pagetables"),
    ("sock_bytes", "sock"),
    ("unevictable_bytes", "unevictable"),
    ("kernel_bytes", "kernel"),
)


def parse_limit(text):
    """A limit in bytes, "max" for unlimited, or None."""
    word = (text or "").strip()
    if word.isdigit():
        return int(word)
    return "max" if word == "max" else None


def first_look(reader, folder, with_pressure):
    """What decides whether a group is kept (see cgroup_v1.first_look).

    ``hit`` counts events, ``in_trouble`` says that work waited for memory in the last minute.
    """

    def limit(name):
        return parse_limit(reader.text(folder + name, 64, expected=False))

    maximum, high, swap = limit("/memory.max"), limit("/memory.high"), limit("/memory.swap.max")
    # Protections are 0 by default where limits are "max".
    protections = [limit("/memory.low"), limit("/memory.min")]
    events = parse_flat(reader.text(folder + "/memory.events", 4096, expected=False))
    stall = pressure.parse(reader.text(folder + "/memory.pressure", 4096, expected=False)) if with_pressure else None
    bounds = [value for value in (maximum, high) if isinstance(value, int)]
    return {
        "usage_bytes": reader.number(folder + "/memory.current", expected=False),
        "max_bytes": min(bounds) if bounds else maximum,
        "limited": bool(bounds) or isinstance(swap, int) or any(protections),
        "killed": events.get("oom_kill", 0),
        "hit": sum(events.get(name, 0) for name in TROUBLE),
        "in_trouble": bool(stall and stall["some"] and stall["some"]["avg60"] > 0),
    }


def describe(reader, folder, with_pressure):
    """The group's figures (see cgroups.collect); None for what this kernel does not say."""

    def limit(name):
        return parse_limit(reader.text(folder + name, 64, expected=False))

    def number(name):
        return reader.number(folder + name, expected=False)

    def flat(name):
        return parse_flat(reader.text(folder + name, 65536, expected=False))

    stat = flat("/memory.stat")
    local = flat("/memory.events.local")
    group = number("/memory.oom.group")
    stall = reader.text(folder + "/memory.pressure", 4096, expected=False) if with_pressure else None
    return {
        "usage_bytes": number("/memory.current"),
        "peak_bytes": number("/memory.peak"),
        "max_bytes": limit("/memory.max"),
        "high_bytes": limit("/memory.high"),
        "low_bytes": limit("/memory.low"),
        "min_bytes": limit("/memory.min"),
        "swap_usage_bytes": number("/memory.swap.current"),
        "swap_max_bytes": limit("/memory.swap.max"),
        "memsw_max_bytes": None,
        "events": flat("/memory.events"),
        "events_local": local or None,
        "failcnt": None,
        "memsw_failcnt": None,
        "oom_kill_disabled": None,
        "under_oom": None,
        "oom_group": None if group is None else bool(group),
        "stat": {name: stat.get(key) for name, key in _STAT},
        "pressure": pressure.parse(stall) if stall else None,
    }
