# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All areas of one call: what is so, what would change, what must not. Reads the host, changes nothing."""

import collections

from . import boot, boot_units, fstab, host_state, judging, room, volumes, zram_generator
from .judging import LEAVE, SWITCH
from .sizes import told
from .wanted import Wanted

#: What is asked. wanted: [Wanted]. margin_bytes: None for the usual. format_devices: paths. persist_with: boot.AUTO, FSTAB or SYSTEMD.
Request = collections.namedtuple("Request", "wanted exclusive margin_bytes format_devices persist_with")


class Decision(collections.namedtuple("Decision", "host judged plan margin refused changes drift compliant unsupported notes diff")):
    """judged: [judging.Judged] in the order in which they are done. The lists are the module's results, whose shape it documents."""

    @property
    def changed(self):
        return any(one.steps for one in self.judged) or self.boot_changes

    @property
    def boot_changes(self):
        plan = self.plan
        return bool(plan.files or plan.enable or plan.disable or (plan.fstab or "") != (self.host.fstab or ""))


def decide(probe, request):
    """The Decision as the host is now. Raises SwapError, CommandError and OSError where it cannot be read."""
    host = host_state.host(probe)
    wanted = list(request.wanted)
    unsupported = []
    if request.exclusive:
        wanted += _unlisted(probe, host, wanted)
    pairs = [(area, host_state.area(probe, host, area)) for area in wanted]
    coming_up = boot.zram_at_boot(host)
    for area, seen in pairs:
        if area.kind == "zram" and seen.running and not area.at_boot and area.key not in coming_up:
            why = "neither units of memops nor zram-generator set it up; whatever did is left as it is, and may set it up again at boot"
            unsupported.append({"key": area.key, "why": why})
    plan = boot.plan(pairs, host, request.persist_with)
    judged = [judging.judge(area, seen, host, request.format_devices) for area, seen in pairs]
    judged.sort(key=lambda one: one.off is not None)  # what only adds swap goes first, so that there is more room for the rest
    refused = [{"key": one.wanted.key, "why": why} for one in judged for why in one.refused]
    if any(one.wanted.kind == "zram" and one.wanted.exists and one.seen.algorithms is None for one in judged) and not host_state.zram_can_be_loaded(probe):
        refused += [{"key": one.wanted.key, "why": "this kernel has no zram"} for one in judged if one.wanted.kind == "zram" and one.wanted.exists]
    margin = room.margin_bytes(request.margin_bytes, host.total_bytes)
    refused += _without_room(host, judged, margin)
    drift = [
        {"key": one.wanted.key, "face": face, "wanted": right, "found": found, "where": where} for one in judged for face, right, found, where in one.drift
    ]
    drift += [{"key": key, "face": "boot", "wanted": right, "found": found, "where": where} for key, (right, found, where) in plan.drift.items()]
    differing = {entry["key"] for entry in drift}
    return Decision(
        host=host,
        judged=judged,
        plan=plan,
        margin=margin,
        refused=refused,
        changes=[
            {"key": one.wanted.key, "old": as_is(one.wanted, one.seen, host), "new": as_wanted(one.wanted, one.seen, host)}
            for one in judged
            if one.steps or one.wanted.key in plan.drift
        ],
        drift=drift,
        compliant=[area.key for area in wanted if area.key not in differing],
        unsupported=unsupported,
        notes=[area.key + ": " + area.told for area in wanted if area.told] + [note for one in judged for note in one.notes],
        diff={"before": _text(host, judged, plan, False), "after": _text(host, judged, plan, True)},
    )


def as_is(wanted, seen, host):
    """An area for the journal and the results: None where there is none.

    {kind, size_bytes, priority (None: the kernel's choice), running, at_boot,
    discard}, with algorithm for zram, and set_up_by where a file of somebody else
    has zram-generator make it; with volume_group and name for a volume.
    """
    found = boot.found(wanted, seen, host)
    there = seen.found == "file" and bool(seen.header) if wanted.kind == "file" else wanted.kind == "zram" and seen.holds == "swap"
    if not (seen.running or found.at_boot or there):
        return None
    size = seen.running.size_bytes if seen.running else seen.header.size_bytes if seen.header else seen.size_bytes
    priority = found.priority if found.at_boot and not seen.running else None
    if seen.running and seen.running.priority >= 0:
        priority = seen.running.priority
    entry = _entry(wanted, seen.size_bytes if wanted.kind == "zram" else size, priority, bool(seen.running), found.at_boot, found.discard, seen.algorithm)
    other = host.generator.others.get(wanted.key) if wanted.kind == "zram" else None
    if other and other.path == found.where:
        entry["set_up_by"] = other.path
    return entry


