# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One area: what differs from what is wanted, what must not be done, and the steps. Pure functions over plain data."""

import collections

from . import host_state, volumes
from .sizes import told

#: Kinds of step, in the order in which all areas go through them; what destroys comes last.
MAKE, SWITCH, BOOT, LEAVE, DELETE = range(5)

#: phase: as above. verb: a method of doing.Doing. arguments: its further ones.
Step = collections.namedtuple("Step", "phase verb arguments")

#: refused: [why]. drift: [(face, wanted, found, where)]. off: host_state.Running to be turned off, or None. on: whether it is turned on.
Judged = collections.namedtuple("Judged", "wanted seen refused drift steps off on notes")

FILE_SYSTEMS = ("ext2", "ext3", "ext4", "xfs", "btrfs")


def judge(wanted, seen, host, format_devices):
    """The Judged of one area, without its lines in fstab and units (boot.py). format_devices: paths that may be formatted."""
    refused, steps, notes, drift = [], [], [], []
    if seen.leftovers:
        drift.append(("file", "nothing", "what a killed run left", ", ".join(seen.leftovers)))
        steps.append(Step(MAKE, "sweep", ()))
    if wanted.kind == "file":
        contents = _file(wanted, seen, host, format_devices, refused, steps, drift)
    elif wanted.kind == "zram":
        contents = _zram(wanted, seen, host, refused, steps, drift)
    else:
        contents = _device(wanted, seen, format_devices, refused, steps, notes, drift)
    return _switched(wanted, seen, contents, refused, steps, drift, notes)


def _switched(wanted, seen, contents, refused, steps, drift, notes):
    """Around the steps that change what the area holds: off before, on after. contents: whether there are any."""
    running = seen.running
    priority_differs = bool(running and wanted.running and wanted.priority is not None and running.priority != wanted.priority)
    if priority_differs:
        drift.append(("running", "priority %d" % wanted.priority, "priority %d" % running.priority, "/proc/swaps"))
    off = running if running and (contents or priority_differs or not wanted.running) else None
    on = wanted.running and (off is not None or not running)
    if wanted.running and not running:
        drift.append(("running", "in use", "not in use", "/proc/swaps"))
    elif running and not wanted.running:
        drift.append(("running", "not in use", "in use, %s" % told(running.size_bytes), "/proc/swaps"))
    phase = SWITCH if wanted.running else LEAVE
    around = []
    if off:
        around.append(Step(phase, "off", (off,)))
    around += [step for step in steps if step.phase == SWITCH]
    if on:
        around.append(Step(SWITCH, "on", ()))
    ordered = [step for step in steps if step.phase < SWITCH] + around + [step for step in steps if step.phase > SWITCH]
    return Judged(wanted, seen, refused, drift, ordered, off, on, notes)


def _file(wanted, seen, host, format_devices, refused, steps, drift):
    if seen.found is None:
        if wanted.exists:
            _place(wanted, seen, host, refused, steps)
        return False
    if seen.found != "file":
        refused.append("it is no plain file; remove what is there, or name another path")
        return False
    if not seen.header and not seen.running and wanted.exists is not None:
        if wanted.path not in format_devices:
            refused.append("it is a file without a swap header, so perhaps somebody's; move it away, or list its exact path in format_device")
            return False
        if wanted.exists:
            _place(wanted, seen, host, refused, steps, replaces=True)
            return True
    if wanted.exists is False:
        steps.append(Step(DELETE, "delete_file", ()))
        drift.append(("file", "not there", told(seen.size_bytes), wanted.path))
        return False
    if wanted.exists is None:
        return False
    if (seen.mode, seen.owner) != (0o600, 0):
        drift.append(("file", "mode 0600 of root", "mode %04o of user %d" % (seen.mode, seen.owner), wanted.path))
        steps.append(Step(MAKE, "protect_file", (seen.mode, seen.owner)))
    return _resized_file(wanted, seen, host, refused, steps, drift)


def _resized_file(wanted, seen, host, refused, steps, drift):
    size, now = wanted.size_bytes, seen.size_bytes
    inside = seen.header.size_bytes if seen.header else 0
    running = seen.running.size_bytes if seen.running else inside
    if seen.sparse and not seen.running:
        drift.append(("file", "no holes", "holes, which no swap file may have", wanted.path))
    elif (now, inside, running) == (size, size, size):
        return False
    if (now, inside) != (size, size) or running != size:
        drift.append(("running" if seen.running else "file", told(size), told(running if running != size else now), wanted.path))
    if now > size and not seen.sparse:
        steps.append(Step(SWITCH, "shrink_file", (size, now)))
    elif now == size and not seen.sparse:
        steps.append(Step(SWITCH, "make_header", ()))
    else:
        keep = host_state.keep_free_bytes(seen.fs_bytes)
        if seen.sparse or size + keep <= seen.free_bytes:
            _place(wanted, seen, host, refused, steps, replaces=True)
        elif size - now + keep <= seen.free_bytes:
            steps.append(Step(SWITCH, "grow_file", (size, now)))
        else:
            refused.append(_no_space(seen, size - now, keep, "to grow from %s to %s" % (told(now), told(size))))
    return True


