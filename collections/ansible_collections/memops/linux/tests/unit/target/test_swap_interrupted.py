# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""At each step of each kind of change: a failure puts back what was there, and a kill is completed by the next run and still taken back."""

import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes import change_journal
from ansible_collections.memops.linux.plugins.module_utils.changes.host_command import CommandError
from ansible_collections.memops.linux.plugins.module_utils.swap_devices import file_bytes
from ansible_collections.memops.linux.plugins.module_utils.swap_devices.errors import SwapError
from ansible_collections.memops.linux.tests.unit.target.swap_host import FSTAB, MIB, PAGE, Killed, SwapHost, header

FILE = {"kind": "file", "path": "/swapfile"}
SCENES = {
    "make": [dict(FILE, size="8M", priority=4)],
    "grow": [{"kind": "file", "path": "/there", "size": "8M"}],
    "shrink": [{"kind": "file", "path": "/there", "size": "2M"}],
    "remove": [{"kind": "file", "path": "/there", "state": "absent"}],
    "priority": [{"kind": "file", "path": "/there", "size": "4M", "priority": 9}],
    "disk": [{"kind": "partition", "path": "/dev/vdb"}],
    "zram": [{"kind": "zram", "size": "8M"}],
    "zram resized": [{"kind": "zram", "size": "16M", "algorithm": "zstd"}],
    "zram removed": [{"kind": "zram", "state": "absent"}],
    "generated zram resized": [{"kind": "zram", "size": "8M"}],
    "generated zram removed": [{"kind": "zram", "state": "absent"}],
    "volume": [{"kind": "lv", "volume_group": "vg", "name": "swap", "size": "8M"}],
    "all at once": [
        dict(FILE, size="8M"),
        {"kind": "file", "path": "/there", "state": "absent"},
        {"kind": "zram", "size": "8M"},
        {"kind": "partition", "path": "/dev/vdb"},
    ],
}


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


def scene(root, name, monkeypatch):
    host = SwapHost(root)
    host.group_free = 64 * MIB
    host.swap_file("/there", 4 * MIB, on=True, priority=3)
    host.put("/etc/fstab", FSTAB + "/there none swap sw,pri=3 0 0\n")
    host.disk("/dev/vdb")
    if name in ("zram resized", "zram removed"):
        host.apply([{"kind": "zram", "size": "8M"}], run="before")
    if name.startswith("generated"):
        host.install_generator("[zram0]\n")
        host.reboot()
    del host.steps[:]
    for verb in ("make", "rename", "cut", "grow"):
        real = vars(file_bytes).get("_real_" + verb) or getattr(file_bytes, verb)
        monkeypatch.setattr(file_bytes, "_real_" + verb, real, raising=False)
        monkeypatch.setattr(file_bytes, verb, _counted(host, verb, real))
    return host


def _counted(host, verb, real):
    def step(*arguments):
        host.step(verb + " " + str(arguments[1:]))
        return real(*arguments)

    return step


def state(host):
    """All that a person would call the host's swap. UUIDs are chosen anew, so they are left out."""
    files = {path: host.read(path) for path in ("/etc/fstab", "/etc/systemd/system/memops-zram0.service", "/etc/systemd/system/dev-zram0.swap")}
    files["/etc/fstab"] = "\n".join("UUID=x" if line.startswith("UUID=") and "swap" in line else line for line in files["/etc/fstab"].splitlines())
    disk = {path: os.path.getsize(host.path(path)) for path in ("/swapfile", "/there") if os.path.exists(host.path(path))}
    left = [name for name in os.listdir(host.root) if "memops-" in name]
    wants = host.path("/etc/systemd/system/swap.target.wants")
    enabled = os.listdir(wants) if os.path.isdir(wants) else []
    headers = {path: (host.probe.header(path) or (None,))[0] for path in disk}
    return host.running(), files, disk, left, enabled, headers, dict(host.volumes), host.read("/sys/block/zram0/disksize") or "0\n"


