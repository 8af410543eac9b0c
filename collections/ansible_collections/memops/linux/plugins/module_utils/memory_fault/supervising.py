# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries out the steps of a fault, watches it, and restores the host. Runs apart from whoever started it.

The state file says how far it is: starting, running, happened (kept for a
diagnosis), ended or failed.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time

from . import confinement, places, restoring, watching
from .errors import FaultError

#: The kernel counts a kill before the victim's parent knows of it.
SECONDS_TO_BE_TOLD = 1


class Supervisor:
    """One run of one fault. order: {fault, until, steps, seconds, keep_seconds}, as plan.resolve made them."""

    def __init__(self, order):
        self.order = order
        self.workloads = []
        self.container_count = 0
        self.kills_before = watching.kernel_kills()
        self.deadline = time.time() + order["seconds"]
        self.state = {"fault": order["fault"], "phase": "starting", "started": time.time(), "supervisor": os.getpid(), "happened": False}
        self.tell()

    def run(self):
        """All of it. The phase at the end is ended, or failed with an error."""
        try:
            self._carry_out()
            self._settle()
        except FaultError as error:
            self.state.update(error=str(error), phase="failed")
        except (OSError, subprocess.SubprocessError, KeyError, ValueError) as error:
            self.state.update(error="%s: %s" % (type(error).__name__, error), phase="failed")
        self.state["ended"] = self.state.get("ended") or time.time()
        self.state["not_restored"] = restoring.restore()
        self.state["cleaned"] = not self.state["not_restored"]
        if self.state["phase"] != "failed":
            self.state["phase"] = "ended"
        self.tell()

    def _carry_out(self):
        for verb, what in self.order["steps"]:
            if time.time() > self.deadline:
                raise FaultError("the time was over before all of it was set up: give it more seconds")
            getattr(self, "do_" + verb)(**what)
        self.tell(phase="running")
        while time.time() < self.deadline:
            self.look()
            if watching.happened(self.order["until"], self.workloads):
                self.state["happened"] = True
                break
            wrong = watching.gone_wrong(self.order["until"], self.workloads)
            if wrong:
                raise FaultError(wrong)
            if self.workloads and all(one.ended() for one in self.workloads):
                self.look()  # they may have ended since, and their cgroups with them
                self.state["happened"] = watching.happened(self.order["until"], self.workloads) or self._killed_unseen()
                break
            time.sleep(0.2)

    def _settle(self):
        """What was killed is told, memory is given back at once, and evidence stays for as long as was asked."""
        self.state["ended"] = time.time()
        look_until = time.time() + SECONDS_TO_BE_TOLD
        while self.order["until"] == "killed" and self.state["happened"] and not self.state["killed"] and time.time() < look_until:
            time.sleep(0.1)
            self.look()
        for one in self.workloads:
            one.name_the_dead(self.state["happened"] and self._killed_unseen())
        self.look()
        if self.order["until"] in ("killed", "ended"):
            restoring.restore(keep=restoring.EVIDENCE)
        self.tell(phase="happened")
        kept_until = time.time() + self.order["keep_seconds"]
        while time.time() < kept_until:
            time.sleep(0.2)

    def _killed_unseen(self):
        return self.order["until"] == "killed" and watching.kernel_kills() > self.kills_before

    def look(self):
        for one in self.workloads:
            one.look()
        made, killed = {}, {}
        for one in self.workloads:
            made.update(one.made)
            killed.update(one.killed)
        self.state["processes"] = [{"pid": pid, "process": name} for pid, name in sorted(made.items())]
        self.state["killed"] = [dict(who, pid=pid) for pid, who in sorted(killed.items())]
        self.state["refused"] = [one.name for one in self.workloads if one.refused]
        self.state["oom_kills"] = max([self.state.get("oom_kills", 0)] + [sum(one.oom_kills() for one in self.workloads)])

    def tell(self, **more):
        self.state.update(more)
        places.save_state(self.state)

    def do_run(self, program, name, args, count=1, limit_mib=None, high_mib=None, node=None, oom_score_adj=0, properties=(), wait=None, stress_ng=None):
        started = []
        for _number in range(count):
            number = len(self.workloads) + 1
            stress = shutil.which("stress-ng") if stress_ng else None
            if stress:
                # It reads no line before it starts, so a shell does.
                words = ["/bin/sh", "-c", 'read _; exec "$@"', "sh", stress] + list(stress_ng) + ["--timeout", str(self.order["seconds"])]
            else:
                words = [sys.executable, places.CODE + "/memory_fault/workload.py", name, program, json.dumps(self._placed(args))]
            process, cgroup = confinement.start(number, words, limit_mib, high_mib, node, properties)
            places.write("/proc/%d/oom_score_adj" % process.pid, oom_score_adj)
            started.append(watching.Workload(name, process, cgroup))
            self.workloads.append(started[-1])
        self._go(started, wait)

    def do_container(self, program, name, args, count=1, limit_mib=None, wait=None):
        self._make_image()
        started = []
        for _number in range(count):
            self.container_count += 1
            container = places.CONTAINER % self.container_count
            restoring.note("container", name=container)
            limits = ["--memory=%dm" % limit_mib, "--memory-swap=%dm" % limit_mib] if limit_mib else []
            mounts = ["--volume=%s:%s:ro" % (path, path) for path in ["/usr"] + [path for path in _LINKS if os.path.isdir(path) and not os.path.islink(path)]]
            mounts.append("--volume=%s/memory_fault/workload.py:/workload.py:ro" % places.CODE)
            words = ["docker", "run", "--interactive", "--network=none", "--name=" + container] + limits + mounts
            words += [places.IMAGE, os.path.realpath(sys.executable), "/workload.py", name, program, json.dumps(args)]
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            one = watching.Workload(name, process, None, container)
            started.append(one)
            self.workloads.append(one)
            one.made[self._pid_in(one)] = name
        self._go(started, wait)

    def _go(self, started, wait):
        for one in started:
            try:
                one.process.stdin.write(b"\n")
                one.process.stdin.flush()
            except OSError:
                pass  # it died; looking at it says of what
        if wait:
            watching.wait_for(wait, started, self.deadline, self.look)
        self.tell()

    def _pid_in(self, one):
        """The pid of a container's program; waits for it to be there."""
        while time.time() < self.deadline:
            words = ["docker", "inspect", "--format", "{{.State.Pid}}", one.container]
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            pid = done.stdout.decode().strip()
            if pid.isdigit() and int(pid):
                return int(pid)
            if one.look() is not None:
                break
            time.sleep(0.3)
        raise FaultError("docker did not start a container: %s" % one.said.decode("utf-8", "replace").strip()[-300:])

    def _make_image(self):
        """An image of folders and links only: the host's own /usr is mounted, so that nothing is fetched."""
        restoring.note("image", name=places.IMAGE)
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for path in ("usr", "proc", "sys", "dev", "tmp", "etc"):
                tar.addfile(_entry(path, tarfile.DIRTYPE))
            for path in _LINKS:
                if os.path.islink(path):
                    tar.addfile(_entry(path.lstrip("/"), tarfile.SYMTYPE, os.readlink(path)))
        words = ["docker", "import", "-", places.IMAGE]
        done = subprocess.run(words, input=archive.getvalue(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180, check=False)
        if done.returncode:
            raise FaultError("docker import failed: %s" % done.stdout.decode("utf-8", "replace").strip()[-300:])

    def do_docker(self, command):
        container = places.CONTAINER % self.container_count
        words = ["docker"] + [container if word == "CONTAINER" else word for word in command]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        if done.returncode:
            raise FaultError("docker %s failed: %s" % (command[0], done.stdout.decode("utf-8", "replace").strip()[-300:]))

    def do_sysctl(self, name, value):
        path = places.sysctl_path(name)
        old = places.read(path)
        if old is None:
            raise FaultError("this kernel has no %s" % name)
        partner = restoring.PARTNER.get(name)
        restoring.note("sysctl", name=name, value=old, partner_value=places.read(places.sysctl_path(partner)) if partner else None)
        places.write(path, value)

    def do_swap_file(self, mib):
        path = self._on_disk() + "/swap"
        restoring.note("swap", path=path)
        try:
            self._fill_and_use(path, lambda file: os.posix_fallocate(file, 0, mib << 20))
        except (FaultError, OSError):  # some filesystems take such a file for one with holes
            self._fill_and_use(path, lambda file: [os.write(file, bytes(1 << 20)) for _number in range(mib)])

    def _fill_and_use(self, path, fill):
        file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            fill(file)
            os.fsync(file)
        finally:
            os.close(file)
        _must(["mkswap", path])
        _must(["swapon", path])

    def do_tmpfs(self, mib):
        restoring.note("mount", path=places.TMPFS)
        os.mkdir(places.TMPFS)
        _must(["mount", "-t", "tmpfs", "-o", "size=%dm,nr_inodes=0" % mib, "memops-fault", places.TMPFS])

    def do_remount(self, path, option, undo):
        now = next(line.split()[3] for line in (places.read("/proc/self/mounts") or "").splitlines() if line.split()[1] == path)
        old = [word for word in now.split(",") if word.split("=")[0] == undo]
        restoring.note("remount", path=path, option=old[0] if old else "%s=50%%" % undo)
        _must(["mount", "-o", "remount," + option, path])

    def do_unit(self, unit):
        if subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode:
            restoring.note("unit", unit=unit)
            _must(["systemctl", "start", unit])

    def do_delay(self, seconds):
        self.tell(phase="delayed")
        time.sleep(seconds)

    def do_reboot(self):
        _must(["systemctl", "--no-block", "reboot"])
        time.sleep(120)

    def _placed(self, args):
        """The arguments with folders for their names."""
        args = dict(args)
        if args.get("path") == "FOLDER":
            args["path"] = self._on_disk()
        elif args.get("path") == "TMPFS":
            args["path"] = places.TMPFS
        elif args.get("path"):
            restoring.note("file", path=args["path"] + "/memops-fault-filler")
        return args

    def _on_disk(self):
        if not os.path.isdir(places.ON_DISK):
            os.mkdir(places.ON_DISK, 0o700)
        restoring.note("folder", path=places.ON_DISK)
        return places.ON_DISK


_LINKS = ("/bin", "/sbin", "/lib", "/lib64")


def _entry(path, kind, target=""):
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode, entry.linkname = kind, 0o755, target
    return entry


def _must(words):
    environment = dict(os.environ, PATH="/usr/sbin:/sbin:/usr/bin:/bin", LC_ALL="C")
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, env=environment, check=False)
    if done.returncode:
        raise FaultError("%s failed: %s" % (" ".join(words), done.stdout.decode("utf-8", "replace").strip()[-300:]))


def _end(_number, _frame):
    raise SystemExit(0)


def main():
    signal.signal(signal.SIGTERM, _end)
    places.protect()
    with open(places.FOLDER + "/order.json") as order:
        supervisor = Supervisor(json.load(order))
    supervisor.run()


if __name__ == "__main__":
    main()
