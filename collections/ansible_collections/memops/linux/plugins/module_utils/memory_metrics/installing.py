# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Installs the metrics on the host and removes them, whole or not at all."""

import os
import sys
import zlib

from ..changes.change_journal import LOCK
from ..changes.host_command import CommandError
from . import packing, program

PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")

_TIMER = os.path.basename(packing.TIMER)
_SERVICE = os.path.basename(packing.SERVICE)


class InstallError(Exception):
    """The text names what failed, and what has been put back."""


def install(files, command, wanted, check_mode):
    """wanted: directory, interval_seconds, cgroups, python (None: the host's own). Gives the module's result. Raises InstallError."""
    _refuse_what_cannot_be(files, wanted)
    texts = packing.files(wanted["directory"], wanted["interval_seconds"], wanted["cgroups"], wanted["python"] or _python(files))
    result = {"metrics_file": "%s/%s" % (wanted["directory"], program.NAME), "notes": []}
    if not files.exists(wanted["directory"]):
        result["notes"].append("%s was not there: node_exporter must be told of it with --collector.textfile.directory." % wanted["directory"])
    with files.locked(LOCK) if not check_mode else _Nothing():
        former = {path: files.read(path) for path in texts}
        units = _units(command)
        runs = units[_TIMER]["ActiveState"] == "active" and units[_TIMER]["UnitFileState"] == "enabled"
        differing = [path for path in texts if former[path] != texts[path]]
        stale = any(unit["NeedDaemonReload"] == "yes" for unit in units.values())
        missing = not files.exists(wanted["directory"])
        result.update(changed=bool(differing or stale or missing) or not runs, diff=_diff(former, texts, runs, True))
        if missing:
            result["diff"]["after"] += "\n# %s\na folder\n" % wanted["directory"]
        if result["changed"] and not check_mode:
            _make(files, command, wanted["directory"], texts, former, units[_TIMER])
    return result


def remove(files, command, directory, check_mode):
    """Gives the module's result. Raises InstallError."""
    paths = (packing.ARCHIVE, packing.SERVICE, packing.TIMER, "%s/%s" % (directory, program.NAME))
    with files.locked(LOCK) if not check_mode else _Nothing():
        former = {path: files.read(path) if path != paths[3] else None for path in paths[:3]}
        there = [path for path in paths if files.exists(path)]
        runs = _units(command)[_TIMER]["ActiveState"] == "active"
        result = {"changed": bool(there) or runs, "diff": _diff(former, dict.fromkeys(former), runs, False), "metrics_file": paths[3], "notes": []}
        if result["changed"] and not check_mode:
            try:
                if runs or files.exists(packing.TIMER):
                    command.do(["systemctl", "disable", "--now", _TIMER])
                    command.do(["systemctl", "stop", _SERVICE])
                for path in there:
                    files.remove(path)
                command.do(["systemctl", "daemon-reload"])
            except (CommandError, OSError) as error:
                raise InstallError("The metrics could not be removed altogether: %s. Run it again when that is mended." % error) from None
    return result


def _make(files, command, directory, texts, former, timer):
    try:
        os.makedirs(files.path(directory), mode=0o755, exist_ok=True)
        for path, text in texts.items():
            if former[path] != text:
                files.write(path, text)
        command.do(["systemctl", "daemon-reload"])
        command.do(["systemctl", "start", _SERVICE])
        command.do(["systemctl", "enable", _TIMER])
        command.do(["systemctl", "restart", _TIMER])
    except (CommandError, OSError) as error:
        put_back = _put_back(files, command, former, timer)
        raise InstallError("The metrics could not be installed: %s. See `journalctl -u %s`. %s" % (error, _SERVICE, put_back)) from None


def _put_back(files, command, former, timer):
    try:
        if timer["ActiveState"] != "active":
            command.ask(["systemctl", "disable", "--now", _TIMER])
        for path, text in former.items():
            if text is None:
                files.remove(path)
            else:
                files.write(path, text)
        command.do(["systemctl", "daemon-reload"])
    except (CommandError, OSError) as error:
        return "What was there before could not be put back either: %s." % error
    return "All is as it was before."


def _refuse_what_cannot_be(files, wanted):
    if not files.exists("/run/systemd/system"):
        raise InstallError("This host does not run systemd, whose timer would write the metrics.")
    for name in ("directory", "python"):
        if wanted[name] and not packing.is_plain(wanted[name]):
            raise InstallError("%s: %r is not an absolute path of letters, digits and ._+-/ only." % (name, wanted[name]))
    for name, least, most in (("interval_seconds", 5, 3600), ("cgroups", 1, 400)):
        if not least <= wanted[name] <= most:
            raise InstallError("%s: %d is not between %d and %d." % (name, wanted[name], least, most))


def _python(files):
    """The host's own Python outlives an environment that Ansible happens to run in."""
    return next((path for path in PYTHONS if files.exists(path)), os.path.realpath(sys.executable))


def _units(command):
    """{unit: {property: text}}; a unit that is not there has empty ones."""
    wanted = ("Id", "ActiveState", "UnitFileState", "NeedDaemonReload")
    units = {}
    for unit in (_TIMER, _SERVICE):
        told = command.ask(["systemctl", "show", "--property=" + ",".join(wanted), unit]).output
        fields = dict(line.partition("=")[::2] for line in told.splitlines())
        units[unit] = {name: fields.get(name, "") for name in wanted}
    return units


def _diff(former, texts, runs, shall_run):
    return {"before": _shown(former, runs), "after": _shown(texts, shall_run)}


def _shown(texts, runs):
    parts = []
    for path, text in sorted(texts.items()):
        if text is not None:
            data = text.encode("utf-8", "surrogateescape")
            parts.append("# %s\n%s" % (path, "%d bytes, checksum %08x\n" % (len(data), zlib.crc32(data)) if path == packing.ARCHIVE else text))
    parts.append("# running\n%s %s\n" % (_TIMER, "active" if runs else "inactive"))
    return "\n".join(parts)


class _Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return False
