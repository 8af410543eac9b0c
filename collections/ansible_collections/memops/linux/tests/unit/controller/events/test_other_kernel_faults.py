# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel lines on deaths and refusals that are not OOM kills, written by hand after the kernel's sources."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import AllocationFailure, Line, OomReport
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import lines_of, recorded


@pytest.mark.parametrize(
    ("line", "kind", "process", "pid"),
    [
        ("a [b[66297]: segfault at 0 ip 0000000000402669 sp 00007ffe203fb570 error 4 in a[400000+5000]", "segfault", "a [b", 66297),
        ("a[7]: unhandled level 1 translation fault (11) at 0x00000008, esr 0x92000005", "segfault", "a", 7),
        ("a[7]: unhandled exception: SP Alignment, ESR 0x9a000000", "trap", "a", 7),
        ("traps: a[7] general protection fault ip:401136 sp:7ffd error:0 in a[401000+1000]", "general_protection", "a", 7),
        ("a[7] general protection ip:401136 sp:7ffd error:0 in a[401000+1000]", "general_protection", "a", 7),
        ("traps: a[7] trap invalid opcode ip:401136 sp:7ffd error:0 in a[401000+1000]", "trap", "a", 7),
        ("INFO: task kworker/u8:1:1234 blocked for more than 120 seconds.", "hung_task", "kworker/u8:1", 1234),
        ("INFO: task sync:99 is blocked on a mutex likely owned by task x:7, for more than 122 seconds", "hung_task", "sync", 99),
        ("INFO: task gdbus:99 blocked for 62 seconds.", "hung_task", "gdbus", 99),
        ("INFO: task x.2:99 can't die for more than 143 seconds.", "hung_task", "x.2", 99),
        ("BUG: soft lockup - CPU#58 stuck for 23s! [auditd:856]", "soft_lockup", "auditd", 856),
        ("cgroup: fork rejected by pids controller in /system.slice/a.service", "pids_limit", None, None),
        ("__vm_enough_memory: pid: 1137, comm: a b, bytes: 1073741824 not enough memory for the allocation", "overcommit", "a b", 1137),
        ("__vm_enough_memory: pid: 1137, comm: a.out, no enough memory for the allocation", "overcommit", "a.out", 1137),
        ("vmap allocation for size 36864 failed: use vmalloc=<size> to increase size", "vmalloc", None, None),
    ],
)
def test_faults(line, kind, process, pid):
    (fault,) = read_kernel(lines_of(line))
    assert (fault.kind, fault.process, fault.pid, fault.detail) == (kind, process, pid, line)
    assert fault.quotes["line"].text == line


@pytest.mark.parametrize("line", ["# cat: page allocation failure: order:5, mode:0xdc0", "// cat: page allocation stalls for 10 ms, order:5, mode:0xdc0"])
def test_a_comment_or_a_heading_refuses_nothing(line):
    assert read_kernel(lines_of(line)) == []


def test_the_cgroup_that_may_not_fork():
    (fault,) = read_kernel(lines_of("cgroup: fork rejected by pids controller in /a b/c.service"))
    assert fault.cgroup == "/a b/c.service"


