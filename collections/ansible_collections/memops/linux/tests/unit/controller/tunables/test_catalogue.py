# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The catalogue is whole: every key says what it is, may be, is by default, and can do; every profile's values are values that it takes."""

from __future__ import annotations

import re

import pytest

from ansible_collections.memops.linux.plugins.module_utils.tunables import arithmetic, expressions, host
from ansible_collections.memops.linux.plugins.module_utils.tunables.arguments import PROFILES
from ansible_collections.memops.linux.plugins.module_utils.tunables.refusals import RELATED
from ansible_collections.memops.linux.plugins.plugin_utils.tunables.catalogue import catalogue

ENTRIES = catalogue()
NAMED = (
    "swappiness overcommit_memory overcommit_ratio overcommit_kbytes panic_on_oom oom_kill_allocating_task oom_dump_tasks min_free_kbytes"
    " watermark_scale_factor watermark_boost_factor extfrag_threshold dirty_bytes dirty_ratio dirty_background_bytes dirty_background_ratio"
    " dirty_expire_centisecs dirty_writeback_centisecs vfs_cache_pressure zone_reclaim_mode admin_reserve_kbytes user_reserve_kbytes page-cluster"
    " max_map_count compaction_proactiveness nr_hugepages"
)
UNITS = {"number", "percent", "kB", "bytes", "huge_pages", "seconds", "centiseconds", "milliseconds", "power_of_two"}


OTHERS = ["kernel.panic", "kernel.panic_on_oops", "thp.enabled", "thp.defrag", "zswap.enabled", "ksm.run"]


@pytest.mark.parametrize("key", ["vm." + name for name in NAMED.split()] + OTHERS)
def test_what_people_ask_for_is_in_it(key):
    assert key in ENTRIES


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_is_whole(key):
    entry = ENTRIES[key]
    for name in ("meaning", "default", "danger", "reference"):
        assert isinstance(entry[name], str) and entry[name], name
    assert re.match(r"https://docs\.kernel\.org/", entry["reference"])
    assert entry["kind"] in ("sysctl", "sys", "module_parameter")
    assert ("path" in entry) == (entry["kind"] != "sysctl")
    assert set(entry["profiles"]) == set(PROFILES)
    for name in ("since", "until"):
        assert entry[name] is None or host.kernel_version(entry[name]) > (2, 0)
    if entry["type"] == "integer":
        low, high = entry["range"]
        assert low < high and entry["unit"] in UNITS
    if entry["type"] == "choice":
        assert all(isinstance(value, str) for value in entry["values"])
    if "pair" in entry:
        assert ENTRIES[entry["pair"]]["pair"] == key


def test_the_keys_of_the_sums_are_in_it():
    assert set(RELATED) <= set(ENTRIES)


def a_host(memory_bytes):
    return host.Host(
        release="6.1.0",
        kernel=(6, 1),
        page_bytes=4096,
        memory_bytes=memory_bytes,
        available_bytes=memory_bytes * 3 // 4,
        low_memory_bytes=memory_bytes,
        dirtyable_bytes=memory_bytes // 2,
        swap_bytes=0,
        committed_bytes=0,
        zones=3,
        khugepaged=True,
        huge_page_bytes=2 << 20,
        hugetlb_page_bytes=2 << 20,
        hugetlb_bytes=0,
        containers=(),
        command_line="",
    )


@pytest.mark.parametrize("gib", [0.5, 1, 4, 64, 1024])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_comes_to_values_that_no_size_of_host_has_to_refuse(profile, gib):
    on = a_host(int(gib * (1 << 30)))
    values = {}
    for key, entry in ENTRIES.items():
        expression = expressions.parse(entry["profiles"][profile], entry)
        reference = "65530" if key == "vm.max_map_count" else None
        values[key] = arithmetic.resolve(expression, entry, on, reference).value
    assert int(values["vm.dirty_background_bytes"]) < int(values["vm.dirty_bytes"])
    assert values["vm.min_free_kbytes"] is None or 1024 <= int(values["vm.min_free_kbytes"]) <= on.memory_bytes // 1024 // 20
    assert values["vm.panic_on_oom"] == "0" and values["vm.overcommit_memory"] == "0"
