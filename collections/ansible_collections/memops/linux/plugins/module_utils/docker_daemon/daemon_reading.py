# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Docker daemon of this host as it is: its unit, its file, and what it says of itself."""

import collections
import hashlib
import json
import os
import re
import shlex

from ..changes import host_command
from . import container_reading, daemon_keys, daemon_plan
from .container_limits import Host
from .engine_client import ClientError, EngineClient

DEFAULT_PATH = "/etc/docker/daemon.json"
RECORD = "/var/lib/memops/docker_daemon.json"

#: daemon: a daemon_plan.Daemon. program: dockerd's path. identity: of the process that runs, or None. containers: [Container] that run or were
#: named. left_out: how many were not looked at. host: a container_limits.Host. link: where daemon.json leads, where it is a link, else None.
Situation = collections.namedtuple("Situation", "daemon program identity containers left_out host link")


class NoDockerError(Exception):
    """There is no Docker daemon on this host, or it cannot be spoken to; the text says what to do."""


def client(files, socket):
    return EngineClient(files.path(socket))


def read(files, service, socket, path=None, names=()):
    """The Situation. names: containers to be looked at whether they run or not. Raises NoDockerError, CommandError, OSError, ValueError."""
    unit = unit_properties(service)
    if unit.get("LoadState") != "loaded":
        raise NoDockerError("there is no Docker on this host: no unit %s (%s). Install Docker, or name its unit." % (service, unit.get("LoadState")))
    program, words = command_line(unit.get("ExecStart", ""))
    pid = int(unit.get("MainPID") or 0)
    state = {"active": "running", "reloading": "running", "failed": "failed", "activating": "failed"}.get(unit.get("ActiveState"), "stopped")
    words = _expanded(files, words, unit.get("EnvironmentFiles", "")) + _running_words(files, pid)
    path = path or _option(words, "--config-file") or DEFAULT_PATH
    text = files.read(path)
    info, containers, left_out = {}, [], 0
    if state == "running":
        engine = client(files, socket)
        try:
            info = engine.get("/info")
            containers, left_out = container_reading.read(files, engine, names)
        except ClientError as error:
            raise NoDockerError("%s. %s is active: see journalctl -u %s." % (error, service, service)) from None
    identity = _identity(files, pid) if state == "running" else None
    known = _record(files, identity)
    digest = _digest(text)
    daemon = daemon_plan.Daemon(
        path=path,
        text=text,
        options=daemon_keys.from_options(words),
        state=state,
        info=info if isinstance(info, dict) else {},
        cgroup_version=2 if files.exists("/sys/fs/cgroup/cgroup.controllers") else 1,
        running=[container.name for container in containers if container.running],
        in_effect=known["in_effect"],
        unsure=known["unsure"] or (None if digest in known["digests"] else _changed_since(files, path, identity)),
        reloaded=digest == known["reloaded"],
    )
    return Situation(daemon, program, identity, containers, left_out, _host(files, info), _link(files, path))


def remember(files, situation, plan, began, restarted=False):
    """Keep what the daemon that runs has otherwise than its file says.

    began: whether it is before the steps of the plan, with the file's former text still there. restarted: it has begun anew with its file.
    """
    daemon = situation.daemon
    texts = [daemon.text] + [step[1] for step in plan.steps if step[0] == daemon_plan.WRITE]
    record = {"daemon": situation.identity, "digests": [_digest(text) for text in texts], "in_effect": {}, "unsure": None, "reloaded": None}
    if not restarted:
        record["unsure"] = daemon.unsure
        record["in_effect"] = dict(daemon.in_effect)
        if began:
            _expect(record["in_effect"], daemon, plan)
        else:
            _settle(record["in_effect"], plan)
            if (daemon_plan.RELOAD,) in plan.steps:
                record["reloaded"] = _digest(plan.text)
    text = json.dumps(record, sort_keys=True) + "\n"
    if situation.identity is not None and files.read(RECORD) != text:
        files.private_folder(os.path.dirname(RECORD))
        files.write(RECORD, text, 0o600)


def _expect(in_effect, daemon, plan):
    if daemon.unsure is None:
        for key, old, _new in plan.changes:
            in_effect.setdefault(key, old)


def _settle(in_effect, plan):
    reloaded = (daemon_plan.RELOAD,) in plan.steps
    for key in list(in_effect):
        if key not in plan.pending and (key in plan.wanted or (reloaded and daemon_keys.reloadable(key, False))):
            del in_effect[key]
    in_effect.update((key, value) for key, value in plan.pending.items() if key not in plan.unknown)


