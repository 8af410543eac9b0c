# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must hold for any log, whole, cut, shuffled or hostile."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.memops.linux.plugins.plugin_utils.events import kernel, mem_info, services
from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line, OomReport
from ansible_collections.memops.linux.plugins.plugin_utils.events.services import read_services
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import NAMES, recorded

LOGS = {name: recorded(name) for name in NAMES}
EVERYTHING = [line for lines in LOGS.values() for line in lines]
#: What the forms look for, so that random text comes near to them.
WORDS = sorted(
    {line.text for name in ("linux-6.1-global-swap-full", "linux-6.18-memcg-v1-odd-names") for line in LOGS[name]}
    | {
        "Memory cgroup out of memory: Kill process 7 (a) score 9 or sacrifice child",
        "Memory cgroup out of memory: OOM victim 7 (a) is already exiting. Skip killing the task",
        "Tasks in /a are going to be killed due to memory.oom.group set",
        "Task in /a/b killed as a result of limit of /a",
        "Memory cgroup stats for /a: cache:0KB rss:44KB shmem:0KB",
        "oom_reaper: reaped process 7 (a), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        "oom_reaper: unable to reap pid:7 (a)",
        "Kernel panic - not syncing: System is deadlocked on memory",
        "Out of memory and no killable processes...",
        "Unreclaimable slab info:",
        "kmalloc-64                10KB         20KB",
        "a: page allocation failure: order:5, mode:0x40dc0(GFP_KERNEL|__GFP_COMP), nodemask=(null)",
        "vmap allocation for size 36864 failed: use vmalloc=<size> to increase size",
        "sysrq: Manual OOM execution",
        "...",
    }
)
texts = st.one_of(
    st.text(max_size=80),
    st.sampled_from(WORDS),
    st.tuples(st.sampled_from(WORDS), st.integers(0, 120), st.text(max_size=9)).map(lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] :]),
    st.tuples(st.sampled_from(WORDS), st.integers(0, 120), st.integers(0, 120)).map(lambda cut: cut[0][min(cut[1:]) : max(cut[1:])]),
)
times = st.one_of(st.none(), st.sampled_from(["2026-11-20T10:00:00Z", "2026-11-20T10:09:00.5Z", "yesterday", ""]))
any_lines = st.lists(st.builds(Line, text=texts, time=times, uptime_seconds=st.one_of(st.none(), st.floats())), max_size=30)


def slices(lines):
    return st.tuples(st.integers(0, len(lines)), st.integers(0, len(lines))).map(lambda ends: lines[min(ends) : max(ends)])


@given(any_lines, st.sampled_from([None, 4096, 65536]))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_the_kernel_reader_raise(lines, page_bytes):
    read_kernel(lines, page_bytes)


records = st.fixed_dictionaries({}, optional={"text": texts, "time": times, "unit": st.just("a.service"), "process": st.just("nohang")})


@given(st.lists(records, max_size=20))
@settings(deadline=None)
def test_no_text_makes_the_services_reader_raise(records):
    read_services(records)


@given(st.permutations(range(40)).flatmap(lambda order: slices(EVERYTHING).map(lambda lines: [lines[i] for i in order if i < len(lines)])))
@settings(max_examples=50, deadline=None)
def test_no_order_of_lines_makes_it_raise(lines):
    read_kernel(lines)


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
@settings(max_examples=60, deadline=None)
def test_two_logs_in_one_file_give_the_events_of_both(first, second):
    assert read_kernel(LOGS[first] + LOGS[second]) == read_kernel(LOGS[first]) + read_kernel(LOGS[second])


@given(st.sampled_from(NAMES), st.data())
@settings(max_examples=200, deadline=None)
def test_a_cut_log_names_no_victim_that_it_does_not_hold(name, data):
    lines = data.draw(slices(LOGS[name]))
    dropped = data.draw(st.sets(st.integers(0, max(0, len(lines) - 1)), max_size=20))
    short = data.draw(st.integers(0, 400))
    lines = [Line(line.text[:short], None, "", line.uptime_seconds) for number, line in enumerate(lines) if number not in dropped]
    text = "\n".join(line.text for line in lines)
    for event in read_kernel(lines):
        for victim in event.victims if isinstance(event, OomReport) else ():
            assert f"process {victim.pid} ({victim.process or ''}" in text or f"task={victim.process},pid={victim.pid}," in text


@given(st.sampled_from(NAMES), st.data())
@settings(max_examples=200, deadline=None)
def test_cutting_a_report_never_makes_it_more_complete(name, data):
    lines = data.draw(slices(LOGS[name]))
    whole = [event for event in read_kernel(LOGS[name]) if isinstance(event, OomReport)]
    for event in read_kernel(lines):
        if isinstance(event, OomReport) and not event.missing:
            assert event.victims[0] in [report.victims[0] for report in whole]
            assert len(event.tasks) in [len(report.tasks) for report in whole]


KEYS = sorted(
    {form.key for groups in (kernel._FORMS, kernel._REFUSALS_AND_FAULTS, services._FORMS) for _word, forms in groups for form in forms}
    | {form.key for form in kernel.trigger.STACK_FORMS}
    | {key for key, _pattern, _take in mem_info._FORMS}
)
FILLERS = ["a", "1", " ", ":", "(", ")", "a:1KB ", "a[1]: ", "9 ", ", ", ": cache:", " cpuset=", "1*1kB ", "=1,", "[1] "]


@pytest.mark.parametrize("filler", FILLERS)
def test_hostile_lines_take_no_longer_than_others(filler):
    """A pattern that backtracks would need seconds for one of these."""
    lines = []
    for key in KEYS:
        for template in ("{key}{filler}", "{filler}{key}", "{key}{filler}{key}", "{pairs}", "{filler}{key}\x00"):
            lines.append(template.format(key=key, filler=filler * (8000 // len(filler)), pairs=(key + filler) * 400))
    started = time.process_time()
    read_kernel([Line("x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"), *map(Line, lines)])
    read_services({"text": line} for line in lines)
    assert (time.process_time() - started) / len(lines) < 0.01


def test_numbers_of_any_length_are_survived():
    digits = "9" * 6000
    lines = [Line(line.text.replace("1", digits)) for line in EVERYTHING]
    read_kernel(lines)
    read_services([{"text": f'sending SIGTERM to process {digits} uid 0 "a": badness 1, VmRSS {digits} MiB'}])
