# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each cause: a case in which it must lead, and a near miss in which it must stay silent."""

from __future__ import annotations

import math

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.case import Case
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.causes.catalogue import RULES
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.memory_use import MemoryUse
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.rule import judge
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Event, Line, OomReport, ServiceEvent, Task, Trigger, Victim

MIB = 1 << 20
GIB = 1 << 30
KILL = Line("Killed process 7 (worker)", "2026-11-20T10:00:00.000Z", "/dev/kmsg")


def host(**sections):
    return HostFacts({"since": "2026-11-15T00:00:00.000Z", **sections})


def memcg(limit=64 * MIB, **uses):
    use = MemoryUse("cgroup", limit, used_bytes=limit, **{f"{name}_bytes": value for name, value in uses.items()})
    victim = Victim("worker", 7, anon_rss_bytes=uses.get("anon"))
    return Case("memcg_oom", host(), time=KILL.time, event=OomReport(quotes={"kill": KILL}), victims=[victim], use=use, cgroup="/a", victim_cgroup="/a")


def host_wide(ram=1 * GIB, evidence=None, tasks=(), victim=7, **uses):
    use = MemoryUse("host", ram, **{f"{name}_bytes": value for name, value in uses.items()})
    dead = next((task for task in tasks if task.pid == victim), None)
    return Case(
        "global_oom",
        host(**(evidence or {})),
        time=KILL.time,
        event=OomReport(quotes={"kill": KILL}),
        trigger=Trigger("asking", 9, order=0),
        victims=[Victim(dead.process if dead else "worker", victim, anon_rss_bytes=dead.rss_bytes if dead else uses.get("anon"))],
        tasks=list(tasks),
        tasks_complete=bool(tasks),
        use=use,
    )


def task(pid, name, rss, adj=0, swap=0):
    return Task(pid, pid, 0, name, rss, rss, swap, 0, adj)


def leading(case):
    held, _lacking = judge(case, RULES)
    return (held[0].cause, held[0].conclusion.confidence) if held else None


def causes(case):
    return [ranked.cause for ranked in judge(case, RULES)[0]]


def in_container(case, limit, others=()):
    container = {"id": "c" * 64, "name": "shop", "state": "running", "memory_limit_bytes": limit}
    case.container = container
    case.host.evidence["containers"] = {"containers": [container, *others]}
    case.host.evidence["memory"] = {"meminfo": {"mem_total_bytes": 1 * GIB, "swap_total_bytes": 0}}
    return case


KERNEL_LOG = {"kernel_log": {"sources": [{"path": "/dev/kmsg"}], "window": {"from": "2026-11-15T00:00:00.000Z"}}}


def sigkill(evidence, time=KILL.time):
    return Case("sigkill_not_oom", host(**evidence), time=time, event=Event(quotes={"line": KILL}))