def unit_properties(service):
    """{property: value} of the daemon's unit."""
    asked = ("LoadState", "ActiveState", "MainPID", "ExecStart", "EnvironmentFiles")
    output = host_command.do(["systemctl", "show", "--no-pager", "--property=" + ",".join(asked), "--", service])
    found = {}
    for line in output.splitlines():
        name, _equals, value = line.partition("=")
        found[name] = (found[name] + "\n" + value) if name in found else value
    return found


def command_line(exec_start):
    """(program, [word]) from what systemctl says of ExecStart."""
    found = re.search(r"path=(\S+) ; argv\[\]=(.*?) ; ignore_errors=", exec_start)
    if not found:
        return "dockerd", []
    return found.group(1), _split(found.group(2))[1:]


def read_identity(files, service):
    """The Situation's identity of the daemon that runs now, or None."""
    pid = int(unit_properties(service).get("MainPID") or 0)
    return _identity(files, pid) if pid else None


def validation(situation, text):
    """Why this dockerd does not accept the text as its file, or None; None too where it cannot be asked (before Docker 23)."""
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="memops-daemon-", suffix=".json") as stream:
        stream.write(text.encode("utf-8", "surrogateescape"))
        stream.flush()
        answer = host_command.ask([situation.program, "--validate", "--config-file", stream.name])
        told = (answer.errors or answer.output).strip().replace(stream.name, situation.daemon.path)[-600:]
        return told if answer.status and "unknown flag: --validate" not in told else None


def _expanded(files, words, environment_files):
    """The words with what the unit's environment files put in place of $NAME."""
    values = {}
    for line in environment_files.splitlines():
        try:
            text = files.read(line.split(" (ignore_errors=")[0].strip()) or ""
        except (OSError, ValueError):
            continue
        for setting in text.splitlines():
            name, equals, value = setting.strip().partition("=")
            if equals and not name.startswith("#"):
                values[name.strip()] = " ".join(_split(value))
    found = []
    for word in words:
        variable = re.match(r"\$(?:\{(\w+)\}|(\w+))$", word)
        found += _split(values.get(variable.group(1) or variable.group(2), "")) if variable else [word]
    return found


def _split(text):
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _running_words(files, pid):
    try:
        return (files.read("/proc/%d/cmdline" % pid) or "").split("\0")[1:] if pid else []
    except (OSError, ValueError):
        return []


def _option(words, option):
    for index, word in enumerate(words):
        if word.startswith(option + "="):
            return word[len(option) + 1 :]
        if word == option and index + 1 < len(words):
            return words[index + 1]
    return None


def _identity(files, pid):
    """Boot, PID and start in ticks since boot: no other process is called so."""
    stat = files.read("/proc/%d/stat" % pid) or ""
    fields = stat[stat.rfind(")") + 2 :].split()
    boot = (files.read("/proc/sys/kernel/random/boot_id") or "").strip()
    return "%s/%d/%s" % (boot, pid, fields[19]) if len(fields) > 19 else None


def _changed_since(files, path, identity):
    if identity is None:
        return None
    try:
        changed_at = os.stat(files.path(path)).st_mtime
    except OSError:
        return None
    booted = re.search(r"^btime (\d+)$", files.read("/proc/stat") or "", re.M)
    started_at = int(booted.group(1)) + int(identity.rsplit("/", 1)[1]) / float(os.sysconf("SC_CLK_TCK")) if booted else 0
    if changed_at <= started_at + 2:  # btime is in whole seconds
        return None
    return "%s was changed after dockerd started, which may not have it" % path


def _record(files, identity):
    empty = {"in_effect": {}, "digests": [], "unsure": None, "reloaded": None}
    try:
        found = json.loads(files.read(RECORD) or "null")
    except ValueError:
        return empty
    mine = isinstance(found, dict) and identity is not None and found.get("daemon") == identity
    if not mine or not isinstance(found.get("in_effect"), dict) or not isinstance(found.get("digests"), list):
        return empty
    return dict(empty, **{name: found.get(name) for name in empty})


def _digest(text):
    return hashlib.sha256((text or "").encode("utf-8", "surrogateescape")).hexdigest()


def _link(files, path):
    real = os.path.realpath(files.path(path))
    return real if os.path.islink(files.path(path)) else None


def _host(files, info):
    text = files.read("/proc/meminfo") or ""
    sizes = {name: int(count) * 1024 for name, count in re.findall(r"^(MemTotal|SwapTotal): +(\d+) kB$", text, re.M)}
    return Host(sizes.get("MemTotal"), sizes.get("SwapTotal", 0), info.get("SwapLimit") is True)
