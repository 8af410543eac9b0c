"""``python -m lab`` where QEMU is a program of ours that fails, hangs or is left behind."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from checkout import ROOT

QEMU = """#!{python}
import pathlib, sys, time
words = sys.argv[1:]
if "--version" in words:
    print("QEMU emulator version 10.0.2")
    sys.exit()
chardev = next(word for word in words if word.startswith("file,id=serial"))
pathlib.Path(chardev.partition("path=")[2]).write_text("early\\n" * 60 + {serial!r})
if {hangs}:
    time.sleep(120)
print("cannot set up guest memory")
sys.exit(3)
"""
QEMU_IMG = """#!/bin/sh
if [ "$1" = info ]; then echo '{"format": "raw", "virtual-size": 1048576}'; fi
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Gives (environment, start): the lab's command line with that QEMU, over a cache of its own."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "image.raw").write_bytes(b"")
    (programs / "qemu-img").write_text(QEMU_IMG)
    (programs / "qemu-img").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "MEMOPS_LAB_IMAGE": str(tmp_path / "image.raw"),
        "MEMOPS_LAB_ACCELERATOR": "tcg",
    }

    def start(*arguments: str, serial: str = "", hangs: bool = False) -> subprocess.Popen:
        (programs / "qemu-system-x86_64").write_text(QEMU.format(python=sys.executable, serial=serial, hangs=hangs))
        (programs / "qemu-system-x86_64").chmod(0o755)
        return subprocess.Popen(
            [sys.executable, "-m", "lab", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in a shell's background are born deaf to it
        )

    return tmp_path / "cache/memops/lab/vms", start


def processes_of(folder: pathlib.Path) -> list[str]:
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def wait_until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_qemu_that_ends_is_said_with_its_words_and_the_end_of_the_serial_log(lab):
    vms, start = lab
    up = start("up", "bookworm-6.1", "--name", "one", serial="Kernel panic - not syncing: VFS\n")

    said = up.communicate(timeout=60)[0]

    assert up.returncode == 1
    assert "QEMU ended (exit status 3)" in said
    assert "cannot set up guest memory" in said
    assert "Kernel panic - not syncing: VFS" in said
    assert said.count("early") < 60
    assert list(vms.glob("*/*")) == []


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_start_leaves_no_process_and_no_file(lab, signal_number):
    vms, start = lab
    up = start("up", "bookworm-6.1", "--name", "one", hangs=True)
    wait_until(lambda: list(vms.glob("*/one/serial.log")))

    up.send_signal(signal_number)
    up.communicate(timeout=60)

    assert list(vms.glob("*/*")) == []
    assert processes_of(vms) == []


@pytest.mark.parametrize("command", [("down", "one"), ("prune",), ("down",)])
def test_what_a_killed_start_left_is_removed_by_down_and_by_prune(lab, command):
    vms, start = lab
    up = start("up", "bookworm-6.1", "--name", "one", hangs=True)
    wait_until(lambda: list(vms.glob("*/one/serial.log")))
    up.kill()
    up.communicate(timeout=60)
    assert processes_of(vms)

    cleaner = start(*command)
    said = cleaner.communicate(timeout=60)[0]

    assert cleaner.returncode == 0, said
    assert list(vms.glob("*/*")) == []
    assert processes_of(vms) == []


def test_prune_leaves_a_machine_alone_that_another_process_is_starting(lab):
    vms, start = lab
    up = start("up", "bookworm-6.1", "--name", "one", hangs=True)
    wait_until(lambda: list(vms.glob("*/one/serial.log")))

    assert start("prune", hangs=True).wait(timeout=60) == 0

    assert up.poll() is None
    assert list(vms.glob("*/one/serial.log"))
    up.terminate()
    up.communicate(timeout=60)


def test_the_same_name_cannot_be_started_twice_but_in_two_runs(lab):
    vms, start = lab
    first = start("up", "bookworm-6.1", "--name", "one", hangs=True)
    wait_until(lambda: list(vms.glob("*/one/serial.log")))

    second = start("up", "bookworm-6.1", "--name", "one", hangs=True)
    said = second.communicate(timeout=60)[0]
    other = start("up", "bookworm-6.1", "--name", "one", "--run", "other", hangs=True)
    wait_until(lambda: list(vms.glob("other/one/serial.log")))

    assert second.returncode == 1
    assert "Another process is starting one" in said
    for process in (first, other):
        process.terminate()
        process.communicate(timeout=60)
    assert processes_of(vms) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("up", "bookworm-6.1", "--name", "../up"), "is no name"),
        (("up", "bookworm-6.1", "--set", "memory_mib"), "--set takes KEY=VALUE"),
        (("up", "bookworm-6.1", "--set", "{memory_mib: "), "--set {memory_mib:"),
        (("ssh", "nothing"), "There is no nothing of run by-hand"),
        (("down", "nothing"), "there was no nothing of run by-hand"),
    ],
)
def test_a_mistake_is_said_and_leaves_nothing(lab, arguments, said):
    vms, start = lab
    told = start(*arguments).communicate(timeout=60)[0]

    assert said in told
    assert "Traceback" not in told
    assert list(vms.glob("*/*")) == []


def test_an_image_that_is_not_there_is_said(lab, tmp_path):
    _, start = lab
    (tmp_path / "image.raw").unlink()

    assert "there is no such file" in start("up", "bookworm-6.1").communicate(timeout=60)[0]
