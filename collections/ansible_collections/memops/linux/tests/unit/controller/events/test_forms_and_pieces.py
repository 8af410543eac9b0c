# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Forms of other kernels and reports in pieces, written by hand after the kernels' sources where no recording exists."""

from __future__ import annotations

import math

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line, OomReport, Victim
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import lines_of, recorded

KIB = 1 << 10


def events(text: str) -> list:
    return read_kernel(lines_of(text))


def only(text: str) -> OomReport:
    (report,) = events(text)
    assert isinstance(report, OomReport)
    return report


def killed(report: OomReport) -> list[tuple]:
    return [(victim.process, victim.pid) for victim in report.victims]


# Trigger lines


@pytest.mark.parametrize(
    ("line", "process", "mask", "flags", "order", "adj", "nodemask"),
    [
        ("java invoked oom-killer: gfp_mask=0xd0, order=0, oom_adj=0, oom_score_adj=300", "java", "0xd0", (), 0, 300, None),
        (
            "a b invoked oom-killer: gfp_mask=0x24280ca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=2, oom_score_adj=-999",
            "a b",
            "0x24280ca",
            ("GFP_HIGHUSER_MOVABLE", "__GFP_ZERO"),
            2,
            -999,
            None,
        ),
        ("x invoked oom-killer: gfp_mask=0x6000c0(GFP_KERNEL), nodemask=0-1,3, order=0, oom_score_adj=0", "x", "0x6000c0", ("GFP_KERNEL",), 0, 0, "0-1,3"),
        ("x invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0", "x", "0x0", (), 0, 0, None),
        ("oom-killer: gfp_mask=0x201d2, order=1", None, "0x201d2", (), 1, None, None),
        ("cut invoked oom-killer", "cut", None, (), None, None, None),
    ],
)
def test_trigger_lines_of_all_ages(line, process, mask, flags, order, adj, nodemask):
    trigger = only(line).trigger
    assert (trigger.process, trigger.gfp_mask, trigger.gfp_flags) == (process, mask, flags)
    assert (trigger.order, trigger.oom_score_adj, trigger.nodemask) == (order, adj, nodemask)


@pytest.mark.parametrize(
    ("line", "kernel"),
    [
        ("CPU: 3 PID: 77 Comm: a (b) Not tainted 4.15.0-76-generic #86-Ubuntu", "4.15.0-76-generic"),
        ("CPU: 3 UID: 0 PID: 77 Comm: a (b) Kdump: loaded Tainted: P           OE      6.12.0 #1 SMP", "6.12.0"),
        ("Pid: 77, comm: a (b) Not tainted 2.6.32-754.el6.x86_64 #1", "2.6.32-754.el6.x86_64"),
        ("CPU: 3 PID: 77 Comm: a (b) Not tainted 4.15.0-7", None),
    ],
)
def test_the_stack_tells_pid_and_kernel(line, kernel):
    report = only(f"a (b) invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n{line}")
    assert (report.trigger.pid, report.kernel) == (77, kernel)


def test_another_process_s_stack_is_not_the_trigger_s():
    report = only("a invoked oom-killer: gfp_mask=0xd0, order=0\nCPU: 1 PID: 5 Comm: b Not tainted 6.1.0 #1")
    assert (report.trigger.pid, report.kernel) == (None, None)


def test_the_cpuset_line_of_old_kernels_follows_the_trigger():
    report = only("a b invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\na b cpuset=/c mems_allowed=x mems_allowed=0-1,3\nz cpuset=/ mems_allowed=0")
    assert (report.cpuset, report.mems_allowed) == ("/c mems_allowed=x", "0-1,3")


# Kill lines


