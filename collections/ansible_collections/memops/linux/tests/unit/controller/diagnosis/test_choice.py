# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why this process: the kernel's score worked out again, from recorded reports and from tables by hand."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis import choice
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.case import Case
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose_events
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.memory_use import MemoryUse
from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line, OomReport, Task, Victim
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import recorded

MIB = 1 << 20
SELECTED = Line("Out of memory: Kill process 8 (b) score 9 or sacrifice child")


def task(pid, name, rss, adj=0, swap=0, tables=0, uid=1000):
    return Task(pid, pid, uid, name, rss * MIB, rss * MIB, None if swap is None else swap * MIB, tables * MIB, adj)


def chosen(*tasks, victim=7, kernel="6.1.0", whole=True, ram=1000, swap=0, kind="global_oom", **report):
    row = next(task for task in tasks if task.pid == victim)
    return choice.of(
        Case(
            kind,
            HostFacts({}),
            event=OomReport(kernel=kernel, **report),
            victims=[Victim(row.process, victim)],
            tasks=list(tasks),
            tasks_complete=whole,
            use=MemoryUse("host", ram * MIB, swap_total_bytes=swap * MIB),
        )
    )


RECORDED = [
    ("linux-5.10-global-no-swap", 1),
    ("linux-5.10-memcg-v1-dirty", 1),
    ("linux-6.1-global-hugepages", 1),
    ("linux-6.1-global-swap-full", 1),
    ("linux-6.1-memcg-fork-storm", 1),
    ("linux-6.1-sysrq", 1),
    ("linux-6.12-global-shmem", 1),
    ("linux-7.2-memcg", 1),
]


@pytest.mark.parametrize(("name", "rank"), RECORDED)
def test_in_recorded_kills_the_victim_has_the_highest_score_just_as_the_kernel_found(name, rank):
    incident = diagnose_events(HostFacts({}), read_kernel(recorded(name)), [])["incidents"][-1]

    found = incident["choice"]
    assert (found["recomputed"], found["rank"], found["higher"]) == (True, rank, [])
    assert found["badness_bytes"] > 0
    assert any(step["text"].startswith("Why this process: It had the highest score of") for step in incident["because"])


def test_ram_swap_and_page_tables_count_together():
    found = chosen(task(7, "a", 100, swap=50, tables=10), task(8, "b", 155))
    assert (found["badness_bytes"], found["rank"], found["candidates"]) == (160 * MIB, 1, 2)


def test_oom_score_adj_counts_in_thousandths_of_ram_and_swap():
    found = chosen(task(7, "a", 100, adj=100), task(8, "b", 150), ram=500, swap=500)
    assert found["badness_bytes"] == 100 * MIB + 100 * (1000 * MIB // 1000)
    assert "moved by oom_score_adj 100" in found["summary"]


def test_those_that_may_not_be_killed_are_no_candidates():
    found = chosen(task(7, "a", 100), task(8, "protected", 900, adj=-1000), task(1, "systemd", 300))
    assert (found["candidates"], found["rank"]) == (1, 1)


@pytest.mark.parametrize(
    ("given", "how", "words"),
    [
        ("the kernel takes who asks", {"allocating_task": True}, "oom_kill_allocating_task"),
        ("a child was sacrificed", {"kernel": "4.4.0", "quotes": {"selected": SELECTED}}, "killed a child"),
        ("others may not use the nodes that ran out", {"kind": "cpuset_oom"}, "nodes"),
        ("nothing shows", {}, "does not show why"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_scored_higher_is_named_with_the_reason_why_it_may_have_been_passed_over_when(given, how, words):
    found = chosen(task(7, "a", 100), task(8, "b", 300), task(9, "c", 50), **how)

    assert found["rank"] == 2
    assert [(one["pid"], one["process"]) for one in found["higher"]] == [(8, "b")]
    assert words in found["higher"][0]["why"]
    assert "b (pid 8)" in found["summary"]


def test_scores_that_differ_by_less_than_the_time_between_choice_and_table_are_the_same():
    assert chosen(task(7, "a", 1000), task(8, "b", 1005))["rank"] == 1
    assert chosen(task(7, "a", 1000), task(8, "b", 1015))["rank"] == 2


@pytest.mark.parametrize(("kernel", "rank"), [("4.4.0", 2), ("4.17.0", 1), ("6.1.0", 1)])
def test_root_had_three_per_cent_off_until_4_16(kernel, rank):
    assert chosen(task(7, "a", 1000, uid=0), task(8, "b", 990), kernel=kernel)["rank"] == rank


@pytest.mark.parametrize(
    ("given", "how"),
    [
        ("the table is cut", {"whole": False}),
        ("the victim has no row", {"victim": 8}),
    ],
)
def test_nothing_is_said_when(given, how):
    tasks = [task(7, "a", 100), task(8, "b", 300)]
    if how.get("victim"):
        case = Case("global_oom", HostFacts({}), event=OomReport(), victims=[Victim("c", 9)], tasks=tasks, tasks_complete=True)
        assert choice.of(case) is None
    else:
        assert chosen(*tasks, **how) is None


@pytest.mark.parametrize(("kernel", "swap", "words"), [("2.6.32-431.el6", 100, "this kernel"), ("3.2.0", 100, "does not show what was in swap")])
def test_old_kernels_scores_are_not_recomputed(kernel, swap, words):
    found = chosen(task(7, "a", 100, swap=None), kernel=kernel, swap=swap)
    assert (found["recomputed"], found["rank"]) == (False, None)
    assert words in found["summary"]
