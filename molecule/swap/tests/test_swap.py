"""The host after each run, by its own /proc, fstab, units and disks."""

from __future__ import annotations

import json

import pytest

MIB = 1024 * 1024
PAGE = 4096

#: What the kernel must use, without the page of the header: size in MiB and priority (None: the kernel's choice, which is negative).
FIRST = {
    "/swapfile": (96, 5),
    "/mnt/xfs/swapfile": (64, None),
    "/mnt/btrfs/swapfile": (64, None),
    "/dev/vdd": (128, 3),
    "/dev/dm-0": (40, None),
    "/dev/zram0": (64, 100),
}
RESIZED = {**FIRST, "/swapfile": (128, 7), "/mnt/xfs/swapfile": (96, None), "/mnt/btrfs/swapfile": (32, None), "/dev/dm-0": (64, None), "/dev/zram0": (96, 100)}
REFUSED = {
    "refused-ext4": ("/dev/vdf", "it holds ext4"),
    "refused-mounted": ("/dev/vdb", "it is in use"),
    "refused-tmpfs": ("/run/swapfile", "tmpfs"),
    "refused-space": ("/large", "too little"),
}


@pytest.fixture(scope="module")
def look(host):
    return lambda name: json.loads(host.check_output(f"cat /var/tmp/look-{name}.json"))


@pytest.fixture(scope="module")
def result(host):
    return lambda name: json.loads(host.check_output(f"cat /var/tmp/result-{name}.json"))


def uses(seen, wanted):
    assert set(seen["swaps"]) == set(wanted)
    for path, (mib, priority) in wanted.items():
        area = seen["swaps"][path]
        assert area["size"] == mib * MIB - PAGE, path
        assert area["priority"] == priority if priority is not None else area["priority"] < 0, path
    assert seen["left"] == [] and seen["failed"].strip() == ""


def test_check_mode_changes_nothing_and_says_what_the_run_does(look, result):
    assert look("looked")["swaps"] == {} and look("looked")["units"] == []
    assert result("looked")["changed"] and result("looked")["changes"] == result("made")["changes"]
    assert {(one["key"], one["face"]) for one in result("looked")["drift"]} >= {("/swapfile", "running"), ("/swapfile", "boot"), ("zram0", "boot")}


def test_all_six_are_in_use(look, result):
    assert result("made")["changed"]
    uses(look("made"), FIRST)


def test_files_are_whole_and_for_root_alone(look):
    for file in look("made")["files"].values():
        assert (file["mode"], file["owner"], file["holes"]) == ("0o600", 0, False)
    assert "C" in look("made")["attributes"]


def test_a_second_run_has_nothing_to_do(look, result):
    for name in ("again", "resized-again", "settled-growing", "settled-shrinking", "settled-removing", "settled-making"):
        assert not result(name)["changed"], name
        assert result(name)["drift"] == [], name


def test_all_come_up_at_boot(look, result):
    uses(look("rebooted"), FIRST)
    assert not result("rebooted")["changed"]


def test_fstab_keeps_its_other_lines_and_names_a_disk_by_its_uuid(host, look):
    before = host.check_output("cat /var/tmp/fstab").strip("\n") + "\n"
    fstab = look("made")["fstab"]
    assert fstab.startswith(before)
    added = [line.split() for line in fstab[len(before) :].splitlines()]
    assert [line[0].split("=")[0] for line in added] == ["/swapfile", "/mnt/xfs/swapfile", "/mnt/btrfs/swapfile", "UUID", "/dev/memops/swap"]


def test_drift_by_hand_is_seen_with_its_face_and_mended(look, result):
    assert {(one["key"], one["face"]) for one in result("drifted")["drift"]} == {("/swapfile", "running"), ("/mnt/xfs/swapfile", "boot"), ("zram0", "boot")}
    assert set(look("drifted")["swaps"]) == set(FIRST) - {"/swapfile"}
    uses(look("mended"), FIRST)
    assert "/mnt/xfs/swapfile none swap" in look("mended")["fstab"] and look("mended")["enabled"]


def test_areas_grow_and_shrink(look):
    uses(look("resized"), RESIZED)
    assert look("resized")["files"]["/swapfile"]["size"] == 128 * MIB and look("resized")["volume"] == str(64 * MIB)
    assert "[zstd]" in look("resized")["zram"]["algorithm"]


def test_a_rollback_gives_back_every_former_size_priority_and_compressor(look, result):
    assert result("back")["left_alone"] == []
    uses(look("back"), FIRST)
    assert "[lz4]" in look("back")["zram"]["algorithm"] and look("back")["fstab"] == look("mended")["fstab"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_hurt_is_refused_and_leaves_the_host_untouched(look, result, name):
    key, why = REFUSED[name]
    assert result(name)["failed"] and result(name)["refused"][0]["key"] == key and why in result(name)["msg"]
    uses(look(name), FIRST)
    assert "TYPE=ext4" in look(name)["vdf"] and "LABEL=keep" in look(name)["vdf"]
    assert look(name)["fstab"] == look("back")["fstab"]


def test_swap_that_does_not_fit_elsewhere_is_not_turned_off(look, result):
    refused = result("refused-full")
    assert refused["failed"] and "of memory available" in refused["msg"] and "too little" in refused["msg"]
    assert set(look("refused-full")["swaps"]) == set(FIRST)
    assert sum(area["used"] for area in look("refused-full")["swaps"].values()) > 100 * MIB


@pytest.mark.parametrize("name, wanted", [("growing", RESIZED), ("shrinking", FIRST), ("removing", {}), ("making", FIRST)])
def test_a_run_that_was_killed_is_completed_by_the_next(host, look, result, name, wanted):
    assert host.file(f"/var/tmp/killed-{name}").exists
    assert "changes" not in result(f"killed-{name}")
    uses(look(f"after-{name}"), wanted)


def test_in_the_end_the_host_is_as_in_the_beginning(host, look):
    seen = look("all-back")
    uses(seen, {})
    assert (seen["fstab"], seen["files"], seen["units"], seen["volume"]) == (host.check_output("cat /var/tmp/fstab").strip("\n") + "\n", {}, [], "")
    assert not host.file("/etc/memops/BASELINE.md").exists


def test_nothing_was_killed_by_the_kernel(look):
    assert look("all-back")["oom_kills"] == 0