@pytest.mark.parametrize(
    ("line", "constraint", "victim"),
    [
        (
            "Out of memory: Killed process 9 (x y) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:1kB, UID:33 pgtables:60kB oom_score_adj:-5",
            "none",
            Victim("x y", 9, 33, 8 * KIB, 4 * KIB, 0, KIB, 60 * KIB, -5),
        ),
        (
            "Memory cgroup out of memory: Killed process 9 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:1kB",
            "memcg",
            Victim("x", 9, None, 8 * KIB, 4 * KIB, 0, KIB),
        ),
        ("Killed process 9 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB", None, Victim("x", 9, None, 8 * KIB, 4 * KIB, 0)),
        ("Killed process 9, UID 48, (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB", None, Victim("x", 9, 48, 8 * KIB, 4 * KIB, 0)),
        ("Killed process 9 (x) vsz:8kB, anon-rss:4kB, file-rss:0kB", None, Victim("x", 9, None, 8 * KIB, 4 * KIB, 0)),
        ("Out of Memory: Killed process 9 (x).", "none", Victim("x", 9)),
        ("Out of memory in UB 7: OOM killed process 9 (x) score 0 vm:8kB, rss:5kB, swap:1kB", "memcg", Victim("x", 9, None, 8 * KIB)),
        ("Memory cgroup out of memory: Killed process 9 (x) total-vm:8kB, anon-rss:4", "memcg", Victim("x", 9, None, 8 * KIB)),
    ],
)
def test_kill_lines_of_all_ages(line, constraint, victim):
    report = only(line)
    assert report.constraint == constraint
    assert report.victims == [victim]
    assert report.missing[:3] == ("trigger", "memory", "tasks")
    assert "kill" not in report.missing


def test_page_tables_that_the_kernel_printed_in_bytes():
    report = only("Out of memory: Killed process 9 (x) total-vm:4484kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:53248kB oom_score_adj:0")
    assert report.victims[0].page_tables_bytes == 53248


def test_the_process_that_was_chosen_and_its_child_that_died():
    report = only(
        "Memory cgroup out of memory: Kill process 20 (parent) score 54 or sacrifice child\nKilled process 21 (child) total-vm:8kB, anon-rss:4kB, file-rss:0kB"
    )
    assert killed(report) == [("child", 21)]
    assert report.victims[0].score is None
    assert (report.constraint, report.missing) == ("memcg", ("trigger", "memory", "tasks"))


def test_a_choice_without_a_kill_line_names_the_victim_and_says_so():
    report = only("Out of memory: Kill process 20 (x) score 54 or sacrifice child")
    assert (killed(report), report.victims[0].score) == ([("x", 20)], 54)
    assert "kill" in report.missing


def test_the_allocating_task_is_killed_where_that_is_wanted():
    assert only("Out of memory (oom_kill_allocating_task): Killed process 9 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB").allocating_task


def test_kill_lines_alone_are_one_event_each():
    kill = "Memory cgroup out of memory: Killed process {} (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"
    assert [killed(report) for report in events("\n".join(kill.format(pid) for pid in (1, 2, 1)))] == [[("x", 1)], [("x", 2)], [("x", 1)]]


def test_a_line_that_two_sources_brought_is_one():
    doubled = [line for line in recorded("linux-6.1-memcg-oom-group") for _source in range(2)]
    assert read_kernel(doubled) == read_kernel(recorded("linux-6.1-memcg-oom-group"))


def test_two_group_kills_one_after_the_other():
    kill = "Memory cgroup out of memory: Killed process {} (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:6kB oom_score_adj:0"
    group = "Tasks in {} are going to be killed due to memory.oom.group set"
    first, second = events("\n".join([kill.format(1), group.format("/a"), *map(kill.format, (2, 1, 5)), group.format("/b"), kill.format(6)]))
    assert (killed(first), first.victim_cgroup) == ([("x", 1), ("x", 2)], "/a")
    assert (killed(second), second.victim_cgroup) == ([("x", 5), ("x", 6)], "/b")


def test_processes_that_share_the_victim_s_memory_die_with_it():
    report = only("Killed process 9 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB\nKill process 10 (y) sharing same memory")
    assert killed(report) == [("x", 9), ("y", 10)]


