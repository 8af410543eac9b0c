# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes from whole reports in the kernels' form to the diagnosis: which leads, and what changes it."""

from __future__ import annotations

import json
import pathlib
import re

import jsonschema
import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose_events
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.tests.unit.controller.diagnosis import reports
from ansible_collections.memops.linux.tests.unit.controller.diagnosis.reports import REPORTS, mem_info, memcg, oom, refused
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import lines_of

SCHEMA = jsonschema.Draft202012Validator(json.loads((pathlib.Path(__file__).parents[4] / "docs/schemas/diagnosis-1.schema.json").read_text(encoding="utf-8")))


def incident(text, host=None):
    evidence = {"host": "log", "kernel_log": {"sources": [{"path": "log"}]}, **(host or {})}
    diagnosis = diagnose_events(HostFacts(evidence), read_kernel(lines_of(text)), [])
    SCHEMA.validate({**diagnosis, "host": "log"})
    (found,) = diagnosis["incidents"]
    return found


def causes(text, host=None):
    found = incident(text, host)
    return [cause for cause in (found["cause"], *(other["cause"] for other in found["contributing"])) if cause]


def story(found):
    return " ".join(step["text"] for step in found["because"])


@pytest.mark.parametrize(
    ("report", "kind", "cause", "confidence", "words"),
    [
        ("fragmentation-refused", "page_allocation_failure", "fragmentation", "certain", "128 KiB in one piece were asked for (order 5)"),
        ("fragmentation-killed", "global_oom", "fragmentation", "certain", "no free block there was large enough"),
        ("atomic-reserve", "page_allocation_failure", "atomic_reserve_exhausted", "certain", "could not wait for reclaim"),
        ("low-zone-of-a-device", "global_oom", "low_zone_exhausted", "certain", "Normal of node 0 still had 391 MiB free"),
        ("low-zone-of-32-bits", "global_oom", "low_zone_exhausted", "certain", "HighMem of node 0 still had 879 MiB free"),
        ("cpuset", "cpuset_oom", "numa_binding", "certain", "within what its cpuset allows (node 0)"),
        ("mempolicy", "mempolicy_oom", "numa_binding", "certain", "The other nodes had 879 MiB free"),
        ("page-tables", "global_oom", "page_tables", "certain", "Page tables took 391 MiB of 977 MiB RAM (40 %)"),
        ("mlocked", "global_oom", "mlocked", "certain", "were unevictable"),
        ("unaccounted", "global_oom", "kernel_memory", "probable", "in use and in no figure"),
        ("balloon", "global_oom", "balloon", "certain", "given back to the hypervisor"),
        ("graphics", "global_oom", "kernel_memory", "certain", "Graphics drivers held 489 MiB"),
        ("fork-storm", "global_oom", "fork_storm", "certain", "120 of 122 processes were php-fpm"),
        ("unkillable", "panic_on_oom", "all_tasks_unkillable", "certain", "no process that it may kill"),
        ("panic-policy", "panic_on_oom", "no_swap", "certain", "no swap"),
        ("memcg-sockets", "memcg_oom", "kernel_memory", "certain", "network buffers"),
        ("memcg-slab", "memcg_oom", "kernel_memory", "certain", "kernel objects that cannot be freed"),
        ("memcg-page-tables", "memcg_oom", "page_tables", "certain", "Page tables took 29.3 MiB of the limit"),
        ("memcg-page-tables-alone", "memcg_oom", "page_tables", "certain", "Page tables took 58.6 MiB of the limit"),
        ("memcg-mlocked", "memcg_oom", "mlocked", "certain", "were unevictable"),
    ],
)
def test_the_report_leads_to(report, kind, cause, confidence, words):
    found = incident(REPORTS[report])

    assert (found["kind"], found["cause"], found["confidence"]) == (kind, cause, confidence)
    assert words in story(found)
    assert found["remedies"]
    assert found["reference"]


def v1_pipes(kmem=True):
    """A report of cgroup v1: only its counter of kernel memory knows of the buffers of pipes."""
    text = memcg(anon=5000).replace("\nkernel 2048000", "").replace("swap: usage 0kB", "memory+swap: usage 65536kB")
    return text.replace("Memory cgroup stats", "kmem: usage 60000kB, limit 9007199254740988kB, failcnt 0\nMemory cgroup stats") if kmem else text


