# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What will be done on this host, with its sizes filled in, and the words that say so. Pure."""

MIB = 1 << 20
LEAST_MIB = 8


def resolve(fault, meminfo):
    """The steps with sizes as numbers. meminfo: {name: bytes}, as places.meminfo()."""
    return [(verb, _with_numbers(what, meminfo)) for verb, what in fault["steps"]]


def _with_numbers(what, meminfo):
    done = {}
    for key, value in what.items():
        if isinstance(value, dict):
            value = _with_numbers(value, meminfo)
        elif isinstance(value, (tuple, list)) and len(value) == 2 and value[0] in _SIZES:
            value = max(LEAST_MIB, int(_SIZES[value[0]](value[1], meminfo)))
        done[key] = value
    return done


#: MiB, but for those that name another unit.
_SIZES = {
    "of_ram": lambda share, meminfo: share * meminfo["MemTotal"] / MIB,
    "below_available": lambda less, meminfo: meminfo["MemAvailable"] / MIB - less,
    # Two processes share what is available, and so much in the sum is more (or less, below 0) than there is.
    "half_available_and": lambda more, meminfo: (meminfo["MemAvailable"] / MIB) / 2 + more,
    "hugepages_of_ram": lambda share, meminfo: share * meminfo["MemTotal"] / meminfo.get("Hugepagesize", 2 * MIB),
    "committed_kib_and": lambda mib, meminfo: meminfo["Committed_AS"] / 1024 - meminfo.get("SwapTotal", 0) / 1024 + mib * 1024,
}


def disk_bytes(steps):
    """What the steps write to the disk."""
    total = 0
    for verb, what in steps:
        if verb == "swap_file":
            total += what["mib"]
        elif what.get("args", {}).get("path") == "FOLDER":
            total += what.get("count", 1) * what["args"]["mib"]
    return total * MIB


def statement(name, fault, steps, seconds, keep_seconds):
    """What is about to happen, as lines for a person."""
    lines = ["%s: %s" % (name, fault["does"])]
    lines += ["It will %s." % _told(verb, what) for verb, what in steps]
    lines.append("It may kill: %s." % fault["may_kill"])
    if fault["until"] == "rebooted":
        lines.append("The host reboots; nothing of this is left then.")
    else:
        kept = " What a diagnosis wants to see stays for another %d s." % keep_seconds if keep_seconds else ""
        lines.append("After %d s at the latest it ends, and all that was changed is as it was before.%s" % (seconds, kept))
    return lines


def _told(verb, what):
    if verb in ("run", "container"):
        count = what.get("count", 1)
        who = "start %s%s" % ("%d times " % count if count > 1 else "", what["name"])
        sizes = ", ".join("%s=%s" % (key, value) for key, value in sorted(what["args"].items()) if key not in ("path",))
        place = "in a container" if verb == "container" else "in a cgroup of its own"
        limits = ["%d MiB at most" % what["limit_mib"]] if what.get("limit_mib") else ["without a limit"]
        limits += ["slowed down above %d MiB" % what["high_mib"]] if what.get("high_mib") else []
        limits += ["on NUMA node %d" % what["node"]] if what.get("node") is not None else []
        return "%s (%s%s) %s, %s" % (who, what["program"], "; " + sizes if sizes else "", place, ", ".join(limits))
    return {
        "sysctl": "set %(name)s=%(value)s",
        "swap_file": "add a swap file of %(mib)s MiB",
        "tmpfs": "mount a tmpfs of %(mib)s MiB",
        "remount": "remount %(path)s with %(option)s",
        "unit": "start %(unit)s",
        "docker": "call docker %(command)s",
        "delay": "wait %(seconds)s s",
        "reboot": "reboot",
    }[verb] % dict(what, command=" ".join(what.get("command", ())))
