# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What message text says, as typed events.

Sizes are bytes, times ISO 8601 UTC text. ``None`` means that the text does not
say. A limit that is not set is ``math.inf``.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One message without its log's prefix, and where it stands.

    uptime_seconds: since boot, where the log counts so (dmesg); it tells two
    reports apart in a log without wall-clock times.
    of_kernel: the log names the kernel as who wrote it.
    """

    text: str
    time: str | None = None
    where: str = ""
    uptime_seconds: float | None = None
    of_kernel: bool = False


@dataclasses.dataclass
class Trigger:
    """The allocation that invoked the OOM killer (``dump_header``, mm/oom_kill.c)."""

    process: str | None = None
    pid: int | None = None
    gfp_mask: str | None = None
    gfp_flags: tuple[str, ...] = ()
    order: int | None = None
    oom_score_adj: int | None = None
    nodemask: str | None = None


@dataclasses.dataclass
class Victim:
    """The kill line (``__oom_kill_process``).

    Where that is missing: name and pid of the process that another line names as
    the one chosen. score: of the old "Kill process N (x) score S" line. uid and
    oom_score_adj, which old kill lines lack, may come from the task table.
    """

    process: str | None = None
    pid: int | None = None
    uid: int | None = None
    total_vm_bytes: int | None = None
    anon_rss_bytes: int | None = None
    file_rss_bytes: int | None = None
    shmem_rss_bytes: int | None = None
    page_tables_bytes: int | None = None
    oom_score_adj: int | None = None
    score: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """One row of the task table (``dump_tasks``)."""

    pid: int
    tgid: int | None
    uid: int | None
    process: str
    total_vm_bytes: int | None
    rss_bytes: int | None
    swap_bytes: int | None
    page_tables_bytes: int | None
    oom_score_adj: int | None
    rss_anon_bytes: int | None = None
    rss_file_bytes: int | None = None
    rss_shmem_bytes: int | None = None


@dataclasses.dataclass
class CgroupMemory:
    """The memory cgroup whose limit was hit (``mem_cgroup_print_oom_meminfo``).

    stat: names of the evidence's cgroup ``stat`` (anon_bytes, file_bytes,
    shmem_bytes, file_dirty_bytes, ...); only what the report holds.
    """

    path: str | None = None
    usage_bytes: int | None = None
    limit_bytes: float | None = None
    failcnt: int | None = None
    swap_usage_bytes: int | None = None
    swap_limit_bytes: float | None = None
    memsw_usage_bytes: int | None = None
    memsw_limit_bytes: float | None = None
    kmem_usage_bytes: int | None = None
    stat: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Zone:
    """A zone line of Mem-Info with its free blocks (``show_free_areas``).

    free_blocks: block size in bytes -> how many such blocks are free.
    block_types: block size -> letters of the migrate types they are of (U, M, E,
        H, C, I; R before 4.4), where the report has them (since 3.12).
    blocks_complete: the line of free blocks is whole: they add up to its own sum.
    reserves_bytes: lowmem_reserve[], what the zone keeps from requests that could
        use a higher zone, by that zone's number; only the largest where the log
        broke the list up.
    """

    node: int
    zone: str
    free_bytes: int
    min_bytes: int
    low_bytes: int
    high_bytes: int
    managed_bytes: int | None = None
    present_bytes: int | None = None
    free_blocks: dict[int, int] = dataclasses.field(default_factory=dict)
    block_types: dict[int, str] = dataclasses.field(default_factory=dict)
    blocks_complete: bool = False
    reserves_bytes: tuple[int, ...] = ()
    boost_bytes: int | None = None
    reserved_highatomic_bytes: int | None = None
    free_cma_bytes: int | None = None
    all_unreclaimable: bool | None = None
    pages_scanned: int | None = None


@dataclasses.dataclass
class MemInfo:
    """The host's memory at the time of the report (``show_mem``).

    totals: active_anon_bytes, inactive_anon_bytes, isolated_anon_bytes,
    active_file_bytes, inactive_file_bytes, isolated_file_bytes,
    unevictable_bytes, dirty_bytes, writeback_bytes, slab_reclaimable_bytes,
    slab_unreclaimable_bytes, mapped_bytes, shmem_bytes, page_tables_bytes,
    bounce_bytes, free_bytes, free_cma_bytes, kernel_misc_reclaimable_bytes,
    page_cache_bytes (from "total pagecache pages"), swap_cache_bytes,
    swap_free_bytes, swap_total_bytes, ram_bytes, high_mem_bytes,
    reserved_bytes, hwpoisoned_bytes, free_pcp_bytes, cma_reserved_bytes, and the
    sums of the node and zone lines kernel_stack_bytes, mlocked_bytes,
    balloon_bytes and gpu_bytes; only what the report holds.
    slab: (cache, bytes held) of the "Unreclaimable slab info" table, largest first.
    hugepages: one dict per node and size: node, size_bytes, total, free,
    surplus. unreclaimable_nodes: of which the node's line says all_unreclaimable.
    complete: all zones are there (they add up to the RAM), with totals and swap.
    nearly_complete: the same of kernels before 3.15, which count holes as RAM and
    leave the memory map out of zones: all but 3 % is there, from zone DMA on.
    """

    totals: dict[str, int] = dataclasses.field(default_factory=dict)
    zones: list[Zone] = dataclasses.field(default_factory=list)
    slab: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    hugepages: list[dict] = dataclasses.field(default_factory=list)
    unreclaimable_nodes: list[int] = dataclasses.field(default_factory=list)
    complete: bool = False
    nearly_complete: bool = False


#: Of an event's own lines; what they say is in its fields, and what is quoted in its quotes.
LINES_KEPT = 40


@dataclasses.dataclass
class Event:
    """What all events share.

    omitted_lines: lines that the collector left out to keep to its budget.
    left_out: how many events like this one it left out altogether after it.
    time: of the first line that has one. lines: the event's own lines, of many
    the first ones and the last; line_count: all.
    quotes: role -> Line, the lines that carry the event's statements
    ("trigger", "constraint", "kill", "usage", "swap", "stat", "panic", ...).
    """

    time: str | None = None
    omitted_lines: int = 0
    left_out: int = 0
    lines: list[Line] = dataclasses.field(default_factory=list)
    line_count: int = 0
    quotes: dict[str, Line] = dataclasses.field(default_factory=dict)

    def note(self, line: Line, role: str | None = None) -> None:
        """Takes a line as the event's own; the first line of a role is the one quoted."""
        self.line_count += 1
        if len(self.lines) < LINES_KEPT:
            self.lines.append(line)
        else:
            self.lines[-1] = line
        if self.time is None:
            self.time = line.time
        if role is not None:
            self.quotes.setdefault(role, line)


