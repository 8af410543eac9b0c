# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What brings an area up at boot: its line of fstab, or its unit. As the host does it, and only one of the two."""

import collections

from . import boot_units, fstab, zram_generator
from .errors import SwapError

AUTO, FSTAB, SYSTEMD = "auto", "fstab", "systemd"

#: fstab: the new text, or None for no such file. files: {path: text or None} of units and generator. enable, disable: unit names.
Plan = collections.namedtuple("Plan", "fstab files enable disable drift")

#: at_boot: whether it comes up. priority, discard: as the line or unit says. where: the file.
Found = collections.namedtuple("Found", "at_boot priority discard where")


def found(wanted, seen, host):
    """The Found of an area as the host stands."""
    if wanted.kind == "zram":
        return _zram_found(wanted, host)
    lines = [line for line in fstab.swap_lines(host.fstab) if line.number in seen.lines and "noauto" not in line.options]
    units = [unit for unit in host.units if unit.name in seen.units and unit.enabled]
    if units:  # a unit of one's own wins over one that is generated from fstab
        return Found(True, units[0].priority, units[0].discard, units[0].file)
    if lines:
        return Found(True, fstab.priority(lines[0]), fstab.discard(lines[0]), fstab.PATH)
    return Found(False, None, "none", None)


def plan(pairs, host, persist_with):
    """The Plan of all areas. pairs: [(Wanted, Seen)]. Raises SwapError where it cannot be done that way."""
    text, files, enable, disable, drift = host.fstab, {}, [], [], {}
    changed_lines = []
    for wanted, seen in pairs:
        before = found(wanted, seen, host)
        where = before.where or fstab.PATH
        if wanted.kind == "zram":
            own_files, on, off = _zram_files(wanted, host, files)
            files.update(own_files)
            enable += on
            disable += off
            differs = bool(own_files or on or off)
            where = before.where or (sorted(own_files) or [where])[0]
        elif not wanted.at_boot:
            changed_lines.append((seen.lines, None, wanted))
            off_files, off = _without_units(wanted, seen, host)
            files.update(off_files)
            disable += off
            differs = bool(seen.lines or off_files or off)
        elif _way(seen, host, persist_with) == FSTAB:
            changed_lines.append((seen.lines, _source(wanted, seen), wanted))
            off_files, off = _without_units(wanted, seen, host)
            files.update(off_files)
            disable += off
            differs = bool(off_files or off or not before.at_boot or before.discard != wanted.discard or len(seen.lines) > 1)
            differs = differs or (wanted.priority is not None and before.priority != wanted.priority)
        else:
            changed_lines.append((seen.lines, None, wanted))
            own_files, on = _with_unit(wanted, seen, host)
            files.update(own_files)
            enable += on
            differs = bool(own_files or on or seen.lines)
            where = before.where or (sorted(own_files) or [where])[0]
        if differs:
            right, now = _told(wanted.at_boot, wanted.priority), _told(before.at_boot, before.priority)
            drift[wanted.key] = (right, now + ", but set up otherwise" if now == right else now, where)
    return Plan(_edited(text, changed_lines), files, enable, disable, drift)


def zram_at_boot(host):
    """Keys of zram that come up by units of ours, or by zram-generator."""
    return [zram for zram, text in host.setup_texts.items() if text] + zram_generator.coming_up(host.generator)


def _way(seen, host, persist_with):
    if persist_with == SYSTEMD and not host.systemd:
        raise SwapError("persist_with is systemd, and systemd does not run here; use fstab")
    if persist_with != AUTO:
        return persist_with
    if seen.lines:
        return FSTAB
    if any(unit.name in seen.units and unit.enabled for unit in host.units):
        return SYSTEMD
    return FSTAB if fstab.is_used(host.fstab) or not host.systemd else SYSTEMD


def _source(wanted, seen):
    """What names the area in fstab: its path, or its UUID where the path is the kernel's own name for a disk, which can change."""
    if wanted.kind == "partition" and wanted.path.count("/") == 2:
        uuid = seen.header.uuid if seen.header else seen.new_uuid
        return "UUID=%s" % uuid if uuid else wanted.path
    return wanted.path


