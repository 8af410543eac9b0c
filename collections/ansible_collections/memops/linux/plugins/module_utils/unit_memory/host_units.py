# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What units are now: by systemd, by their files, by the kernel."""

import collections
import os
import re

from . import unit_files, unit_names
from .settings import SETTINGS, Memory, kernel_value

ROOT = "/sys/fs/cgroup"
#: A host that swaps answers late.
SLOW_SECONDS = 180
_ALSO = ("Id", "Names", "LoadState", "LoadError", "ActiveState", "FragmentPath", "ControlGroup", "Slice", "MainPID", "NeedDaemonReload", "Transient")

#: systemd: its version's number. cgroup: 1 or 2, where memory is counted. memory: settings.Memory. unit_path: folders, the first wins.
Host = collections.namedtuple("Host", "systemd cgroup memory unit_path psi")

#: name: systemd's own, never an alias. shown: {property: text} of the manager. read: see unit_files.files_of. ours: {property: text} of our drop-in,
#: ours_text: the whole of it or None. group: its cgroup's path, "" where it has none now. kernel: {property: value} of the files there are.
#: processes: {pid: oom_score_adj}, main_pid first. usage_bytes and cache_bytes (clean and dirty file pages): None where nothing counts them.
Unit = collections.namedtuple(
    "Unit",
    "name kind state error active reload transient slice_name shown read ours ours_text fragment_text group kernel main_pid processes usage_bytes cache_bytes",
)


class UnitError(Exception):
    """The host cannot be read as one that systemd runs; the text says why."""