def _place(wanted, seen, host, refused, steps, replaces=False):
    """A new file, made beside its place and then renamed."""
    if seen.folder_problem:
        refused.append(seen.folder_problem)
    elif seen.file_system not in FILE_SYSTEMS:
        refused.append(
            "its folder is on %s, which cannot hold a swap file that works; name a path on one of %s"
            % (seen.file_system or "an unknown file system", ", ".join(FILE_SYSTEMS))
        )
    elif seen.file_system == "btrfs" and host.kernel < (5, 0):
        refused.append("btrfs holds swap files since kernel 5.0, and this is %d.%d" % host.kernel)
    else:
        keep = host_state.keep_free_bytes(seen.fs_bytes)
        if wanted.size_bytes + keep > seen.free_bytes:
            refused.append(_no_space(seen, wanted.size_bytes, keep, "for %s" % told(wanted.size_bytes)))
    steps.append(Step(MAKE, "make_file", (seen.file_system == "btrfs",)))
    steps.append(Step(SWITCH, "replace_file" if replaces else "place_file", ()))
    if replaces:
        steps.append(Step(DELETE, "sweep", ()))


def _no_space(seen, needed, keep, what):
    return "%s it needs %s of disk, and %s of it stay free; that is %s, and there are %s: %s too little. Free some, or ask for less" % (
        what,
        told(needed),
        told(keep),
        told(needed + keep),
        told(seen.free_bytes),
        told(needed + keep - seen.free_bytes),
    )


def _device(wanted, seen, format_devices, refused, steps, notes, drift):
    if seen.volume and wanted.exists:
        resized = _volume(wanted, seen, refused, steps, drift)
        if seen.volume.size_bytes is None:
            return True
    else:
        resized = False
    if seen.found is None:
        if wanted.exists:
            refused.append("there is no such device; say which of /dev/disk/by-* it is, or leave it out")
        return False
    if seen.found != "block":
        refused.append("it is no block device")
        return False
    if wanted.exists is None and not wanted.running:
        if seen.running:
            notes.append("%s stays formatted as swap; it is only not used any more" % wanted.key)
        return False
    if wanted.exists is False:
        if seen.volume and seen.volume.size_bytes:
            drift.append(("file", "not there", told(seen.volume.size_bytes), wanted.path))
            steps.append(Step(DELETE, "remove_volume", ()))
        return False
    if not wanted.running:
        return False
    if seen.running:
        return resized
    if seen.busy:
        refused.append("%s, so it is left alone, whatever format_device says" % seen.busy)
    elif seen.holds == "swap" and seen.header and seen.header.size_bytes <= seen.size_bytes:
        return resized
    elif seen.holds in (None, "swap"):
        if not resized:
            steps.append(Step(SWITCH, "format_device", (False, seen.holds is None)))
            drift.append(("file", "a swap area", "an empty device" if seen.holds is None else "a swap area larger than the device", wanted.path))
        return True
    elif wanted.path in format_devices:
        steps.append(Step(SWITCH, "format_device", (True, False)))
        drift.append(("file", "a swap area", seen.holds, wanted.path))
        notes.append("%s held %s, which is gone: format_device names it" % (wanted.key, seen.holds))
        return True
    else:
        refused.append("it holds %s, so it is not formatted; if that may be lost, list this exact path in format_device" % seen.holds)
    return resized


def _volume(wanted, seen, refused, steps, drift):
    """Steps that make or resize the volume; whether its contents change by it."""
    volume = seen.volume
    size = volumes.rounded(volume, wanted.size_bytes)
    if volume.size_bytes == size:
        return False
    more = size - (volume.size_bytes or 0)
    if more > volume.free_bytes:
        refused.append(
            "it needs %s more in volume group %s, which has %s free: %s too little"
            % (told(more), wanted.volume_group, told(volume.free_bytes), told(more - volume.free_bytes))
        )
    drift.append(("file", told(size), told(volume.size_bytes) if volume.size_bytes else "no such volume", wanted.path))
    if volume.size_bytes is None:
        steps.append(Step(MAKE, "create_volume", (size,)))
        steps.append(Step(SWITCH, "format_device", (False, False)))
    elif more > 0:
        steps.append(Step(MAKE, "extend_volume", (size, volume.size_bytes)))
        steps.append(Step(SWITCH, "make_header", ()))
    else:
        steps.append(Step(SWITCH, "reduce_volume", (size, volume.size_bytes)))
    return True


def _zram(wanted, seen, host, refused, steps, drift):
    if wanted.exists and not host.systemd:
        refused.append("zram is set up by units of systemd, which does not run here")
        return False
    if wanted.exists and host.generator.turned_off:
        refused.append("zram-generator sets it up, and systemd.zram=0 on the kernel command line forbids it that; take one of the two away")
    if wanted.exists and wanted.key != "zram0" and not host.generator.installed:
        refused.append("a second zram needs zram-generator, which is not installed; one is enough, it uses all processors")
    if not seen.running and seen.size_bytes and (seen.busy or seen.holds not in (None, "swap")):
        refused.append("the device is used for something else than swap (%s)" % (seen.busy or seen.holds))
    if wanted.exists and wanted.algorithm and seen.algorithms and wanted.algorithm not in seen.algorithms:
        refused.append("this kernel does not offer %s for it, but: %s" % (wanted.algorithm, ", ".join(seen.algorithms)))
    if not wanted.exists:
        if wanted.exists is False and not seen.running and seen.holds == "swap" and not seen.busy:
            # A run that was killed, or a person, turned it off and no more: it keeps the pages that it held until it is reset.
            drift.append(("file", "not set up", "%s of swap, not in use" % told(seen.size_bytes), wanted.path))
            steps.append(Step(LEAVE, "reset_zram", ()))
        return False
    differs = False
    if seen.running and seen.size_bytes != wanted.size_bytes:
        drift.append(("running", told(wanted.size_bytes), told(seen.size_bytes or 0), "/sys/block/%s/disksize" % wanted.key))
        differs = True
    if seen.running and wanted.algorithm and seen.algorithm != wanted.algorithm:
        drift.append(("running", wanted.algorithm, str(seen.algorithm), "/sys/block/%s/comp_algorithm" % wanted.key))
        differs = True
    return differs
