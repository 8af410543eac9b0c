# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whole reports, as kernels 5.10 to 7.2 printed them: nothing that they say may be lost."""

from __future__ import annotations

import math

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line, OomReport, ProcessFault, Task, Trigger, Victim, Zone
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import NAMES, recorded

KIB, MIB = 1 << 10, 1 << 20
REPORTS = [name for name in NAMES if name not in ("linux-6.1-segfault", "linux-6.1-soft-lockup")]


def only_report(name: str) -> OomReport:
    (report,) = read_kernel(recorded(name))
    assert isinstance(report, OomReport)
    return report


@pytest.mark.parametrize("name", REPORTS)
def test_a_whole_report_misses_nothing(name):
    reports = read_kernel(recorded(name))
    assert [report.missing for report in reports] == [()] * len(reports)
    for report in reports:
        assert report.table_complete
        assert report.trigger.pid is not None
        assert report.victims
        assert name.startswith("linux-" + ".".join(report.kernel.split(".")[:2]))


@pytest.mark.parametrize(
    ("name", "constraint", "trigger", "victims", "limit_cgroup", "victim_cgroup"),
    [
        ("linux-5.10-global-no-swap", "none", "shop-import", [("shop-import", 286)], None, "/system.slice/shop-import.service"),
        ("linux-6.1-global-no-swap", "none", "systemctl", [("shop-import", 352)], None, "/system.slice/shop-import.service"),
        ("linux-6.1-global-swap-full", "none", "shop-import", [("shop-import", 359)], None, "/user.slice/shop-admin.scope"),
        ("linux-6.1-global-hugepages", "none", "shop-api", [("shop-api", 353)], None, "/user.slice/shop-admin.scope"),
        ("linux-6.1-global-slab", "none", "systemd", [("shop-web", 359)], None, "/system.slice/shop-admin.service"),
        ("linux-6.1-memcg-fork-storm", "memcg", "shop-task", [("shop-task", 395)], "/system.slice/shop-spawn.scope", "/system.slice/shop-spawn.scope"),
        ("linux-6.1-sysrq", "none", "kworker/0:0", [("shop-web", 356)], None, "/system.slice/shop-admin.service"),
        ("linux-6.12-global-shmem", "none", "systemd-journal", [("shop-session", 569)], None, "/system.slice/shop-admin.service"),
        ("linux-7.2-memcg", "memcg", "python3", [("python3", 326)], "/system.slice/shop-import.scope", "/system.slice/shop-import.scope"),
        (
            "linux-6.1-memcg-oom-group",
            "memcg",
            "shop-grow",
            [("shop-grow", 362), ("shop-worker", 359), ("shop-worker", 358), ("shop-worker", 360)],
            "/shop-batch",
            "/shop-batch",
        ),
    ],
)
def test_who_asked_who_died_and_at_whose_limit(name, constraint, trigger, victims, limit_cgroup, victim_cgroup):
    report = only_report(name)
    assert report.constraint == constraint
    assert report.trigger.process == trigger
    assert [(victim.process, victim.pid) for victim in report.victims] == victims
    assert (report.limit_cgroup, report.victim_cgroup) == (limit_cgroup, victim_cgroup)


def test_the_trigger_line_and_the_stack_below_it():
    trigger = only_report("linux-6.1-global-swap-full").trigger
    assert trigger == Trigger(
        process="shop-import",
        pid=359,
        gfp_mask="0x140dca",
        gfp_flags=("GFP_HIGHUSER_MOVABLE", "__GFP_COMP", "__GFP_ZERO"),
        order=0,
        oom_score_adj=0,
    )


def test_the_kill_line():
    (victim,) = only_report("linux-6.1-global-no-swap").victims
    assert victim == Victim(
        process="shop-import",
        pid=352,
        uid=0,
        total_vm_bytes=907216 * KIB,
        anon_rss_bytes=890056 * KIB,
        file_rss_bytes=4 * KIB,
        shmem_rss_bytes=0,
        page_tables_bytes=1804 * KIB,
        oom_score_adj=0,
    )


def test_the_constraint_line():
    report = only_report("linux-6.1-global-no-swap")
    assert (report.cpuset, report.mems_allowed, report.nodemask) == ("/", "0", None)


