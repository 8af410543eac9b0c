# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Swap is made, changed and removed: in use, at boot, on disk; refused with the sum; taken back from the journal."""

import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes import baseline_page, change_journal
from ansible_collections.memops.linux.plugins.module_utils.swap_devices import deciding, doing
from ansible_collections.memops.linux.plugins.module_utils.swap_devices.errors import SwapError
from ansible_collections.memops.linux.tests.unit.target.swap_host import FSTAB, GIB, MIB, SwapHost


@pytest.fixture
def host(tmp_path):
    return SwapHost(tmp_path)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


def file_of(size, path="/swapfile", **more):
    return dict(kind="file", path=path, size_bytes=size, **more)


def gone(path="/swapfile", kind="file"):
    return {"kind": kind, "path": path, "state": "absent"}


def size_on_disk(host, path="/swapfile"):
    return os.path.getsize(host.path(path)) if os.path.exists(host.path(path)) else None


def holds_with(host, devices, running, **more):
    """The host is as wanted: now, with nothing to do, and after a reboot."""
    assert host.running() == running
    assert not host.apply(devices, **more).changed
    assert not [name for name in os.listdir(host.root) if "memops-" in name]
    host.reboot()
    assert {path: size for path, (size, _priority) in host.running().items()} == {path: size for path, (size, _priority) in running.items()}


def test_a_file_is_made_without_holes_for_root_alone_and_comes_up_at_boot(host):
    done = host.apply([file_of(4 * MIB, priority=10)])
    assert done.changed
    assert host.read("/etc/fstab") == FSTAB + "/swapfile none swap sw,pri=10 0 0\n"
    status = os.stat(host.path("/swapfile"))
    assert (status.st_size, status.st_mode & 0o777, status.st_blocks * 512 >= 4 * MIB) == (4 * MIB, 0o600, True)
    holds_with(host, [file_of(4 * MIB, priority=10)], {"/swapfile": (4 * MIB, 10)})


def test_check_mode_says_the_same_as_the_run_and_touches_nothing(host):
    looked = host.apply([file_of(4 * MIB)], only_look=True)
    assert looked.changed and not host.running() and host.steps == [] and not host.files.exists("/var/lib/memops")
    done = host.apply([file_of(4 * MIB)])
    assert (done.decision.diff, done.decision.drift, done.decision.changes) == (looked.decision.diff, looked.decision.drift, looked.decision.changes)
    assert "/swapfile  file  4 MiB" in done.decision.diff["after"] and "/swapfile none swap sw 0 0" in done.decision.diff["after"]
    assert "/swapfile" not in done.decision.diff["before"]


def test_drift_has_the_face_that_differs(host):
    host.apply([file_of(4 * MIB)])
    host.swaps_remove("/swapfile")
    assert [one["face"] for one in host.apply([file_of(4 * MIB)], only_look=True).decision.drift] == ["running"]
    host.swapon("/swapfile", -2)
    host.put("/etc/fstab", FSTAB)
    drift = host.apply([file_of(4 * MIB)]).decision.drift
    assert [(one["key"], one["face"], one["wanted"], one["found"]) for one in drift] == [("/swapfile", "boot", "at boot", "not at boot")]
    assert host.apply([file_of(4 * MIB)]).decision.compliant == ["/swapfile"]
    os.chmod(host.path("/swapfile"), 0o644)
    assert [one["face"] for one in host.apply([file_of(4 * MIB)]).decision.drift] == ["file"]
    holds_with(host, [file_of(4 * MIB)], {"/swapfile": (4 * MIB, -2)})


@pytest.mark.parametrize("before, after, free", [(4, 8, 100 * GIB), (4, 8, 1029 * MIB), (8, 4, 0)], ids=["grow", "grow without room for two files", "shrink"])
def test_a_file_changes_its_size_and_keeps_its_uuid_and_label(host, before, after, free):
    host.swap_file("/swapfile", before * MIB, on=True, priority=5, used=MIB, label=b"mine")
    known = host.probe.header("/swapfile")
    host.free_disk = free
    host.apply([file_of(after * MIB, priority=5)])
    now = host.probe.header("/swapfile")
    assert (now.size_bytes, size_on_disk(host), now.uuid, now.label) == (after * MIB, after * MIB, known.uuid, "mine")
    holds_with(host, [file_of(after * MIB, priority=5)], {"/swapfile": (after * MIB, 5)})