def as_wanted(wanted, seen, host):
    """The same of what is wanted."""
    now = as_is(wanted, seen, host) or {}
    if wanted.exists is False or (wanted.exists is None and not now) or (wanted.kind != "file" and not (wanted.running or wanted.at_boot)):
        return None
    size = wanted.size_bytes or now.get("size_bytes") or seen.size_bytes
    if seen.volume and wanted.size_bytes:
        size = volumes.rounded(seen.volume, wanted.size_bytes)
    priority = now.get("priority") if wanted.priority is None else wanted.priority
    entry = _entry(wanted, size, priority, wanted.running, wanted.at_boot, wanted.discard, wanted.algorithm)
    if wanted.kind == "lv" and seen.volume and seen.volume.size_bytes is None:
        entry["made"] = True
    if wanted.set_up_by and wanted.key in host.generator.others:
        entry["set_up_by"] = host.generator.others[wanted.key].path
    return entry


def _entry(wanted, size, priority, running, at_boot, discard, algorithm):
    entry = collections.OrderedDict([("kind", wanted.kind), ("size_bytes", size), ("priority", priority), ("running", running)])
    entry.update(at_boot=at_boot, discard=discard)
    if wanted.kind == "zram":
        entry["algorithm"] = algorithm
    if wanted.volume_group:
        entry.update(volume_group=wanted.volume_group, name=wanted.name)
    return entry


def _unlisted(probe, host, wanted):
    """A Wanted to be left for each area that the host uses, or would at boot, and that is not in the list."""
    listed = {area.path for area in wanted}
    listed_as = {probe.identity(area.path) for area in wanted} - {None}
    more = collections.OrderedDict()

    def add(path, kind):
        identity = probe.identity(path)
        if path in listed or identity in listed_as or any(identity and probe.identity(other) == identity for other in more) or path in more:
            return
        key = path[len("/dev/") :] if kind == "zram" else path
        more[path] = Wanted(key, kind, path, None, "", None, None, False, False, None, "none", None, None, None)

    for area in host.running:
        add(area.path, "zram" if area.kind == "zram" else "file" if area.kind == "file" else "partition")
    for line in fstab.swap_lines(host.fstab):
        path = fstab.source_path(line.source)
        known = [area for area in host.running if line.source.startswith("UUID=") and (probe.header(area.path) or (0, ""))[1] == line.source[5:]]
        named = [area for area in wanted if line.source.startswith("UUID=") and (probe.header(area.path) or (0, ""))[1] == line.source[5:]]
        if not known and not named:
            add(path, "partition" if path.startswith("/dev/") else "file")
    for unit in host.units:
        if unit.enabled and unit.what and not unit.what.startswith("/dev/zram"):
            path = fstab.source_path(unit.what)
            add(path, "partition" if path.startswith("/dev/") else "file")
    for key in boot.zram_at_boot(host):
        add("/dev/" + key, "zram")
    return list(more.values())


def _without_room(host, judged, margin):
    """[{key, why}] of areas that cannot be turned off in the order in which it would be done."""
    sums = room.Room(host.available_bytes, host.running, margin)
    refused = []
    for phase in (SWITCH, LEAVE):
        for one in judged:
            if (SWITCH if one.wanted.running else LEAVE) != phase:
                continue
            why = sums.turn_off(one.off) if one.off else None
            if why:
                refused.append({"key": one.wanted.key, "why": why})
            if one.on:
                sums.turn_on(one.wanted.path, one.wanted.kind, one.wanted.size_bytes or one.seen.size_bytes or 0)
    return refused


def _text(host, judged, plan, after):
    """The host's swap as text, before or after: what is in use, and the files that differ."""
    lines = ["# in use"]
    shown = set()
    for one in judged:
        entry = (as_wanted if after else as_is)(one.wanted, one.seen, host)
        if one.seen.running:
            shown.add(one.seen.running.path)
        if entry and entry["running"]:
            lines.append(_line(one.wanted.path, entry["kind"], entry["size_bytes"], entry["priority"]))
    lines += [_line(area.path, area.kind, area.size_bytes, area.priority) for area in host.running if area.path not in shown]
    lines[1:] = sorted(lines[1:])
    if (plan.fstab or "") != (host.fstab or ""):
        lines += ["# " + fstab.PATH] + ((plan.fstab if after else host.fstab) or "").splitlines()
    texts = {unit.file: unit.text for unit in host.units}
    texts.update({"%s/%s" % (boot_units.FOLDER, boot_units.setup_service(zram)): text for zram, text in host.setup_texts.items()})
    texts[zram_generator.OURS] = host.generator.text
    for path, text in sorted(plan.files.items()):
        text = text if after else texts.get(path)
        lines += ["# %s%s" % (path, "" if text else " (not there)")] + (text or "").splitlines()
    lines += ["# %s is %s" % (name, "enabled" if after else "not enabled") for name in plan.enable]
    lines += ["# %s is %s" % (name, "not enabled" if after else "enabled") for name in plan.disable]
    for one in judged:
        for step in one.steps:
            if step.verb in ("delete_file", "remove_volume"):
                lines.append("# %s is %s" % (one.wanted.path, "deleted" if after else "there"))
    return "\n".join(lines) + "\n"


def _line(path, kind, size, priority):
    chosen = "the kernel's choice" if priority is None or priority < 0 else priority
    return "%s  %s  %s  priority %s" % (path, kind, told(size or 0), chosen)
