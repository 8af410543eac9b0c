# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run would do to this host: decided from what was read, nothing is written."""

import collections

from . import arithmetic, expressions, faces, kept, refusals, write_order
from . import host as hosts
from .overlay import Overlay

#: How many foreign files can be taken out of the way one after the other.
CONFLICTS_LIMIT = 20
AT_BOOT = "@boot"
#: Parts of the kernel's command line that set what a tunable sets, by what they begin with.
COMMAND_LINE = (("transparent_hugepage=", "thp.enabled"), ("zswap.", "zswap."), ("hugepages=", "vm.nr_hugepages"), ("panic=", "kernel.panic"))

#: profile, values ({key: value}), catalogue ({key: entry}), force, persist, own_conflicts: the module's options.
Request = collections.namedtuple("Request", "profile values catalogue force persist own_conflicts")
#: host: a Host. running: {key: text or None}. kept: a Kept. faces: of at_boot. reader: a Reader.
Present = collections.namedtuple("Present", "host running kept faces reader")
#: A line of a foreign file that is taken out of use (or put back: old and new the other way round). lines: text.
Conflict = collections.namedtuple("Conflict", "path key lines")


class Plan:
    """values: {key: (old, new)} to write, in that order. texts: {path: (old, new)}; None for no file.

    kept: {key: (old, new)} of our own files. conflicts: Conflict. sums: {key: sentence}. wanted: {key: text}.
    The rest is as the module returns it.
    """

    def __init__(self):
        self.wanted = collections.OrderedDict()
        self.sums = {}
        self.values = collections.OrderedDict()
        self.kept = collections.OrderedDict()
        self.texts = collections.OrderedDict()
        self.conflicts = []
        self.drift = []
        self.compliant = []
        self.refused = []
        self.force_helps = False
        self.unsupported = []
        self.left_alone = []
        self.notes = []
        self.warnings = []

    @property
    def changes_anything(self):
        return bool(self.values or self.texts)


def present(reader, catalogue):
    """The host as it is. catalogue: of all keys that play a part."""
    host = hosts.read(reader)
    return Present(host, hosts.running(reader, catalogue), kept.read(reader), faces.at_boot(reader, catalogue), reader)


def decide(request, now):
    """The Plan for the wanted values. now: a Present."""
    plan = Plan()
    for key, value in request.values.items():
        _resolve(plan, key, value, request, now)
    after = dict(now.running, **plan.wanted)
    for key in plan.wanted:
        partner = request.catalogue[key].get("pair")
        if partner:
            after[partner] = "0"
    state = refusals.State(list(plan.wanted), now.running, after, now.host, request.profile, request.catalogue)
    _refuse(plan, refusals.refused(state), request.force)
    changes = {key: value for key, value in plan.wanted.items() if now.running[key] != value}
    for key in write_order.ordered(changes, _numbers(now.running), now.host):
        plan.values[key] = (now.running[key], changes[key])
    if request.persist:
        plan_files(plan, plan.wanted, request.catalogue, now)
        if request.own_conflicts:
            _take_conflicts(plan, request.catalogue, now)
    _tell_drift(plan, request, now)
    _tell_notes(plan, request, now, refusals.dirty_note(state))
    return plan


def plan_files(plan, values, catalogue, now):
    """Add to the plan what our own files become with these values ({key: text, or None to take it out})."""
    wanted = {key: (kept.value_of(now.kept, key, catalogue[key]), value) for key, value in values.items()}
    after = kept.changed(now.kept, values, catalogue)
    for key, (old, new) in wanted.items():
        if old != new:
            plan.kept[key] = (old, new)
    for key in values:
        partner = catalogue[key].get("pair")
        if values[key] is not None and partner in now.kept.sysctls and partner not in values:
            plan.kept[partner] = (now.kept.sysctls[partner], None)
    if after == now.kept:
        return
    for path, text in kept.texts(after).items():
        former = now.reader.text(path, expected=False)
        if former != text:
            plan.texts[path] = (former, text)


def _resolve(plan, key, value, request, now):
    entry = request.catalogue[key]
    if now.running[key] is None:
        plan.unsupported.append({"key": key, "why": _why_unsupported(key, entry, now.host)})
        return
    reference = kept.value_of(now.kept, key, entry) or now.running[key]
    try:
        resolved = arithmetic.resolve(expressions.parse(value, entry), entry, now.host, reference)
    except expressions.ExpressionError as error:
        plan.refused.append({"key": key, "why": "%s: %s" % (value, error)})
        return
    if resolved.value is None:
        return
    plan.wanted[key] = resolved.value
    if resolved.sum:
        plan.sums[key] = resolved.sum
        plan.notes.append("%s: %s." % (key, resolved.sum))


