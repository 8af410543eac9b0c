# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fault needs of a host: each by name, and what is to be done where it is missing."""

import os
import shutil
import subprocess
import sys

from . import confinement, places

SPARE_DISK_BYTES = 256 << 20


def missing(fault, disk_bytes):
    """Sentences, one for each thing that the host lacks for this fault, with the next step.

    disk_bytes: what the fault writes to places.ON_DISK.
    """
    lacking = [] if os.geteuid() == 0 else ["it must run as root: set `become: true` (ansible_become)"]
    for name in fault["needs"]:
        said = disk_space(disk_bytes) if name == "disk_space" else _CHECKS[name]()
        if said:
            lacking.append(said)
    return lacking


def disk_space(wanted_bytes):
    at = places.ON_DISK if os.path.isdir(places.ON_DISK) else os.path.dirname(places.ON_DISK)
    free = shutil.disk_usage(at).free
    if free < wanted_bytes + SPARE_DISK_BYTES:
        return "%s has %d MiB free, and %d MiB are written there: make room" % (at, free >> 20, wanted_bytes >> 20)
    return None


def memory_cgroup():
    mount, version = confinement.memory_hierarchy()
    if not mount:
        return "there is no memory cgroup: mount the memory controller, or boot without cgroup_disable=memory"
    if not confinement.has_systemd():
        try:
            probe = mount + "/memops-fault-probe"
            os.mkdir(probe)
            limits = os.path.exists(probe + ("/memory.limit_in_bytes" if version == 1 else "/memory.max"))
            os.rmdir(probe)
        except OSError as error:
            return "no cgroup can be made below %s (%s): run it on a host whose root you are" % (mount, error.strerror)
        if not limits:
            return "cgroups below %s have no memory limit: enable the memory controller in cgroup.subtree_control" % mount
    return None


def cgroup_v2():
    if confinement.memory_hierarchy()[1] != 2:
        return "the memory controller is not on cgroup v2: boot with systemd.unified_cgroup_hierarchy=1"
    return None


def cpuset():
    if confinement.cpuset_hierarchy():
        return None
    mount, version = confinement.memory_hierarchy()
    if version == 2 and confinement.has_systemd() and "cpuset" in (places.read(mount + "/cgroup.controllers") or "").split():
        return None
    return "there is no cpuset controller that can be used: boot a kernel that has it, with systemd"


def no_swap():
    if len((places.read("/proc/swaps") or "").splitlines()) > 1:
        return "there is swap, into which the memory would go: turn it off for the time (swapoff -a), or choose host_thrash"
    return None


def numa():
    nodes = [name for name in os.listdir("/sys/devices/system/node") if name[4:].isdigit()] if os.path.isdir("/sys/devices/system/node") else []
    if len(nodes) < 2:
        return "there is one NUMA node and two are needed: choose a host that has them"
    return None


def systemd():
    return None if confinement.has_systemd() else "systemd does not run here: choose a host that it runs on"


def docker():
    if not shutil.which("docker"):
        return "docker is not installed: install it (package docker.io or docker-ce)"
    if not os.path.realpath(sys.executable).startswith("/usr/"):
        return "python is %s, and containers get /usr only: set ansible_python_interpreter to the system's" % sys.executable
    done = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    if done.returncode:
        return "the Docker daemon does not answer (%s): start it (systemctl start docker)" % done.stdout.decode("utf-8", "replace").strip()[-200:]
    return None


def earlyoom():
    if not _has_unit("earlyoom.service"):
        return "earlyoom is not installed: install the package earlyoom"
    return None


def systemd_oomd():
    if not _has_unit("systemd-oomd.service"):
        return "systemd-oomd is not installed: install the package systemd-oomd"
    if not os.path.exists("/proc/pressure/memory"):
        return "there is no /proc/pressure, which systemd-oomd watches: boot with psi=1"
    return None


def reboots_after_panic():
    if int(places.read("/proc/sys/kernel/panic") or 0) <= 0:
        return "kernel.panic is 0, so that a panic would stop the host for good: set kernel.panic=10"
    return None


def pstore():
    if places.read("/sys/module/pstore/parameters/backend") in (None, "", "(null)"):
        return "there is no pstore backend that keeps a panic's text over the reboot: load ramoops or efi_pstore"
    return None


def inflated_balloon():
    figures = dict(line.split() for line in (places.read("/proc/vmstat") or "").splitlines())
    if int(figures.get("balloon_inflate", 0)) <= int(figures.get("balloon_deflate", 0)):
        return "the hypervisor has taken no memory: inflate the guest's balloon first (in QEMU's monitor: balloon 512)"
    return None


def _has_unit(unit):
    done = subprocess.run(["systemctl", "cat", unit], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False) if shutil.which("systemctl") else None
    return done is not None and done.returncode == 0


_CHECKS = {
    check.__name__: check
    for check in (memory_cgroup, cgroup_v2, cpuset, no_swap, numa, systemd, docker, earlyoom, systemd_oomd, reboots_after_panic, pstore, inflated_balloon)
}