def test_a_victim_that_was_dying_already_is_no_victim():
    report = only("Memory cgroup out of memory: OOM victim 12 (x) is already exiting. Skip killing the task")
    assert (report.no_victim, report.victims, report.constraint) == (True, [], "memcg")


def test_a_group_goes_on_dying_where_its_first_victim_was_dead_already():
    kill = "Memory cgroup out of memory: Killed process {} (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"
    exiting = "Memory cgroup out of memory: OOM victim {} (x) is already exiting. Skip killing the task"
    group = "Tasks in /a are going to be killed due to memory.oom.group set"
    report = only("\n".join([exiting.format(1), group, kill.format(2), exiting.format(3), kill.format(4)]))
    assert (killed(report), report.no_victim) == ([("x", 2), ("x", 4)], False)


def test_what_the_kill_line_of_5_0_lacks_stands_in_the_other_lines():
    report = only(
        """
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[      5]    33     5       56        1    98304        0           -99 x
oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=x,pid=5,uid=7
Out of memory: Killed process 5 (x) total-vm:224kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB
"""
    )
    assert (report.victims[0].uid, report.victims[0].oom_score_adj) == (7, -99)


# The reaper


def test_reaper_lines_alone_tell_of_kills():
    found = events(
        """
oom_reaper: reaped process 2142 (cleanupd), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
oom_reaper: unable to reap pid:9261 (a.out)
oom_reaper: unable to reap pid:9261 (a.out)
oom_reaper: reaped process 2142 (another), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
"""
    )
    assert [killed(report) for report in found] == [[("cleanupd", 2142)], [("a.out", 9261)], [("another", 2142)]]
    assert [report.reaped for report in found] == [[("cleanupd", 2142)], [], [("another", 2142)]]
    assert {report.constraint for report in found} == {None}


def test_the_reaper_names_the_victim_of_a_report_whose_end_is_lost():
    report = only(
        """
x invoked oom-killer: gfp_mask=0x6000c0(GFP_KERNEL), nodemask=(null), order=0, oom_score_adj=0
memory: usage 100kB, limit 100kB, failcnt 4
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[     11]     0    11       56        1    98304        0           961 x
oom_reaper: reaped process 11 (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
"""
    )
    assert (killed(report), report.victims[0].oom_score_adj) == ([("x", 11)], 961)
    assert "kill" in report.missing


def test_the_reaper_names_the_victim_of_a_report_that_was_searched_out_of_a_log():
    report = only(
        "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
        "oom_reaper: reaped process 11 (y), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n"
    )
    assert (report.trigger.process, killed(report), report.reaped) == ("x", [("y", 11)], [("y", 11)])


# The constraint line


@pytest.mark.parametrize(
    ("tail", "constraint", "limit", "victim"),
    [
        ("CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a,task=x,pid=5,uid=7", "none", None, "/a"),
        ("CONSTRAINT_MEMCG,nodemask=(null),cpuset=c,mems_allowed=0-1,3,oom_memcg=/a,b,task_memcg=/a,b/d=e,task=x,pid=5,uid=7", "memcg", "/a,b", "/a,b/d=e"),
        ("CONSTRAINT_CPUSET,nodemask=(null),cpuset=c,mems_allowed=1,global_oom,task_memcg=/a,task=x,pid=5,uid=7", "cpuset", None, "/a"),
        ("CONSTRAINT_MEMORY_POLICY,nodemask=1,cpuset=/,mems_allowed=0-1,global_oom,task_memcg=/a,task=x,pid=5,uid=7", "memory_policy", None, "/a"),
        ("CONSTRAINT_NONE,nodemask=(null),oom_memcg=/a,task_memcg=/a/b,task=x,pid=5,uid=7", "memcg", "/a", "/a/b"),
    ],
)
def test_constraint_lines(tail, constraint, limit, victim):
    report = only("oom-kill:constraint=" + tail)
    assert (report.constraint, report.limit_cgroup, report.victim_cgroup) == (constraint, limit, victim)
    assert report.victims == [Victim("x", 5, 7)]
    assert report.missing == ("trigger", "memory", "tasks", "kill")


