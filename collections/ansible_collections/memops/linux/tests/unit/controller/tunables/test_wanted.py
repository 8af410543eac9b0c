# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wanted is worked out and checked before a host is touched."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.remedies import refusals
from ansible_collections.memops.linux.plugins.plugin_utils.tunables import wanted
from ansible_collections.memops.linux.plugins.plugin_utils.tunables.catalogue import catalogue

ENTRIES = catalogue()


def test_an_override_takes_the_place_of_the_profiles_value_and_says_so():
    values, entries = wanted.wanted("database", {"vm.swappiness": 1}, ENTRIES)
    assert values["vm.swappiness"] == 1 and entries["vm.swappiness"]["from"] == "the inventory"
    assert entries["vm.oom_dump_tasks"]["from"] == "profile database"


@pytest.mark.parametrize("value", [None, "keep"])
def test_null_takes_a_key_out_of_the_profile(value):
    assert "vm.swappiness" not in wanted.wanted("database", {"vm.swappiness": value}, ENTRIES)[0]


def test_an_override_of_one_of_a_pair_takes_out_the_other():
    values, _entries = wanted.wanted("general", {"vm.dirty_ratio": 15}, ENTRIES)
    assert values["vm.dirty_ratio"] == 15 and "vm.dirty_bytes" not in values


def test_without_a_profile_only_the_overrides_are_wanted():
    values, entries = wanted.wanted("none", {"vm.dirty_bytes": 8388608}, ENTRIES)
    assert values == {"vm.dirty_bytes": 8388608}
    assert "vm.dirty_ratio" in entries and "vm.swappiness" not in entries


def test_what_is_kept_as_it_is_is_not_sent():
    values, _entries = wanted.wanted("general", {}, ENTRIES)
    assert "vm.nr_hugepages" not in values and values["vm.swappiness"] == 60


BAD = [
    ({"vm.swapiness": 10}, r"'vm.swapiness' is not in the catalogue of tunables; did you mean vm.swappiness"),
    ({"net.ipv4.ip_forward": 1}, "is not in the catalogue of tunables"),
    ({7: 1}, "is not in the catalogue of tunables"),
    ({"vm.swappiness": "lots"}, r"vm.swappiness: 'lots' is not allowed; it may be a whole number from 0 to 200"),
    ({"vm.swappiness": 201}, "from 0 to 200"),
    ({"vm.swappiness": True}, "from 0 to 200"),
    ({"vm.swappiness": {"a": 1}}, "from 0 to 200"),
    ({"vm.swappiness": "{{ 1 }}"}, "from 0 to 200"),
    ({"vm.dirty_bytes": 0}, r"no 0; to go back to the ratio, set vm.dirty_ratio"),
    ({"vm.overcommit_kbytes": 0}, "to go back to the ratio, set vm.overcommit_ratio"),
    ({"vm.dirty_bytes": "4 percent"}, "a share such as 4% of memory"),
    ({"vm.dirty_bytes": "64M", "vm.dirty_ratio": 10}, "exclude each other"),
    ({"thp.enabled": "maybe"}, "always, madvise, never"),
    ({"zswap.enabled": "perhaps"}, "Y or N"),
    ({"zswap.compressor": "gzip"}, "zstd"),
]


@pytest.mark.parametrize("overrides, why", BAD)
def test_a_bad_value_is_answered_with_the_key_the_value_and_what_is_allowed(overrides, why):
    with pytest.raises(wanted.WantedError, match=why):
        wanted.wanted("general", overrides, ENTRIES)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(wanted.WantedError) as error:
        wanted.wanted("general", {"vm.swappiness": 999, "vm.nosuch": 1}, ENTRIES)
    assert "vm.swappiness" in str(error.value) and "vm.nosuch" in str(error.value)


def test_a_profile_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(wanted.WantedError, match="none, general, container_host"):
        wanted.wanted("generic", {}, ENTRIES)


def test_the_keys_of_a_rollback_have_to_be_in_the_catalogue():
    assert wanted.unknown_keys(["vm.swappiness", "vm.swappiness@boot", "vm.swappiness@/etc/sysctl.conf"], ENTRIES) is None
    assert "vm.swapiness" in wanted.unknown_keys(["vm.swapiness"], ENTRIES)


def test_what_a_rollback_is_sent_is_small():
    assert set(wanted.all_entries(ENTRIES)) == set(ENTRIES)
    assert "meaning" not in wanted.all_entries(ENTRIES)["vm.swappiness"]


#: What the remedies of diagnoses set; each must be applicable as it stands.
REMEDIES = [
    {"vm.nr_hugepages": 512},
    {"vm.vfs_cache_pressure": 100},
    {"vm.dirty_bytes": 8388608, "vm.dirty_background_bytes": 4194304},
    {"vm.overcommit_ratio": refusals.RATIO},
    {"vm.panic_on_oom": 0},
    {"vm.watermark_scale_factor": 100},
    {"vm.min_free_kbytes": 131072},
    {"vm.oom_kill_allocating_task": 0},
]


@pytest.mark.parametrize("remedy", REMEDIES)
def test_a_remedy_is_wanted_as_it_stands(remedy):
    assert wanted.wanted("none", remedy, ENTRIES)[0] == remedy
