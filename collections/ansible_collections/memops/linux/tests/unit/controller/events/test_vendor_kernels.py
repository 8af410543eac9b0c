# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the forms of vendors' and of very old kernels say; lines written by hand after those kernels' sources."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import AllocationFailure, Line, Victim
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import events, killed, lines_of, only

KIB = 1 << 10


@pytest.mark.parametrize(
    ("line", "constraint", "victim"),
    [
        ("Killed process 9 (x), UID 48, total-vm:8kB, anon-rss:4kB, file-rss:0kB", None, Victim("x", 9, 48, 8 * KIB, 4 * KIB, 0)),
        ("Killed process 9 ((resolved)) total-vm:8kB, anon-rss:4kB, file-rss:0kB", None, Victim("(resolved)", 9, None, 8 * KIB, 4 * KIB, 0)),
        ('Killed process 9 (x) in VE "101" total-vm:8kB, anon-rss:4kB', None, Victim("x", 9, None, 8 * KIB, 4 * KIB)),
        ("Killed process 9 (x) ... oom_score_adj:300", None, Victim("x", 9, oom_score_adj=300)),
        ("OOM killed process 9 (x) vm:8kB, rss:5kB, swap:1kB", None, Victim("x", 9, None, 8 * KIB)),
        ("Out of memory: Killed process 9, UID 48, (x).", "none", Victim("x", 9, 48)),
        ("Out of memory: kill process 9 (x) score 54 or a child", "none", Victim("x", 9, score=54)),
        ("No available memory in cpuset: kill process 9 (x) score 54 or a child", "cpuset", Victim("x", 9, score=54)),
        ("No available memory (MPOL_BIND): kill process 9 (x) score 54 or a child", "memory_policy", Victim("x", 9, score=54)),
        ("VM: killing process my app", None, Victim("my app")),
        ("VM: killing process httpd(4711:#101)", None, Victim("httpd")),
        ("lowmemorykiller: Killing 'com.shop' (4711), adj 900,", "none", Victim("com.shop", 4711, oom_score_adj=900)),
        ("lowmemorykiller: Killing 'com.shop' (4711) (tgid 4700), adj 900,", "none", Victim("com.shop", 4711, oom_score_adj=900)),
        ("lowmemorykiller: Killing 'com.shop' (4711), adj 15, score_adj 900,", "none", Victim("com.shop", 4711, oom_score_adj=900)),
        ("lowmemorykiller: send sigkill to 4711 (com.shop), oom_adj 15, size 1234", "none", Victim("com.shop", 4711, oom_score_adj=15)),
    ],
)
def test_victims(line, constraint, victim):
    report = only(line)
    assert (report.constraint, report.victims) == (constraint, [victim])


@pytest.mark.parametrize(("line", "pid"), [("Out of memory: Killed process 4711 (py", 4711), ("Out of memory: Killed process 47...", None)])
def test_a_kill_line_that_is_cut_gives_what_stands_before_the_cut(line, pid):
    report = only(line)
    assert [(victim.pid, victim.process) for victim in report.victims] == ([(pid, None)] if pid else [])
    assert "kill" in report.missing


def test_openvz_names_who_asked_with_his_pid():
    trigger = only("4711 (my app) invoked UB oom-killer: gfp 0x201d2 order 3 oomkilladj=0").trigger
    assert (trigger.pid, trigger.process, trigger.gfp_mask, trigger.order) == (4711, "my app", "0x201d2", 3)


@pytest.mark.parametrize(
    "line",
    [
        "CPU: 0 PID: 77 Comm: a ve: 101 Not tainted 3.10.0 #1",
        "Pid: 77, comm: a veid: 101 Not tainted 2.6.32 #1",
        "Process a (pid: 77, threadinfo ffff, task ffff)",
    ],
)
def test_the_stack_of_other_kernels_tells_the_pid(line):
    assert only(f"a invoked oom-killer: gfp_mask=0xd0, order=0\n{line}").trigger.pid == 77


@pytest.mark.parametrize("line", ["my job invoked oom-killer and died", "we invoked oom-killer by hand", "oom-killer: enabled"])
def test_prose_on_the_killer_is_no_report(line):
    assert events(line) == []


