# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Panics, requests, and reports that are cut, mixed or run together, written by hand."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line, OomReport
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import events, killed, only, recorded

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


def test_rows_below_a_damaged_header_are_not_read():
    lines = recorded("linux-6.1-memcg-oom-group")
    damaged = [Line(line.text.replace(" rss ", " rss")) if "total_vm" in line.text else line for line in lines]
    (report,) = read_kernel(damaged)
    assert (report.tasks, report.table_complete) == ([], False)