@dataclasses.dataclass
class OomReport(Event):
    """One act of the kernel's OOM killer, whole or in part.

    constraint: "none", "memcg", "cpuset", "memory_policy", or None where the
        text does not show it. ``oom-kill:constraint=`` says it; "Memory cgroup
        out of memory", memcg usage lines and a stack through
        mem_cgroup_out_of_memory imply memcg; "Out of memory", a Mem-Info block
        and a stack through the page allocator imply "none", unless a nodemask
        leaves room for a memory policy.
    victims: more than one after memory.oom.group or shared memory.
    limit_cgroup / victim_cgroup: oom_memcg= / task_memcg= or their old forms.
    table_complete: the task table was printed whole (nothing omitted or cut).
    nodemask: nodes of the memory policy, of the ``oom-kill:`` line or else the
        trigger line; None where there is none.
    missing: what a whole report would hold and this one lacks, of "trigger",
        "memory", "tasks", "constraint", "kill". Kernels before 5.0 print no
        constraint line; their own words for it count. A panic kills nobody.
    reaped: (process, pid) of oom_reaper lines.
    """

    constraint: str | None = None
    trigger: Trigger | None = None
    victims: list[Victim] = dataclasses.field(default_factory=list)
    tasks: list[Task] = dataclasses.field(default_factory=list)
    table_complete: bool = False
    cgroup: CgroupMemory | None = None
    memory: MemInfo | None = None
    limit_cgroup: str | None = None
    victim_cgroup: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None
    nodemask: str | None = None
    panic: bool = False
    sysrq: bool = False
    group_kill: bool = False
    allocating_task: bool = False
    no_victim: bool = False
    reaped: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    kernel: str | None = None
    missing: tuple[str, ...] = ()


@dataclasses.dataclass
class AllocationFailure(Event):
    """An allocation that the kernel refused (``warn_alloc``); nobody is killed.

    stalled_seconds: of "page allocation stalls" (4.9 to 4.14): granted or not,
    the allocation has taken so long.
    """

    process: str | None = None
    pid: int | None = None
    gfp_mask: str | None = None
    gfp_flags: tuple[str, ...] = ()
    order: int | None = None
    memory: MemInfo | None = None
    stalled_seconds: float | None = None


@dataclasses.dataclass
class ProcessFault(Event):
    """A death or stall that the kernel logs and that is not an OOM kill.

    kind: "segfault", "general_protection", "trap", "hung_task", "soft_lockup",
    "pids_limit" (fork rejected by the pids controller), "overcommit"
    (__vm_enough_memory), "vmalloc", "memory_failure" (SIGBUS for a page that
    the hardware reports as broken). What the kernel says again and again of one
    standing state (a task that hangs, a group at its limit) is one event.
    """

    kind: str = ""
    process: str | None = None
    pid: int | None = None
    detail: str = ""
    cgroup: str | None = None


@dataclasses.dataclass
class ServiceEvent(Event):
    """A user-space line about memory.

    kind: "oom_daemon_kill" (systemd-oomd, earlyoom, nohang, oomd, lmkd),
    "kubelet_eviction", "unit_oom_kill" (somebody in user space reports an OOM
    kill of the kernel: systemd, a container engine, the kubelet),
    "unit_killed" (a process ended by SIGKILL, in a unit or not), "unit_crashed"
    (SIGSEGV and the like), "enomem" (a program was refused memory).
    by: the program that acted or spoke.
    process: what was killed or refused; of a kubelet_eviction the pod.
    resource: of a kubelet_eviction what was short, in the kubelet's words:
    "memory", "ephemeral-storage", "nodefs", "imagefs", "inodes", "pids", ...
    oom_score_adj: of what was killed, where the line says it.
    scope: "memcg" or "none" (the whole machine), where a unit_oom_kill says it.
    container: its id. quotes "sender": who sent the SIGKILL, where that is said.
    """

    kind: str = ""
    by: str | None = None
    process: str | None = None
    pid: int | None = None
    unit: str | None = None
    cgroup: str | None = None
    detail: str = ""
    rss_bytes: int | None = None
    resource: str | None = None
    scope: str | None = None
    oom_score_adj: int | None = None
    container: str | None = None
