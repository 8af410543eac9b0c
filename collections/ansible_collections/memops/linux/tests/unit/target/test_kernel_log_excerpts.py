# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which kernel messages belong to a memory event, and to which."""

import random

import pytest

from ansible_collections.memops.linux.plugins.module_utils.kernel_log.excerpts import select
from ansible_collections.memops.linux.plugins.module_utils.kernel_log.shortening import size
from ansible_collections.memops.linux.tests.unit.target.kernel_log_host import messages, report

V1 = "linux-6.18-cgroup-v1-oom"
GROUP = "linux-6.1-oom-group"


def excerpts(texts, seconds_apart=0.001):
    return list(select((number * seconds_apart, text) for number, text in enumerate(texts)))


def texts(excerpt):
    return [text for _time, text in excerpt.lines]


def test_two_reports_right_after_one_another_are_two_excerpts_each_from_header_to_kill_line():
    first, second = select(messages(V1))
    for excerpt, pid in ((first, 19237), (second, 19281)):
        assert excerpt.kind == "oom_report"
        assert texts(excerpt)[0].startswith("python3 invoked oom-killer: ")
        assert texts(excerpt)[-1].startswith("Memory cgroup out of memory: Killed process %d (python3)" % pid)
        assert len(excerpt.lines) == 78 and excerpt.omitted_lines == 0


def test_a_group_kill_is_one_event_with_all_its_victims():
    (excerpt,) = select(messages(GROUP))
    killed = [text.split("Killed process ")[1].split()[0] for text in texts(excerpt) if "Killed process" in text]
    assert killed == ["362", "359", "358", "360", "362"]


def test_the_lines_of_one_message_stand_one_by_one():
    (excerpt,) = select(messages(GROUP))
    assert "anon 66543616" in texts(excerpt) and "pgmajfault 51" in texts(excerpt)


def test_a_report_whose_header_is_lost_begins_at_its_first_typical_line():
    rows = ["[   %d]     0   %d     4491     2287    77824        0             0 shop" % (pid, pid) for pid in (400, 401)]
    (excerpt,) = excerpts([" lru_add_drain+0x1/0x2", "R13: 0000000000000000"] + rows + report()[8:])
    assert excerpt.kind == "oom_report" and excerpt.headless
    assert texts(excerpt) == rows + report()[8:]


def test_memory_totals_without_anything_of_the_killer_are_no_event():
    assert excerpts(["sysrq: Show Memory", "Mem-Info:", "active_anon:1 inactive_anon:2 isolated_anon:0", "262044 pages RAM"]) == []


def test_a_kill_line_alone_is_a_kill_and_the_next_one_another():
    one, two = report(11)[-1], report(12)[-1]
    assert [(e.kind, texts(e)) for e in excerpts([one, two])] == [("kill", [one]), ("kill", [two])]


def test_the_old_kernels_two_kill_lines_are_one_kill():
    lines = [
        "Out of memory (oom_kill_allocating_task): Kill process 22593 (ksm04) score 0 or sacrifice child",
        "Killed process 22612 (ksm04) total-vm:139476kB, anon-rss:131204kB, file-rss:896kB",
    ]
    assert [texts(e) for e in excerpts(lines * 2)] == [lines, lines]


def test_a_late_line_of_the_oom_reaper_joins_the_kill_of_its_process():
    reaped = "oom_reaper: reaped process 11 (shop-import), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"
    first, second = excerpts(report(11) + report(12) + [reaped])
    assert texts(first)[-1] == reaped and texts(second)[-1] == report(12)[-1]


def test_a_line_of_the_oom_reaper_without_its_kill_is_kept_as_the_trace_of_one():
    (excerpt,) = excerpts(["oom_reaper: unable to reap pid:9261 (a.out)"])
    assert excerpt.kind == "reaped"