def test_a_kill_line_without_sizes_counts_where_the_kernel_s_words_stand_before_it():
    assert events("Killed process 9 (x)") == []
    assert killed(only("Out of memory: kill process 8 (x) score 54 or a child\nKilled process 9 (y)")) == [("y", 9)]


def test_a_page_fault_s_victim_may_be_the_killer_s():
    kill = "Out of memory: Killed process 9 (x)."
    assert killed(only(f"{kill}\nVM: killing process x")) == [("x", 9)]
    assert [killed(report) for report in events(f"{kill}\nVM: killing process y")] == [[("x", 9)], [("y", None)]]


@pytest.mark.parametrize("line", ["[  3]  1  2  3  4", "[ 12]  1  2  3  4  5  6  7  8", "[ 12]  1  2  3  4  5  6  7 x", "[1] 10 20 30 sec"])
def test_other_tables_are_none_of_tasks(line):
    assert events(line) == []


def test_a_row_alone_is_of_a_report():
    assert len(events("[  333]    33   333     2667      111   0     -17         -1000 udevd")) == 1


def test_rows_of_2_6_25_without_their_header():
    report = only("x invoked oom-killer: gfp_mask=0xd0, order=0\n[  333]    33   333     2667      111   0     -17 udevd")
    assert (report.tasks[0].uid, report.tasks[0].rss_bytes, report.tasks[0].oom_score_adj, report.tasks[0].process) == (33, 111 * 4096, None, "udevd")


def test_5_0_prints_constraint_and_choice():
    constraint = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=x,pid=5,uid=7"
    choice = "Out of memory: Kill process {} (x) score 54 or sacrifice child"
    assert len(events(f"{constraint}\n{choice.format(5)}\nKilled process 5 (x) total-vm:8kB, anon-rss:4kB")) == 1
    assert [killed(report) for report in events(f"{constraint}\n{choice.format(6)}")] == [[("x", 5)], [("x", 6)]]


@pytest.mark.parametrize(
    ("line", "constraint"),
    [
        ("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(nu", "memcg"),
        ("oom-kill:constraint=CONSTRAINT_CPUSET...", "cpuset"),
        ("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a,task=x,pid=5,ui", "none"),
    ],
)
def test_a_constraint_line_that_is_cut(line, constraint):
    report = only(line)
    assert (report.constraint, [victim.pid for victim in report.victims]) == (constraint, [5] if "pid=5" in line else [])


@pytest.mark.parametrize(
    ("first", "process"),
    [
        ("User process fault: interruption code 0011 ilc:2 in a[1000000+8000]", "a"),
        ("a: unhandled page fault (11) at 0x00000008, code 0x017", "a"),
        ("do_page_fault(): sending SIGSEGV to a for invalid read access from 00000008", "a"),
        ("BUG: soft lockup detected on CPU#0!", "a"),
    ],
)
def test_the_stack_names_the_process_that_the_first_line_does_not(first, process):
    (fault,) = read_kernel(lines_of(f"{first}\nregisters\nCPU: 1 PID: 77 Comm: {process} Not tainted 6.1.0 #1\nCPU: 1 PID: 78 Comm: b"))
    assert (fault.process, fault.pid) == (process, 77)


def test_a_stack_far_below_is_none_of_a_fault_s():
    others = "\n".join(f"line {number}" for number in range(200))
    (fault,) = events(f"User process fault: interruption code 0011 ilc:2\n{others}\nCPU: 1 PID: 77 Comm: a Not tainted 6.1.0 #1")
    assert fault.pid is None


def test_a_slab_that_may_not_have_made_the_page_allocators_request_failed_by_itself():
    page, slab = "a: page allocation failure: order:0, mode:0xc00(GFP_NOIO)", "SLUB: Unable to allocate memory on node -1, gfp=0xa20(GFP_ATOMIC)"
    assert [event.gfp_mask for event in events(f"{page}\n{slab}")] == ["0xc00", "0xa20"]
    assert len(events(f"{page}\n{slab.replace('0xa20(GFP_ATOMIC)', '0xd00(GFP_NOIO)')}")) == 1
    assert len(events(f"{page}\n{slab.partition(', gfp')[0]}, gfp=?")) == 1


