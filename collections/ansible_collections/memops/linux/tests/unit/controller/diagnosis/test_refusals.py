# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes that a limit, a policy, a daemon or other incidents of the log show: each fires, and stays silent in a near miss."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose_events
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import (
    AllocationFailure,
    Line,
    MemInfo,
    OomReport,
    ProcessFault,
    ServiceEvent,
    Trigger,
    Victim,
)

GIB = 1 << 30
MIB = 1 << 20
PIDS = "cgroup: fork rejected by pids controller in /system.slice/shop.service"
NOT_ENOUGH = "__vm_enough_memory: pid: 7, comm: shop, bytes: 99 not enough memory for the allocation"


def fault(kind, text="", seconds=None, **facts):
    return noted(ProcessFault(kind=kind, **facts), "line", text, seconds)


def noted(event, role, text, seconds=None, time=None):
    event.note(Line(text, time, "log", seconds), role)
    return event


def service(kind, *lines, time=None, **facts):
    event = ServiceEvent(kind=kind, **facts)
    for text in lines:
        noted(event, "line", text, time=time)
    return event


def panic(text):
    report = OomReport(panic=True, trigger=Trigger("asker", 9, order=0))
    return noted(noted(report, "trigger", "asker invoked oom-killer: order=0"), "panic", text)


def diagnosed(*events, services=(), **sections):
    evidence = {"kernel_log": {"sources": [{"path": "log"}], "window": {"from": "2026-01-01T00:00:00Z"}}, **sections}
    return diagnose_events(HostFacts(evidence), list(events), list(services))


def held(*events, services=(), **sections):
    """(kind, leading cause, confidence) of the newest incident."""
    found = diagnosed(*events, services=services, **sections)["incidents"]
    return (found[0]["kind"], found[0]["cause"], found[0]["confidence"]) if found else None


MODE_2 = {"tunables": {"values": {"vm.overcommit_memory": "2"}}}
MODE_0 = {"tunables": {"values": {"vm.overcommit_memory": "0"}}}
FULL = {"memory": {"meminfo": {"commit_limit_bytes": 4 * GIB, "committed_as_bytes": 4 * GIB - 1}}}
HALF = {"memory": {"meminfo": {"commit_limit_bytes": 4 * GIB, "committed_as_bytes": 2 * GIB}}}


def running(name, address_space_bytes):
    return {"processes": {"largest": [{"name": name, "limits": {"address_space_bytes": address_space_bytes, "locked_bytes": "max"}}]}}


REFUSED = service("enomem", "shop: cannot allocate memory", by="shop", process="shop")


