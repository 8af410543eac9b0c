# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

import collections
import json
import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import memory

HOSTS = os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts")
Request = collections.namedtuple("Request", "now since budget_bytes page_bytes")
REQUEST = Request(0, 0, 0, 4096)
KIB = 1024


@pytest.mark.parametrize(
    "line, name, value",
    [
        ("MemTotal:       24684084 kB", "mem_total_bytes", 24684084 * KIB),
        ("Active(anon):       1572 kB", "active_anon_bytes", 1572 * KIB),
        ("SUnreclaim:       142248 kB", "s_unreclaim_bytes", 142248 * KIB),
        ("Committed_AS:    4337916 kB", "committed_as_bytes", 4337916 * KIB),
        ("AnonHugePages:   1587200 kB", "anon_hugepages_bytes", 1587200 * KIB),
        ("HugePages_Total:     340", "hugepages_total", 340),
        ("DirectMap2M:     2072576 kB", "direct_map2m_bytes", 2072576 * KIB),
        ("Node 0 FilePages:     425132 kB", "file_pages_bytes", 425132 * KIB),
    ],
)
def test_a_meminfo_line_gets_a_name_with_its_unit(line, name, value):
    assert memory.parse_meminfo(line) == {name: value}


def test_meminfo_lines_without_a_number_are_left_out():
    assert memory.parse_meminfo("MemTotal:\nMemFree: lots kB\n\nno colon\nCached: 1 kB") == {"cached_bytes": KIB}


def test_slab_caches_are_sized_by_their_slabs_not_by_the_objects_in_use():
    text = (
        "slabinfo - version: 2.1\n"
        "# name <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables ...\n"
        "small 90 90 8 512 1 : tunables 0 0 0 : slabdata 1 1 0\n"
        "dentry 10 2100 192 21 2 : tunables 0 0 0 : slabdata 90 100 0\n"
        "cut 1 1 8 5"
    )
    assert memory.parse_slabinfo(text, 4096) == [
        {"name": "dentry", "objects": 10, "object_bytes": 192, "size_bytes": 100 * 2 * 4096},
        {"name": "small", "objects": 90, "object_bytes": 8, "size_bytes": 4096},
    ]


def test_a_host_with_full_swap_shows_its_fifteen_largest_caches_and_its_zones():
    section = memory.collect(Reader(os.path.join(HOSTS, "linux-6.1-swap-full")), REQUEST)
    assert section["meminfo"]["swap_total_bytes"] == 131068 * KIB
    assert [cache["name"] for cache in section["slab"][:2]] == ["inode_cache", "dentry"]
    assert len(section["slab"]) == 15
    assert [zone["zone"] for zone in section["zones"]] == ["DMA", "DMA32"]


def test_a_current_kernel_fills_every_part_that_sysfs_has():
    section = memory.collect(Reader(os.path.join(HOSTS, "linux-6.18-memory")), REQUEST)
    assert section["nodes"][0]["node"] == 0
    assert section["nodes"][0]["total_bytes"] == 9398476 * KIB
    assert None not in section["nodes"][0].values()
    assert section["ksm"] == {"run": 0, "pages_shared_bytes": 0, "pages_sharing_bytes": 0}
    assert section["zswap"] == {"enabled": False, "max_pool_percent": 20, "compressor": "lzo", "pool_bytes": 0, "stored_bytes": 0}
    assert section["transparent_hugepages"] == {"enabled": "madvise", "defrag": "madvise", "khugepaged_defrag": True}
    assert section["balloon"] == {"driver": "virtio", "inflated_bytes": 0}


def test_zswap_use_comes_from_debugfs_where_meminfo_does_not_tell_it(tmp_path):
    _write(tmp_path, "proc/meminfo", "MemTotal: 1 kB\n")
    _write(tmp_path, "sys/module/zswap/parameters/enabled", "Y\n")
    _write(tmp_path, "sys/kernel/debug/zswap/pool_total_size", "8192\n")
    _write(tmp_path, "sys/kernel/debug/zswap/stored_pages", "5\n")
    zswap = memory.collect(Reader(str(tmp_path)), REQUEST)["zswap"]
    assert (zswap["pool_bytes"], zswap["stored_bytes"]) == (8192, 5 * 4096)


def test_a_host_that_shows_nothing_gives_nulls_and_empty_lists_and_says_what_is_missing(tmp_path):
    reader = Reader(str(tmp_path))
    section = memory.collect(reader, REQUEST)
    assert (section["ksm"], section["zswap"], section["transparent_hugepages"], section["sysv_shm"]) == (None,) * 4
    assert section["meminfo"] == {}
    assert section["zones"] == section["slab"] == section["hugepages"] == section["nodes"] == section["tmpfs"] == []
    assert section["balloon"] == {"driver": None, "inflated_bytes": None}
    assert [note["source"] for note in reader.unreadable] == [
        "/proc/meminfo",
        "/proc/buddyinfo",
        "/proc/zoneinfo",
        "/proc/slabinfo",
        "/proc/self/mountinfo",
    ]


def test_this_machine_can_be_read_and_written_as_json():
    section = memory.collect(Reader(), REQUEST)
    assert section["meminfo"]["mem_total_bytes"] > 0
    assert set(memory.DROPPABLE) <= {name for name, value in section.items() if isinstance(value, list)}
    json.dumps(section, allow_nan=False)


def _write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
