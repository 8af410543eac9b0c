"""What the kernel, systemd and the files said at each stage of the scenario."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

FOLDER = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
OURS = "/etc/systemd/zram-generator.conf.d/zz-memops.conf"
MIB = 1 << 20


@pytest.fixture
def stage(host):
    name = host.backend.get_hostname()
    return lambda which: json.loads((FOLDER / f"{name}-{which}.json").read_text(encoding="utf-8"))


@pytest.fixture
def seen(stage):
    return lambda which: stage(which)["seen"]


def test_the_package_had_set_one_up(seen):
    former = seen("former")
    assert former["generated"] and former["swaps"]["/dev/zram0"]["priority"] == 100 and former["disk_bytes"] != 64 * MIB
    assert ["[zram0]" in text for text in former["files"].values()] == [True]


def test_check_mode_changed_nothing_and_told_what_the_run_did(stage, seen):
    assert seen("checked") == seen("former")
    assert stage("checked")["result"]["changed"] and stage("checked")["result"]["changes"] == stage("sized")["result"]["changes"]


@pytest.mark.parametrize("which", ["sized", "sized-again", "sized-booted"])
def test_it_is_as_wanted_now_and_after_a_boot(seen, which):
    found = seen(which)
    assert found["swaps"] == {"/dev/zram0": {"bytes": 64 * MIB - 4096, "priority": 50}}
    assert (found["algorithm"], found["failed"]) == ("lz4", "")
    assert "`zram0`" in found["page"]


@pytest.mark.parametrize("which", ["absent", "absent-again", "absent-booted"])
def test_removed_it_is_gone_and_stays_gone(seen, which):
    found = seen(which)
    assert (found["swaps"], found["disk_bytes"], found["generated"], found["failed"]) == ({}, 0, False, "")
    assert {path: text for path, text in found["files"].items() if path != OURS} == seen("former")["files"]


def test_the_run_that_was_killed_had_turned_it_off(seen):
    assert seen("killed")["swaps"] == {}


@pytest.mark.parametrize("which", ["sized-again", "absent-again"])
def test_a_second_run_changes_nothing(stage, which):
    assert not stage(which)["result"]["changed"] and stage(which)["result"]["drift"] == []


@pytest.mark.parametrize("which", ["back", "back-booted"])
def test_taken_back_it_is_the_packages_again(stage, seen, which):
    former, found = seen("former"), seen(which)
    assert stage("back")["result"]["left_alone"] == []
    for part in ("swaps", "disk_bytes", "algorithm", "generated", "failed", "page", "files"):
        assert found[part] == former[part], part


def test_it_did_boot_three_times(seen):
    assert len({seen(which)["boot"] for which in ("former", "sized-booted", "absent-booted", "back-booted")}) == 4
