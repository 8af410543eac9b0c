# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cgroup with limits around a program: a transient scope of systemd, or one made by hand where systemd does not run."""

import os
import subprocess
import time

from . import places, restoring
from .errors import FaultError

MIB = 1 << 20
SECONDS_TO_START = 60


def has_systemd():
    return os.path.isdir("/run/systemd/system")


def memory_hierarchy():
    """(folder where memory cgroups live, version), or (None, None)."""
    for line in (places.read("/proc/self/mounts") or "").splitlines():
        _device, mount, kind, options = line.split()[:4]
        if kind == "cgroup" and "memory" in options.split(","):
            return mount, 1
        if kind == "cgroup2" and "memory" in (places.read(mount + "/cgroup.controllers") or "").split():
            return mount, 2
    return None, None


def cpuset_hierarchy():
    """The folder of cgroup v1's cpuset controller, or None."""
    for line in (places.read("/proc/self/mounts") or "").splitlines():
        _device, mount, kind, options = line.split()[:4]
        if kind == "cgroup" and "cpuset" in options.split(","):
            return mount
    return None


def cgroup_of(pid):
    """The folder of its memory cgroup, or None."""
    mount, version = memory_hierarchy()
    for line in (places.read("/proc/%d/cgroup" % pid) or "").splitlines():
        _number, controllers, path = line.split(":", 2)
        if mount and (controllers == "" if version == 2 else "memory" in controllers.split(",")):
            return (mount + path).rstrip("/")
    return None


def start(number, words, limit_mib=None, high_mib=None, node=None, properties=()):
    """Start ``words`` in a cgroup of its own; gives (process, folder of the cgroup or None).

    The program must wait for a line on its standard input: limits that a scope
    does not know are set before it gets one.
    """
    if has_systemd():
        process, folder = _in_scope(number, words, limit_mib, high_mib, node, properties)
    else:
        process, folder = _by_hand(number, words, limit_mib, high_mib)
    if folder and limit_mib and memory_hierarchy()[1] == 1:
        try:
            places.write(folder + "/memory.memsw.limit_in_bytes", limit_mib * MIB)
        except OSError:
            pass  # a kernel that does not count swap by cgroup
    if node is not None and cpuset_hierarchy():
        _bind_by_hand(number, process.pid, node)
    return process, folder


def _in_scope(number, words, limit_mib, high_mib, node, properties):
    unit = places.SCOPE % number
    settings = list(properties)
    if limit_mib:
        settings += ["MemoryMax=%dM" % limit_mib] + (["MemorySwapMax=0"] if memory_hierarchy()[1] == 2 else [])
    if high_mib:
        settings.append("MemoryHigh=%dM" % high_mib)
    if node is not None and not cpuset_hierarchy():
        settings.append("AllowedMemoryNodes=%d" % node)
    command = ["systemd-run", "--quiet", "--scope", "--collect", "--unit=" + unit, "--description=memops: a memory fault made on purpose"]
    command += [word for setting in settings for word in ("--property", setting)]
    process = _popen(command + ["--"] + words)
    deadline = time.time() + SECONDS_TO_START
    while unit not in (places.read("/proc/%d/cgroup" % process.pid) or ""):
        if process.poll() is not None or time.time() > deadline:
            said = process.stderr.read().decode("utf-8", "replace").strip() if process.poll() is not None else "it took too long"
            raise FaultError("systemd-run could not make the scope %s: %s" % (unit, said))
        time.sleep(0.05)
    folder = cgroup_of(process.pid)
    if folder and unit in folder:
        restoring.note("cgroup", path=folder, remove=False)
    return process, folder


def _by_hand(number, words, limit_mib, high_mib):
    mount, version = memory_hierarchy()
    process = _popen(words)
    restoring.note("process", pid=process.pid, started=restoring.start_time(process.pid))
    if not mount:
        return process, None
    folder = "%s/memops-fault-%d" % (mount, number)
    restoring.note("cgroup", path=folder, remove=True)
    if not os.path.isdir(folder):
        os.mkdir(folder)
    if limit_mib:
        places.write(folder + ("/memory.limit_in_bytes" if version == 1 else "/memory.max"), limit_mib * MIB)
        if version == 2:
            places.write(folder + "/memory.swap.max", 0)
    if high_mib:
        places.write(folder + "/memory.high", high_mib * MIB)
    places.write(folder + "/cgroup.procs", process.pid)
    return process, folder


def _bind_by_hand(number, pid, node):
    mount = cpuset_hierarchy()
    folder = "%s/memops-fault-%d" % (mount, number)
    restoring.note("cgroup", path=folder, remove=True)
    os.mkdir(folder)
    places.write(folder + "/cpuset.cpus", places.read(mount + "/cpuset.cpus"))
    places.write(folder + "/cpuset.mems", node)
    places.write(folder + "/cgroup.procs", pid)


def _popen(words):
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/")