def test_each_process_with_the_victims_memory_has_a_line_of_its_own_below_one_header():
    lines = "".join(f"Out of Memory: Killed process {pid} (shop).\n" for pid in (7, 8, 9))
    assert killed(only(f"oom-killer: gfp_mask=0x1d2\n{lines}")) == [("shop", 7), ("shop", 8), ("shop", 9)]
    assert [killed(report) for report in events(lines)] == [[("shop", 7)], [("shop", 8)], [("shop", 9)]]
    other = events(f"oom-killer: gfp_mask=0x1d2\n{lines.replace('9 (shop)', '9 (other)')}")
    assert [killed(report) for report in other] == [[("shop", 7), ("shop", 8)], [("other", 9)]]


@pytest.mark.parametrize(
    ("line", "constraint"),
    [
        ("oom-killer: gfp_mask=0x1d2", "none"),
        ("oom-killer: gfp_mask=0x201d2, order=0", "none"),
        ("oom-killer: gfp_mask=0xd0, order=0, oom_adj=0", None),
        ("oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0", None),
        ("a invoked oom-killer: gfp_mask=0xd0, order=0", None),
    ],
)
def test_a_header_without_a_name_is_older_than_cgroups(line, constraint):
    assert only(line).constraint == constraint


def test_a_refusal_that_is_said_twice_without_a_stamp_happened_twice():
    line = "a: page allocation failure. order:0, mode:0x50"
    assert len(events(f"{line}\n{line}")) == 2
    assert len(read_kernel([Line(line, uptime_seconds=1.5)] * 2)) == 1


def test_a_stall_is_told_from_a_failure():
    stall, failure = events("a: page allocation stalls for 10014ms, order:0, mode:0x24280ca(GFP_HIGHUSER)\nb: page allocation failure: order:2, mode:0x20")
    assert (stall.stalled_seconds, failure.stalled_seconds) == (10.014, None)


def test_the_slab_allocator_s_words_belong_to_the_page_allocator_s_failure():
    page, slab = "swapper: page allocation failure. order:1, mode:0x20", "SLUB: Unable to allocate memory on node -1 (gfp=0x20)"
    (failure,) = events(f"{page}\n{slab}")
    assert isinstance(failure, AllocationFailure)
    assert (failure.order, failure.quotes["slab"].text) == (1, slab)
    assert len(events(f"{slab}\n{page}")) == len(events(f"{slab}\n{slab} ")) == 2


def test_2_4_tells_the_request_and_then_whom_it_killed_for_it():
    first, second = events(
        "__alloc_pages: 1-order allocation failed (gfp=0x1f0/0)\n"
        "__alloc_pages: 0-order allocation failed (gfp=0x1d2/0)\n"
        "VM: killing process httpd\n"
        "__alloc_pages: 0-order allocation failed (gfp=0xf0/0)\n"
        "VM: killing process httpd\n"
    )
    assert [(report.constraint, killed(report), report.trigger.gfp_mask, report.trigger.order) for report in (first, second)] == [
        ("none", [("httpd", None)], "0x1d2", 0),
        ("none", [("httpd", None)], "0xf0", 0),
    ]
    assert len(first.lines) == 3


def test_a_request_that_2_4_refused_without_a_kill_is_a_refusal():
    (event,) = events("__alloc_pages: 3-order allocation failed (gfp=0x20/0)\n")
    assert (type(event), event.order) == (AllocationFailure, 3)


@pytest.mark.parametrize(("group", "reports"), [("/a/b", 1), ("/a", 1), ("/", 1), ("/a/bc", 2), ("/c", 2)])
def test_a_group_that_does_not_hold_the_victim_is_of_another_kill(group, reports):
    kill = "Memory cgroup out of memory: Killed process 7 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB"
    log = f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=x,pid=7,uid=0\n{kill}\n"
    assert len(events(f"{log}Tasks in {group} are going to be killed due to memory.oom.group set\n{kill.replace('7 (x)', '8 (y)')}")) == reports
