# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A program that was killed, and its cgroup gone, before anybody looked."""

import os
import signal
import subprocess
import sys

import pytest

from ansible_collections.memops.linux.plugins.module_utils.memory_fault import places, watching, workload


@pytest.fixture
def ended():
    """A program that has ended, whose cgroup is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.wait()
    one = watching.Workload("memops-hog", process, "/nowhere")
    one.made = {process.pid: "memops-hog"}
    yield one
    process.stdout.close()
    process.stderr.close()


def test_nobody_is_named_where_no_kill_was_counted(ended):
    ended.name_the_dead()

    assert ended.killed == {}


def test_the_one_that_is_gone_is_named_where_the_host_counted_a_kill(ended):
    ended.name_the_dead(counted=True)

    assert ended.killed == {ended.process.pid: {"process": "memops-hog", "signal": 9}}


@pytest.mark.parametrize(("vmstat", "kills"), [("pgfault 9\noom_kill 4\n", 4), ("pgfault 9\n", 0), (None, 0)])
def test_the_hosts_counter_of_kills(monkeypatch, vmstat, kills):
    monkeypatch.setattr(places, "read", lambda path: vmstat if path == "/proc/vmstat" else None)

    assert watching.kernel_kills() == kills


def child(signal_number):
    """The pid of a child that has died of this signal and is not buried yet."""
    pid = os.fork()
    if not pid:
        signal.pause()
        os._exit(0)
    os.kill(pid, signal_number)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def test_of_many_dead_children_the_one_that_was_killed_is_told(monkeypatch):
    told = []
    monkeypatch.setattr(workload, "tell", lambda **what: told.append(what))
    dead = [child(number) for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM)]

    assert workload.reap() is True
    assert told == [{"killed": dead[2]}]
    assert workload.reap() is False