@pytest.mark.parametrize(
    ("given", "case", "expected"),
    [
        ("the programs' own memory fills nearly the whole limit", memcg(anon=60 * MIB, file=1 * MIB), ("working_set_over_limit", "certain")),
        ("the programs' own memory is the main use of the limit", memcg(anon=40 * MIB, file=20 * MIB), ("working_set_over_limit", "probable")),
        (
            "half of the limit waits to be written",
            memcg(40 * MIB, anon=16 * MIB, file=22 * MIB, file_dirty=18 * MIB, file_writeback=2 * MIB),
            ("dirty_page_cache", "certain"),
        ),
        ("a quarter of the limit waits to be written", memcg(anon=30 * MIB, file=30 * MIB, file_dirty=16 * MIB), ("dirty_page_cache", "probable")),
        ("tmpfs fills the limit", memcg(anon=4 * MIB, shmem=58 * MIB, file=0), ("shmem_or_tmpfs", "certain")),
        ("programs fill RAM and there is no swap", host_wide(anon=900 * MIB, swap_total=0), ("no_swap", "certain")),
        ("programs fill RAM and the swap is full", host_wide(anon=900 * MIB, swap_total=128 * MIB, swap_free=0), ("swap_exhausted", "certain")),
        (
            "most of RAM is set aside for huge pages that nobody uses",
            host_wide(anon=200 * MIB, hugepages=700 * MIB, hugepages_free=700 * MIB, swap_total=0),
            ("hugepages_reserved", "certain"),
        ),
        (
            "kernel objects hold more than all programs",
            host_wide(anon=200 * MIB, slab_unreclaimable=600 * MIB, swap_total=0),
            ("unreclaimable_slab", "certain"),
        ),
        ("tmpfs holds most of RAM", host_wide(anon=200 * MIB, shmem=700 * MIB, swap_total=0), ("shmem_or_tmpfs", "certain")),
        (
            "the largest process may not be killed",
            host_wide(tasks=[task(1, "hog", 700 * MIB, -1000), task(7, "sshd", 5 * MIB)], anon=800 * MIB, swap_total=0),
            ("hog_protected", "certain"),
        ),
        (
            "the victim offered itself by its oom_score_adj",
            host_wide(tasks=[task(1, "hog", 700 * MIB), task(7, "browser", 50 * MIB, 900)], anon=800 * MIB, swap_total=0),
            ("bystander_killed", "certain"),
        ),
        (
            "the victim's container has no limit and held most of RAM",
            in_container(host_wide(anon=800 * MIB, swap_total=0), "max"),
            ("no_container_limits", "certain"),
        ),
        (
            "the victim's container has no limit, and nobody held more",
            in_container(host_wide(tasks=[task(1, "db", 250 * MIB), task(7, "worker", 400 * MIB)], anon=400 * MIB, swap_total=0), "max"),
            ("no_container_limits", "certain"),
        ),
        (
            "the victim's container has no limit, and another process held more",
            in_container(host_wide(tasks=[task(1, "db", 450 * MIB), task(7, "worker", 400 * MIB)], anon=400 * MIB, swap_total=0), "max"),
            ("no_container_limits", "probable"),
        ),
        (
            "the containers' limits add up to more than the host",
            in_container(
                host_wide(anon=300 * MIB, swap_total=0), 700 * MIB, [{"id": "d" * 64, "name": "b", "state": "running", "memory_limit_bytes": 700 * MIB}]
            ),
            ("limits_oversubscribed", "probable"),
        ),
        ("exit 137 while the kernel log is whole and silent", sigkill(KERNEL_LOG), ("operator_or_runtime_kill", "probable")),
        ("a segfault", Case("segfault", host(), event=Event(quotes={"line": KILL})), ("application_fault", "certain")),
        (
            "earlyoom killed on a host without swap",
            Case(
                "userspace_oom_daemon",
                host(swap={"total_bytes": 0}),
                event=ServiceEvent(kind="oom_daemon_kill", lines=[Line('sending SIGTERM to process 7 "x"')]),
            ),
            ("no_swap", "probable"),
        ),
        (
            "systemd-oomd killed because RAM and swap were used up",
            Case(
                "userspace_oom_daemon",
                host(swap={"total_bytes": GIB}),
                event=ServiceEvent(kind="oom_daemon_kill", by="systemd-oomd", lines=[Line("Killed /a due to memory used and swap used")]),
            ),
            ("swap_exhausted", "probable"),
        ),
        (
            "systemd-oomd killed for pressure",
            Case("userspace_oom_daemon", host(), event=ServiceEvent(kind="oom_daemon_kill", lines=[Line("Killed /a due to memory pressure for /a")])),
            ("thrashing", "probable"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_cause_leads_when(given, case, expected):
    assert leading(case) == expected


@pytest.mark.parametrize(
    ("given", "case", "silent"),
    [
        ("dirty pages are there, but the programs' own memory fills the limit", memcg(anon=56 * MIB, file=14 * MIB, file_dirty=13 * MIB), "dirty_page_cache"),
        ("the page cache is large, but clean", memcg(anon=10 * MIB, file=50 * MIB, file_dirty=1 * MIB, file_writeback=0), "dirty_page_cache"),
        ("the report does not say what was dirty", memcg(anon=10 * MIB, file=50 * MIB), "dirty_page_cache"),
        ("the programs hold less than half of the limit", memcg(anon=20 * MIB, file=40 * MIB), "working_set_over_limit"),
        ("shared memory is there, but not the main use", memcg(anon=40 * MIB, shmem=20 * MIB), "shmem_or_tmpfs"),
        (
            "systemd-oomd killed, only systemd tells of it, and the host has no swap any more",
            Case(
                "userspace_oom_daemon",
                host(swap={"total_bytes": 0}),
                event=ServiceEvent(kind="oom_daemon_kill", by="systemd-oomd", lines=[Line("a.scope: systemd-oomd killed 1 process(es) in this unit.")]),
            ),
            "no_swap",
        ),
        ("there is swap and it is half empty", host_wide(anon=900 * MIB, swap_total=128 * MIB, swap_free=64 * MIB), "swap_exhausted"),
        ("there is swap", host_wide(anon=900 * MIB, swap_total=128 * MIB, swap_free=0), "no_swap"),
        ("nothing says whether there was swap", host_wide(anon=900 * MIB), "no_swap"),
        ("huge pages are reserved and in use", host_wide(anon=200 * MIB, hugepages=700 * MIB, hugepages_free=20 * MIB), "hugepages_reserved"),
        ("slab is as large as usual", host_wide(anon=800 * MIB, slab_unreclaimable=60 * MIB), "unreclaimable_slab"),
        ("tmpfs is there, but programs hold more", host_wide(anon=600 * MIB, shmem=350 * MIB), "shmem_or_tmpfs"),
        (
            "the largest process is protected a little and still scores highest",
            host_wide(tasks=[task(7, "hog", 700 * MIB, -100), task(8, "sshd", 5 * MIB)], anon=800 * MIB),
            "hog_protected",
        ),
        ("the largest process was killed", host_wide(tasks=[task(7, "hog", 700 * MIB), task(8, "browser", 50 * MIB, 900)], anon=800 * MIB), "bystander_killed"),
        (
            "the victim is nearly as large as the largest",
            host_wide(tasks=[task(1, "a", 300 * MIB), task(7, "b", 280 * MIB)], anon=600 * MIB),
            "bystander_killed",
        ),
        ("the victim's container has a limit", in_container(host_wide(anon=800 * MIB), 900 * MIB), "no_container_limits"),
        ("the limits fit into the host", in_container(host_wide(anon=300 * MIB), 700 * MIB), "limits_oversubscribed"),
        ("no kernel log could be read", sigkill({}), "operator_or_runtime_kill"),
        ("the kernel log begins after the death", sigkill(KERNEL_LOG, time="2026-11-10T00:00:00.000Z"), "operator_or_runtime_kill"),
        (
            "a daemon killed because memory was used up",
            Case("userspace_oom_daemon", host(), event=ServiceEvent(kind="oom_daemon_kill", lines=[Line("Killed /a due to memory used and swap used")])),
            "thrashing",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_cause_stays_silent_when(given, case, silent):
    assert silent not in causes(case)


def test_a_protected_hog_outranks_the_missing_swap_and_both_are_told():
    case = host_wide(tasks=[task(1, "hog", 900 * MIB, -1000), task(7, "sshd", 5 * MIB)], anon=920 * MIB, swap_total=0)

    assert causes(case) == ["hog_protected", "no_swap"]


def test_without_the_task_table_nobody_is_called_a_bystander_and_the_table_is_asked_for():
    case = host_wide(anon=500 * MIB, swap_total=0)
    case.tasks = [task(1, "hog", 700 * MIB), task(7, "sshd", 5 * MIB)]
    case.tasks_complete = False

    held, lacking = judge(case, RULES)

    assert not {"hog_protected", "bystander_killed"} & {ranked.cause for ranked in held}
    assert any("task table" in lack.evidence for lack in lacking)


def test_without_the_report_the_limit_of_today_gives_a_possible_cause_only():
    case = memcg(anon=60 * MIB)
    case.use = None
    case.host.evidence["cgroups"] = {"groups": [{"path": "/a", "max_bytes": 64 * MIB}]}

    assert leading(case) == ("working_set_over_limit", "possible")


def test_an_unlimited_cgroup_of_today_gives_no_cause():
    case = memcg(anon=60 * MIB)
    case.use = None
    case.host.evidence["cgroups"] = {"groups": [{"path": "/a", "max_bytes": "max"}]}

    assert leading(case) is None


def test_a_request_by_sysrq_is_the_operators_and_no_rule_explains_it_by_memory():
    case = host_wide(anon=900 * MIB, swap_total=0)
    case.requested = True
    case.trigger = Trigger(order=-1)

    assert leading(case) == ("operator_or_runtime_kill", "certain")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.cause}-{len(rule.kinds)}")
def test_every_rule_survives_a_case_that_says_nothing(rule):
    for kind in rule.kinds:
        rule.judge(Case(kind, host(), event=OomReport() if "oom" in kind else Event()))
        rule.judge(Case(kind, host(), event=OomReport(), use=MemoryUse("cgroup", None), victims=[Victim()]))


def test_no_conclusion_holds_a_figure_that_is_not_one():
    case = memcg(anon=60 * MIB)
    case.use = MemoryUse("cgroup", 64 * MIB, anon_bytes=60 * MIB, swap_total_bytes=None)

    texts = [step.text for ranked in judge(case, RULES)[0] for step in ranked.conclusion.because]

    assert texts
    assert not [text for text in texts if "None" in text or "nan" in text or str(math.inf) in text]


@pytest.mark.parametrize("figure", [0, 4096])
def test_a_limit_of_nothing_has_no_shares(figure):
    names = ("anon", "file", "file_dirty", "shmem", "slab_unreclaimable", "page_tables", "kernel", "unevictable", "swap_total", "swap_free")
    case = memcg(limit=0, **dict.fromkeys(names, figure))

    assert "dirty_page_cache" not in causes(case) or figure


@pytest.mark.parametrize(
    ("held", "expected"),
    [(60 * MIB, ("working_set_over_limit", "probable")), (40 * MIB, ("working_set_over_limit", "possible")), (20 * MIB, None)],
)
def test_with_the_limit_but_without_its_statistics_the_victim_speaks_for_itself(held, expected):
    case = memcg(anon=held)
    case.use = MemoryUse("cgroup", 64 * MIB, used_bytes=64 * MIB)
    assert leading(case) == expected


@pytest.mark.parametrize(("swapped", "expected"), [(640 * MIB, ("working_set_over_limit", "probable")), (60 * MIB, None)])
def test_what_went_to_swap_counts_against_the_limit_too(swapped, expected):
    case = memcg(anon=4 * MIB, file=50 * MIB)
    case.tasks = [task(7, "worker", 4 * MIB, swap=swapped)]
    assert leading(case) == expected


@pytest.mark.parametrize(
    ("allocating", "largest", "expected"),
    [(True, 300 * MIB, ("bystander_killed", "probable")), (True, 90 * MIB, None), (False, 300 * MIB, None)],
)
def test_one_larger_process_is_enough_where_the_kernel_kills_whoever_asks(allocating, largest, expected):
    case = host_wide(tasks=[task(1, "hog", largest)], victim=7)
    case.event.allocating_task = allocating
    case.victims = [Victim("sshd", 7, anon_rss_bytes=50 * MIB)]
    case.tasks_complete = False
    assert leading(case) == expected


def test_of_an_unknown_scope_the_hosts_figures_make_a_cause_possible_only():
    case = host_wide(anon=900 * MIB, swap_total=0)
    case.kind = "unknown_oom"
    assert leading(case) == ("no_swap", "possible")


@pytest.mark.parametrize(("unaccounted", "expected"), [(300 * MIB, "balloon"), (100 * MIB, "no_swap")])
def test_the_balloon_of_now_counts_if_the_report_lacks_as_much(unaccounted, expected):
    balloon = {"memory": {"balloon": {"driver": "virtio", "inflated_bytes": 300 * MIB}}}
    case = host_wide(evidence=balloon, anon=500 * MIB, swap_total=0, unaccounted=unaccounted)
    assert expected in causes(case)
    assert ("balloon" in causes(case)) is (expected == "balloon")


@pytest.mark.parametrize(("reserved", "expected"), [(300 * MIB, True), (100 * MIB, False)])
def test_a_balloon_that_the_report_counts_as_reserved_is_one(reserved, expected):
    balloon = {"memory": {"balloon": {"driver": "virtio", "inflated_bytes": 300 * MIB}}}
    case = host_wide(evidence=balloon, anon=500 * MIB, swap_total=0, unaccounted=10 * MIB, free=50 * MIB, used=GIB - 50 * MIB - reserved)
    assert ("balloon" in causes(case)) is expected


@pytest.mark.parametrize(("left", "pid", "expected"), [(790, 7, ("mlocked", "possible")), (0, 7, None), (790, 8, None)])
def test_memory_that_the_reaper_could_not_take_may_have_been_locked(left, pid, expected):
    case = host_wide(anon=800 * MIB)
    case.use = None
    case.event.quotes["reaper"] = Line(f"oom_reaper: reaped process {pid} (worker), now anon-rss:{left * 1024}kB, file-rss:0kB, shmem-rss:0kB")
    assert leading(case) == expected
