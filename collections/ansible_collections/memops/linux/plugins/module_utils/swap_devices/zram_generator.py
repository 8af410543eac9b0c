# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""zram-generator (zram-generator.conf(5)): our drop-in, and what the files of others set up at boot."""

import collections
import re

from .boot_units import HEADER

PROGRAMS = tuple(folder + "/zram-generator" for folder in ("/usr/lib/systemd/system-generators", "/lib/systemd/system-generators"))
#: The last one to name a key wins, whichever folder it is in.
OURS = "/etc/systemd/zram-generator.conf.d/zz-memops.conf"
#: A file hides those of its name in the folders after its own.
FOLDERS = ("/run/systemd", "/etc/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd")
USUAL_PRIORITY = 100

#: What our drop-in says of a device. size_bytes: 0 where it is not to come up although others ask for it.
Area = collections.namedtuple("Area", "zram size_bytes algorithm priority")

#: What others say of one. path: the last file that names it.
Other = collections.namedtuple("Other", "path priority")

#: installed, turned_off (by the kernel command line). text: of our drop-in, or None. others: {zram: Other} that would come up without ours.
Generator = collections.namedtuple("Generator", "installed turned_off text others")


def read(probe, total_bytes):
    """The Generator of a host. total_bytes: its memory, above which a device's host-memory-limit leaves it out."""
    files = probe.files
    text = files.read(OURS)
    if not any(files.exists(path) for path in PROGRAMS):
        return Generator(False, False, text, {})
    words = (files.read("/proc/cmdline") or "").split()
    switch = next((word for word in reversed(words) if re.match(r"^systemd\.zram(=|$)", word)), "")
    off = switch.partition("=")[2].lower() in ("0", "no", "n", "false", "f", "off")
    return Generator(True, off, text, {} if off else _others(probe, total_bytes, bool(switch)))


def text(areas):
    """The drop-in's text for [Area]; None for none.

    The two older keys are what versions before 1.0 know, and win over zram-size where a file of the
    distribution sets them; with a fraction that is never reached they give the same size.
    """
    if not areas:
        return None
    parts = []
    for area in areas:
        mib = area.size_bytes >> 20
        lines = ["[%s]" % area.zram, "zram-size = %d" % mib, "zram-fraction = 1000", "max-zram-size = %d" % mib, "host-memory-limit = none"]
        if area.algorithm:
            lines.append("compression-algorithm = %s" % area.algorithm)
        if area.size_bytes:
            lines.append("swap-priority = %d" % area.priority)
        parts.append("\n".join(lines) + "\n")
    return HEADER + "\n".join(parts)


def areas(text):
    """[Area] of a text that text() wrote."""
    found = []
    for zram, keys in _sections(text).items():
        if keys.get("zram-size", "").isdigit():
            priority = keys.get("swap-priority", "")
            priority = int(priority) if priority.isdigit() else USUAL_PRIORITY
            found.append(Area(zram, int(keys["zram-size"]) << 20, keys.get("compression-algorithm"), priority))
    return found


def at_boot(generator, zram):
    """(whether it comes up as swap, priority, file that says so) by our drop-in and the files of others."""
    ours = next((area for area in areas(generator.text) if area.zram == zram), None)
    other = generator.others.get(zram)
    if ours and ours.size_bytes and not generator.turned_off:
        return True, ours.priority, OURS
    if other and not ours:
        return True, other.priority, other.path
    return False, None, OURS if ours else None


def coming_up(generator):
    """Names of the devices that come up."""
    named = {area.zram for area in areas(generator.text)} | set(generator.others)
    return sorted(zram for zram in named if at_boot(generator, zram)[0])


def _others(probe, total_bytes, on_command_line):
    merged = collections.OrderedDict([("zram0", ("/proc/cmdline", {}))] if on_command_line else [])
    for path in _paths(probe):
        for zram, keys in _sections(probe.files.read(path)).items():
            former = merged[zram][1] if zram in merged else {}
            merged[zram] = (path, dict(former, **keys))
    found = {}
    for zram, (path, keys) in merged.items():
        if _is_swap(keys, total_bytes):
            priority = keys.get("swap-priority", "")
            found[zram] = Other(path, int(priority) if re.match(r"^-?\d+$", priority) else USUAL_PRIORITY)
    return found


def _paths(probe):
    """The files of others in the order in which they are read: one main file, and the drop-ins by their names."""
    main = next((path for path in (folder + "/zram-generator.conf" for folder in FOLDERS) if probe.files.exists(path)), None)
    named = {}
    for folder in FOLDERS:
        for name in probe.names(folder + "/zram-generator.conf.d", ".conf"):
            named.setdefault(name, "%s/zram-generator.conf.d/%s" % (folder, name))
    return ([main] if main else []) + [named[name] for name in sorted(named) if named[name] != OURS]


def _sections(text):
    """{zramN: {key: value}} of a file; other sections, comments and what is no assignment are left out (systemd.syntax(7))."""
    found, keys = collections.OrderedDict(), {}
    for line in (text or "").splitlines():
        line = line.strip()
        section = re.match(r"^\[(.*)\]$", line)
        if section:
            keys = found.setdefault(section.group(1), {})
        elif "=" in line and not line.startswith(("#", ";")):
            key, _equals, value = line.partition("=")
            keys[key.strip()] = value.strip()
    return collections.OrderedDict((name, keys) for name, keys in found.items() if re.match(r"^zram\d+$", name))


def _is_swap(keys, total_bytes):
    """Whether a device with these keys comes up as swap. A size that is an expression counts as one that is not 0."""
    limit = keys.get("host-memory-limit", keys.get("memory-limit", "none"))
    if limit.isdigit() and int(limit) < total_bytes >> 20:
        return False
    if keys.get("mount-point") or keys.get("fs-type", "swap") != "swap":
        return False
    sizes = [keys[name] for name in ("zram-fraction", "max-zram-size") if name in keys] or [keys.get("zram-size", "")]
    return not any(re.match(r"^0+(\.0*)?$", size) for size in sizes)