def test_mem_info_in_bytes():
    memory = only_report("linux-6.1-global-swap-full").memory
    pages = {
        "active_anon_bytes": 9418,
        "inactive_anon_bytes": 216175,
        "isolated_anon_bytes": 0,
        "active_file_bytes": 7,
        "inactive_file_bytes": 5,
        "isolated_file_bytes": 0,
        "unevictable_bytes": 0,
        "dirty_bytes": 0,
        "writeback_bytes": 0,
        "slab_reclaimable_bytes": 3328,
        "slab_unreclaimable_bytes": 3421,
        "mapped_bytes": 10,
        "shmem_bytes": 70,
        "page_tables_bytes": 652,
        "bounce_bytes": 0,
        "kernel_misc_reclaimable_bytes": 0,
        "free_bytes": 12171,
        "free_pcp_bytes": 0,
        "free_cma_bytes": 0,
        "page_cache_bytes": 15517,
        "swap_cache_bytes": 15432,
        "ram_bytes": 262011,
        "high_mem_bytes": 0,
        "reserved_bytes": 13171,
    }
    kilobytes = {"swap_free_bytes": 0, "swap_total_bytes": 131068, "kernel_stack_bytes": 1280, "mlocked_bytes": 0}
    expected = {name: count * 4096 for name, count in pages.items()} | {name: size * KIB for name, size in kilobytes.items()}
    assert memory.totals == expected


def test_zones_with_their_free_blocks():
    dma, dma32 = only_report("linux-6.1-global-no-swap").memory.zones
    sizes = [4 * KIB << order for order in range(11)]
    assert dma == Zone(
        node=0,
        zone="DMA",
        free_bytes=4444 * KIB,
        min_bytes=708 * KIB,
        low_bytes=884 * KIB,
        high_bytes=1060 * KIB,
        managed_bytes=15360 * KIB,
        present_bytes=15992 * KIB,
        free_blocks=dict(zip(sizes, (1, 1, 1, 2, 2, 1, 2, 1, 1, 1, 0), strict=True)),
        block_types=dict(zip(sizes, ("M", "U", "M", "UM", "UM", "M", "UM", "U", "M", "M"), strict=False)),
        blocks_complete=True,
        reserves_bytes=(0, *[935 * 4 * KIB] * 4),
        boost_bytes=0,
        reserved_highatomic_bytes=0,
        free_cma_bytes=0,
    )
    assert sum(size * count for size, count in dma32.free_blocks.items()) == 43940 * KIB


def test_huge_pages():
    pools = only_report("linux-6.1-global-hugepages").memory.hugepages
    assert pools == [
        {"node": 0, "size_bytes": 1 << 30, "total": 0, "free": 0, "surplus": 0},
        {"node": 0, "size_bytes": 2 * MIB, "total": 340, "free": 340, "surplus": 0},
    ]


def test_the_slab_table():
    report = only_report("linux-6.1-global-slab")
    assert report.memory.slab[:2] == [("kmalloc-cg-1k", 308520 * KIB), ("filp", 154364 * KIB)]
    assert len(report.memory.slab) == 89
    assert report.quotes["slab_table"].text.startswith("kmalloc-cg-1k")


def test_a_task_of_the_table_that_counts_rss_by_kind():
    tasks = {task.pid: task for task in only_report("linux-6.12-global-shmem").tasks}
    assert tasks[569] == Task(
        pid=569,
        tgid=569,
        uid=0,
        process="shop-session",
        total_vm_bytes=32052 * 4096,
        rss_bytes=29112 * 4096,
        swap_bytes=0,
        page_tables_bytes=290816,
        oom_score_adj=0,
        rss_anon_bytes=29081 * 4096,
        rss_file_bytes=31 * 4096,
        rss_shmem_bytes=0,
    )


def test_a_task_of_the_table_that_does_not():
    tasks = {task.pid: task for task in only_report("linux-6.1-global-no-swap").tasks}
    assert (tasks[352].rss_bytes, tasks[352].rss_anon_bytes) == (222515 * 4096, None)
    assert tasks[209].oom_score_adj == -1000


def test_cgroup_v2_figures():
    cgroup = only_report("linux-6.1-memcg-oom-group").cgroup
    assert (cgroup.path, cgroup.usage_bytes, cgroup.limit_bytes, cgroup.failcnt) == ("/shop-batch", 64 * MIB, 64 * MIB, 1809)
    assert (cgroup.swap_usage_bytes, cgroup.swap_limit_bytes, cgroup.memsw_limit_bytes) == (0, 0, None)
    assert cgroup.stat["anon_bytes"] == 66543616
    assert cgroup.stat["page_tables_bytes"] == 331776
    assert cgroup.stat["slab_unreclaimable_bytes"] == 51520
    assert cgroup.stat["kernel_bytes"] == 520192