def test_to_grow_the_new_file_is_made_before_the_old_is_turned_off(host):
    host.swap_file("/swapfile", 4 * MIB, on=True)
    host.apply([file_of(8 * MIB)])
    assert host.steps.index("mkswap -U %s /.swapfile.memops-new" % host.probe.header("/swapfile").uuid) < host.steps.index("swapoff /swapfile")


def test_a_line_that_does_not_come_up_by_itself_is_drift_and_loses_noauto(host):
    host.swap_file("/swapfile", 4 * MIB, on=True)
    host.put("/etc/fstab", FSTAB + "/swapfile none swap noauto,nofail 0 0\n")
    assert [one["face"] for one in host.apply([file_of(4 * MIB)]).decision.drift] == ["boot"]
    assert host.read("/etc/fstab") == FSTAB + "/swapfile none swap nofail 0 0\n"


def test_a_removed_file_leaves_fstab_first_and_the_disk_last(host):
    host.apply([file_of(4 * MIB)])
    del host.steps[:]
    done = host.apply([gone()])
    order = [step for step in host.steps if step in ("write /etc/fstab", "swapoff /swapfile", "remove /swapfile")]
    assert order == ["write /etc/fstab", "swapoff /swapfile", "remove /swapfile"]
    assert done.decision.changes[0]["new"] is None
    assert host.read("/etc/fstab") == FSTAB
    holds_with(host, [gone()], {})


def test_another_priority_turns_the_area_off_and_on(host):
    host.apply([file_of(4 * MIB, priority=1)])
    host.apply([file_of(4 * MIB, priority=9)])
    assert "pri=9" in host.read("/etc/fstab") and "pri=1 " not in host.read("/etc/fstab")
    holds_with(host, [file_of(4 * MIB, priority=9)], {"/swapfile": (4 * MIB, 9)})


def test_a_host_without_fstab_lines_gets_a_unit(tmp_path):
    host = SwapHost(tmp_path, fstab="# nothing here\n")
    host.apply([file_of(4 * MIB, priority=3)])
    assert host.read("/etc/fstab") == "# nothing here\n"
    assert "What=/swapfile\nPriority=3\n" in host.read("/etc/systemd/system/swapfile.swap")
    holds_with(host, [file_of(4 * MIB, priority=3)], {"/swapfile": (4 * MIB, 3)})
    host.apply([gone()])
    assert host.read("/etc/systemd/system/swapfile.swap") is None
    holds_with(host, [gone()], {})


def test_what_brings_it_up_can_be_chosen_and_is_never_two_things(host):
    host.apply([file_of(4 * MIB)])
    host.apply([file_of(4 * MIB)], persist_with="systemd")
    assert host.read("/etc/fstab") == FSTAB
    holds_with(host, [file_of(4 * MIB)], {"/swapfile": (4 * MIB, -2)})
    host.apply([file_of(4 * MIB)], persist_with="fstab")
    assert host.read("/etc/systemd/system/swapfile.swap") is None
    holds_with(host, [file_of(4 * MIB)], {"/swapfile": (4 * MIB, -2)})


def test_an_empty_disk_is_formatted_and_known_by_its_uuid(host):
    host.disk("/dev/vdb")
    disk = [{"kind": "partition", "path": "/dev/vdb", "priority": 2}]
    host.apply(disk)
    assert host.read("/etc/fstab") == FSTAB + "UUID=%s none swap sw,pri=2 0 0\n" % host.probe.header("/dev/vdb").uuid
    holds_with(host, disk, {"/dev/vdb": (16 * MIB, 2)})


def test_a_device_that_is_swap_is_taken_as_it_is(host):
    host.swap_file("/dev/vdb", 16 * MIB)
    known = host.probe.header("/dev/vdb")
    host.apply([{"kind": "partition", "path": "/dev/vdb"}])
    assert host.probe.header("/dev/vdb") == known and not [step for step in host.steps if step.startswith(("mkswap", "wipefs"))]


@pytest.mark.parametrize("holds, told", [(b"ext4", "holds ext4"), (b"GPT", "partition table (gpt)")])
def test_a_device_that_holds_something_is_refused_unless_its_exact_path_is_given(host, holds, told):
    host.disk("/dev/vdb", holds=holds)
    disk = [{"kind": "partition", "path": "/dev/vdb"}]
    for elsewhere in ((), ("/dev/vd",), ("/dev/vdb1",)):
        with pytest.raises(SwapError, match="Nothing was changed") as error:
            host.apply(disk, format_devices=elsewhere)
        assert told in str(error.value) and host.steps == []
    with open(host.path("/dev/vdb"), "rb") as stream:
        assert stream.read(len(holds)) == holds
    host.apply(disk, format_devices=("/dev/vdb",))
    holds_with(host, disk, {"/dev/vdb": (16 * MIB, -2)})


