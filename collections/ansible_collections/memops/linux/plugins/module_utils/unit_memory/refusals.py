# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What would hurt the host if it were set now, each with its sum. Pure functions; a reason, or None."""

from . import unit_names
from .settings import INFINITY, LEAST_LIMIT_BYTES, SETTINGS

#: Programs without which nobody can get in, or the disks go away. They are small, and stay so.
MAY_BE_IMMUNE = ("auditd", "corosync", "iscsid", "multipathd", "pacemaker", "systemd-journald", "systemd-udevd")
#: Limits on these stop the host itself. For -.slice the kernel has no such files.
NEVER_BOUND = (unit_names.ROOT, "init.scope")
#: OpenSSH gives its listener -1000 by itself, and what systemd gave it to each session (openbsd-compat/port-linux.c, oom_adjust_setup).
SETS_ITS_OWN_SCORE = ("ssh.service", "sshd.service")
PROTECTED_SHARE = 80
MIB = 1 << 20


def size(number):
    """Bytes for people: 512 MiB (536870912 bytes)."""
    if not isinstance(number, int):
        return str(number)
    return "%s MiB (%d bytes)" % (("%.1f" % (number / float(MIB))).rstrip("0").rstrip("."), number)


def of_value(unit, name, value, about, others, force):
    """Why one setting's value is refused. others: {property: value} that the unit will have. Sums in the text."""
    if name == "OOMScoreAdjust" and value < 0 and not force and unit.name in SETS_ITS_OWN_SCORE:
        return (
            "sshd protects itself with -1000, and hands what is set here on to every session: with %d all that people start by ssh"
            " would be spared before the services of this host. Leave it out, or force it" % value
        )
    if name == "OOMScoreAdjust" and value == -1000 and not force and unit.name.rpartition(".")[0] not in MAY_BE_IMMUNE:
        return (
            "with -1000 the kernel never kills it: should it be what grows, everything else on the host dies first."
            " Give it -900, or force it. Without force only these may have it: %s" % ", ".join(MAY_BE_IMMUNE)
        )
    if SETTINGS[name].sort != "memory" or not isinstance(value, int):
        return None
    if name in ("MemoryMax", "MemoryHigh"):
        return _of_limit(unit, name, value, about, others, force)
    return None


def _of_limit(unit, name, value, about, others, force):
    if value < LEAST_LIMIT_BYTES:
        return "%d bytes is below %d, where no program starts; sizes are bytes, or have a unit as 512M" % (value, LEAST_LIMIT_BYTES)
    if unit.name == "system.slice" and not force:
        return "this bounds all services of the host together, those that let you in among them; bound the one that grows, or a slice of your own"
    if name == "MemoryHigh":
        maximum = others.get("MemoryMax")
        if isinstance(maximum, int) and value >= maximum:
            return "it is not below MemoryMax, so that nothing is reclaimed before the kill: %s >= %s" % (size(value), size(maximum))
    if force or unit.usage_bytes is None:
        return None
    held = unit.usage_bytes - unit.cache_bytes
    if value < held:
        end = "its processes would be killed at once" if name == "MemoryMax" else "its processes would stand still"
        return "it holds %s now, which are %s in use less %s of file pages; with %s %s" % (
            size(held),
            size(unit.usage_bytes),
            size(unit.cache_bytes),
            size(value),
            end,
        )
    return None


def of_unit(unit, name):
    """Why a unit cannot have the setting at all."""
    if unit.name in NEVER_BOUND and not name.startswith("ManagedOOM"):
        return "%s holds the whole host; the kernel bounds and protects only what is below it" % unit.name
    return None


def of_protection(slice_name, kept, wanted, about):
    """Why the units of one slice may not keep that much: their sum and RAM. kept: {cgroup: bytes} as it is; wanted: the same, as it is to be."""
    total = dict(kept)
    total.update(wanted)
    numbers = [about.memory.ram_bytes if one == INFINITY else one for one in total.values()]
    limit = about.memory.ram_bytes * PROTECTED_SHARE // 100
    if sum(numbers) <= limit:
        return None
    parts = sorted(((one, group) for group, one in zip(total, numbers)), reverse=True)[:5]
    return "what the units below %s keep for themselves would be %s, above %d %% of RAM, %s of %s: %s" % (
        slice_name,
        size(sum(numbers)),
        PROTECTED_SHARE,
        size(limit),
        size(about.memory.ram_bytes),
        ", ".join("%s %s" % (group.rpartition("/")[2], size(one)) for one, group in parts),
    )