def test_cgroup_v1_with_the_names_of_version_2():
    cgroup = read_kernel(recorded("linux-5.10-memcg-v1-dirty"))[0].cgroup
    assert (cgroup.limit_bytes, cgroup.memsw_limit_bytes, cgroup.kmem_usage_bytes) == (40 * MIB, math.inf, 756 * KIB)
    assert (cgroup.stat["file_bytes"], cgroup.stat["file_dirty_bytes"]) == (20680704, 20680704)


def test_cgroup_v1_counts_its_children_in():
    cgroup = only_report("linux-6.18-memcg-v1-odd-names").cgroup
    assert cgroup.path == "/memops-try"
    assert cgroup.stat["anon_bytes"] == 33378304  # its own rss is 0
    assert cgroup.swap_usage_bytes == 0


def test_names_that_look_like_the_kernels_own_words():
    report = only_report("linux-6.18-memcg-v1-odd-names")
    name = "a) [7], pid=1 ("
    assert (report.trigger.process, report.trigger.pid) == (name, 25292)
    assert [task.process for task in report.tasks] == [name]
    assert [(victim.process, victim.pid) for victim in report.victims] == [(name, 25292)]
    assert report.victim_cgroup == "/memops-try/shop, task=x"


def test_a_group_kill_is_one_event():
    report = only_report("linux-6.1-memcg-oom-group")
    assert report.group_kill
    assert len(report.victims) == 4  # the first one's kill line is there twice


def test_the_reaper_is_heard_after_the_next_reports():
    reports = read_kernel(recorded("linux-5.10-memcg-v1-dirty"))
    assert [report.reaped for report in reports] == [[("shop-copy", 306)], [("shop-copy", 304)], []]


def test_a_kill_by_hand():
    report = only_report("linux-6.1-sysrq")
    assert report.sysrq
    assert report.trigger.order == -1
    assert report.quotes["sysrq"].text == "sysrq: Manual OOM execution"


def test_statements_are_quoted_from_their_own_lines():
    report = only_report("linux-6.1-global-swap-full")
    quoted = {role: line.text.strip() for role, line in report.quotes.items()}
    assert quoted["swap_free"] == "Free swap  = 0kB"
    assert quoted["swap_total"] == "Total swap = 131068kB"
    assert quoted["mem_info"].startswith("active_anon:9418 ")
    assert quoted["slab_unreclaimable"] == "slab_reclaimable:3328 slab_unreclaimable:3421"
    assert quoted["shmem"].startswith("mapped:10 shmem:70")
    assert quoted["largest_task"].endswith(" shop-import")
    assert quoted["kill"].startswith("Out of memory: Killed process 359")
    cgroup = {role: line.text.strip() for role, line in only_report("linux-6.18-memcg-v1-odd-names").quotes.items()}
    assert cgroup["usage"].startswith("memory: usage 32768kB")
    assert cgroup["stat_anon"] == "total_rss 33378304"
    assert cgroup["stat_dirty"] == "total_dirty 0"


def test_quotes_tell_where_they_stand():
    report = only_report("linux-6.1-global-no-swap")
    assert report.quotes["trigger"].where == "linux-6.1-global-no-swap:1"


def test_a_given_page_size_is_believed():
    (report,) = read_kernel(recorded("linux-6.1-global-no-swap"), 65536)
    assert report.memory.totals["ram_bytes"] == 262011 * 65536


@pytest.mark.parametrize("newline", ["\n", "\\x0a"])
def test_messages_of_many_lines_come_from_the_journal_and_from_dev_kmsg_too(newline):
    whole = []
    for line in recorded("linux-6.1-memcg-oom-group"):
        if line.text.startswith("     ") and line.uptime_seconds is None:
            whole[-1] = Line(whole[-1].text + newline + line.text.strip())
        else:
            whole.append(Line(line.text))
    (report,) = read_kernel(whole)
    assert report.cgroup == only_report("linux-6.1-memcg-oom-group").cgroup
    assert report.quotes["stat_shmem"].text == "shmem 0"


def test_other_faults():
    (fault,) = read_kernel(recorded("linux-6.1-segfault"))
    assert isinstance(fault, ProcessFault)
    assert (fault.kind, fault.process, fault.pid) == ("segfault", "python3", 352)
    stalls = read_kernel(recorded("linux-6.1-soft-lockup"))
    assert [(stall.kind, stall.process, stall.pid) for stall in stalls] == [("soft_lockup", "shop-queue", 359)]