def test_a_device_in_use_is_refused_whatever_is_allowed(host):
    host.disk("/dev/vdb")
    host.busy["/dev/vdb"] = "it is mounted"
    with pytest.raises(SwapError, match="it is mounted"):
        host.apply([{"kind": "partition", "path": "/dev/vdb"}], format_devices=("/dev/vdb",))


@pytest.mark.parametrize("file_system", ["tmpfs", "overlay", "nfs4"])
def test_a_file_system_that_cannot_hold_swap_is_refused_by_name(tmp_path, file_system):
    host = SwapHost(tmp_path, file_system=file_system)
    with pytest.raises(SwapError, match="on %s, which cannot" % file_system):
        host.apply([file_of(4 * MIB)])
    assert host.steps == []


def test_a_file_needs_space_with_a_margin_and_the_sum_is_told(host):
    host.free_disk = 1027 * MIB
    with pytest.raises(SwapError) as error:
        host.apply([file_of(4 * MIB)])
    assert "1 GiB of it stay free" in str(error.value) and "1 MiB too little" in str(error.value)
    assert host.steps == []


def test_a_folder_that_others_can_write_to_is_refused(host):
    os.mkdir(host.path("/tmp"))
    os.chmod(host.path("/tmp"), 0o1777)
    with pytest.raises(SwapError, match="others than root"):
        host.apply([file_of(4 * MIB, "/tmp/swap")])


@pytest.mark.parametrize("devices", [[file_of(4 * MIB, "/etc/fstab")], [gone("/etc/fstab")]], ids=["present", "absent"])
def test_a_file_that_is_no_swap_is_neither_overwritten_nor_deleted(host, devices):
    with pytest.raises(SwapError, match="without a swap header"):
        host.apply(devices)
    assert host.read("/etc/fstab") == FSTAB and host.steps == []


@pytest.mark.parametrize(
    "devices", [[gone()], [file_of(2 * MIB)], [file_of(8 * MIB)], [file_of(4 * MIB, priority=7)]], ids=["remove", "shrink", "grow", "priority"]
)
def test_swap_that_does_not_fit_elsewhere_is_not_turned_off(host, devices):
    host.swap_file("/swapfile", 4 * MIB, on=True, used=4 * MIB)
    host.use("/swapfile", 4 * MIB)
    host.available(66 * MIB)
    with pytest.raises(SwapError) as error:
        host.apply(devices)
    for part in ("4 MiB of it is in use", "margin of 64 MiB", "66 MiB of memory available", "2 MiB too little"):
        assert part in str(error.value)
    assert host.running() == {"/swapfile": (4 * MIB, -2)} and host.steps == []
    host.available(68 * MIB)
    host.apply(devices)


def test_what_is_free_in_other_swap_counts_and_what_is_free_in_zram_does_not(host):
    host.swap_file("/swapfile", 4 * MIB, on=True)
    host.use("/swapfile", 4 * MIB)
    host.available(64 * MIB)
    host._modprobe([])
    host.swaps_add("/dev/zram0", 512 * MIB, 100)
    with pytest.raises(SwapError, match="0 bytes free in other swap"):
        host.apply([gone()])
    host.apply([gone(), file_of(8 * MIB, "/other")])
    assert set(host.running()) == {"/dev/zram0", "/other"}


def test_the_sum_is_made_again_at_the_moment_of_turning_off(host):
    host.swap_file("/swapfile", 4 * MIB, on=True)
    host.use("/swapfile", 4 * MIB)
    append = host.files.append

    def memory_goes(path, line, mode=0o600):
        append(path, line, mode)
        host.available(MIB)

    host.files.append = memory_goes
    with pytest.raises(SwapError, match="What was there before is there again"):
        host.apply([gone()])
    assert host.running() == {"/swapfile": (4 * MIB, -2)}


