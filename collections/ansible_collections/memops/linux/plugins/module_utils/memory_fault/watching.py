# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What became of the processes of a fault: which there were, who was killed, who was refused, who sits still."""

import json
import os
import select
import time

from . import places

#: A process that ends so was ended by someone else; a container's exit code says it as 128 + signal.
KILLED = {-9: 9, -15: 15, 137: 9, 143: 15}
#: All wait for memory so much of the time: everybody feels it.
STALLED_PERCENT = 15
MOST_PROCESSES = 200
MOST_BYTES = 65536


class Workload:
    """One program of a fault, with all that it forks."""

    def __init__(self, name, process, cgroup, container=None):
        self.name = name
        self.process = process
        self.cgroup = cgroup
        self.container = container
        self.made = {}
        self.killed = {}
        self.settled = False
        self.refused = None
        self.said = b""
        self._rest = b""
        self._open = {stream.fileno(): stream for stream in (process.stdout, process.stderr)}

    def look(self):
        """Bring all of the above up to date. Never waits."""
        self._read()
        self._see_members()
        status = self.process.poll()
        if status in KILLED and self.process.pid not in self.killed:
            pid = self._container_pid() if self.container else self.process.pid
            self.killed.setdefault(pid, {"process": self.name, "signal": KILLED[status]})
        return status

    def name_the_dead(self, counted=False):
        """The kernel counted a kill, and no parent of ours told whose: those of its processes that are gone.

        counted: the host's own counter rose, where the cgroup went before anybody looked.
        """
        if self.killed or not (counted or self.oom_kills()):
            return
        for pid, name in self.made.items():
            stat = places.read("/proc/%d/stat" % pid)
            if not stat or stat.rpartition(")")[2].split()[0] in ("Z", "X"):
                self.killed[pid] = {"process": name, "signal": 9}

    def ended(self):
        return self.process.poll() is not None

    def oom_kills(self):
        """How many the kernel counted in its cgroup; 0 where it cannot be read (any more)."""
        for path, key in (("/memory.events", "oom_kill"), ("/memory.oom_control", "oom_kill")):
            for line in (places.read((self.cgroup or "") + path) or "").splitlines():
                if line.split()[0] == key:
                    return int(line.split()[1])
        return 0

    def throttled(self):
        for line in (places.read((self.cgroup or "") + "/memory.events") or "").splitlines():
            if line.split()[0] == "high":
                return int(line.split()[1])
        return 0

    def _container_pid(self):
        return next(iter(self.made), self.process.pid)

    def _read(self):
        while self._open:
            ready = select.select(list(self._open), [], [], 0)[0]
            for descriptor in ready:
                chunk = os.read(descriptor, MOST_BYTES)
                if not chunk:
                    del self._open[descriptor]
                elif self._open[descriptor] is self.process.stdout:
                    self._rest += chunk
                else:
                    self.said = (self.said + chunk)[-4096:]
            if not ready:
                break
        lines = self._rest.split(b"\n")
        self._rest = lines.pop()[-MOST_BYTES:]
        for line in lines:
            self._take(line)

    def _take(self, line):
        try:
            report = json.loads(line.decode())
        except ValueError:
            return
        if not isinstance(report, dict):
            return
        self.settled = self.settled or bool(report.get("settled"))
        self.refused = report.get("refused", self.refused)
        if report.get("killed"):
            self.killed[report["killed"]] = {"process": self.made.get(report["killed"], self.name), "signal": 9}

    def _see_members(self):
        if self.container:
            return
        for pid in (places.read((self.cgroup or "") + "/cgroup.procs") or str(self.process.pid)).split():
            if len(self.made) >= MOST_PROCESSES:
                return
            if int(pid) not in self.made or self.made[int(pid)].startswith(_NOT_YET):
                comm = places.read("/proc/%s/comm" % pid)
                if comm:
                    self.made[int(pid)] = comm


#: Names of what becomes the program.
_NOT_YET = ("systemd-run", "python", "sh")


def kernel_kills():
    """The OOM kills that the kernel counted since boot, of whomever; 0 before 4.13, which does not count."""
    for line in (places.read("/proc/vmstat") or "").splitlines():
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return 0


def pressure_full():
    """The share of the last 10 s in which all waited for memory, in percent; None where the kernel does not say."""
    for line in (places.read("/proc/pressure/memory") or "").splitlines():
        if line.startswith("full"):
            return float(line.split("avg10=")[1].split()[0])
    return None


def happened(until, workloads):
    """Whether what the fault is for has come about."""
    if until == "killed":
        return any(one.killed or one.oom_kills() for one in workloads)
    if until == "ended":
        return all(one.ended() for one in workloads)
    if until == "refused":
        return any(one.refused for one in workloads)
    return True


def gone_wrong(until, workloads):
    """A sentence on a program that failed by itself, or None."""
    for one in workloads:
        status = one.process.poll()
        if status not in (None, 0) and status not in KILLED and until in ("killed", "refused", "settled"):
            said = one.said.decode("utf-8", "replace").strip().splitlines()
            return "%s ended with %d: %s" % (one.name, status, said[-1] if said else "it said nothing")
    return None


def wait_for(what, workloads, until_time, look):
    """Wait for one step's workloads: settled, throttled or (the host's) pressure. Ends early where all of them ended."""
    began = time.time()
    while time.time() < until_time:
        look()
        if all(one.ended() for one in workloads):
            return
        if what == "settled" and all(one.settled or one.ended() for one in workloads):
            return
        if what == "throttled" and any(one.throttled() > 20 for one in workloads) and time.time() - began > 10:
            return
        if what == "pressure" and (pressure_full() or 0) > STALLED_PERCENT and time.time() - began > 20:
            return
        time.sleep(0.2)
