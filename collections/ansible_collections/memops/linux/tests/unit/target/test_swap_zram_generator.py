# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""zram where zram-generator is installed, and where a file of the distribution already makes one (zram-generator.conf(5))."""

import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.swap_devices import zram_generator
from ansible_collections.memops.linux.plugins.module_utils.swap_devices.errors import SwapError
from ansible_collections.memops.linux.tests.unit.target.swap_host import GIB, MIB, SwapHost

OURS = zram_generator.OURS
#: What Debian's package installs, comments aside.
DEBIAN = "# This config file enables a /dev/zram0 swap device\n[zram0]\n"
USUAL = 16 * MIB  # what the host of these tests makes of that
ABSENT = [{"kind": "zram", "state": "absent"}]


@pytest.fixture
def host(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return SwapHost(tmp_path)


@pytest.fixture
def debian(host):
    host.install_generator(DEBIAN)
    host.reboot()
    assert host.running() == {"/dev/zram0": (USUAL, 100)}
    return host


def zram(size, **more):
    return [dict(kind="zram", size_bytes=size, **more)]


def comes_up(host):
    host.reboot()
    return host.running()


def others(host):
    return zram_generator.read(host.probe, GIB).others


def test_its_drop_in_is_written_and_no_unit(host):
    host.install_generator()
    plan = host.apply(zram(8 * MIB, algorithm="zstd", priority=50), only_look=True).decision.plan
    (text,) = plan.files.values()
    assert list(plan.files) == [OURS] and not plan.enable
    for line in ("[zram0]", "zram-size = 8", "max-zram-size = 8", "compression-algorithm = zstd", "swap-priority = 50"):
        assert line in text.splitlines()


def test_the_drop_in_reads_back_as_it_was_written():
    areas = [zram_generator.Area("zram0", GIB, "zstd", 100), zram_generator.Area("zram1", 512 * MIB, None, 5), zram_generator.Area("zram2", 0, None, 100)]
    assert zram_generator.areas(zram_generator.text(areas)) == areas
    assert zram_generator.text([]) is None and zram_generator.areas(None) == []


def test_the_distributions_zram_becomes_as_large_as_wanted_and_stays_so(debian):
    wanted = zram(8 * MIB, algorithm="lz4", priority=50)
    done = debian.apply(wanted)
    assert {(one["face"], one["where"]) for one in done.decision.drift if one["face"] == "boot"} == {("boot", "/etc/systemd/zram-generator.conf")}
    assert debian.running() == {"/dev/zram0": (8 * MIB, 50)} and not debian.apply(wanted).changed
    assert comes_up(debian) == {"/dev/zram0": (8 * MIB, 50)} and debian.read("/etc/systemd/zram-generator.conf") == DEBIAN


def test_absent_it_does_not_come_back_at_boot(debian):
    debian.apply(ABSENT)
    assert debian.running() == {} and not debian.apply(ABSENT).changed
    assert comes_up(debian) == {} and not debian.apply(ABSENT).changed
    assert zram_generator.coming_up(zram_generator.read(debian.probe, GIB)) == []
    assert debian.read("/etc/systemd/zram-generator.conf") == DEBIAN


def test_exclusive_takes_it_away_for_good_and_has_nothing_to_warn_of(debian):
    done = debian.apply([], exclusive=True)
    assert done.decision.unsupported == [] and debian.running() == {} and comes_up(debian) == {}
    assert not debian.apply([], exclusive=True).changed


@pytest.mark.parametrize("wanted", [zram(8 * MIB, algorithm="lz4", priority=50), ABSENT], ids=["resized", "absent"])
def test_a_rollback_leaves_it_to_the_distributions_file_again(debian, wanted):
    debian.apply(wanted)
    done, left_alone = debian.roll_back()
    assert done.changed and left_alone == []
    assert debian.running() == {"/dev/zram0": (USUAL, 100)} and debian.read(OURS) is None
    assert comes_up(debian) == {"/dev/zram0": (USUAL, 100)}


def test_a_rollback_after_the_distributions_file_is_gone_still_gives_the_former_size(debian):
    debian.apply(zram(8 * MIB))
    os.unlink(debian.path("/etc/systemd/zram-generator.conf"))
    debian.roll_back()
    assert debian.running() == {"/dev/zram0": (USUAL, 100)} == comes_up(debian)


def test_a_second_one_beside_the_distributions_leaves_that_as_it_is(debian):
    plan = debian.apply([{"kind": "zram", "path": "zram1", "size_bytes": 8 * MIB}], only_look=True).decision.plan
    assert [area.zram for area in zram_generator.areas(plan.files[OURS])] == ["zram1"]


def test_our_drop_in_that_somebody_changed_is_drift_that_says_so(debian):
    debian.apply(zram(8 * MIB))
    debian.put(OURS, debian.read(OURS).replace("size = 8", "size = 9"))
    (drift,) = debian.apply(zram(8 * MIB), only_look=True).decision.drift
    assert (drift["face"], drift["where"]) == ("boot", OURS) and drift["wanted"] != drift["found"]


@pytest.mark.parametrize("word, refused", [("systemd.zram=0", True), ("systemd.zram=no", True), ("systemd.zram", False), ("systemd.zramx=0", False)])
def test_zram_is_refused_where_the_kernel_command_line_turns_the_generator_off(host, word, refused):
    host.install_generator(DEBIAN)
    host.put("/proc/cmdline", "root=/dev/vda quiet %s\n" % word)
    if not refused:
        assert host.apply(zram(8 * MIB), only_look=True).changed
        return
    with pytest.raises(SwapError, match=r"systemd\.zram=0 on the kernel command line"):
        host.apply(zram(8 * MIB))
    assert not host.apply(ABSENT).changed


@pytest.mark.parametrize(
    "keys, swap",
    [
        ("", True),
        ("zram-size = ram / 2", True),
        ("zram-size = 0", False),
        ("zram-size = 0\nzram-fraction = 0.5", True),
        ("zram-fraction = 0.0", False),
        ("max-zram-size = 0", False),
        ("max-zram-size = none", True),
        ("host-memory-limit = 1023", False),
        ("host-memory-limit = 1024", True),
        ("memory-limit = 512", False),
        ("host-memory-limit = none", True),
        ("mount-point = /var/compressed", False),
        ("fs-type = ext4", False),
        ("fs-type = swap", True),
    ],
)
def test_others_bring_up_what_is_swap_of_a_size(host, keys, swap):
    host.install_generator("[zram0]\n" + keys + "\n")
    assert ("zram0" in others(host)) == swap


def test_others_are_read_as_the_generator_reads_them(host):
    host.install_generator()
    for path, text in {
        "/usr/lib/systemd/zram-generator.conf": "[zram7]\n",  # hidden by the one of /etc
        "/etc/systemd/zram-generator.conf": "[zram0]\nswap-priority = 7\n; [zram9]\n[other]\nzram-size = 1\n",
        "/usr/lib/systemd/zram-generator.conf.d/10-vendor.conf": "[zram1]\n",  # hidden by an empty one
        "/etc/systemd/zram-generator.conf.d/10-vendor.conf": "",
        "/usr/lib/systemd/zram-generator.conf.d/20-vendor.conf": "[zram0]\nswap-priority = 8\n[zram2]\nzram-size = 64\n",
        "/etc/systemd/zram-generator.conf.d/30-local.conf": "[zram2]\nzram-size = 0\n",
        "/etc/systemd/zram-generator.conf.d/notes.txt": "[zram5]\n",
        OURS: "[zram6]\nzram-size = 4\n",
    }.items():
        host.put(path, text)
    assert others(host) == {"zram0": zram_generator.Other("/usr/lib/systemd/zram-generator.conf.d/20-vendor.conf", 8)}


def test_where_it_is_not_installed_its_files_mean_nothing(host):
    host.put("/etc/systemd/zram-generator.conf", DEBIAN)
    assert others(host) == {}


def test_zram_that_something_else_set_up_is_turned_off_with_a_word_of_what_is_not_known(host):
    host.start_by_hand("zram0", 8 * MIB)
    done = host.apply(ABSENT)
    assert host.running() == {} and [one["key"] for one in done.decision.unsupported] == ["zram0"]
    assert host.apply(ABSENT).decision.unsupported == []