def test_the_counter_of_cgroup_v1_tells_of_kernel_memory_that_has_no_figure_of_its_own():
    found = incident(v1_pipes())

    assert (found["cause"], found["confidence"]) == ("kernel_memory", "certain")
    assert "were kept where no figure shows it, such as in the buffers of pipes" in story(found)
    assert "kernel_memory" not in causes(v1_pipes(kmem=False))


def before_5_18(anon=16000, **stat):
    """A report of cgroup v2 whose memory.stat does not add up the kernel's memory: nothing in it knows of the buffers of pipes."""
    return re.sub(r"\nkernel \d+", "", memcg(anon=anon, **stat))


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        ("most of what is used shows in no figure", before_5_18(), ("kernel_memory", "probable")),
        ("the task table is cut", before_5_18().replace("[  pid  ]", "[ cut ]"), (None, None)),
        ("the kernel adds its memory up, and what shows nowhere is not its", memcg(anon=16000), (None, None)),
        ("the processes hold it, and the figures lag behind", before_5_18().replace("     4000   180224", "    15000   180224"), (None, None)),
        ("what shows in no figure is no more than figures may lag behind", before_5_18(anon=36000), ("working_set_over_limit", "probable")),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value else "",
)
def test_before_5_18_what_no_figure_of_cgroup_v2_shows_is_the_kernels(given, text, expected):
    found = incident(text)

    assert (found["cause"], found["confidence"]) == expected


def before_5_11(table_bytes=60 << 20, table_is_whole=True):
    """A report whose memory.stat has no page tables; the worker's stand in the task table."""
    text = memcg(anon=4000, kernel=61000).replace("\npagetables 409600", "").replace("\nkernel 62464000", "")
    text = text.replace(" 180224 ", f" {table_bytes} ", 1)
    head = ("Tasks state (memory", "[  pid  ]")
    return text if table_is_whole else "\n".join(line for line in text.split("\n") if not line.startswith(head))


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        ("they fill the limit", before_5_11(), ("page_tables", "certain")),
        ("they are large", before_5_11(12 << 20), ("page_tables", "probable")),
        ("they are as large as usual, so the kernel holds the rest in another way", before_5_11(2 << 20), ("kernel_memory", "probable")),
        ("the task table is cut", before_5_11(table_is_whole=False), (None, None)),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value else "",
)
def test_page_tables_are_read_from_the_task_table_where_memory_stat_has_none(given, text, expected):
    found = incident(text)

    assert (found["cause"], found["confidence"]) == expected


ROOMY, LOW, HIGH, NODES = reports._ROOMY, reports._LOW, reports._HIGH, reports._NODES
EMPTY = (0, "Normal", 400, 44000, 1000000, (100,), "0 0 0")
ORDER_5 = ("0x40cc0(GFP_KERNEL|__GFP_COMP)", 5)


def with_blocks(zone, *blocks):
    return (*zone[:2], sum(count * (4 << order) for order, count in enumerate(blocks)), *zone[3:5], blocks, zone[6])