def _edited(text, changed):
    """fstab's text with every area's lines changed. changed: [(numbers, source or None for no line, Wanted)]."""
    drop = set()
    for lines, source, wanted in changed:
        if source and lines:
            text = fstab.with_line(text, lines[0], source, wanted.priority, wanted.discard)
        drop.update(lines[1:] if source else lines)
    text = fstab.without(text, drop) if drop else text
    for lines, source, wanted in changed:
        if source and not lines:
            text = fstab.with_line(text, None, source, wanted.priority, wanted.discard)
    return text


def _with_unit(wanted, seen, host):
    for unit in host.units:
        if unit.name in seen.units and unit.enabled and unit.discard == wanted.discard and wanted.priority in (None, unit.priority):
            return {}, []
    what = fstab.source_path(_source(wanted, seen))
    name = boot_units.name_of(what)
    file = "%s/%s" % (boot_units.FOLDER, name)
    there = next((unit for unit in host.units if unit.name == name), None)
    text = boot_units.swap_unit(what, wanted.priority, wanted.discard)
    files = {} if there and there.file == file and there.text == text else {file: text}
    return files, [] if there and there.enabled else [name]


def _without_units(wanted, seen, host):
    files, disable = {}, []
    for unit in host.units:
        if unit.name in seen.units:
            if unit.enabled:
                disable.append(unit.name)
            if unit.text.startswith(boot_units.HEADER):
                files[unit.file] = None
    return files, disable


def _zram_found(wanted, host):
    comes_up, priority, path = zram_generator.at_boot(host.generator, wanted.key)
    if host.generator.installed and path:
        return Found(comes_up, priority, "none", path)
    unit = next((unit for unit in host.units if unit.name == boot_units.name_of(wanted.path)), None)
    if unit and unit.enabled and host.setup_texts.get(wanted.key):
        return Found(True, unit.priority, unit.discard, unit.file)
    return Found(False, None, "none", None)


def _zram_files(wanted, host, files):
    """(files, enable, disable) for one zram; with the generator, or with units of ours."""
    service = "%s/%s" % (boot_units.FOLDER, boot_units.setup_service(wanted.key))
    swap = "%s/%s" % (boot_units.FOLDER, boot_units.name_of(wanted.path))
    unit = next((unit for unit in host.units if unit.file == swap), None)
    ours = {service: host.setup_texts.get(wanted.key), swap: unit.text if unit and unit.text.startswith(boot_units.HEADER) else None}
    enabled = bool(unit and unit.enabled)
    want = {service: None, swap: None}
    if wanted.at_boot and not host.generator.installed:
        want[service] = boot_units.setup_service_text(wanted.key, wanted.size_bytes, wanted.algorithm, host.programs)
        want[swap] = boot_units.swap_unit(wanted.path, wanted.priority, wanted.discard, boot_units.setup_service(wanted.key))
    changed = {path: text for path, text in want.items() if ours[path] != text}
    before = files.get(zram_generator.OURS, host.generator.text)
    areas = [area for area in zram_generator.areas(before) if area.zram != wanted.key] + _generated(wanted, host.generator)
    after = zram_generator.text(sorted(areas))
    if after != before and (after or before):
        changed[zram_generator.OURS] = after
    name = boot_units.name_of(wanted.path)
    on = [name] if want[swap] and not enabled else []
    off = [name] if not want[swap] and ours[swap] and enabled else []
    return changed, on, off


def _generated(wanted, generator):
    """[zram_generator.Area] that our drop-in has of it: none where the others' files alone make it as it is to be."""
    other = generator.others.get(wanted.key)
    if not generator.installed or (other and wanted.set_up_by):
        return []
    if wanted.at_boot and wanted.size_bytes:
        return [zram_generator.Area(wanted.key, wanted.size_bytes, wanted.algorithm, wanted.priority)]
    return [zram_generator.Area(wanted.key, 0, None, None)] if other else []


def _told(at_boot, priority):
    return "not at boot" if not at_boot else "at boot" if priority is None else "at boot, priority %d" % priority