def _why_unsupported(key, entry, host):
    path = hosts.path_of(key, entry)
    if entry.get("since") and host.kernel < hosts.kernel_version(entry["since"]):
        return "kernel %s has no %s; it came with %s" % (host.release, path, entry["since"])
    if entry.get("until") and host.kernel > hosts.kernel_version(entry["until"]):
        return "kernel %s has no %s any more; the last one was %s" % (host.release, path, entry["until"])
    return "kernel %s has no %s; it was built without it, or this is a container" % (host.release, path)


def _refuse(plan, found, force):
    if not force:
        plan.refused.extend(found)
        plan.force_helps = bool(found)
        return
    plan.warnings.extend("%s: done by force, although %s." % (one["key"], one["why"]) for one in found)


def _take_conflicts(plan, catalogue, now):
    """Add the lines of foreign files below /etc that would win over ours, as far as they name the key."""
    texts = {path: new for path, (_old, new) in plan.texts.items()}
    for _round in range(CONFLICTS_LIMIT):
        conflict = _next_conflict(plan, catalogue, Overlay(now.reader, texts))
        if conflict is None:
            return
        plan.conflicts.append(conflict[0])
        texts[conflict[0].path] = conflict[1]
        first = plan.texts.get(conflict[0].path)
        plan.texts[conflict[0].path] = (first[0] if first else now.reader.text(conflict[0].path), conflict[1])


def _next_conflict(plan, catalogue, reader):
    """(Conflict, the file's text without it), or None."""
    for key, shown in faces.at_boot(reader, catalogue).items():
        for face in shown.values():
            if key not in plan.wanted or face.value == plan.wanted[key] or not (face.where or "").startswith("/etc/"):
                continue
            for name in (key, catalogue[key].get("pair")):
                text, taken = kept.without(reader.text(face.where, expected=False) or "", name)
                if taken and face.where not in (kept.SYSCTL_FILE, kept.TMPFILES_FILE):
                    return Conflict(face.where, name, taken), text
    return None


def _tell_drift(plan, request, now):
    for key, wanted in plan.wanted.items():
        found = [(faces.RUNNING, now.running[key], hosts.path_of(key, request.catalogue[key]), ())]
        if request.persist:
            found += [(name, face.value, face.where, face.shadowed) for name, face in sorted(now.faces[key].items())]
        drifted = [
            {"key": key, "face": name, "wanted": wanted, "found": value, "where": where, "shadowed": list(shadowed)}
            for name, value, where, shadowed in found
            if value != wanted
        ]
        plan.drift.extend(drifted)
        if not drifted:
            plan.compliant.append(key)


def remaining(plan, catalogue, reader):
    """Sentences on what would still not hold after the plan, because a foreign file wins."""
    told = []
    texts = {path: new for path, (_old, new) in plan.texts.items()}
    after = faces.at_boot(Overlay(reader, texts) if texts else reader, {key: catalogue[key] for key in plan.wanted})
    for key, shown in after.items():
        for name, face in sorted(shown.items()):
            if face.value != plan.wanted[key]:
                told.append(
                    "%s: %s still sets it to %s %s, over %s. Remove that line, or set own_conflicts (vm_tunables_own_conflicts) where it is below /etc."
                    % (key, face.where, face.value, "at boot" if name == faces.BOOT else "with sysctl --system", kept.SYSCTL_FILE)
                )
    return told


def _tell_notes(plan, request, now, dirty_note):
    if dirty_note:
        plan.notes.append(dirty_note)
    words = now.host.command_line.split()
    for key in plan.wanted:
        for word in words:
            if word.startswith("sysctl.%s=" % key) or any(word.startswith(start) and key.startswith(tunable) for start, tunable in COMMAND_LINE):
                plan.notes.append("%s: the kernel's command line says %s, which holds until our file is applied in the boot." % (key, word))
    if plan.wanted.get("vm.swappiness") == "0" and (now.host.containers or request.profile == "container_host"):
        plan.notes.append("vm.swappiness: with 0 a container that reaches its limit is not swapped, but killed.")
    if request.persist:
        unresolved = set(kept.changed(now.kept, dict.fromkeys(plan.wanted), request.catalogue).sysctls)
        others = sorted(key for key in unresolved if key not in plan.wanted and key not in plan.kept)
        if others:
            plan.notes.append("%s keeps values of earlier runs too, which this one does not name: %s." % (kept.SYSCTL_FILE, ", ".join(others)))
        plan.warnings.extend(remaining(plan, request.catalogue, now.reader))


def _numbers(values):
    return {key: value for key, value in values.items() if value is not None}