@pytest.mark.parametrize(
    ("line", "process", "mask", "flags", "order"),
    [
        (
            "a b: page allocation failure: order:5, mode:0x40dc0(GFP_KERNEL|__GFP_COMP|__GFP_ZERO), nodemask=(null),cpuset=x,mems_allowed=0",
            "a b",
            "0x40dc0",
            ("GFP_KERNEL", "__GFP_COMP", "__GFP_ZERO"),
            5,
        ),
        ("swapper: page allocation failure. order:0, mode:0x20", "swapper", "0x20", (), 0),
        ('"swapper: page allocation failure: order:0, mode:0x20" (with', "swapper", "0x20", (), 0),
        ("page allocation failure: order:0, mode:0x800(GFP_NOWAIT)", None, "0x800", ("GFP_NOWAIT",), 0),
        ("a: vmalloc: allocation failure: 32768 bytes, mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0", "a", "0xcc0", ("GFP_KERNEL",), None),
        ("a: vmalloc error: size 8192, failed to allocate pages, mode:0xdc0(GFP_KERNEL|__GFP_ZERO)", "a", "0xdc0", ("GFP_KERNEL", "__GFP_ZERO"), None),
        ("SLUB: Unable to allocate memory on node -1, gfp=0xdc0(GFP_KERNEL|__GFP_ZERO)", None, "0xdc0", ("GFP_KERNEL", "__GFP_ZERO"), None),
        ("SLUB: Unable to allocate memory on CPU 1 (of node 0) on node -1, gfp=0x820(GFP_ATOMIC)", None, "0x820", ("GFP_ATOMIC",), None),
    ],
)
def test_allocation_failures(line, process, mask, flags, order):
    (failure,) = read_kernel(lines_of(line))
    assert isinstance(failure, AllocationFailure)
    assert (failure.process, failure.gfp_mask, failure.gfp_flags, failure.order) == (process, mask, flags, order)


def failure_with_memory():
    memory = [line for line in recorded("linux-6.1-global-no-swap") if line.uptime_seconds is None or 54.0235 < line.uptime_seconds < 54.0265]
    return lines_of("cat: page allocation failure: order:5, mode:0xdc0(GFP_KERNEL|__GFP_ZERO)\nCPU: 0 PID: 7 Comm: cat Not tainted 6.1.0 #1") + memory


def test_an_allocation_failure_with_its_memory():
    (failure,) = read_kernel(failure_with_memory())
    assert (failure.process, failure.pid) == ("cat", 7)
    assert failure.memory.totals["free_bytes"] == 12032 * 4096
    assert failure.memory.zones[1].free_blocks[4096] == 387


def test_an_allocation_failure_right_before_an_oom_report():
    report = recorded("linux-6.1-global-no-swap")
    failure, kill = read_kernel(failure_with_memory() + report)
    assert isinstance(failure, AllocationFailure)
    assert isinstance(kill, OomReport)
    assert kill.missing == ()


def test_a_mem_info_of_a_later_time_is_not_the_failure_s():
    lines = [Line("cat: page allocation failure: order:5, mode:0xdc0(GFP_KERNEL)", uptime_seconds=1.0), Line("Mem-Info:", uptime_seconds=99.0)]
    (failure,) = read_kernel([*lines, Line("free:83 slab_reclaimable:2", uptime_seconds=99.0)])
    assert failure.memory is None


def test_the_stack_names_who_asked_for_address_space():
    line = "vmap allocation for size 36864 failed: use vmalloc=<size> to increase size"
    (fault,) = read_kernel(lines_of(f"{line}\n{line.replace('36', '37')}\nCPU: 3 PID: 7 Comm: modprobe Not tainted 6.1.0 #1"))
    assert (fault.kind, fault.process, fault.pid) == ("vmalloc", "modprobe", 7)


def test_requests_for_address_space_are_one_event_with_the_failure_they_end_in():
    asked = [Line("vmap allocation for size 36864 failed: use vmalloc=<size> to increase size", uptime_seconds=at) for at in (1.0, 4.3, 7.5)]
    (fault,) = read_kernel(asked)
    assert len(fault.lines) == 3
    (failure,) = read_kernel([*asked, Line("a: vmalloc: allocation failure: 32768 bytes, mode:0xcc0(GFP_KERNEL)", uptime_seconds=7.6)])
    assert (failure.process, len(failure.lines)) == ("a", 4)


@pytest.mark.parametrize(
    "line",
    [
        "OOM killer enabled.",
        "Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF",
        "audit: oom_score_adj set by pid 7",
        "systemd[1]: Started Userspace Out-Of-Memory (OOM) Killer.",
        "oom_kill_process: 70 callbacks suppressed",
        "nvidia: oom-killer protection on",
        "cgroup: new mount options do not match",
    ],
)
def test_a_line_that_only_speaks_of_oom_is_no_event(line):
    assert read_kernel(lines_of(line)) == []