def steps_of(tmp_path, name, monkeypatch):
    host = scene(tmp_path / "count", name, monkeypatch)
    host.apply(SCENES[name])
    return list(host.steps), state(host)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_step_that_fails_leaves_what_was_there_and_a_second_run_goes_through(tmp_path, monkeypatch, name):
    steps, right = steps_of(tmp_path, name, monkeypatch)
    tried = 0
    for number, step in enumerate(steps, 1):
        if step.startswith("append") or "/var/lib/memops" in step or "/etc/memops" in step:
            continue
        if step.startswith("remove") and all(other.startswith("remove") or "memops/" in other for other in steps[number:]):
            continue  # what destroys comes last, when all else is done and checked
        host = scene(tmp_path / str(number), name, monkeypatch)
        before = state(host)
        host.trip_at, host.trip = number, lambda what: CommandError("%s failed" % what)
        with pytest.raises(SwapError, match="there again"):
            host.apply(SCENES[name])
        assert state(host) == before, step
        standing = change_journal.standing(change_journal.read(host.files))
        assert [entry for entry in standing if entry["run"] == "one"] == []
        host.apply(SCENES[name], run="two")
        assert state(host) == right, step
        tried += 1
    assert tried >= 2


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_run_that_is_killed_at_any_step_is_completed_by_the_next_and_taken_back_after_that(tmp_path, monkeypatch, name):
    steps, right = steps_of(tmp_path, name, monkeypatch)
    for number, step in enumerate(steps, 1):
        host = scene(tmp_path / str(number), name, monkeypatch)
        before = state(host)
        host.trip_at = number
        with pytest.raises(Killed):
            host.apply(SCENES[name])
        host.apply(SCENES[name], run="two")
        assert state(host) == right, step
        assert not host.apply(SCENES[name], run="three").changed, step
        for run in ("two", "one"):
            host.roll_back(run, run="back-" + run)
        assert (state(host)[0], state(host)[2]) == (before[0], before[2]), step


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_run_that_was_killed_can_be_taken_back_at_once(tmp_path, monkeypatch, name):
    steps, _right = steps_of(tmp_path, name, monkeypatch)
    for number, step in enumerate(steps, 1):
        host = scene(tmp_path / str(number), name, monkeypatch)
        before = state(host)
        host.trip_at = number
        with pytest.raises(Killed):
            host.apply(SCENES[name])
        host.roll_back("one")
        assert (state(host)[0], state(host)[2]) == (before[0], before[2]), step


@pytest.mark.parametrize("trip", [Killed, CommandError])
@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_rollback_that_is_killed_or_fails_can_be_asked_for_again(tmp_path, monkeypatch, name, trip):
    host = scene(tmp_path / "count", name, monkeypatch)
    host.apply(SCENES[name])
    done = len(host.steps)
    host.roll_back("one")
    for number in range(done + 1, len(host.steps) + 1):
        host = scene(tmp_path / str(number), name, monkeypatch)
        before = state(host)
        host.apply(SCENES[name])
        host.trip_at, host.trip = number, trip
        with pytest.raises((Killed, SwapError, CommandError)):
            host.roll_back("one")
        host.roll_back("one", run="back again")
        assert (state(host)[0], state(host)[2]) == (before[0], before[2]), host.steps[number - 1]


def test_a_file_that_was_grown_but_not_told_so_is_given_its_header(tmp_path):
    host = SwapHost(tmp_path)
    host.put("/swapfile", header(4 * MIB // PAGE) + bytes(8 * MIB - PAGE), "wb")
    os.chmod(host.path("/swapfile"), 0o600)
    host.apply([dict(FILE, size="8M")])
    assert host.running() == {"/swapfile": (8 * MIB, -2)}


def test_what_a_killed_run_left_beside_a_file_is_swept_and_counts_as_free(tmp_path):
    host = SwapHost(tmp_path)
    host.apply([dict(FILE, size="8M")])
    host.put("/.swapfile.memops-new", "x" * MIB)
    done = host.apply([dict(FILE, size="8M")])
    assert done.changed and done.decision.drift[0]["found"] == "what a killed run left"
    assert not host.files.exists("/.swapfile.memops-new")


def test_a_disk_that_is_full_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    host = SwapHost(tmp_path)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file_bytes.os, "posix_fallocate", full)
    with pytest.raises(SwapError, match="No space left"):
        host.apply([dict(FILE, size="8M")])
    assert host.running() == {} and not [name for name in os.listdir(host.root) if "swapfile" in name]
