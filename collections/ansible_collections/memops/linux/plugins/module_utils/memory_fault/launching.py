# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starts a supervisor that outlives us, and ends one.

Under systemd it is a transient service, which systemd ends in time and cleans
up after, however it ends. Elsewhere a watching process does both.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

from . import catalogue, confinement, errors, places, plan, requirements, restoring, supervising, watching, workload

_MODULES = (catalogue, confinement, errors, places, plan, requirements, restoring, supervising, watching, workload)
#: Beyond its own limit, before it is ended from outside.
GRACE_SECONDS = 60


def is_running():
    """Whether a fault is being made, or what it did is still to be undone."""
    state = places.load_state()
    return bool(restoring.notes()) or bool(state and state.get("supervisor") and _is_ours(state["supervisor"]))


def _is_ours(pid):
    return "memory_fault.supervising" in (places.read("/proc/%d/cmdline" % pid) or "").replace("\0", " ")


def start(order):
    """Write the code and the order down and start the supervisor; returns at once."""
    shutil.rmtree(places.FOLDER, ignore_errors=True)
    os.makedirs(places.CODE + "/memory_fault", 0o755)
    places.write(places.CODE + "/memory_fault/__init__.py", "")
    for module in _MODULES:
        name = module.__name__.rpartition(".")[2]
        places.write("%s/memory_fault/%s.py" % (places.CODE, name), module.__loader__.get_source(module.__name__))
    places.write(places.FOLDER + "/order.json", json.dumps(order))
    longest = order["seconds"] + order["keep_seconds"] + GRACE_SECONDS
    if confinement.has_systemd():
        _start_unit(longest)
    else:
        _start_watched(longest)


def _start_unit(longest):
    python = os.path.realpath(sys.executable)
    settings = [
        "RuntimeMaxSec=%d" % longest,
        "ExecStopPost=%s -m memory_fault.restoring" % python,
        "OOMScoreAdjust=-1000",
        "TimeoutStopSec=150",
        "WorkingDirectory=%s" % places.CODE,
    ]
    settings += ["OOMPolicy=continue"] if _systemd_version() >= 243 else []
    words = ["systemd-run", "--quiet", "--collect", "--unit=" + places.UNIT, "--description=memops: makes a memory fault on purpose"]
    words += [word for setting in settings for word in ("--property", setting)]
    done = subprocess.run(words + ["--", python, "-m", "memory_fault.supervising"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    if done.returncode:
        raise errors.FaultError("systemd-run could not start %s: %s" % (places.UNIT, done.stdout.decode("utf-8", "replace").strip()))


def _systemd_version():
    words = subprocess.run(["systemctl", "--version"], stdout=subprocess.PIPE, check=False).stdout.decode("utf-8", "replace").split()
    return int(words[1].split(".")[0].split("~")[0]) if len(words) > 1 and words[1][:1].isdigit() else 0


def _start_watched(longest):
    """A process of its own session that waits for the supervisor and then restores."""
    if os.fork():
        return
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        places.protect()
        supervisor = subprocess.Popen([sys.executable, "-m", "memory_fault.supervising"], cwd=places.CODE, preexec_fn=workload.die_with_parent)
        try:
            supervisor.wait(longest)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()
        subprocess.call([sys.executable, "-m", "memory_fault.restoring"], cwd=places.CODE)
    finally:
        os._exit(0)


def stop():
    """End what runs and undo all. Gives what could not be undone."""
    state = places.load_state() or {}
    if confinement.has_systemd():
        subprocess.run(["systemctl", "stop", places.UNIT], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, check=False)
    elif state.get("supervisor") and _is_ours(state["supervisor"]):
        os.kill(state["supervisor"], signal.SIGTERM)
        deadline = time.time() + 30
        while _is_ours(state["supervisor"]) and time.time() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
    return restoring.restore()


def wait(order, phases):
    """The state when it has come to one of ``phases``, or when the supervisor is gone."""
    deadline = time.time() + order["seconds"] + order["keep_seconds"] + 2 * GRACE_SECONDS
    while time.time() < deadline:
        state = places.load_state()
        if state and (state["phase"] in phases or (state.get("supervisor") and not _is_ours(state["supervisor"]))):
            return places.load_state()
        time.sleep(0.3)
    return places.load_state() or {"phase": "failed", "error": "it never said that it started: see `journalctl -u %s`" % places.UNIT}


def end():
    """Remove our own folder, once nothing in it is needed."""
    if confinement.has_systemd():
        subprocess.run(["systemctl", "stop", places.UNIT], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, check=False)
    shutil.rmtree(places.FOLDER, ignore_errors=True)