@pytest.mark.parametrize(
    ("given", "text", "silent"),
    [
        ("a block of the size was free", refused(*ORDER_5, mem_info((with_blocks(ROOMY, 5000, 22500, 0, 0, 0, 1),))), "fragmentation"),
        ("memory was short altogether", refused(*ORDER_5, mem_info()), "fragmentation"),
        ("one page was asked for", oom("0xcc0(GFP_KERNEL)", 0, mem_info((ROOMY,))), "fragmentation"),
        ("the list of free blocks is cut off", refused(*ORDER_5, mem_info((ROOMY,))).replace(" = 200000kB", ""), "fragmentation"),
        ("a zone is missing", refused(*ORDER_5, mem_info((ROOMY,))).replace("250000 pages RAM", "260000 pages RAM"), "fragmentation"),
        ("a request that may wait", refused("0xcc0(GFP_KERNEL)", 0, mem_info((EMPTY,))), "atomic_reserve_exhausted"),
        ("an interrupt, with memory left", refused("0x820(GFP_ATOMIC)", 0, mem_info((ROOMY,))), "atomic_reserve_exhausted"),
        ("a mask that nobody can read", refused("0x820", 0, mem_info()).replace("6.1.0-50-amd64", "unknown"), "atomic_reserve_exhausted"),
        ("low memory short, high memory too", oom("0xcc0(GFP_KERNEL)", 0, mem_info((HIGH[0], with_blocks(HIGH[1], 100)))), "low_zone_exhausted"),
        ("low memory short, for a program that could use the rest", oom("0x140cca(GFP_HIGHUSER_MOVABLE)", 0, mem_info(HIGH)), "low_zone_exhausted"),
        ("page tables as large as usual", oom(memory=mem_info(pagetables=2000)), "page_tables"),
        ("a little locked memory", oom(memory=mem_info(unevictable=40000)), "mlocked"),
        ("nearly all is accounted for", oom(memory=mem_info(inactive_anon=210000)), "kernel_memory"),
        ("the huge pages are not in the report", "\n".join(line for line in oom().split("\n") if "hugepages" not in line), "kernel_memory"),
        ("huge pages explain it", oom(memory=mem_info(hugepages=400)), "kernel_memory"),
        ("graphics drivers that hold a little", oom(memory=mem_info(inactive_anon=200000, node_tail=" Balloon:0kB gpu_active:60000kB")), "kernel_memory"),
        ("a small balloon", oom(memory=mem_info(node_tail=" Balloon:60000kB")), "balloon"),
        ("many processes, one of them large", oom(memory=mem_info(inactive_anon=190000), tasks=(*reports._SMALL, (9, "php-fpm", 90000, 0))), "fork_storm"),
        ("a dozen processes", oom(memory=mem_info(inactive_anon=190000), tasks=reports._SMALL[:12]), "fork_storm"),
        ("many processes, but most of RAM is elsewhere", oom(memory=mem_info(), tasks=reports._SMALL), "fork_storm"),
        ("a panic for a lack of victims", REPORTS["unkillable"], "panic_policy"),
        ("a panic by policy", REPORTS["panic-policy"], "all_tasks_unkillable"),
        ("sockets as large as usual", memcg(sock=3000), "kernel_memory"),
        ("kernel objects that can be freed", memcg(anon=20000, kernel=42000, slab_reclaimable=40000), "kernel_memory"),
        ("small page tables below a limit", memcg(pagetables=3000), "page_tables"),
        ("a little locked memory below a limit", memcg(unevictable=9000), "mlocked"),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value else "",
)
def test_the_cause_is_not_named_when(given, text, silent):
    assert silent not in causes(text)


def test_what_an_old_kernels_zones_show_is_probable_at_most():
    zones = ((0, "DMA", 15000, 40, 15000, (3750, 0, 0), "0 900000 900000"), (0, "Normal", 200000, 44000, 985000, (5000, 22500, 0, 0), "0 0 0"))
    text = refused("0xd0", 2, mem_info(zones)).replace("(UM)", "").replace("250000 pages RAM", "253000 pages RAM")
    found = incident(text)
    assert (found["cause"], found["confidence"]) == ("fragmentation", "probable")


def test_a_constraint_on_nodes_is_certain_only_if_others_are_seen_to_have_room():
    full = mem_info((NODES[0], with_blocks(NODES[1], 10000)))
    found = incident(oom(memory=full, scope="CPUSET,nodemask=(null),cpuset=shop,mems_allowed=0"))
    assert (found["cause"], found["confidence"]) == ("numa_binding", "probable")


SWAP = {"swap": {"total_bytes": 1 << 30}}


@pytest.mark.parametrize(
    ("given", "text", "host", "expected"),
    [
        ("the host has swap", memcg(), SWAP, ["working_set_over_limit", "swap_denied_to_cgroup"]),
        ("the host has none", memcg(), {"swap": {"total_bytes": 0}}, ["working_set_over_limit"]),
        ("nothing says whether the host has swap", memcg(), {}, ["working_set_over_limit"]),
        ("the cgroup may use swap", memcg(swap=9000), SWAP, ["working_set_over_limit"]),
        ("the programs' own memory is not what fills the limit", memcg(anon=20000, file=40000), SWAP, []),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value else "",
)
def test_a_cgroup_is_denied_swap_that_the_host_has_when(given, text, host, expected):
    assert causes(text, host) == expected


def test_two_causes_are_ranked_with_the_reason():
    found = incident(REPORTS["page-tables"])
    (other,) = found["contributing"]
    assert (found["cause"], other["cause"], other["reason"]) == ("page_tables", "no_swap", "page_tables is certain, no_swap only probable")
    (other,) = incident(REPORTS["fork-storm"])["contributing"]
    assert other["reason"] == "both are certain; fork_storm tells what held the memory, no_swap only which room was missing"


def test_what_no_figure_explains_is_part_of_the_story_even_behind_another_cause():
    assert "show in no figure of the report" in story(incident(oom(memory=mem_info(inactive_anon=150000))))
    assert "show in no figure" not in story(incident(oom(memory=mem_info(inactive_anon=215000))))
