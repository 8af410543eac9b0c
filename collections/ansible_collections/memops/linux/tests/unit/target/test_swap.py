# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

import os

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import swap

HOSTS = os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts")
HEADING = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


def test_a_host_with_a_swap_file_shows_what_is_used_of_it():
    section = swap.collect(Reader(os.path.join(HOSTS, "linux-6.1-swap-full")), None)
    assert section == {
        "total_bytes": 131068 * 1024,
        "used_bytes": 340 * 1024,
        "devices": [
            {"path": "/swapfile", "kind": "file", "size_bytes": 131068 * 1024, "used_bytes": 340 * 1024, "priority": -2, "zram": None}
        ],
    }


def test_a_host_without_swap_has_zero_bytes_of_it():
    assert swap.collect(Reader(os.path.join(HOSTS, "linux-6.18-memory")), None) == {"total_bytes": 0, "used_bytes": 0, "devices": []}


def test_a_host_that_does_not_tell_its_swap_has_an_unknown_amount_of_it(tmp_path):
    assert swap.collect(Reader(str(tmp_path)), None) == {"total_bytes": None, "used_bytes": None, "devices": []}


def test_areas_stand_in_the_order_of_their_use_with_their_real_names():
    text = HEADING + (
        "/mnt/swap\\040file                       file\t\t1024\t\t10\t\t-3\n"
        "/dev/zram0                              partition\t2048\t\t20\t\t100\n"
        "/dev/dm-1                               partition\t4096\t\t0\t\t-2\n"
        "cut short\n"
    )
    section = swap.parse_swaps(text)
    assert [(device["path"], device["kind"]) for device in section["devices"]] == [
        ("/dev/zram0", "zram"),
        ("/dev/dm-1", "partition"),
        ("/mnt/swap file", "file"),
    ]
    assert (section["total_bytes"], section["used_bytes"]) == (7168 * 1024, 30 * 1024)


def test_zram_tells_how_much_memory_its_contents_take(tmp_path):
    # The sysfs files are recorded, the line of /proc/swaps is made up.
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/swaps").write_text(HEADING + "/dev/zram0 partition 65532 8192 100\n")
    os.symlink(os.path.abspath(os.path.join(HOSTS, "linux-6.18-memory", "sys")), str(tmp_path / "sys"))
    assert swap.collect(Reader(str(tmp_path)), None)["devices"][0]["zram"] == {
        "orig_data_bytes": 8388608,
        "compr_data_bytes": 1288192,
        "mem_used_bytes": 1310720,
        "mem_limit_bytes": "max",
        "algorithm": "lzo-rle",
        "disksize_bytes": 67108864,
    }


def test_zram_of_which_sysfs_says_nothing_has_nulls(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/swaps").write_text(HEADING + "/dev/zram0 partition 65532 8192 100\n")
    assert set(swap.collect(Reader(str(tmp_path)), None)["devices"][0]["zram"].values()) == {None}
