# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whole reports of causes that no recorded kernel log shows, written by hand in the form of a 6.1 kernel (mm/show_mem.c, mm/oom_kill.c)."""

from __future__ import annotations

PAGES = {
    "active_anon": 2000,
    "inactive_anon": 20000,
    "isolated_anon": 0,
    "active_file": 100,
    "inactive_file": 100,
    "isolated_file": 0,
    "unevictable": 0,
    "dirty": 3,
    "writeback": 0,
    "slab_reclaimable": 2000,
    "slab_unreclaimable": 3000,
    "mapped": 10,
    "shmem": 70,
    "pagetables": 600,
    "sec_pagetables": 0,
    "bounce": 0,
    "kernel_misc_reclaimable": 0,
    "free_pcp": 0,
    "free_cma": 0,
}
_LINES = (
    ("active_anon", "inactive_anon", "isolated_anon"),
    ("active_file", "inactive_file", "isolated_file"),
    ("unevictable", "dirty", "writeback"),
    ("slab_reclaimable", "slab_unreclaimable"),
    ("mapped", "shmem", "pagetables"),
    ("sec_pagetables", "bounce"),
    ("kernel_misc_reclaimable",),
)
#: (node, name, free kB, min kB, managed kB, free blocks by order, lowmem_reserve[])
ONE_ZONE = ((0, "Normal", 40000, 44000, 1000000, (10000, 0, 0, 0), "0 0 0"),)


def mem_info(zones=ONE_ZONE, swap=(0, 0), hugepages=0, node_tail="", **pages):
    """A Mem-Info block; zones of any number of nodes, sizes in kB, totals in pages of 4 kB."""
    totals = PAGES | pages
    free = sum(zone[2] for zone in zones) // 4
    lines = ["Mem-Info:"]
    lines += [" ".join(f"{name}:{totals[name]}" for name in names) for names in _LINES]
    lines.append(f"free:{free} free_pcp:{totals['free_pcp']} free_cma:{totals['free_cma']}")
    for node in sorted({zone[0] for zone in zones}):
        lines.append(f"Node {node} active_anon:8kB inactive_anon:8kB kernel_stack:1200kB pagetables:2400kB all_unreclaimable? no{node_tail}")
    for node, name, zone_free, least, managed, _blocks, reserves in zones:
        lines.append(
            f"Node {node} {name} free:{zone_free}kB boost:0kB min:{least}kB low:{least * 5 // 4}kB high:{least * 3 // 2}kB reserved_highatomic:0KB"
            f" active_anon:8kB present:{managed}kB managed:{managed}kB mlocked:0kB bounce:0kB free_pcp:0kB free_cma:0kB"
        )
        lines.append(f"lowmem_reserve[]: {reserves}")
    for node, name, _free, _least, _managed, blocks, _reserves in zones:
        told = " ".join(f"{count}*{4 << order}kB" + (" (UM)" if count else "") for order, count in enumerate(blocks))
        lines.append(f"Node {node} {name}: {told} = {sum(count * (4 << order) for order, count in enumerate(blocks))}kB")
    for node in sorted({zone[0] for zone in zones}):
        lines.append(f"Node {node} hugepages_total={hugepages} hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB")
    lines += [
        "15517 total pagecache pages",
        "0 pages in swap cache",
        f"Free swap  = {swap[1]}kB",
        f"Total swap = {swap[0]}kB",
        f"{sum(zone[4] for zone in zones) // 4} pages RAM",
        "0 pages HighMem/MovableOnly",
        "0 pages reserved",
    ]
    return lines


def table(*tasks):
    """A task table; tasks: (pid, name, rss in pages, oom_score_adj)."""
    rows = [f"[{pid:7}]     0 {pid:5}    90000 {rss:8}   180224        0 {adj:13} {name}" for pid, name, rss, adj in tasks]
    return ["Tasks state (memory values in pages):", "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name", *rows]


ANYWHERE = "NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom"
TASKS = ((1, "systemd", 500, 0), (71, "sshd", 300, -1000), (341, "worker", 20000, 0))


def oom(gfp="0x140cca(GFP_HIGHUSER_MOVABLE)", order=0, memory=(), tasks=TASKS, scope=ANYWHERE, end=None):
    """An OOM report; the victim is the last task."""
    pid, name, rss, adj = tasks[-1]
    lines = [
        f"asker invoked oom-killer: gfp_mask={gfp}, order={order}, oom_score_adj=0",
        "CPU: 0 PID: 77 Comm: asker Not tainted 6.1.0-50-amd64 #1  Debian 6.1.1",
        "Call Trace:",
        " __alloc_pages_slowpath.constprop.0+0xc5e/0xd30",
        *(memory or mem_info()),
        *table(*tasks),
    ]
    if end is not None:
        return "\n".join([*lines, end])
    return "\n".join(
        [
            *lines,
            f"oom-kill:constraint=CONSTRAINT_{scope},task_memcg=/a,task={name},pid={pid},uid=0",
            f"Out of memory: Killed process {pid} ({name}) total-vm:360000kB, anon-rss:{rss * 4}kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:176kB"
            f" oom_score_adj:{adj}",
        ]
    )


