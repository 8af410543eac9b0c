"""Only our own process is ended."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from checkout import ROOT

from lab import processes


@pytest.fixture
def sleeper():
    """A process with a word of its own on its command line."""
    started = []

    def start(word: str, code: str = "import time; time.sleep(60)") -> subprocess.Popen:
        started.append(subprocess.Popen([sys.executable, "-c", code, word]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_process_is_found_by_a_whole_word_of_its_command_line(sleeper, tmp_path):
    process = sleeper(f"{tmp_path}/vm/qemu.pid")

    assert [found.pid for found in processes.with_argument(f"{tmp_path}/vm/qemu.pid")] == [process.pid]
    assert processes.with_argument(f"{tmp_path}/vm") == []


def test_it_is_ended_also_when_it_does_not_listen(sleeper, tmp_path):
    deaf = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", deaf, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"deaf\n"

    assert processes.end(processes.of(process.pid), patience_seconds=0.3)
    assert process.wait() == -9


def test_a_process_that_has_the_number_since_is_left_alone(sleeper, tmp_path):
    process = sleeper(str(tmp_path))
    before = processes.Process(process.pid, processes.of(process.pid).started - 1)

    assert processes.end(before, patience_seconds=0.1)
    assert process.poll() is None
    assert not processes.lives(before)


def test_a_zombie_is_dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert processes.of(process.pid) is None
    process.wait()


def test_an_ancestor_is_known_by_its_program_and_argument(tmp_path):
    program = tmp_path / "molecule"
    program.write_text(
        f"#!{sys.executable}\n"
        "import subprocess, sys\n"
        "code = \"from lab import processes; found = processes.ancestor_running('molecule', 'test'); print(found and found.pid)\"\n"
        "print(subprocess.check_output([sys.executable, '-c', code], text=True).strip())\n"
        "import os; print(os.getpid())\n"
    )
    program.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    found, itself = subprocess.check_output([program, "test"], env=environment, text=True).split()
    other, _ = subprocess.check_output([program, "converge"], env=environment, text=True).split()

    assert found == itself
    assert other == "None"