def host(files, commands):
    """The Host. Raises UnitError and CommandError."""
    if not files.exists("/run/systemd/system"):
        raise UnitError("systemd does not run this host (there is no /run/systemd/system), so there are no units to set")
    version = re.match(r"systemd (\d+)", commands.do(["systemctl", "--version"]))
    path = commands.do(["systemctl", "show", "--no-pager", "--property=UnitPath"], SLOW_SECONDS).strip().partition("=")[2].split()
    memory = Memory(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_PAGE_SIZE"))
    cgroup = 2 if files.exists(ROOT + "/cgroup.controllers") else 1
    return Host(int(version.group(1)) if version else 0, cgroup, memory, path or [unit_files.FOLDER], files.exists("/proc/pressure/memory"))


def units(files, commands, about, names):
    """{name as asked: Unit}, all in one call of systemctl. about: a Host."""
    if not names:
        return {}
    wanted = ",".join(_ALSO + tuple(SETTINGS))
    output = commands.do(["systemctl", "show", "--no-pager", "--property=" + wanted, "--"] + list(names), SLOW_SECONDS)
    blocks = [_properties(block) for block in output.strip("\n").split("\n\n")]
    if len(blocks) != len(names):
        raise UnitError("systemctl show told of %d units, not of the %d that were asked for: %s" % (len(blocks), len(names), ", ".join(names)))
    return {name: _unit(files, about, name, shown) for name, shown in zip(names, blocks)}


def again(files, commands, about, found):
    """The same units, read again."""
    return units(files, commands, about, list(found))


def _properties(block):
    shown = collections.OrderedDict()
    for line in block.splitlines():
        name, equals, text = line.partition("=")
        if equals:
            shown[name] = text
    return shown


def _unit(files, about, asked, shown):
    name = shown.get("Id") or asked
    kind = name.rpartition(".")[2]
    aliases = [one for one in shown.get("Names", "").split() if one != name]
    group = shown.get("ControlGroup", "").rstrip("/")
    text = files.read(unit_files.drop_in(name))
    main = int(shown.get("MainPID") or 0)
    usage, cache = use(files, about, group) if group else (None, None)
    return Unit(
        name=name,
        kind=kind,
        state=shown.get("LoadState", "not-found"),
        error=shown.get("LoadError", ""),
        active=shown.get("ActiveState") in ("active", "activating", "reloading", "deactivating"),
        reload=shown.get("NeedDaemonReload") == "yes",
        transient=shown.get("Transient") == "yes",
        slice_name=shown.get("Slice") or (unit_names.slice_above(name) if kind == "slice" else "system.slice"),
        shown={property_: shown[property_] for property_ in SETTINGS if property_ in shown},
        read=unit_files.files_of(files, [name] + aliases, about.unit_path, shown.get("FragmentPath", "")),
        ours=unit_files.assignments(text),
        ours_text=text,
        fragment_text=files.read("%s/%s" % (unit_files.FOLDER, name)) if kind == "slice" else None,
        group=group,
        kernel=_kernel(files, about, group) if group else {},
        main_pid=main,
        processes=_processes(files, about, group, main) if group and kind == "service" else collections.OrderedDict(),
        usage_bytes=usage,
        cache_bytes=cache,
    )


def kernel_file(about, group, name):
    """The path of a setting's file in a cgroup; None where this version has none."""
    setting = SETTINGS[name]
    if about.cgroup == 2:
        return "%s%s/%s" % (ROOT, group, setting.v2) if setting.v2 else None
    controller = "pids" if name == "TasksMax" else "memory"
    return "%s/%s%s/%s" % (ROOT, controller, group, setting.v1) if setting.v1 else None


def _kernel(files, about, group):
    found = {}
    for name in SETTINGS:
        path = kernel_file(about, group, name)
        value = kernel_value(name, files.read(path)) if path else None
        if value is not None:
            found[name] = value
    return found


def _processes(files, about, group, main):
    top = "%s%s%s" % (ROOT, "" if about.cgroup == 2 else "/systemd", group)
    pids = set()
    for folder, _folders, _names in os.walk(files.path(top)):
        try:
            with open(folder + "/cgroup.procs") as stream:
                pids.update(int(line) for line in stream if line.strip().isdigit())
        except OSError:
            continue  # it ended meanwhile, or is threaded
    scores = collections.OrderedDict()
    for pid in sorted(pids - {0}, key=lambda pid: (pid != main, pid)):
        score = _score(files, pid)
        if score is not None:
            scores[pid] = score
    return scores


def _score(files, pid):
    try:
        return int(files.read("/proc/%d/oom_score_adj" % pid))
    except (OSError, TypeError, ValueError):
        return None  # it ended meanwhile


def use(files, about, group):
    """(bytes that the cgroup uses, bytes of it that are file pages), or (None, None)."""
    folder = "%s%s%s" % (ROOT, "" if about.cgroup == 2 else "/memory", group)
    usage = (files.read(folder + ("/memory.current" if about.cgroup == 2 else "/memory.usage_in_bytes")) or "").strip()
    if not usage.isdigit():
        return None, None
    stat = dict(line.split()[:2] for line in (files.read(folder + "/memory.stat") or "").splitlines() if len(line.split()) > 1)
    prefix = "" if about.cgroup == 2 else "total_"
    cache = sum(int(stat.get(prefix + name, 0)) for name in ("inactive_file", "active_file"))
    return int(usage), min(cache, int(usage))


def protections(files, slice_name):
    """What each child of a slice's cgroup keeps for itself by memory.min or memory.low: {cgroup path: bytes or "infinity"}. Version 2."""
    above = unit_names.slice_path(slice_name)
    kept = {}
    try:
        children = os.listdir(files.path(ROOT + above))
    except OSError:
        return kept
    for child in children:
        group = "%s/%s" % (above, child)
        found = [kernel_value("MemoryMin", files.read("%s%s/%s" % (ROOT, group, name))) for name in ("memory.min", "memory.low")]
        found = [one for one in found if one]
        if found:
            kept[group] = "infinity" if "infinity" in found else max(found)
    return kept


def known_names(commands):
    """The names of all units that have a file or run, for saying which is near to one that does not exist."""
    names = set()
    for argv in (["systemctl", "list-unit-files", "--no-legend", "--no-pager"], ["systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager"]):
        names.update(line.split()[0] for line in commands.ask(argv).output.splitlines() if line.strip())
    return sorted(names)
