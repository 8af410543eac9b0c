# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be asked of swap, how large it becomes, and the text of what brings it up at boot."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.swap_devices import boot_units, fstab, sizes, swap_header
from ansible_collections.memops.linux.plugins.module_utils.swap_devices.errors import SwapError
from ansible_collections.memops.linux.plugins.module_utils.swap_devices.usual_size import usual, usual_zram
from ansible_collections.memops.linux.plugins.module_utils.swap_devices.wanted import resolve
from ansible_collections.memops.linux.tests.unit.target.swap_host import header

MIB, GIB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    "ram_gib, workload, gib",
    [
        (0.9, "general", 1),
        (2, "general", 2),
        (3, "general", 2),
        (8, "container_host", 4),
        (64, "general", 4),
        (2, "database", 1),
        (64, "database", 2),
        (16, "batch", 8),
        (128, "batch", 16),
        (0.5, "latency", 0.5),
        (64, "latency", 1),
    ],
)
def test_the_usual_size_follows_ram_and_what_the_host_does(ram_gib, workload, gib):
    size, why = usual(int(ram_gib * GIB), workload)
    assert size == int(gib * GIB)
    assert workload in why and sizes.told(size) in why


def test_zram_is_half_of_ram_and_at_most_4_gib():
    assert [usual_zram(ram * GIB)[0] // MIB for ram in (1, 4, 64)] == [512, 2048, 4096]


@pytest.mark.parametrize(
    "text, size",
    [("512M", 512 * MIB), ("1.5G", 1536 * MIB), ("2GiB", 2 * GIB), ("25%", 256 * MIB), ("536870912", 512 * MIB), ("much", None), ("-1G", None), ("", None)],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert sizes.parse(text, GIB) == size


@pytest.mark.parametrize("size, text", [(1536 * MIB, "1.5 GiB"), (2047 * MIB, "1.9 GiB"), (512 * MIB, "512 MiB"), (5, "5 bytes")])
def test_sizes_are_told_as_people_read_them(size, text):
    assert sizes.told(size) == text


BAD = [
    ({"kind": "file", "path": "swapfile", "size": "1G"}, "absolute path"),
    ({"kind": "file", "path": "/a b", "size": "1G"}, "absolute path"),
    ({"kind": "file", "path": "/a\nb", "size": "1G"}, "absolute path"),
    ({"kind": "file", "path": "/x%n", "size": "1G"}, "absolute path"),
    ({"kind": "file", "path": "/var/../etc/x", "size": "1G"}, "absolute path"),
    ({"kind": "file", "path": "/x/", "size": "1G"}, "absolute path"),
    ({"kind": "file", "size": "1G"}, "absolute path"),
    ({"kind": "file", "path": "/dev/sdb", "size": "1G"}, "does not live below /dev"),
    ({"kind": "partition", "path": "/swapfile"}, "lives below /dev"),
    ({"kind": "file", "path": "/x"}, "needs a size"),
    ({"kind": "file", "path": "/x", "size": "lots"}, "size must be"),
    ({"kind": "file", "path": "/x", "size": "1G", "size_bytes": 1}, "not both"),
    ({"kind": "file", "path": "/x", "size_bytes": 4096}, "1 MiB to 64 TiB"),
    ({"kind": "file", "path": "/x", "size_bytes": -1}, "1 MiB to 64 TiB"),
    ({"kind": "partition", "path": "/dev/vdb", "size": "1G"}, "leave size out"),
    ({"kind": "file", "path": "/x", "size": "1G", "priority": 40000}, "priority"),
    ({"kind": "file", "path": "/x", "size": "1G", "priority": -1}, "priority"),
    ({"kind": "file", "path": "/x", "size": "1G", "algorithm": "lz4"}, "algorithm"),
    ({"kind": "zram", "size": "1G", "algorithm": "lz4; reboot"}, "algorithm"),
    ({"kind": "zram", "path": "sda", "size": "1G"}, "zram0"),
    ({"kind": "lv", "volume_group": "vg", "name": "-x", "size": "1G"}, "names of LVM"),
    ({"kind": "lv", "volume_group": "vg", "size": "1G"}, "names of LVM"),
    ({"kind": "lv", "path": "/dev/vg/x", "size": "1G"}, "volume_group and name"),
    ({"kind": "file", "path": "/x", "size": "1G", "name": "x"}, "kind lv"),
]


@pytest.mark.parametrize("device, why", BAD)
def test_what_cannot_be_meant_is_refused_before_the_host_is_looked_at(device, why):
    with pytest.raises(SwapError) as error:
        resolve([device], "general", GIB)
    assert why in str(error.value)


def test_an_area_is_listed_once():
    with pytest.raises(SwapError):
        resolve([{"kind": "zram", "size": "1G"}, {"kind": "zram", "path": "/dev/zram0", "size": "2G"}], "general", GIB)


def test_a_remedy_of_a_diagnosis_can_be_asked_for_as_it_stands():
    (area,) = resolve([{"kind": "file", "path": "/swapfile", "size_bytes": 1073741824}], "general", GIB)
    assert (area.key, area.size_bytes, area.priority, area.running, area.at_boot) == ("/swapfile", GIB, None, True, True)


TABLE = "# mine\nUUID=1 / ext4 defaults 0 1\n/old none swap sw,pri=5,nofail 0 0   # kept\n\tLABEL=s\tnone  swap  noauto,discard 0 0"


@pytest.mark.parametrize(
    "number, source, priority, discard, line",
    [
        (2, "/old", 5, "none", "/old none swap sw,pri=5,nofail 0 0   # kept\n"),
        (2, "/old", None, "none", "/old none swap sw,pri=5,nofail 0 0   # kept\n"),
        (2, "/old", 7, "once", "/old none swap sw,nofail,pri=7,discard=once 0 0   # kept\n"),
        (3, "LABEL=s", None, "both", "\tLABEL=s\tnone  swap  discard 0 0"),
        (3, "LABEL=s", 1, "none", "\tLABEL=s\tnone  swap  pri=1 0 0"),
    ],
)
def test_one_line_of_fstab_changes_and_only_where_it_differs(number, source, priority, discard, line):
    before, after = TABLE.splitlines(True), fstab.with_line(TABLE, number, source, priority, discard).splitlines(True)
    assert after[number] == line
    assert [text for at, text in enumerate(after) if at != number] == [text for at, text in enumerate(before) if at != number]


def test_a_new_line_ends_one_that_had_no_end():
    assert fstab.with_line(TABLE, None, "/new", 3, "none") == TABLE + "\n/new none swap sw,pri=3 0 0\n"


def test_only_the_lines_of_swap_are_seen_and_removed():
    assert [line.source for line in fstab.swap_lines(TABLE)] == ["/old", "LABEL=s"]
    assert fstab.without(TABLE, {2, 3}) == "# mine\nUUID=1 / ext4 defaults 0 1\n"
    assert fstab.is_used(TABLE) and not fstab.is_used("# nothing\n\n") and not fstab.is_used(None)


@pytest.mark.parametrize(
    "path, name",
    [
        ("/swapfile", "swapfile.swap"),
        ("/dev/zram0", "dev-zram0.swap"),
        ("/dev/disk/by-uuid/1a-2b", "dev-disk-by\\x2duuid-1a\\x2d2b.swap"),
        ("/mnt/.x/swap@1", "mnt-.x-swap\\x401.swap"),
        ("/.swap", "\\x2eswap.swap"),
    ],
)
def test_units_have_the_names_that_systemd_escape_gives(path, name):
    assert boot_units.name_of(path) == name


def test_a_unit_reads_back_as_it_was_written():
    assert boot_units.parse(boot_units.swap_unit("/swapfile", 7, "once")) == ("/swapfile", 7, "once")
    assert boot_units.parse(boot_units.swap_unit("/swapfile", None, "none")) == ("/swapfile", None, "none")


def test_a_header_says_size_uuid_and_label_and_other_bytes_are_none():
    identifier = "01234567-89ab-cdef-0123-456789abcdef"
    assert swap_header.parse(header(256, identifier, b"mine")) == (MIB, identifier, "mine")
    assert swap_header.parse(bytes(65536)) is None and swap_header.parse(b"") is None
