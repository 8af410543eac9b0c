# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who asked, who was killed, within which bounds: forms of other kernels, written by hand after the kernels' sources."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line, Victim
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import events, killed, only, recorded

KIB = 1 << 10


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
        ("Pid: 77, comm: a (b) Not tainted2.6.32-279.el6.i686 #1", "2.6.32-279.el6.i686"),
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
        # retyped, or with the container's number hidden
        ("Out of memory: Killed process 9(x) total-vm:8k anon-rss:4KB file-rss:0", "none", Victim("x", 9, None, 8 * KIB, 4 * KIB)),
        ("Out of memory in UB XXX: OOM killed process 9 (x) score 0 vm:8kB", "memcg", Victim("x", 9, None, 8 * KIB)),
        ("Out of memory: Kill process 9(x) score 5 or sacrifice child", "none", Victim("x", 9, score=5)),
    ],
)
def test_kill_lines_of_all_ages(line, constraint, victim):
    report = only(line)
    assert report.constraint == constraint
    assert report.victims == [victim]
    assert report.missing[:3] == ("trigger", "memory", "tasks")
    assert ("kill" in report.missing) == ("Kill process" in line)


@pytest.mark.parametrize("pid", ["XXXX ", "**** ", "xx", "", " "])
def test_a_victim_whose_pid_was_made_unreadable_is_still_one(pid):
    choice = "Out of memory: Kill process XXXX (worker) score 5 or sacrifice child"
    report = only(f"{choice}\nKilled process {pid}(worker) total-vm:8kB, anon-rss:4kB, file-rss:0kB")
    assert report.constraint == "none"
    assert report.victims == [Victim("worker", total_vm_bytes=8 * KIB, anon_rss_bytes=4 * KIB, file_rss_bytes=0, score=5)]


def test_a_sentence_about_kill_lines_kills_nobody():
    assert events("Out of memory: Killed process (worker)\nMemory cgroup out of memory: Killed process XXXX (worker) is what it prints") == []


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
        ("CONSTRAINT_MEMORY_POLICY,nodemask=3,cpuset=a.slice,mems_allowed=0-3,task_memcg=/a/b,task=x,pid=5,uid=7", "memory_policy", None, "/a/b"),
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


@pytest.mark.parametrize(
    ("limit", "victim", "mended"),
    [
        ("/kube pods/a", "/kubepods/a/b", ("/kubepods/a", "/kubepods/a/b")),
        ("/kubepods/a", "/kube pods/a/b", ("/kubepods/a", "/kubepods/a/b")),
        ("/ku be", "/k ube", ("/kube", "/kube")),
        ("/a b", "/a b/c", ("/a b", "/a b/c")),
        ("/a", "/a/b c", ("/a", "/a/b c")),
        ("/a b", "/c", ("/a b", "/c")),
    ],
)
def test_a_blank_within_a_path_is_a_break_only_where_the_paths_need_it(limit, victim, mended):
    report = only(f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={limit},task_memcg={victim},task=x,pid=5,uid=0")
    assert (report.limit_cgroup, report.victim_cgroup) == mended


@pytest.mark.parametrize("broken", ["oom_s core_adj:-5", "oom_score_adj: -5", "oom_score_adj:-5"])
def test_a_kill_line_that_was_broken_within_a_word(broken):
    (victim,) = only(f"Out of memory: Killed process 9 (x) total-vm:12 34kB, an on-rss:4kB, file-rss:0kB, UID:33 {broken}").victims
    assert (victim.total_vm_bytes, victim.anon_rss_bytes, victim.uid) == (1234 * KIB, 4 * KIB, 33)
    assert victim.oom_score_adj == (None if ": " in broken else -5)


def test_a_uid_that_the_kernel_printed_with_a_sign():
    report = only("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a,task=x,pid=5,uid=-2")
    assert (report.victim_cgroup, report.victims) == ("/a", [Victim("x", 5, 4294967294)])


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
        (" [<ffffffff811bd1ce>] __mem_cgroup_try_charge+0xb1e/0xb50", "memcg"),
        (" try_charge_memcg+0x416/0x600", "memcg"),
        (" ? __alloc_pages+0xa98/0x1044", None),
        (" dump_header+0x43/0x1c0", None),
        # without frame pointers every frame is a guess
        (" [<ffffffff810b>] ? oom_kill_process+0x9f/0x210\n [<ffffffff810c>] ? __alloc_pages_nodemask+0x5f4/0x830", "none"),
        (" [<ffffffff810b>] ? __out_of_memory+0x58/0x110\n [<ffffffff810c>] ? mem_cgroup_out_of_memory+0x1f/0x30\n ? __alloc_pages+0x9/0x83", "memcg"),
        (" oom_kill_process+0x9f/0x210\n ? __alloc_pages_nodemask+0x5f4/0x830\n try_charge_memcg+0x4/0x6", "memcg"),
    ],
)
def test_the_stack_implies_the_scope(frame, constraint):
    assert only(f"x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n{frame}").constraint == constraint


@pytest.mark.parametrize(
    ("frames", "constraint"),
    [
        (" dump_header+0x5c/0x1dc\n out_of_memory+0x4b6/0x4f0\n __alloc_pages_slowpath+0x5d6/0x724", "none"),
        (" dump_header from oom_kill_process+0x23c/0x248\n out_of_memory from __alloc_pages+0xa98/0x1044", "none"),
        (" [<ffffffff8cc2>] dump_header+0x5c/0x1dc\n [<ffffffff8cc2>] mem_cgroup_out_of_memory+0x2ce/0x310", "memcg"),
    ],
)
def test_a_report_whose_first_line_is_lost_may_begin_within_its_stack(frames, constraint):
    (report,) = read_kernel(Line(frame, uptime_seconds=7.1) for frame in frames.splitlines())
    assert report.constraint == constraint


@pytest.mark.parametrize("frame", [" ? dump_header+0x5c/0x1dc", " dump_headers+0x1/0x2", "shop: dump_header failed"])
def test_no_other_line_with_that_word_begins_a_report(frame):
    assert read_kernel([Line(frame, uptime_seconds=7.1)]) == []


def test_a_frame_that_is_not_surely_the_kernels_begins_no_report():
    assert read_kernel([Line(" dump_header+0x5c/0x1dc")]) == []


@pytest.mark.parametrize("nodemask", ["0", "0-1,3"])
def test_a_nodemask_that_holds_all_known_nodes_leaves_no_room_for_one(nodemask):
    """Kernels 4.8 to 4.11 print the mask of the cpuset where others print (null)."""
    report = only(
        f"x invoked oom-killer: gfp_mask=0x24201ca(GFP_HIGHUSER_MOVABLE|__GFP_COLD), nodemask={nodemask}, order=0, oom_score_adj=0\n"
        "Out of memory: Kill process 2 (x) score 3 or sacrifice child\n"
    )
    assert (report.constraint, report.nodemask) == ("none", nodemask)


def test_a_nodemask_leaves_room_for_a_memory_policy():
    report = only(
        "x invoked oom-killer: gfp_mask=0x6000c0(GFP_KERNEL), nodemask=1, order=0, oom_score_adj=0\n"
        "Out of memory: Kill process 2 (x) score 3 or sacrifice child\n"
    )
    assert (report.constraint, report.nodemask) == (None, "1")