def test_lines_of_another_cpu_within_a_report_stay_in_it_but_a_crash_is_an_event_of_its_own():
    lines = report()
    crash = "nginx[812]: segfault at 0 ip 0000000000402669 sp 00007ffe203fb570 error 4 in nginx[400000+5000]"
    lines[4:4] = ["eth0: link down", crash]
    found = {excerpt.kind: texts(excerpt) for excerpt in excerpts(lines)}
    assert found["crash"] == [crash]
    assert found["oom_report"] == [text for text in lines if text != crash]


def test_foreign_lines_after_the_kill_line_are_not_the_reports():
    foreign = ["eth0: link up %d" % number for number in range(40)]
    (excerpt,) = excerpts(report() + foreign)
    assert texts(excerpt) == report()


def test_a_line_that_would_belong_to_the_report_comes_too_late_after_many_foreign_ones():
    late = "Tasks in /shop are going to be killed due to memory.oom.group set"
    first, second = excerpts(report() + ["eth0: link up"] * 40 + [late])
    assert (texts(first), texts(second)) == (report(), [late])


def test_a_kill_line_that_the_name_in_it_breaks_in_two_stays_whole():
    lines = ["Out of memory: Killed process 5 (a", "\nb) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB"]
    (excerpt,) = excerpts(lines)
    assert texts(excerpt) == [lines[0], lines[1][1:]]


def test_a_gap_in_time_ends_a_report_that_has_no_kill_line():
    first, second = select([(0, report()[0]), (0, "Mem-Info:"), (600, "eth0: link up"), (600, report()[-1])])
    assert (len(first.lines), second.kind) == (2, "kill")


def test_the_request_by_sysrq_opens_the_report_that_follows():
    (excerpt,) = excerpts(["sysrq: Manual OOM execution"] + report())
    assert (excerpt.kind, len(excerpt.lines)) == ("oom_report", 11)


def test_a_panic_keeps_the_kernels_last_words():
    lines = ["SysRq : Manual OOM execution", "Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled"]
    (excerpt,) = excerpts(lines + ["CPU: 0 PID: 7 Comm: kworker/0:1 Not tainted"])
    assert (excerpt.kind, len(excerpt.lines)) == ("panic", 3)


def test_an_allocation_failure_keeps_its_memory_totals_and_ends_there():
    lines = [
        "cat: page allocation failure: order:5, mode:0x40dc0(GFP_KERNEL|__GFP_COMP|__GFP_ZERO), nodemask=(null),cpuset=/,mems_allowed=0",
        "CPU: 1 PID: 812 Comm: cat Not tainted 6.1.0",
        "Mem-Info:",
        "Node 0 DMA: 1*4kB (U) = 4kB",
        "262044 pages RAM",
        "0 pages HighMem/MovableOnly",
        "10167 pages reserved",
    ]
    (excerpt,) = excerpts(lines + ["eth0: link up"] * 50)
    assert (excerpt.kind, texts(excerpt)) == ("allocation_failure", lines)


