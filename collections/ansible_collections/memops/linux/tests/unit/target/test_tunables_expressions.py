# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The language of wanted values, and what they come to on a host of 8 GiB."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.tunables import arithmetic, expressions, host
from ansible_collections.memops.linux.tests.unit.target.tunables_host import TunablesHost, entry


@pytest.fixture(scope="module")
def eight_gib(tmp_path_factory):
    return host.read(TunablesHost(tmp_path_factory.mktemp("host")).reader, page_bytes=4096)


def resolved(value, told, on, reference=None):
    return arithmetic.resolve(expressions.parse(value, told), told, on, reference)


@pytest.mark.parametrize(
    "key, value, comes_to",
    [
        ("vm.swappiness", 10, "10"),
        ("vm.swappiness", " 10 ", "10"),
        ("vm.dirty_bytes", "64M", "67108864"),
        ("vm.dirty_bytes", "64 MiB", "67108864"),
        ("vm.dirty_bytes", "1g", "1073741824"),
        ("vm.min_free_kbytes", "64M", "65536"),
        ("vm.nr_hugepages", "1G", "512"),
        ("vm.dirty_bytes", "4% of memory", "342884352"),
        ("vm.dirty_bytes", "4 % of the memory, at most 256M", "268435456"),
        ("vm.dirty_bytes", "0.5% of memory, at least 64M", "67108864"),
        ("vm.dirty_bytes", "0.1% of memory", "8589312"),
        ("vm.nr_hugepages", "25% of memory", "1024"),
        ("vm.min_free_kbytes", "sqrt rule", "67584"),
        ("vm.min_free_kbytes", "sqrt rule, at least 1% of memory, at most 1G", "82944"),
        ("vm.max_map_count", "keep, at least 262144", "262144"),
        ("vm.max_map_count", "keep, at most 60000", "60000"),
        ("vm.max_map_count", "keep, at least 1000", "65530"),
        ("vm.swappiness", "keep", None),
    ],
)
def test_a_value_comes_to_the_number_that_the_kernel_shows(key, value, comes_to, eight_gib):
    assert resolved(value, entry(key), eight_gib, {"vm.max_map_count": "65530", "vm.min_free_kbytes": "67584"}.get(key)).value == comes_to


@pytest.mark.parametrize(
    "key, value, why",
    [
        ("vm.swappiness", "ten", "whole number"),
        ("vm.swappiness", "10M", "whole number"),
        ("vm.swappiness", "4% of memory", "whole number"),
        ("vm.swappiness", 1.5, "whole number"),
        ("vm.swappiness", True, "whole number"),
        ("vm.swappiness", [1], "whole number"),
        ("vm.swappiness", "", "whole number"),
        ("vm.swappiness", -1, "from 0"),
        ("vm.swappiness", "1" * 300, "whole number"),
        ("vm.swappiness", "sqrt rule", "vm.min_free_kbytes"),
        ("vm.swappiness", "__import__('os')", "whole number"),
        ("vm.swappiness", "10; reboot", "whole number"),
        ("vm.swappiness", "10\nvm.panic_on_oom = 2", "whole number"),
        ("vm.dirty_bytes", "101% of memory", "share"),
        ("vm.dirty_bytes", "4% of disk", "share"),
        ("vm.dirty_bytes", "64M, at least", "share"),
        ("vm.dirty_bytes", "64M, at least 1M, at least 2M", "share"),
        ("vm.dirty_bytes", "64M, around 1M", "share"),
        ("vm.dirty_bytes", "-64M", "share"),
        ("vm.dirty_bytes", "\u0664M", "share"),
        ("thp.enabled", "sometimes", "always, madvise, never"),
        ("thp.enabled", "always\n", None),
        ("thp.enabled", False, "always, madvise, never"),
    ],
)
def test_what_is_no_value_of_the_key_is_answered_with_what_is_allowed(key, value, why):
    if why is None:
        assert expressions.parse(value, entry(key)).word == "always"
        return
    with pytest.raises(expressions.ExpressionError, match=why):
        expressions.parse(value, entry(key))


@pytest.mark.parametrize("value, word", [(True, "Y"), ("off", "N"), (1, "Y"), ("n", "N")])
def test_a_switch_takes_what_people_write(value, word):
    assert expressions.parse(value, entry("zswap.enabled", type="switch")).word == word


def test_the_sum_is_told(eight_gib):
    told = resolved("4% of memory, at most 256M", entry("vm.dirty_bytes"), eight_gib).sum
    assert told == "4% of memory (8388608 kB) are 342884352 bytes, in whole MiB; at most 268435456 bytes are 268435456 bytes"


def test_a_plain_number_needs_no_sum(eight_gib):
    assert resolved(10, entry("vm.swappiness"), eight_gib).sum is None


@pytest.mark.parametrize("kept, comes_to", [("342000000", "342000000"), ("300000000", "342884352")])
def test_a_share_moves_a_kept_value_only_by_more_than_a_hundredth(kept, comes_to, eight_gib):
    assert resolved("4% of memory", entry("vm.dirty_bytes"), eight_gib, kept).value == comes_to


def test_a_kept_value_beyond_a_bound_is_not_near_enough(eight_gib):
    assert resolved("4% of memory, at most 340000000", entry("vm.dirty_bytes"), eight_gib, "340000001").value == "340000000"


def test_the_sqrt_rule_is_the_kernels_own(eight_gib):
    automatic, told = arithmetic.automatic_min_free_kb(eight_gib)
    # One zone: 512 pages of 4 kB, 11 times; sqrt(8 GiB in kB * 16) is less than that.
    assert automatic == 22528
    assert told == "4 * sqrt(8388608 kB) = 11585 kB, khugepaged wants 22528 kB"


def test_the_sqrt_rule_without_huge_pages_and_on_little_memory(eight_gib):
    assert arithmetic.automatic_min_free_kb(eight_gib._replace(khugepaged=False))[0] == 11585
    small = eight_gib._replace(low_memory_bytes=256 << 20, zones=2)
    assert arithmetic.automatic_min_free_kb(small)[0] == (256 << 10) // 20


@pytest.mark.parametrize("present, comes_to", [("21500", "21500"), ("21000", "22528"), ("30000", "30000"), ("500000", "22528")])
def test_the_sqrt_rule_keeps_what_the_kernel_chose_at_boot_and_what_is_more_but_not_too_much(present, comes_to, eight_gib):
    assert resolved("sqrt rule", entry("vm.min_free_kbytes"), eight_gib, present).value == comes_to


def test_a_result_out_of_range_is_no_value(eight_gib):
    with pytest.raises(expressions.ExpressionError, match="5% of memory"):
        resolved("5% of memory", entry("vm.min_free_kbytes", range=[128, 1000]), eight_gib)
