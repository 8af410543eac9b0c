# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Figures of cgroup and host and the task table: forms of other kernels, written by hand after the kernels' sources."""

from __future__ import annotations

import math

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import events, only, recorded

KIB = 1 << 10


# The cgroup's figures


def test_statistics_on_one_line_for_each_group_below_the_limit():
    report = only(
        """
x invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0
Task in /pod/c1 killed as a result of limit of /pod
memory: usage 233472kB, limit 233472kB, failcnt 3028
memory+swap: usage 233472kB, limit 9007199254740988kB, failcnt 0
Memory cgroup stats for /pod: cache:0KB rss:0KB rss_huge:0KB mapped_file:0KB swap:0KB dirty:0KB
Memory cgroup stats for /pod/c1: cache:8KB rss:233428KB rss_huge:2048KB mapped_file:0KB swap:4KB dirty:8KB
"""
    )
    cgroup = report.cgroup
    assert (report.limit_cgroup, report.victim_cgroup, cgroup.path) == ("/pod", "/pod/c1", "/pod")
    assert (cgroup.limit_bytes, cgroup.memsw_limit_bytes) == (233472 * KIB, math.inf)
    assert (cgroup.stat["anon_bytes"], cgroup.stat["file_bytes"], cgroup.stat["file_dirty_bytes"]) == (233428 * KIB, 8 * KIB, 8 * KIB)
    assert cgroup.swap_usage_bytes == 4 * KIB
    assert report.missing == ("tasks", "kill")


def test_swap_of_both_versions():
    two = only("memory: usage 8kB, limit 8kB, failcnt 0\nswap: usage 3kB, limit 4kB, failcnt 0").cgroup
    assert (two.swap_usage_bytes, two.swap_limit_bytes) == (3 * KIB, 4 * KIB)
    one = only("memory: usage 8kB, limit 8kB, failcnt 0\nmemory+swap: usage 9kB, limit 16kB, failcnt 0").cgroup
    assert (one.memsw_usage_bytes, one.memsw_limit_bytes) == (9 * KIB, 16 * KIB)


def test_statistics_of_version_1_without_totals():
    cgroup = only("memory: usage 8kB, limit 8kB, failcnt 0\nMemory cgroup stats for /a:\ncache 5\nmapped_file 6\nfoo bar 7\ndirty 1").cgroup
    assert cgroup.stat == {"file_bytes": 5, "file_mapped_bytes": 6, "file_dirty_bytes": 1}


def test_a_cgroup_path_with_blanks_and_colons():
    report = only("memory: usage 1kB, limit 1kB, failcnt 0\nMemory cgroup stats for /a b: c/d:\nanon 5\nfile 6")
    assert (report.cgroup.path, report.cgroup.stat) == ("/a b: c/d", {"anon_bytes": 5, "file_bytes": 6})


# Task tables


@pytest.mark.parametrize(
    ("columns", "values", "swap", "tables", "adj"),
    [
        ("cpu oom_adj oom_score_adj", "1     -17         -1000", None, None, -1000),
        ("nr_ptes swapents oom_score_adj", "16      152         -1000", 152, 16, -1000),
        ("nr_ptes nr_pmds swapents oom_score_adj", "16     3    152             0", 152, 19, 0),
    ],
)
def test_task_tables_of_all_ages(columns, values, swap, tables, adj):
    header = f"[ pid ]   uid  tgid total_vm      rss {columns} name"
    row = f"[  330]     0   330     2710        1   {values} u d"
    (task,) = only(f"{header}\n{row}").tasks
    assert (task.pid, task.uid, task.tgid, task.process, task.oom_score_adj) == (330, 0, 330, "u d", adj)
    assert (task.total_vm_bytes, task.rss_bytes) == (2710 * 4096, 4096)
    assert task.swap_bytes == (None if swap is None else swap * 4096)
    assert task.page_tables_bytes == (None if tables is None else tables * 4096)


def test_rows_without_their_header_give_what_all_layouts_share():
    report = only(
        """
[ 2737]     0  2737     2362     1506       8       0        0           -17 dh cp
Out of memory: Kill process 2737 (dh cp) score 11 or sacrifice child
"""
    )
    (task,) = report.tasks
    assert (task.process, task.rss_bytes, task.swap_bytes, task.page_tables_bytes, task.oom_score_adj) == ("dh cp", 1506 * 4096, None, None, -17)
    assert report.victims[0].oom_score_adj == -17
    assert "tasks" in report.missing


