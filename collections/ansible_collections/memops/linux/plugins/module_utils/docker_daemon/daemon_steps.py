# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writing daemon.json and having the daemon take it over, or having all as it was."""

import contextlib
import json
import time
import urllib.parse

from ..changes import host_command
from . import daemon_file, daemon_plan, daemon_reading
from .engine_client import ClientError

BACKUP = ".memops-backup"
RELOAD_SECONDS = 60
RESTART_SECONDS = 300


class StepError(Exception):
    """The daemon does not have what it was to have; the text says whether all is as before."""


class ContainersLostError(StepError):
    """The daemon runs with its new file, but a container did not live through its restart. Nothing is put back: that would restart it again."""


def run(files, situation, plan, service, socket):
    """Take the plan's steps; on a failure what was there is put back. Raises StepError."""
    daemon = situation.daemon
    daemon_reading.remember(files, situation, plan, began=True)
    if plan.changes and daemon.text is not None:
        files.write(daemon.path + BACKUP, daemon.text, 0o600)
    done = []
    try:
        for step in plan.steps:
            done.append(step[0])
            if step[0] == daemon_plan.WRITE:
                files.write(daemon.path, step[1])
            elif step[0] == daemon_plan.RELOAD:
                _reload(files, daemon.path, service, socket)
            else:
                _restart(files, daemon.path, service, socket, situation)
    except ContainersLostError:
        raise
    except (StepError, OSError, host_command.CommandError, ClientError) as error:
        raise StepError("%s. %s" % (error, _put_back(files, situation, done, service, socket))) from None
    now = daemon_reading.read_identity(files, service) if daemon_plan.RESTART in done else None
    daemon_reading.remember(files, situation._replace(identity=now) if now else situation, plan, began=False, restarted=bool(now))


def _reload(files, path, service, socket):
    since = time.time()
    host_command.do(["systemctl", "reload", "--", service])
    engine = daemon_reading.client(files, socket)
    wanted = daemon_file.settings(files.read(path))
    deadline = time.monotonic() + RELOAD_SECONDS
    filters = urllib.parse.quote(json.dumps({"type": ["daemon"], "event": ["reload"]}))
    while not engine.get_lines("/events?since=%.9f&until=%.9f&filters=%s" % (since, time.time(), filters)):
        if time.monotonic() > deadline:
            raise StepError("dockerd did not take over %s within %d s of being told to%s" % (path, RELOAD_SECONDS, _last_words(service, since)))
        time.sleep(0.3)
    info = engine.get("/info")
    for key, told in (("live-restore", "LiveRestoreEnabled"), ("debug", "Debug")):
        if key in wanted and info.get(told) != wanted[key]:
            raise StepError("dockerd took over %s, but has %s=%s" % (path, key, json.dumps(info.get(told))))


def _restart(files, path, service, socket, situation):
    since = time.time()
    _start_anew(service, since)
    info = _answering(files, service, socket, since)
    wanted = daemon_file.settings(files.read(path))
    if "live-restore" in wanted and info.get("LiveRestoreEnabled") != wanted["live-restore"]:
        raise StepError("dockerd was restarted, but has live-restore=%s" % json.dumps(info.get("LiveRestoreEnabled")))
    if wanted.get("live-restore"):
        _same_containers(files, socket, situation)


def _start_anew(service, since):
    answer = host_command.ask(["systemctl", "restart", "--", service], RESTART_SECONDS)
    if answer.status:
        raise StepError("%s did not start with the new file%s" % (service, _last_words(service, since)))


def _answering(files, service, socket, since):
    engine = daemon_reading.client(files, socket)
    deadline = time.monotonic() + RESTART_SECONDS
    while True:
        try:
            return engine.get("/info")
        except ClientError as error:
            if time.monotonic() > deadline:
                raise StepError("%s was restarted, but %s%s" % (service, error, _last_words(service, since))) from None
        time.sleep(0.5)


def _same_containers(files, socket, situation):
    engine = daemon_reading.client(files, socket)
    lost = []
    for container in situation.containers:
        if not container.running:
            continue
        try:
            state = engine.get("/containers/%s/json" % container.id)["State"]
        except ClientError as error:
            state = {"Pid": str(error)}
        if state.get("Pid") != container.pid:
            lost.append("%s (process %d before, now %s)" % (container.name, container.pid, state.get("Pid") or "none"))
    if lost:
        raise ContainersLostError("Docker was restarted and runs with its new file, but these containers did not live through it: %s" % ", ".join(lost))


def _put_back(files, situation, done, service, socket):
    """Have the former file again, and the daemon with it; the sentence that says how that went."""
    daemon = situation.daemon
    try:
        if daemon.text is None:
            files.remove(daemon.path)
        elif files.read(daemon.path) != daemon.text:
            files.write(daemon.path, daemon.text)
        if daemon_plan.RESTART in done:
            # Its attempts to start used up what systemd allows in a while; the socket unit fails along with it.
            host_command.ask(["systemctl", "reset-failed", "--", service, service.replace(".service", ".socket")])
            if daemon.state == daemon_plan.RUNNING:
                since = time.time()
                _start_anew(service, since)
                _answering(files, service, socket, since)
        elif daemon_plan.RELOAD in done:
            with contextlib.suppress(StepError, ClientError):
                _reload(files, daemon.path, service, socket)
    except (StepError, OSError, host_command.CommandError) as error:
        return "What was there before could not be put back: %s. The former text is in %s%s" % (error, daemon.path, BACKUP)
    return "What was there before was put back, and Docker has it again" if daemon.state == daemon_plan.RUNNING else "What was there before was put back"


def _last_words(service, since):
    """What the daemon's journal says of it, to be put behind a sentence; "" where that cannot be read."""
    try:
        answer = host_command.ask(["journalctl", "--unit", service, "--since", "@%d" % since, "--output", "cat", "--lines", "40", "--no-pager"])
    except host_command.CommandError:
        return ""
    told = [line for line in answer.output.splitlines() if "level=error" in line or "level=fatal" in line or "nable to" in line or "failed to" in line.lower()]
    told = [line for line in told if "systemd" not in line.split(" ", 1)[0]]
    return "; it said: %s" % told[-1].strip()[-400:] if told else ""
