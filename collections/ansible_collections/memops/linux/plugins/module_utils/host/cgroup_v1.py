# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Memory cgroups of version 1: Documentation/admin-guide/cgroup-v1/memory.rst."""

#: From here on a limit is "none": the kernel rounds LONG_MAX down to its page size.
UNLIMITED_BYTES = 1 << 62

_STAT = (
    ("anon_bytes", "total_rss"),
    ("file_bytes", "total_cache"),
    ("shmem_bytes", "total_shmem"),
    ("file_dirty_bytes", "total_dirty"),
    ("file_writeback_bytes", "total_writeback"),
    ("unevictable_bytes", "total_unevictable"),
)


def parse_limit(text):
    """A limit in bytes, "max" for unlimited, or None."""
    try:
        limit = int(text)
    except (TypeError, ValueError):
        return None
    return "max" if limit < 0 or limit >= UNLIMITED_BYTES else limit


def parse_flat(text):
    """{key: int} of a file with ``key value`` lines (memory.stat, memory.oom_control)."""
    fields = {}
    for line in (text or "").split("\n"):
        key, _blank, value = line.partition(" ")
        if value.isdigit():
            fields[key] = int(value)
    return fields


def first_look(reader, folder, with_pressure):
    """What decides whether a group is kept, from few small files.

    {usage_bytes, max_bytes, limited, killed, hit, in_trouble}: ``killed`` and
    ``hit`` are the kills in the group and the times that it met its limit,
    ``in_trouble`` says that it stands at it now.
    """
    limit = parse_limit(reader.text(folder + "/memory.limit_in_bytes", 64, expected=False))
    both = parse_limit(reader.text(folder + "/memory.memsw.limit_in_bytes", 64, expected=False))
    control = parse_flat(reader.text(folder + "/memory.oom_control", 4096, expected=False))
    limits = [value for value in (limit, both) if isinstance(value, int)]
    return {
        "usage_bytes": reader.number(folder + "/memory.usage_in_bytes", expected=False),
        "max_bytes": min(limits) if limits else limit,
        "limited": bool(limits),
        "killed": control.get("oom_kill", 0),
        "hit": reader.number(folder + "/memory.failcnt", expected=False) or 0,
        "in_trouble": bool(control.get("under_oom")),
    }


def describe(reader, folder, with_pressure):
    """The group's figures (see cgroups.collect); None for what version 1 does not say.

    Its counters are of the group alone, where version 2 adds the descendants'.
    A kernel may count a limit that is met through memory+swap in memsw_failcnt
    only, or not at all (6.18); oom_kill counts either way (since 4.13).
    """

    def limit(name):
        return parse_limit(reader.text(folder + name, 64, expected=False))

    def number(name):
        return reader.number(folder + name, expected=False)

    control = parse_flat(reader.text(folder + "/memory.oom_control", 4096, expected=False))
    stat = parse_flat(reader.text(folder + "/memory.stat", 65536, expected=False))
    figures = {name: stat.get(key) for name, key in _STAT}
    figures["kernel_bytes"] = number("/memory.kmem.usage_in_bytes")
    return {
        "usage_bytes": number("/memory.usage_in_bytes"),
        "peak_bytes": number("/memory.max_usage_in_bytes"),
        "max_bytes": limit("/memory.limit_in_bytes"),
        "high_bytes": None,
        "low_bytes": None,
        "min_bytes": None,
        "swap_usage_bytes": stat.get("total_swap"),
        "swap_max_bytes": None,
        "memsw_max_bytes": limit("/memory.memsw.limit_in_bytes"),
        "events": {"oom_kill": control.get("oom_kill")},
        "events_local": None,
        "failcnt": number("/memory.failcnt"),
        "memsw_failcnt": number("/memory.memsw.failcnt"),
        "oom_kill_disabled": _flag(control.get("oom_kill_disable")),
        "under_oom": _flag(control.get("under_oom")),
        "oom_group": None,
        "stat": figures,
        "pressure": None,
    }


def _flag(number):
    return None if number is None else bool(number)