def test_exclusive_turns_off_what_is_not_listed_and_keeps_its_bytes(host):
    host.swap_file("/old", 4 * MIB, on=True)
    host.swap_file("/dev/vdc", 4 * MIB)
    uuid = host.probe.header("/dev/vdc").uuid
    host.put("/etc/fstab", FSTAB + "/old none swap sw 0 0\nUUID=%s none swap sw 0 0\n/stale none swap sw 0 0\n" % uuid)
    assert not host.apply([], only_look=True).changed
    host.apply([file_of(4 * MIB)], exclusive=True)
    assert host.read("/etc/fstab") == FSTAB + "/swapfile none swap sw 0 0\n"
    assert size_on_disk(host, "/old") == 4 * MIB
    holds_with(host, [file_of(4 * MIB)], {"/swapfile": (4 * MIB, -2)}, exclusive=True)


def test_exclusive_takes_a_disk_for_the_one_that_is_listed_under_another_name(host):
    host.swap_file("/dev/vdb", 4 * MIB, on=True)
    os.makedirs(host.path("/dev/disk/by-id"))
    os.symlink("../../vdb", host.path("/dev/disk/by-id/mine"))
    host.put("/etc/fstab", FSTAB + "UUID=%s none swap sw 0 0\n" % host.probe.header("/dev/vdb").uuid)
    assert not host.apply([{"kind": "partition", "path": "/dev/disk/by-id/mine"}], exclusive=True).changed


def zram(size, **more):
    return dict(kind="zram", size_bytes=size, **more)


def test_zram_is_set_up_by_units_and_comes_up_at_boot(host):
    area = [zram(8 * MIB, algorithm="zstd")]
    host.apply(area)
    assert "ExecStart=/sbin/zramctl --algorithm zstd --size 8388608 /dev/zram0" in host.read("/etc/systemd/system/memops-zram0.service")
    holds_with(host, area, {"/dev/zram0": (8 * MIB, 100)})
    host.apply([zram(4 * MIB, algorithm="lz4", priority=50)])
    assert "[lz4]" in host.read("/sys/block/zram0/comp_algorithm")
    holds_with(host, [zram(4 * MIB, algorithm="lz4", priority=50)], {"/dev/zram0": (4 * MIB, 50)})
    host.apply([{"kind": "zram", "state": "absent"}])
    assert host.read("/etc/systemd/system/memops-zram0.service") is None and host.read("/sys/block/zram0/disksize") == "0\n"
    holds_with(host, [{"kind": "zram", "state": "absent"}], {})


def test_zram_that_udev_still_looks_at_is_waited_for(host, monkeypatch):
    waits = []
    monkeypatch.setattr(doing.time, "sleep", waits.append)
    host.apply([zram(8 * MIB)])
    host.looked_at = 3
    host.apply([zram(4 * MIB)])
    assert len(waits) == 3
    holds_with(host, [zram(4 * MIB)], {"/dev/zram0": (4 * MIB, 100)})


def test_and_where_somebody_keeps_it_open_that_is_an_error_and_it_is_on_again(host, monkeypatch):
    monkeypatch.setattr(doing, "BUSY_SECONDS", -1)
    host.apply([zram(8 * MIB)])
    host.looked_at = 1
    with pytest.raises(Exception, match="busy"):
        host.apply([zram(4 * MIB)])
    holds_with(host, [zram(8 * MIB)], {"/dev/zram0": (8 * MIB, 100)})


def test_zram_is_set_up_when_udev_is_there_and_has_looked_at_it(host):
    host.apply([zram(8 * MIB)])
    lines = host.read("/etc/systemd/system/memops-zram0.service").splitlines()
    assert "systemd-udevd.service" in next(line for line in lines if line.startswith("After="))
    names = [os.path.basename(line.partition("=")[2].lstrip("-").split()[0]) for line in lines if line.startswith("ExecStart=")]
    assert names == ["modprobe", "udevadm", "zramctl", "mkswap"]


def test_a_compressor_that_the_kernel_does_not_offer_is_refused(host):
    host._modprobe([])
    with pytest.raises(SwapError, match="lzo-rle, lz4, zstd"):
        host.apply([zram(8 * MIB, algorithm="lz77")])


def test_a_volume_is_made_extended_and_reduced_in_whole_extents(host):
    host.group_free = 64 * MIB

    def volume(size):
        return [{"kind": "lv", "volume_group": "vg", "name": "swap", "size_bytes": size}]

    for size, real in ((6 * MIB, 8 * MIB), (12 * MIB, 12 * MIB), (4 * MIB, 4 * MIB)):
        host.apply(volume(size))
        assert (host.volumes["vg/swap"], host.group_free) == (real, 64 * MIB - real)
        holds_with(host, volume(size), {"/dev/vg/swap": (real, -2)})
    assert "/dev/vg/swap none swap" in host.read("/etc/fstab")
    with pytest.raises(SwapError, match="4 MiB too little"):
        host.apply(volume(68 * MIB))


