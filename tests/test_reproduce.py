"""Faults on this machine, each bounded by a cgroup of its own: asked for, refused, made, diagnosed, cleaned up after."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import oom_kill
import pytest
from checkout import COLLECTION, ansible

#: One fault at a time on one machine.
pytestmark = pytest.mark.xdist_group("this machine")
FOLDER = pathlib.Path("/run/memops-fault")
HOST = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


@pytest.fixture
def alone():
    """A host has one fault at a time; tests of other workers and other runs wait."""
    with open(pathlib.Path(tempfile.gettempdir()) / "memops-test-reproduce.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def reproduce(tmp_path, alone):
    """Run the playbook on this machine with these variables in its inventory; gives (exit status, output)."""

    def run(*arguments: str, **variables: object):
        hosts = tmp_path / "hosts.yml"
        hosts.write_text(json.dumps({"all": {"hosts": {"localhost": {**HOST, **variables}}}}))
        told = ansible("ansible-playbook", "playbooks/reproduce.yml", "-i", str(hosts), *arguments, home=tmp_path)
        return told.returncode, told.stdout + told.stderr

    yield run
    if os.geteuid() == 0:
        run("-e", "reproduce_state=cleaned", reproduce_allowed=True)


@pytest.fixture
def can_kill():
    """This machine lets us make cgroups with limits."""
    if os.geteuid():
        pytest.skip("needs root")
    try:
        with oom_kill.limited_cgroup():
            pass
    except oom_kill.CannotKill as reason:
        pytest.skip(str(reason))


def leftovers() -> list[str]:
    """What a fault leaves when it does not clean up: processes, cgroups, mounts, files."""
    processes = [path.parent.name for path in pathlib.Path("/proc").glob("[0-9]*/comm") if _text(path).startswith("memops-") and _lives(path.parent)]
    cgroups = [str(path) for path in pathlib.Path("/sys/fs/cgroup").glob("**/memops-fault-*")]
    mounts = [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if "memops-fault" in line]
    return processes + cgroups + mounts + [str(path) for path in (FOLDER / "journal", pathlib.Path("/var/tmp/memops-fault")) if path.exists()]


def _lives(process: pathlib.Path) -> bool:
    """A zombie is dead; who is to collect it is this machine's affair."""
    return _text(process / "stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def test_a_host_that_does_not_say_so_is_not_touched(reproduce):
    status, output = reproduce("-e", "reproduce_fault=memcg_anon")

    assert status == 2
    assert "set reproduce_allowed: true for it in the inventory" in output
    assert not FOLDER.exists()


def test_the_whole_host_needs_a_word_of_its_own(reproduce):
    status, output = reproduce("-e", "reproduce_fault=host_anon_no_swap", reproduce_allowed=True)

    assert status == 2
    assert "set reproduce_whole_host: true for it in the inventory" in output
    assert not FOLDER.exists()


def test_an_unknown_fault_is_answered_with_those_there_are(reproduce):
    status, output = reproduce("-e", "reproduce_fault=nonsense", reproduce_allowed=True)

    assert status == 2
    assert "There is no such fault. There are: memcg_anon, container_anon" in output


def test_check_mode_says_what_would_be_done_and_does_nothing(reproduce, can_kill):
    status, output = reproduce("-e", "reproduce_fault=memcg_tmpfs", "--check", "--diff", reproduce_allowed=True)

    assert status == 0, output
    assert "mount a tmpfs of 256 MiB" in output
    assert "+It may kill: only the processes that it starts, inside its own limit." in output
    assert not FOLDER.exists()
    assert leftovers() == []


@pytest.mark.parametrize("fault", ["memcg_tmpfs", "fork_storm", "memcg_page_tables", "memcg_pipes", "memcg_mlocked"])
def test_a_fault_comes_about_and_leaves_nothing(reproduce, can_kill, fault):
    status, output = reproduce("-e", f"reproduce_fault={fault}", reproduce_allowed=True)

    assert status == 0, output
    assert "It came about" in output
    assert "Killed: [{" in output
    assert leftovers() == []


def test_the_statement_comes_before_the_fault(reproduce, can_kill):
    _status, output = reproduce("-e", "reproduce_fault=memcg_anon", reproduce_allowed=True)

    assert output.index("It may kill: only the processes that it starts") < output.index("TASK [Do it]") < output.index("It came about")


def test_a_fault_that_was_made_is_what_the_diagnosis_finds(reproduce, can_kill, diagnose, valid):
    if not oom_kill.kernel_log_is_readable():
        pytest.skip("needs a readable kernel log")
    status, output = reproduce("-e", "reproduce_fault=memcg_mlocked", reproduce_allowed=True)
    assert status == 0, output

    _status, _output, latest = diagnose(json.dumps({"all": {"hosts": {"localhost": HOST}}}), "-e", "diagnose_since=1m")

    incident = valid(latest / "hosts/localhost/diagnosis.json")["incidents"][0]
    assert (incident["kind"], incident["cause"], incident["victim"]["process"]) == ("memcg_oom", "mlocked", "memops-locker")
    assert f"'pid': {incident['victim']['pid']}" in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_fault_whose_supervisor_is_killed_is_cleaned_up_after(reproduce, can_kill, number):
    status, output = reproduce("-e", "reproduce_fault=rlimit_as_refused", "-e", "reproduce_keep_seconds=60", reproduce_allowed=True)
    assert status == 0, output
    assert leftovers() != []
    state = json.loads((FOLDER / "state.json").read_text())

    os.kill(state["supervisor"], number)

    deadline = time.monotonic() + 20
    while leftovers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert leftovers() == []


def test_a_fault_ends_when_its_time_is_over(reproduce, can_kill):
    began = time.monotonic()
    status, output = reproduce("-e", "reproduce_fault=rlimit_as_refused", "-e", "reproduce_keep_seconds=1", reproduce_allowed=True)
    assert status == 0, output

    while leftovers() and time.monotonic() - began < 30:
        time.sleep(0.1)

    assert leftovers() == []


def test_two_faults_do_not_run_at_once_and_cleaning_ends_the_first(reproduce, can_kill):
    keep = ("-e", "reproduce_fault=rlimit_as_refused", "-e", "reproduce_keep_seconds=60")
    status, output = reproduce(*keep, reproduce_allowed=True)
    assert status == 0, output

    status, output = reproduce(*keep, reproduce_allowed=True)
    assert status == 2
    assert "Another fault is being made here" in output

    status, output = reproduce("-e", "reproduce_state=cleaned", reproduce_allowed=True)
    assert status == 0, output
    assert leftovers() == []


def test_no_workload_outlives_whoever_started_it(tmp_path):
    """Even where nobody cleans up."""
    program = COLLECTION / "plugins/module_utils/memory_fault/workload.py"
    code = f"import subprocess, sys; words = [sys.executable, {str(program)!r}, 'memops-x', 'sleeper', '{{}}']"
    code += "; p = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=sys.stdout)"
    code += "; p.stdin.write(b'\\n'); p.stdin.flush(); print(p.pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines = {parent.stdout.readline().strip(), parent.stdout.readline().strip()}
    (pid,) = (int(line) for line in lines if line.isdigit())

    parent.kill()
    parent.wait()

    deadline = time.monotonic() + 10
    while _lives(pathlib.Path(f"/proc/{pid}")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(pathlib.Path(f"/proc/{pid}"))