@pytest.mark.parametrize(
    ("given", "found", "expected"),
    [
        ("the kernel refuses a promise", held(fault("overcommit", NOT_ENOUGH)), ("enomem", "overcommit_refused", "certain")),
        ("in a mode that knows no commit limit", held(fault("overcommit", NOT_ENOUGH), **MODE_0), ("enomem", "overcommit_refused", "certain")),
        ("and promises no more than the commit limit", held(fault("overcommit", NOT_ENOUGH), **MODE_2), ("enomem", "commit_limit", "certain")),
        ("a program is refused while the commit limit is full", held(services=[REFUSED], **MODE_2, **FULL), ("enomem", "commit_limit", "probable")),
        ("a program is refused while half is left", held(services=[REFUSED], **MODE_2, **HALF), ("enomem", None, None)),
        ("a program is refused in another mode", held(services=[REFUSED], **MODE_0, **FULL), ("enomem", None, None)),
        ("a program is refused, and nothing tells the mode", held(services=[REFUSED]), ("enomem", None, None)),
        ("its address space is limited", held(services=[REFUSED], **running("shop", 256 * MIB)), ("enomem", "address_space_limit", "probable")),
        ("its address space is not limited", held(services=[REFUSED], **running("shop", "max")), ("enomem", None, None)),
        ("another's address space is limited", held(services=[REFUSED], **running("shopper", 256 * MIB)), ("enomem", None, None)),
        ("the kernel itself refuses it", held(fault("overcommit", NOT_ENOUGH), **running("shop", MIB)), ("enomem", "overcommit_refused", "certain")),
        ("its address space is limited, and promises are too", held(services=[REFUSED], **MODE_2, **HALF, **running("shop", MIB)), ("enomem", None, None)),
        ("fork is rejected", held(fault("pids_limit", PIDS, cgroup="/system.slice/shop.service")), ("not_oom", "pids_limit", "certain")),
        (
            "there is no address for a mapping",
            held(fault("vmalloc", "vmap allocation for size 36864 failed")),
            ("page_allocation_failure", "address_space_exhausted", "certain"),
        ),
        (
            "a refused allocation names no such thing",
            held(noted(AllocationFailure(process="a", order=0), "line", "a: vmalloc: allocation failure: 9 bytes")),
            ("page_allocation_failure", None, None),
        ),
        (
            "a slab cache of one cgroup cannot grow",
            held(
                noted(
                    noted(AllocationFailure(), "line", "SLUB: Unable to allocate memory on node -1"),
                    "cache",
                    "cache: signal_cache(632:3a16), object size: 1056",
                )
            ),
            ("page_allocation_failure", "kernel_memory", "probable"),
        ),
        (
            "a slab cache of all cannot grow",
            held(noted(noted(AllocationFailure(), "line", "SLUB: Unable to allocate memory on node -1"), "cache", "cache: kmalloc-64, object size: 64")),
            ("page_allocation_failure", None, None),
        ),
        (
            "an allocation stalled",
            held(noted(AllocationFailure(stalled_seconds=12.0), "line", "a: page allocation stalls for 12000ms")),
            ("page_allocation_failure", "thrashing", "probable"),
        ),
        (
            "the hardware is broken",
            held(fault("memory_failure", "Killing shop:7 due to hardware memory corruption")),
            ("segfault", "hardware_fault", "certain"),
        ),
        ("the program is", held(fault("segfault", "shop[7]: segfault at 0")), ("segfault", "application_fault", "certain")),
        (
            "there is nothing to kill",
            held(panic("Kernel panic - not syncing: System is deadlocked on memory")),
            ("panic_on_oom", "all_tasks_unkillable", "certain"),
        ),
        (
            "the policy says panic",
            held(panic("Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled")),
            ("panic_on_oom", "panic_policy", "certain"),
        ),
        ("the panic's words are cut off", held(panic("Kernel panic - not syncing: Out of memory: sys")), ("panic_on_oom", None, None)),
        (
            "a kill by hand found nothing to kill",
            held(noted(OomReport(sysrq=True, no_victim=True, trigger=Trigger(order=-1)), "no_victim", "OOM request ignored. No task eligible")),
            ("not_oom", "operator_or_runtime_kill", "certain"),
        ),
        ("the killer found the victim dying already", held(noted(OomReport(no_victim=True), "exiting", "is already exiting")), None),
        (
            "the kubelet was short of memory",
            held(services=[service("kubelet_eviction", "eviction manager: attempting to reclaim memory", by="kubelet", resource="memory")]),
            ("kubelet_eviction", "eviction_threshold", "certain"),
        ),
        (
            "the kubelet was short of disk",
            held(services=[service("kubelet_eviction", "eviction manager: attempting to reclaim", by="kubelet", resource="ephemeral-storage")]),
            ("kubelet_eviction", "disk_pressure", "certain"),
        ),
        (
            "the kubelet's word is cut off",
            held(services=[service("kubelet_eviction", "eviction manager: attempting to reclaim eph", by="kubelet", resource="eph")]),
            ("kubelet_eviction", None, None),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_cause_is_known_where(given, found, expected):
    assert found == expected


EARLYOOM = "mem avail:   165 of 31880 MiB ( 0.52%), swap free: 1958 of 49151 MiB ( 3.98%)"
EARLYOOM_HIGH_BOUND = "mem avail:   165 of 31880 MiB ( 0.52%), swap free: 19581 of 49151 MiB (39.84%)"
EARLYOOM_NO_SWAP = "mem avail:   165 of 31880 MiB ( 0.52%), swap free:    0 of    0 MiB ( 0.00%)"
SENDING = 'sending SIGTERM to process 7 uid 0 "shop": badness 9, VmRSS 5 MiB'


@pytest.mark.parametrize(
    ("given", "lines", "swap", "expected"),
    [
        ("its own figures show swap", (EARLYOOM, SENDING), None, ("swap_exhausted", "probable")),
        ("its own figures show none", (EARLYOOM_NO_SWAP, SENDING), None, ("no_swap", "probable")),
        ("its own figures of then count more than the host's swap of now", (EARLYOOM_NO_SWAP, SENDING), GIB, ("no_swap", "probable")),
        ("its own figures show that swap was left", (EARLYOOM_HIGH_BOUND, SENDING), None, ("swap_exhausted", "possible")),
        ("it gives no figures, and the host has swap", (SENDING,), GIB, ("swap_exhausted", "possible")),
        ("it gives no figures, and the host has none", (SENDING,), 0, ("no_swap", "probable")),
        ("nothing tells of swap", (SENDING,), None, (None, None)),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_what_a_daemon_acted_on_is_known_where(given, lines, swap, expected):
    sections = {} if swap is None else {"swap": {"total_bytes": swap}}
    found = held(services=[service("oom_daemon_kill", *lines, by="earlyoom", process="shop", pid=7)], **sections)
    assert found == ("userspace_oom_daemon", *expected)


def oom(seconds, slab, victim="worker", pid=7, held_bytes=100 * MIB, ram=GIB):
    totals = {"ram_bytes": ram, "slab_unreclaimable_bytes": slab, "free_bytes": 9 * MIB}
    report = OomReport(constraint="none", memory=MemInfo(totals), victims=[Victim(victim, pid, anon_rss_bytes=held_bytes)])
    return noted(noted(report, "slab_unreclaimable", f"slab_unreclaimable:{slab}", seconds), "kill", f"Killed process {pid} ({victim})", seconds)


def leaks(*reports):
    newest = diagnosed(*reports)["incidents"][-1 if all(report.time is None for report in reports) else 0]
    return [cause for cause in (newest["cause"], *(other["cause"] for other in newest["contributing"])) if cause == "leak"]


@pytest.mark.parametrize(
    ("given", "reports", "expected"),
    [
        ("kernel objects grew in three reports", [oom(10, 100 * MIB), oom(20, 150 * MIB), oom(30, 200 * MIB)], ["leak"]),
        (
            "the victims of one name grew",
            [oom(10, 0, pid=1, held_bytes=100 * MIB), oom(20, 0, pid=2, held_bytes=200 * MIB), oom(30, 0, pid=3, held_bytes=300 * MIB)],
            ["leak"],
        ),
        ("two reports are too few", [oom(10, 100 * MIB), oom(20, 200 * MIB)], []),
        ("it fell in between", [oom(10, 100 * MIB), oom(20, 250 * MIB), oom(30, 200 * MIB)], []),
        ("it grew a little", [oom(10, 100 * MIB), oom(20, 110 * MIB), oom(30, 120 * MIB)], []),
        ("a boot lies between them", [oom(10, 100 * MIB), oom(5, 150 * MIB), oom(30, 200 * MIB)], []),
        ("no uptime tells that it was one boot", [oom(None, 100 * MIB), oom(None, 150 * MIB), oom(None, 200 * MIB)], []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_leak_is_seen_from_report_to_report_where(given, reports, expected):
    assert leaks(*reports) == expected


HUNG = "INFO: task shop:7 blocked for more than 120 seconds."


@pytest.mark.parametrize(("seconds", "expected"), [(100, "thrashing"), (2000, None), (None, None)])
def test_a_hung_task_is_laid_on_memory_only_with_a_shortage_in_the_same_minutes(seconds, expected):
    found = diagnosed(fault("hung_task", HUNG, seconds, process="shop", pid=7), oom(150, 0))["incidents"]
    (hung,) = [one for one in found if one["kind"] == "hung_task"]
    assert (hung["cause"], hung["confidence"]) == (expected, "possible" if expected else None)


def test_cannot_allocate_memory_in_the_minute_of_a_rejected_fork_may_be_that_limit():
    time = "2026-11-20T10:00:00Z"
    rejected = noted(ProcessFault(kind="pids_limit"), "line", PIDS, time=time)
    near, far = (service("enomem", "shop: fork: Cannot allocate memory", by="shop", time=at) for at in ("2026-11-20T10:00:30Z", "2026-11-20T11:00:00Z"))
    assert held(rejected, services=[near]) == ("enomem", "pids_limit", "possible")
    assert held(rejected, services=[far]) == ("enomem", None, None)


@pytest.mark.parametrize(
    ("events", "services", "code", "words"),
    [
        ([fault("pids_limit", PIDS, cgroup="/system.slice/shop.service")], [], "not_memory", "shop.service was refused another process: pids_limit"),
        ([], [service("kubelet_eviction", "x", by="kubelet", process="ns/pod", resource="nodefs")], "not_memory", "was evicted by the kubelet: disk_pressure"),
        ([], [service("kubelet_eviction", "x", by="kubelet", process="ns/pod", resource="memory")], "memory", "was evicted by the kubelet: eviction_threshold"),
    ],
)
def test_the_verdict_tells_memory_from_other_limits(events, services, code, words):
    verdict = diagnosed(*events, services=services)["verdict"]
    assert verdict["code"] == code
    assert words in verdict["summary"]


def test_an_eviction_for_disk_does_not_hide_a_kill_for_memory():
    disk = service("kubelet_eviction", "x", by="kubelet", resource="nodefs")
    found = diagnosed(oom(10, 0), services=[disk])
    assert found["verdict"]["code"] == "memory"
    assert found["incidents"][found["verdict"]["incident"]]["kind"] == "global_oom"


SLUB = "SLUB: Unable to allocate memory on node -1, gfp=0xdc0(GFP_KERNEL|__GFP_ZERO)"


@pytest.mark.parametrize(
    ("given", "cache", "mask", "seconds", "expected"),
    [
        ("in the same moment", "cache: signal_cache(632:3a16), object size: 1056", "0x0", 10.2, "kernel_memory"),
        ("hours later", "cache: signal_cache(632:3a16), object size: 1056", "0x0", 9000.0, None),
        ("for a page", "cache: signal_cache(632:3a16), object size: 1056", "0xcc0", 10.2, None),
        ("after a refusal that was no cgroup's", "cache: signal_cache, object size: 1056", "0x0", 10.2, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_page_fault_s_oom_kill_after_a_cgroup_s_refused_kernel_object_is_that_limit(given, cache, mask, seconds, expected):
    refusal = noted(noted(AllocationFailure(), "line", SLUB, 10.0), "cache", cache, 10.0)
    report = noted(OomReport(constraint="none", trigger=Trigger("shop", 7, mask, (), 0)), "trigger", "shop invoked oom-killer", seconds)
    (kill,) = [one for one in diagnosed(refusal, report)["incidents"] if one["kind"] == "global_oom"]
    assert kill["cause"] == expected


@pytest.mark.parametrize(("sections", "expected"), [({**MODE_2, **FULL}, ["commit_limit"]), ({**MODE_2, **HALF}, []), ({**MODE_0, **FULL}, []), (FULL, [])])
def test_a_commit_limit_that_is_reached_is_a_risk_before_anything_is_refused(sections, expected):
    found = diagnosed(**sections)
    assert [finding["cause"] for finding in found["findings"]] == expected
    assert found["verdict"]["code"] == ("at_risk" if expected else "healthy")


def test_a_limit_on_processes_is_no_memory_cgroup_s_and_still_tells_where_it_was():
    (found,) = diagnosed(fault("pids_limit", PIDS, cgroup="/system.slice/shop.service"))["incidents"]
    assert (found["unit"], found["cgroup"], found["victim_cgroup"]) == ("shop.service", None, None)
    assert "/system.slice/shop.service" in found["because"][0]["text"]


@pytest.mark.parametrize(("words", "mode"), [("compulsory panic_on_oom is enabled", "was 2"), ("system-wide panic_on_oom is enabled", "was 1")])
def test_a_panic_by_policy_says_which(words, mode):
    (found,) = diagnosed(panic(f"Kernel panic - not syncing: Out of memory: {words}"))["incidents"]
    assert mode in " ".join(step["text"] for step in found["because"])
    assert found["remedies"][0]["value"] == {"vm.panic_on_oom": 0}
