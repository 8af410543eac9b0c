# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

import os

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import vmstat

HOST = os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts", "linux-6.1-swap-full")
PAGE = os.sysconf("SC_PAGE_SIZE")


def test_a_host_that_killed_for_memory_shows_its_events_and_dirty_limits():
    first = vmstat.read(Reader(HOST))
    report = vmstat.between(first, vmstat.read(Reader(HOST)))
    events = report["events"]
    assert (events["oom_kill"], events["pswpout"], events["pgscan_direct"], events["workingset_refault_file"]) == (1, 33180, 23156, 7433)
    assert events["allocstall"] == events["allocstall_normal"] + events["allocstall_movable"] == 63
    assert report["dirty_threshold_bytes"] == 41528 * PAGE
    assert not any(name.startswith(("nr_", "numa_")) for name in events)
    assert set(report["rates_per_second"].values()) == {0.0}


def test_an_old_kernels_counters_by_zone_are_summed_under_the_later_name():
    text = (
        "pgscan_direct_dma32 1\npgscan_direct_normal 2\npgscan_direct_movable 4\npgscan_direct_throttle 100\n"
        "odd\npgsteal_kswapd_normal 8\nallocstall 16\nworkingset_refault 32\nworkingset_restore 64\n"
    )
    assert vmstat.parse(text) == {
        "pgscan_direct": 7,
        "pgsteal_kswapd": 8,
        "allocstall": 16,
        "workingset_refault_file": 32,
        "workingset_restore_file": 64,
    }


def test_rates_are_of_events_only_and_of_what_both_reads_have():
    before = {"monotonic_seconds": 10.0, "counters": {"pswpin": 100, "nr_dirty": 1}}
    after = {"monotonic_seconds": 12.0, "counters": {"pswpin": 107, "oom_kill": 3, "nr_dirty": 5}}
    assert vmstat.between(before, after) == {
        "interval_seconds": 2.0,
        "events": {"pswpin": 107, "oom_kill": 3},
        "rates_per_second": {"pswpin": 3.5},
        "dirty_bytes": 5 * PAGE,
        "writeback_bytes": None,
        "dirty_threshold_bytes": None,
        "dirty_background_threshold_bytes": None,
    }


def test_without_a_second_read_the_first_ones_counts_remain():
    report = vmstat.between({"monotonic_seconds": 1.0, "counters": {"oom_kill": 2}}, None)
    assert (report["events"], report["rates_per_second"], report["interval_seconds"]) == ({"oom_kill": 2}, {}, 0.0)


def test_a_host_without_the_file_has_no_counters(tmp_path):
    reader = Reader(str(tmp_path))
    assert vmstat.read(reader) is None
    assert reader.unreadable == [{"source": "/proc/vmstat", "why": "is not there"}]