def refused(gfp, order, memory):
    """A page allocation failure."""
    return "\n".join(
        [
            f"asker: page allocation failure: order:{order}, mode:{gfp}, nodemask=(null),cpuset=/,mems_allowed=0",
            "CPU: 0 PID: 77 Comm: asker Not tainted 6.1.0-50-amd64 #1  Debian 6.1.1",
            "Call Trace:",
            " warn_alloc+0x12a/0x190",
            *memory,
        ]
    )


def memcg(limit=65536, swap=0, **stat):
    """A report of a cgroup's limit of so many kB, with memory.stat in kB."""
    figures = {"anon": 60000, "file": 0, "kernel": 2000, "kernel_stack": 100, "pagetables": 400, "percpu": 0, "sock": 0, "vmalloc": 0, "shmem": 0}
    figures |= {"file_mapped": 0, "file_dirty": 0, "file_writeback": 0, "unevictable": 0, "slab_reclaimable": 100, "slab_unreclaimable": 900, **stat}
    return "\n".join(
        [
            "worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            "CPU: 0 PID: 341 Comm: worker Not tainted 6.1.0-50-amd64 #1  Debian 6.1.1",
            " mem_cgroup_out_of_memory+0x131/0x140",
            f"memory: usage {limit}kB, limit {limit}kB, failcnt 32",
            f"swap: usage 0kB, limit {swap}kB, failcnt 0",
            "Memory cgroup stats for /a:",
            *(f"{name} {kilobytes * 1024}" for name, kilobytes in figures.items()),
            *table((341, "worker", 4000, 0), (342, "helper", 40, 0)),
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a,task=worker,pid=341,uid=0",
            "Memory cgroup out of memory: Killed process 341 (worker) total-vm:360000kB, anon-rss:16000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:176kB"
            " oom_score_adj:0",
        ]
    )


_ROOMY = (0, "Normal", 200000, 44000, 1000000, (5000, 22500, 0, 0, 0, 0), "0 0 0")
_LOW = ((0, "DMA32", 10000, 12000, 200000, (2500,), "0 0 0 0"), (0, "Normal", 400000, 30000, 800000, (100000,), "0 0 0 0"))
_HIGH = ((0, "Normal", 3000, 3500, 800000, (750,), "0 0 9000 9000"), (0, "HighMem", 900000, 500, 2000000, (225000,), "0 0 0 0"))
_NODES = (ONE_ZONE[0], (1, "Normal", 900000, 44000, 1000000, (225000,), "0 0 0"))
_SMALL = tuple((400 + number, "php-fpm", 1500, 0) for number in range(120))

REPORTS = {
    "fragmentation-refused": refused("0x40cc0(GFP_KERNEL|__GFP_COMP)", 5, mem_info((_ROOMY,))),
    "fragmentation-killed": oom("0xdc0(GFP_KERNEL|__GFP_ZERO)", 3, mem_info((_ROOMY,))),
    "atomic-reserve": refused("0x820(GFP_ATOMIC)", 0, mem_info(((0, "Normal", 400, 44000, 1000000, (100,), "0 0 0"),))),
    "low-zone-of-a-device": oom("0xcc4(GFP_KERNEL|GFP_DMA32)", 0, mem_info(_LOW)),
    "low-zone-of-32-bits": oom("0xcc0(GFP_KERNEL)", 0, mem_info(_HIGH)),
    "cpuset": oom(memory=mem_info(_NODES), scope="CPUSET,nodemask=(null),cpuset=shop,mems_allowed=0"),
    "mempolicy": oom(memory=mem_info(_NODES), scope="MEMORY_POLICY,nodemask=0,cpuset=/,mems_allowed=0-1,global_oom"),
    "page-tables": oom(memory=mem_info(pagetables=100000, inactive_anon=80000)),
    "mlocked": oom(memory=mem_info(unevictable=150000, active_anon=10000)),
    "unaccounted": oom(memory=mem_info()),
    "balloon": oom(memory=mem_info(node_tail=" Balloon:600000kB")),
    "graphics": oom(memory=mem_info(node_tail=" Balloon:0kB gpu_active:500000kB gpu_reclaim:1000kB")),
    "fork-storm": oom(memory=mem_info(inactive_anon=190000), tasks=(*TASKS[:2], *_SMALL)),
    "unkillable": oom(tasks=((1, "systemd", 500, 0), (71, "sshd", 300, -1000)), end="Kernel panic - not syncing: System is deadlocked on memory"),
    "panic-policy": oom(memory=mem_info(inactive_anon=200000), end="Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled"),
    "memcg-sockets": memcg(anon=20000, kernel=2000, sock=40000),
    "memcg-slab": memcg(anon=20000, kernel=42000, slab_unreclaimable=40000),
    "memcg-page-tables": memcg(anon=30000, kernel=31000, pagetables=30000),
    "memcg-page-tables-alone": memcg(anon=5000, kernel=61000, pagetables=60000),
    "memcg-mlocked": memcg(unevictable=50000),
}