@pytest.mark.parametrize("mark", ["...", "<snip>", "--", "** 41 printk messages dropped **", "Missed 12 kernel messages"])
def test_a_table_with_a_gap_is_not_complete(mark):
    lines = recorded("linux-6.1-global-no-swap")
    row = next(number for number, line in enumerate(lines) if line.text.endswith(" sshd"))
    (report,) = read_kernel([*lines[:row], Line(mark), *lines[row + 1 :]])
    assert (report.table_complete, report.missing) == (False, ("tasks",))


@pytest.mark.parametrize("short", ["[    341]     0   341     4042", "[    341]     0   341     4042      440    73728        0      oops sshd"])
def test_a_table_with_a_damaged_row_is_not_complete(short):
    lines = recorded("linux-6.1-global-no-swap")
    row = next(number for number, line in enumerate(lines) if line.text.startswith("[    341]"))
    (report,) = read_kernel([*lines[:row], Line(short), *lines[row + 1 :]])
    assert 341 not in [task.pid for task in report.tasks]
    assert report.missing == ("tasks",)


def test_a_table_whose_header_is_cut_gives_no_tasks():
    report = only(
        """
[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes sw...
[ 483880]  1000 483880    73357    14530    12706     1824         0   180224        ...
"""
    )
    assert (report.tasks, report.table_complete) == ([], False)


# Mem-Info


@pytest.mark.parametrize("lost", ["free:", "pages RAM", "Total swap", " free:"])
def test_a_mem_info_with_a_hole_is_missing(lost):
    lines = [line for line in recorded("linux-6.1-global-no-swap") if lost not in line.text]
    (report,) = read_kernel(lines)
    assert report.missing == ("memory",)


def test_pages_of_64_kib_are_seen_from_the_free_blocks():
    report = only(
        """
x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
Mem-Info:
active_anon:100 inactive_anon:0 isolated_anon:0
Node 0 Normal free:128kB min:64kB low:128kB high:192kB present:4096kB managed:4096kB
Node 0 Normal: 0*64kB 1*128kB (U) 0*256kB = 128kB
"""
    )
    assert report.memory.totals["active_anon_bytes"] == 100 * 65536


def test_pages_of_64_kib_are_seen_from_the_victim():
    report = only(
        """
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[1036073]     0 1036073  6258739  3540314 37814272      104             0 oom02
Out of memory: Kill process 1036073 (oom02) score 755 or sacrifice child
Killed process 1036073 (oom02) total-vm:400559296kB, anon-rss:226578368kB, file-rss:1728kB, shmem-rss:0kB
"""
    )
    assert report.tasks[0].rss_bytes == 3540314 * 65536


def test_a_machine_without_nodes_and_with_high_memory():
    report = only(
        """
x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
Mem-Info:
free:83 slab_reclaimable:2
Normal free:332kB min:280kB low:350kB high:420kB active_anon:8kB present:786432kB managed:760000kB
HighMem free:4kB min:512kB low:600kB high:700kB present:1000kB managed:1000kB
Normal: 83*4kB (U) 0*8kB = 332kB
250 pages HighMem/MovableOnly
"""
    )
    assert [(zone.node, zone.zone, zone.free_bytes) for zone in report.memory.zones] == [(0, "Normal", 332 * KIB), (0, "HighMem", 4 * KIB)]
    assert report.memory.totals["high_mem_bytes"] == 250 * 4096


def test_the_slab_table_has_its_largest_cache_first():
    report = only(
        """
x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
Mem-Info:
free:83 slab_reclaimable:2
Unreclaimable slab info:
Name                      Used          Total
kmalloc-64                10KB         20KB
task struct(7:a b)       900KB       1024KB
kmalloc-8                  0KB          4KB
Tasks state (memory values in pages):
"""
    )
    assert report.memory.slab == [("task struct(7:a b)", 1024 * KIB), ("kmalloc-64", 20 * KIB), ("kmalloc-8", 4 * KIB)]
    assert report.quotes["slab_table"].text.startswith("task struct")


def test_sums_of_all_nodes():
    report = only(
        """
x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
Mem-Info:
Node 0 active_anon:4kB inactive_anon:0kB kernel_stack:2144kB pagetables:1kB all_unreclaimable? yes Balloon:8kB
Node 1 active_anon:4kB inactive_anon:0kB kernel_stack:100kB pagetables:1kB all_unreclaimable? no Balloon:1kB
"""
    )
    assert report.memory.totals == {"kernel_stack_bytes": 2244 * KIB, "balloon_bytes": 9 * KIB}


def test_a_mem_info_of_no_oom_kill_is_no_event():
    assert events("sysrq: Show Memory\nMem-Info:\nfree:83 slab_reclaimable:2\n2097022 pages RAM") == []