def test_the_policy_s_nodes():
    report = only("oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=1,3,cpuset=/,mems_allowed=0-3,global_oom,task_memcg=/,task=x,pid=5,uid=0")
    assert (report.nodemask, report.mems_allowed) == ("1,3", "0-3")


def test_a_constraint_line_that_is_cut_names_no_path_and_no_victim():
    report = only("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/kubepods/pod1,task_memcg=/kubepods/po")
    assert (report.limit_cgroup, report.victim_cgroup, report.victims) == ("/kubepods/pod1", None, [])


# What implies the scope where no line states it


@pytest.mark.parametrize(
    ("frame", "constraint"),
    [
        (" mem_cgroup_out_of_memory+0xc0/0x110", "memcg"),
        ("[<ffffffff811f71e6>] mem_cgroup_oom_synchronize+0x546/0x570", "memcg"),
        (" out_of_memory from __alloc_pages+0xa98/0x1044", "none"),
        (" ? __alloc_pages+0xa98/0x1044", None),
        (" dump_header+0x43/0x1c0", None),
    ],
)
def test_the_stack_implies_the_scope(frame, constraint):
    assert only(f"x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n{frame}").constraint == constraint


def test_a_nodemask_leaves_room_for_a_memory_policy():
    report = only(
        "x invoked oom-killer: gfp_mask=0x6000c0(GFP_KERNEL), nodemask=1, order=0, oom_score_adj=0\n"
        "Out of memory: Kill process 2 (x) score 3 or sacrifice child\n"
    )
    assert (report.constraint, report.nodemask) == (None, "1")


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


# Panics and requests


@pytest.mark.parametrize(
    "words",
    ["Out of memory: compulsory panic_on_oom is enabled", "Out of memory and no killable processes...", "System is deadlocked on memory"],
)
def test_panics(words):
    report = only(f"Kernel panic - not syncing: {words}\nCPU: 0 PID: 18 Comm: x Not tainted 3.19.0-rc1 #650")
    assert (report.panic, report.victims) == (True, [])
    assert (report.trigger.process, report.trigger.pid, report.kernel) == ("x", 18, "3.19.0-rc1")
    assert report.missing == ("trigger", "memory", "tasks")


def test_a_panic_of_another_kind_is_no_event():
    assert events("Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009") == []


def test_nobody_to_kill_and_then_the_panic_are_one_event():
    report = only("Out of memory and no killable processes...\nKernel panic - not syncing: System is deadlocked on memory")
    assert (report.panic, report.no_victim) == (True, True)


def test_order_minus_one_tells_of_a_request():
    assert only("kworker/0:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0").sysrq
    assert not only("kworker/0:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=1, oom_score_adj=0").sysrq


def test_a_request_that_ended_in_a_panic_is_one_event():
    report = only("SysRq : Manual OOM execution\nKernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled")
    assert (report.sysrq, report.panic) == (True, True)


def test_a_request_by_hand_that_killed_nobody():
    report = only(
        """
sysrq: Manual OOM execution
kworker/0:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0
Out of memory and no killable processes...
sysrq: OOM request ignored. No task eligible
"""
    )
    assert (report.sysrq, report.no_victim, report.victims) == (True, True, [])


# Where one report ends and the next begins


def test_a_report_without_an_end_does_not_take_the_next_one_s_kill():
    first, second = events(
        """
a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
b invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
Out of memory: Killed process 9 (b) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:6kB oom_score_adj:0
"""
    )
    assert (first.victims, killed(second)) == ([], [("b", 9)])