@pytest.mark.parametrize(
    "kind, text",
    [
        ("crash", "traps: shop[12] general protection fault ip:7f1 sp:7ff error:0 in libc.so.6[7f0+1]"),
        ("crash", "shop worker[12]: segfault at 0 ip 0000000000402669 sp 00007ffe203fb570 error 4 in shop[400000+5000]"),
        ("hung_task", "INFO: task jbd2/sda1-8:212 blocked for more than 120 seconds."),
        ("soft_lockup", "watchdog: BUG: soft lockup - CPU#58 stuck for 23s! [auditd:856]"),
        ("vmalloc_failure", "tracebox: vmalloc: allocation failure: 32768 bytes, mode:0xcc0(GFP_KERNEL)"),
        ("vmalloc_failure", "vmap allocation for size 36864 failed: use vmalloc=<size> to increase size"),
        ("allocation_stall", "java: page allocation stalls for 10008ms, order:0, mode:0x14200ca"),
        ("allocation_failure", "SLUB: Unable to allocate memory on node -1, gfp=0xdc0(GFP_KERNEL|__GFP_ZERO)"),
        ("fork_rejected", "cgroup: fork rejected by pids controller in /system.slice/shop.service"),
        ("no_victim", "Out of memory and no killable processes..."),
        ("overcommit_refused", "__vm_enough_memory: pid: 812, comm: java, bytes: 4096 not enough memory for the allocation"),
        ("panic", "Kernel panic - not syncing: System is deadlocked on memory"),
        ("kill", "Out of memory in UB 317592: OOM killed process 2946 (npm) score 0 vm:1506164kB, rss:237752kB, swap:120052kB"),
        ("kill", "Memory cgroup out of memory: OOM victim 3804877 (stress) is already exiting. Skip killing the task"),
        ("oom_report", "oom-killer: gfp_mask=0x201d2, order=0"),
    ],
)
def test_each_kind_of_memory_event_is_told_from_its_first_line(kind, text):
    assert [excerpt.kind for excerpt in excerpts(["eth0: link up", text, "eth0: link down"])] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "oom_guard: module loaded, will print 'Out of memory: Killed process 1 (init)'",
        "audit: type=1131 msg='unit=systemd-oomd comm=\"systemd\" res=success'",
        "systemd[1]: Started earlyoom - Out of memory: Killed process daemon",
        "usb 1-1: Product: Out of memory: Killed process 1 (a)",
        "[UFW BLOCK] IN=eth0 x invoked oom-killer: gfp_mask=0x0 -- from a very long line of a firewall that quotes the log it was sent",
        "general protection fault: 0000 [#1] SMP NOPTI",
        "device-mapper: failed, not out of memory",
        "a\nOut of memory: Killed process 1 (init) total-vm:1kB",
    ],
)
def test_a_line_that_only_mentions_or_imitates_an_event_is_none(text):
    assert excerpts([text]) == []


def test_a_process_name_that_imitates_the_kernel_starts_no_second_event():
    name = "x\nOut of memor"
    (excerpt,) = excerpts(report(name=name))
    assert excerpt.kind == "oom_report"


def test_a_task_table_too_long_loses_its_smallest_tasks_but_not_victim_and_trigger():
    row = "[ %6d]     0 %5d   999999 %8d    77824        0             0 task%d"
    lines = report(pid=5)
    lines[8] = lines[8].replace("pid=5", "pid=6")
    lines[9] = lines[9].replace("process 5", "process 6")
    rows = [row % (pid, pid, pid * 10, pid) for pid in range(5005, 5, -1)]
    (excerpt,) = excerpts(lines[:8] + rows + lines[8:], seconds_apart=0.0001)
    kept = {int(text[1:].split("]")[0]) for text in texts(excerpt) if text.startswith("[ ") and "pid" not in text}
    assert size(excerpt.lines) <= 96 * 1024
    assert len(excerpt.lines) + excerpt.omitted_lines == 10 + 5000
    assert {5, 6, 5005} < kept and 7 not in kept
    assert texts(excerpt)[0] == lines[0] and texts(excerpt)[-1] == lines[-1]


def test_any_mixture_of_lines_gives_each_line_at_most_once_and_never_an_error():
    pool = [text for _time, text in messages(V1) + messages(GROUP)] + report() + ["", "\n", "x", "[", "oom_reaper: reaped process 5 (x)"]
    for seed in range(200):
        choose = random.Random(seed)
        records = [(choose.choice((None, number, number * 100)), choose.choice(pool)) for number in range(choose.randrange(120))]
        taken = sum(len(excerpt.lines) for excerpt in select(records))
        assert taken <= sum(text.count("\n") + 1 for _time, text in records)


def test_a_log_cut_anywhere_gives_no_more_events_than_the_whole_one():
    whole = messages(V1)
    for end in range(0, len(whole), 7):
        assert len(list(select(whole[:end]))) <= 2
        assert len(list(select(whole[end:]))) <= 2
