# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where one event ends and the next begins, by clocks and by what the kernel repeats; and that none costs more than another."""

from __future__ import annotations

import sys

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line, OomReport
from ansible_collections.memops.linux.plugins.plugin_utils.events.services import read_services
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import NAMES, killed, recorded

TRIGGER = "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
CHOSEN = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a,task=a,pid=5,uid=0"
KILL = "Out of memory: Killed process 5 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"
HUNG = "INFO: task a:7 blocked for more than 120 seconds."
LOCKUP = "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [b:8]"
FORKS = "cgroup: fork rejected by pids controller in /a"


def up(text: str, seconds: float) -> Line:
    return Line(text, uptime_seconds=seconds)


def at(text: str, moment: str) -> Line:
    return Line(text, f"2026-11-20T{moment}Z")


def count(*lines: Line) -> int:
    return len(read_kernel(lines))


@pytest.mark.parametrize("first", NAMES)
def test_each_recording_before_each_other_gives_the_events_of_both(first):
    for second in NAMES:
        assert read_kernel(recorded(first) + recorded(second)) == read_kernel(recorded(first)) + read_kernel(recorded(second))


# The kill comes late


def test_a_kill_minutes_after_the_line_that_announced_it_is_of_that_report():
    (report,) = read_kernel([up(TRIGGER, 1), up(CHOSEN, 2), up(KILL, 400)])
    assert killed(report) == [("a", 5)]


def test_a_kill_of_another_or_hours_later_is_another_report():
    assert count(up(TRIGGER, 1), up(CHOSEN, 2), up(KILL.replace("5 (a)", "6 (b)"), 400)) == 2
    assert count(up(TRIGGER, 1), up(CHOSEN, 2), up(KILL, 9000)) == 2
    assert count(up(TRIGGER, 1), up(KILL, 400)) == 2


# Clocks


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (up(TRIGGER, 100), at(KILL, "10:00:00")),
        (at(TRIGGER, "10:00:00"), up(KILL, 100)),
        (up(TRIGGER, 100), up(KILL, 90)),
        (at(TRIGGER, "10:00:00"), at(KILL, "09:00:00")),
    ],
)
def test_clocks_that_cannot_be_compared_or_go_back_part_two_logs(first, second):
    assert count(first, second) == 2


def test_lines_without_a_stamp_and_lines_with_one_are_two_logs():
    assert count(Line(TRIGGER), Line(CHOSEN), up(KILL, 5)) == 2
    assert count(Line(TRIGGER), up(KILL, 5)) == 1  # a paste that begins in the middle of its first line


def test_a_little_disorder_is_no_boundary():
    assert count(up(TRIGGER, 100.0), up(CHOSEN, 99.9), up(KILL, 99.95)) == 1


# What the kernel says again


@pytest.mark.parametrize("line", [HUNG, LOCKUP, FORKS])
def test_a_state_that_lasts_is_one_event_until_the_next_boot(line):
    (fault,) = read_kernel([up(line, 100), up(line, 9000)])
    assert len(fault.lines) == 2
    assert count(up(line, 100), up(line, 50)) == 2
    assert count(at(line, "10:00:00"), at(line, "09:00:00")) == 2


def test_states_of_two_are_two_events():
    assert count(up(HUNG, 1), up(HUNG.replace("a:7", "a:8"), 1)) == 2
    assert count(up(FORKS, 1), up(FORKS + "/b", 1)) == 2


def test_a_lockup_of_the_cpu_that_prints_a_report_is_a_consequence_of_the_kill():
    at_work = "[c000] .oom_kill_process+0x224/0x530"
    (report,) = read_kernel([up(KILL, 1), up(LOCKUP, 24), up("Modules linked in: a", 24), up(at_work, 24)])
    assert isinstance(report, OomReport)
    assert report.quotes["lockup"].text == LOCKUP
    assert count(up(KILL, 1), up(LOCKUP, 24), up("[c000] .schedule+0x224/0x530", 24)) == 2
    assert count(up(KILL, 1), up(LOCKUP, 240), up(at_work, 240)) == 2
    assert count(up(LOCKUP, 24), up(at_work, 24)) == 1


# Cost


def steps(read, what) -> int:
    """The bytecode instructions that ``read(what)`` takes: the same on every machine, however busy."""
    taken = 0

    def trace(frame, event, _argument):
        nonlocal taken
        frame.f_trace_opcodes = True
        taken += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read(what)
    finally:
        sys.settrace(before)
    return taken


MANY = {
    "reports": lambda number: [up(text, 100 * n + part) for n in range(number) for part, text in enumerate((TRIGGER, CHOSEN, KILL))],
    "victims of one group": lambda number: (
        [Line("Tasks in /a are going to be killed due to memory.oom.group set")]
        + [Line(KILL.replace("Out of", "Memory cgroup out of").replace("5 (a)", f"{n} (a)")) for n in range(number)]
    ),
    "reaped within a report": lambda number: [Line(TRIGGER)] + [Line(f"oom_reaper: reaped process {n} (a), now anon-rss:0kB") for n in range(number)],
    "rows and kills": lambda number: (
        [Line("[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name")]
        + [Line(f"[{n:5}]     0 {n:5}     9        9      9      9             0 a") for n in range(number)]
        + [Line("Tasks in /a are going to be killed due to memory.oom.group set")]
        + [Line(KILL.replace("5 (a)", f"{n} (a)")) for n in range(number)]
    ),
    "hung tasks": lambda number: [Line(HUNG.replace("a:7", f"a:{n}")) for n in range(number)],
    "lockups": lambda number: [Line(text) for n in range(number) for text in (KILL.replace("5 (a)", f"{n} (a)"), LOCKUP.replace("b:8", f"b:{n}"), "x+0x1/0x2")],
}


@pytest.mark.parametrize("many", MANY)
def test_ten_times_as_many_take_ten_times_the_steps(many):
    assert steps(read_kernel, MANY[many](1000)) < 12 * steps(read_kernel, MANY[many](100))


def test_services_take_no_more_steps_each_when_there_are_many():
    def records(number: int) -> list[dict]:
        text = ": A process of this unit has been killed by the OOM killer."
        units = (f"a{n}.service" if n % 2 else f"a{n}.slice" for n in range(number))
        return [{"text": unit + text, "time": f"2026-11-20T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z"} for n, unit in enumerate(units)]

    assert steps(read_services, records(1000)) < 12 * steps(read_services, records(100))