def test_a_kill_of_somebody_else_than_the_chosen_one_is_another_event():
    first, second = events(
        """
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a,task=a,pid=5,uid=0
Memory cgroup out of memory: Killed process 9 (b) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:6kB oom_score_adj:0
"""
    )
    assert (killed(first), killed(second), second.limit_cgroup) == ([("a", 5)], [("b", 9)], None)


def test_a_kill_of_another_scope_is_another_event():
    first, second = events(
        """
oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a,task=a,pid=5,uid=0
Memory cgroup out of memory: Killed process 5 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB
"""
    )
    assert (first.constraint, second.constraint) == ("none", "memcg")


@pytest.mark.parametrize("part", ["Mem-Info:", "memory: usage 8kB, limit 8kB, failcnt 0", "Task in /a killed as a result of limit of /a"])
def test_a_part_that_comes_twice_begins_another_report(part):
    end = "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name"
    assert len(events(f"{part}\n{end}\n{part}\n{end}")) == 2
    assert len(events(f"x invoked oom-killer: gfp_mask=0xd0\n{part}\nkmem: usage 0kB, limit 1kB, failcnt 0\n{part}\n{end}")) == 2


@pytest.mark.parametrize(
    ("times", "count"),
    [
        (((None, 100.0), (None, 101.0)), 1),
        (((None, 100.0), (None, 1700.0)), 2),
        (((None, 1700.0), (None, 100.0)), 2),
        ((("2026-11-20T10:00:59.900Z", None), ("2026-11-20T10:01:00.100Z", None)), 1),
        ((("2026-11-20T10:00:00Z", None), ("2026-11-20T10:09:00Z", None)), 2),
        ((("2026-11-20T10:00:00Z", None), ("2026-11-20T09:00:00", None)), 1),
        (((None, 100.0), (None, None)), 1),
        ((("long ago", None), ("now", None)), 1),
    ],
)
def test_what_lies_far_apart_is_not_one_event(times, count):
    texts = ("a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0", "Out of memory: Killed process 9 (a) total-vm:8kB")
    lines = [Line(text, time, "", uptime) for text, (time, uptime) in zip(texts, times, strict=True)]
    assert len(read_kernel(lines)) == count


def test_lines_of_others_in_between_change_nothing():
    lines = recorded("linux-6.1-global-no-swap")
    noise = [
        "audit: type=1131 audit(1688635530.446:173): pid=1 uid=0 msg='unit=polkit'",
        "usb 1-1: new high-speed USB device number 4",
        "eth0: renamed",
        "free:12 of 13 slots",
        "INFO: task sync:99 blocked for more than 120 seconds.",
        "oom_reaper: unable to reap pid:4711 (earlier)",
        "",
    ]
    mixed = [piece for number, line in enumerate(lines) for piece in (line, Line(noise[number % len(noise)]))]
    (alone,) = read_kernel(lines)
    report, *others = [event for event in read_kernel(mixed) if isinstance(event, OomReport)]
    report.lines = alone.lines
    assert report == alone
    assert [killed(other) for other in others] == [[("earlier", 4711)]]


def test_the_part_that_is_cut_off_is_missing():
    lines = recorded("linux-6.1-memcg-oom-group")
    where = {line.text.split("(")[0].strip(): number for number, line in enumerate(lines)}
    table, constraint = where["Tasks state"], next(number for name, number in where.items() if name.startswith("oom-kill:"))
    cuts = {
        ("kill",): lines[: constraint + 1],
        ("constraint", "kill", "tasks"): lines[:table],
        ("trigger",): lines[1:],
        ("memory", "trigger"): lines[table:],
        ("memory", "tasks", "trigger"): lines[constraint:],
        ("constraint", "memory", "tasks", "trigger"): lines[constraint + 1 :],
    }
    for missing, cut in cuts.items():
        (report,) = read_kernel(cut)
        assert tuple(sorted(report.missing)) == missing
        assert report.constraint == "memcg"