def test_a_rollback_gives_back_what_was_before_each_kind_of_change(host):
    host.swap_file("/keep", 4 * MIB, on=True, priority=3)
    host.swap_file("/remove", 4 * MIB, on=True)
    host.disk("/dev/vdb")
    host.put("/etc/fstab", FSTAB + "/keep none swap pri=3 0 0\n/remove none swap sw 0 0\n")
    before, table = host.running(), host.read("/etc/fstab")
    host.apply([file_of(8 * MIB, "/keep", priority=9), gone("/remove"), file_of(4 * MIB), zram(8 * MIB), {"kind": "partition", "path": "/dev/vdb"}])
    done, left_alone = host.roll_back()
    assert left_alone == [] and done.changed
    assert host.running() == before
    assert sorted(host.read("/etc/fstab").replace("sw,", "").splitlines()) == sorted(table.replace("sw,", "").splitlines())
    assert size_on_disk(host) is None
    assert host.roll_back()[0].changed is False


def test_a_key_that_somebody_changed_since_is_left_alone_unless_forced(host):
    host.apply([file_of(4 * MIB, priority=1)])
    host.swaps_remove("/swapfile")
    host.swapon("/swapfile", 20)
    done, left_alone = host.roll_back()
    assert not done.changed and "somebody changed it" in left_alone[0]["why"]
    host.roll_back(force=True)
    assert host.running() == {} and size_on_disk(host) is None


def test_a_key_that_a_later_run_changed_again_is_left_to_that_run(host):
    host.apply([file_of(4 * MIB)], run="one")
    host.apply([file_of(8 * MIB)], run="two")
    _done, left_alone = host.roll_back("one")
    assert "the run two" in left_alone[0]["why"] and host.running() == {"/swapfile": (8 * MIB, -2)}
    host.roll_back("two", run="back-two")
    assert host.running() == {"/swapfile": (4 * MIB, -2)}
    host.roll_back("one", run="back-one")
    assert host.running() == {}


def test_a_rollback_of_all_goes_back_to_before_the_first(host):
    host.swap_file("/swapfile", 4 * MIB, on=True)
    host.put("/etc/fstab", FSTAB + "/swapfile none swap sw 0 0\n")
    for size in (8, 12, 16):
        host.apply([file_of(size * MIB)], run="to-%d" % size)
    host.roll_back("all")
    assert host.running() == {"/swapfile": (4 * MIB, -2)}
    assert change_journal.standing(change_journal.read(host.files)) == []


def test_what_was_made_and_removed_again_can_be_taken_back_and_is_not_there(host):
    host.group_free = 64 * MIB
    volume = {"kind": "lv", "volume_group": "vg", "name": "swap"}
    host.apply([file_of(4 * MIB), dict(volume, size_bytes=8 * MIB)])
    host.apply([gone(), dict(volume, state="absent")], run="two")
    host.roll_back("all")
    assert host.running() == {} and size_on_disk(host) is None and host.volumes == {}
    assert change_journal.standing(change_journal.read(host.files)) == []


def test_the_page_for_people_has_what_is_set_and_not_what_was_taken_back(host):
    host.apply([file_of(4 * MIB, priority=10)])
    assert "`/swapfile` = `4 MiB of swap (file), priority 10`" in host.read(baseline_page.PAGE)
    host.apply([file_of(4 * MIB, "/other")], run="two")
    assert "`/swapfile`" in host.read(baseline_page.PAGE) and "`/other`" in host.read(baseline_page.PAGE)
    host.roll_back("all")
    assert host.read(baseline_page.PAGE) is None


def test_the_journal_has_old_and_new_as_they_are_reported(host):
    done = host.apply([file_of(4 * MIB, priority=10)])
    (entry,) = change_journal.read(host.files)
    assert (entry["run"], entry["key"], entry["old"], entry["new"]) == ("one", "/swapfile", None, done.decision.changes[0]["new"])
    assert entry["new"] == {"kind": "file", "size_bytes": 4 * MIB, "priority": 10, "running": True, "at_boot": True, "discard": "none"}
    (area,) = host.request([file_of(4 * MIB, priority=10)]).wanted
    now = deciding.decide(host.probe, host.request([file_of(4 * MIB, priority=10)]))
    assert deciding.as_is(area, now.judged[0].seen, now.host) == entry["new"]
