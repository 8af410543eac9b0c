# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An allocation against the zones, decided as the kernel decides it; zones by hand, and those of recorded reports."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis import allocation
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.case import Case
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose_events
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.nodes import node_list
from ansible_collections.memops.linux.plugins.plugin_utils.events.gfp import read_request
from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line, MemInfo, OomReport, Trigger, Zone
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import recorded

KIB = 1 << 10
PAGE = 4096


def zone(name="Normal", free=1000, least=100, reserves=(0, 0, 0, 0), node=0, blocks=None, types="", **more):
    """A zone with sizes in KiB; blocks: KiB -> number, each on the lists whose letters are given."""
    blocks = {4: 250} if blocks is None else blocks
    return Zone(
        node,
        name,
        free * KIB,
        least * KIB,
        2 * least * KIB,
        3 * least * KIB,
        free_blocks={size * KIB: number for size, number in blocks.items()},
        block_types={size * KIB: types for size in blocks} if types else {},
        blocks_complete=True,
        reserves_bytes=tuple(reserve * KIB for reserve in reserves),
        **{name: value * KIB for name, value in more.items()},
    )


def weigh(*zones, names="GFP_KERNEL", order=0, nodes=None, complete=True):
    request = read_request("0x1", tuple(names.split("|")), None)
    return allocation.against_zones(order, request, MemInfo(zones=list(zones), complete=complete), nodes, PAGE)


def verdicts(*zones, **how):
    return [one.verdict for one in weigh(*zones, **how).zones]


@pytest.mark.parametrize(
    ("given", "zones", "how", "expected"),
    [
        ("more is free than must stay", [zone()], {}, ["enough"]),
        ("as much is free as must stay", [zone(free=100)], {}, ["below_min"]),
        ("the zone keeps the rest from those who can use a higher one", [zone("DMA", 900, reserves=(0, 950, 950, 950)), zone()], {}, ["below_min", "enough"]),
        ("a request for that very zone is not kept off", [zone("DMA", free=900, reserves=(0, 950, 950, 950))], {"names": "GFP_KERNEL|GFP_DMA"}, ["enough"]),
        ("the kernel's own memory on 32 bits is not in high memory", [zone(), zone("HighMem", free=9000)], {}, ["enough", "not_allowed"]),
        ("a program's may be", [zone(), zone("HighMem", free=9000)], {"names": "GFP_HIGHUSER_MOVABLE"}, ["enough", "enough"]),
        ("a device needs low memory", [zone("DMA32", free=10), zone(free=9000)], {"names": "GFP_KERNEL|GFP_DMA32"}, ["below_min", "not_allowed"]),
        ("a cpuset leaves one node", [zone(node=0), zone(node=1)], {"nodes": frozenset((1,))}, ["not_allowed", "enough"]),
        ("an interrupt may go below the watermark", [zone(free=60)], {"names": "GFP_ATOMIC"}, ["enough"]),
        ("further than others that may use the reserve", [zone(free=45)], {"names": "GFP_ATOMIC"}, ["enough"]),
        ("others that may", [zone(free=45)], {"names": "GFP_KERNEL|__GFP_HIGH"}, ["below_min"]),
        ("but not to the end", [zone(free=37)], {"names": "GFP_ATOMIC"}, ["below_min"]),
        ("free pages in CMA areas are for what can be moved", [zone(free=300, free_cma_bytes=250)], {}, ["below_min"]),
        ("and do for a program", [zone(free=300, free_cma_bytes=250)], {"names": "GFP_HIGHUSER_MOVABLE"}, ["enough"]),
        ("blocks kept for atomic requests are not for others", [zone(free=300, reserved_highatomic_bytes=250)], {}, ["below_min"]),
        ("a block of the size is there", [zone(blocks={4: 100, 32: 1})], {"order": 3}, ["enough"]),
        ("a larger block will do", [zone(blocks={4: 100, 32: 0, 64: 1})], {"order": 3}, ["enough"]),
        ("only smaller blocks are there", [zone(blocks={4: 200, 8: 9, 16: 9, 32: 0, 64: 0})], {"order": 3}, ["no_block"]),
        ("the only block is kept for atomic requests", [zone(blocks={32: 1}, types="H")], {"order": 3}, ["no_block"]),
        ("which an atomic request may take", [zone(blocks={32: 1}, types="H")], {"order": 3, "names": "GFP_ATOMIC"}, ["enough"]),
        ("the only block is in a CMA area", [zone(blocks={32: 1}, types="C")], {"order": 3}, ["no_block"]),
        ("blocks of any other kind will do", [zone(blocks={32: 1}, types="M")], {"order": 3}, ["enough"]),
        ("the size itself counts against the watermark", [zone(free=120, blocks={32: 3})], {"order": 3}, ["below_min"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_zone_is_judged_as_the_kernel_does_when(given, zones, how, expected):
    assert verdicts(*zones, **how) == expected


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        ([zone(free=50), zone(node=1, free=60)], "below_min"),
        ([zone(free=50), zone(node=1, blocks={4: 9})], "no_block"),
        ([zone(blocks={4: 9}), zone(node=1, blocks={8: 9})], "enough"),
    ],
)
def test_the_zone_that_has_most_decides(zones, expected):
    assert weigh(*zones, order=1).verdict == expected


@pytest.mark.parametrize(
    ("blocks", "kernel", "expected"),
    [
        ({4: 200, 8: 19, 16: 1, 32: 1}, "3.10.0", "no_block"),
        ({4: 200, 8: 19, 16: 1, 32: 1}, "4.4.0", "enough"),
        ({4: 100, 8: 19, 16: 1, 32: 12}, "3.10.0", "enough"),
        ({4: 100, 8: 1, 16: 1, 32: 2}, "3.10.0", "enough"),
    ],
)
def test_before_4_4_larger_requests_needed_more_than_one_free_block(blocks, kernel, expected):
    free = sum(size * count for size, count in blocks.items())
    mask = "0xd0" if kernel < "4" else "0x24000c0"
    found = allocation.against_zones(3, read_request(mask, (), kernel), MemInfo(zones=[zone(free=free, blocks=blocks)]), None, PAGE)
    assert found.verdict == expected


def test_a_zone_keeps_less_from_the_kernel_than_from_programs_where_there_is_a_movable_zone():
    dma32 = zone("DMA32", free=500, reserves=(0, 0, 300, 900))
    others = (zone(free=50, reserves=(0, 0, 0, 600)), zone("Movable", free=50, reserves=(0, 0, 0, 0)))
    assert verdicts(dma32, *others)[0] == "enough"
    assert verdicts(dma32, *others, names="GFP_HIGHUSER_MOVABLE")[0] == "below_min"


def test_of_a_list_of_reserves_that_the_log_broke_up_the_largest_holds_for_the_highest_zone():
    dma, normal = zone("DMA", free=900, reserves=(950,)), zone(reserves=(0,))
    assert verdicts(dma, normal) == ["below_min", "enough"]
    assert verdicts(dma, normal, names="GFP_KERNEL|GFP_DMA") == ["unknown", "not_allowed"]


@pytest.mark.parametrize(("mask", "nearly"), [("0xd0", True), ("0x24000c0", False)])
def test_zones_that_nearly_add_up_count_of_old_kernels_only(mask, nearly):
    memory = MemInfo(zones=[zone("DMA")], complete=False, nearly_complete=True)
    found = allocation.against_zones(0, read_request(mask, (), None, names_printed=False), memory, None, PAGE)
    assert (found.whole, found.nearly_whole) == (False, nearly)


def test_lists_of_free_blocks_that_are_cut_off_prove_nothing():
    cut = zone(blocks={4: 100})
    cut.blocks_complete = False
    assert verdicts(cut, order=3) == ["unknown"]


def test_reserves_that_are_cut_off_prove_nothing():
    assert verdicts(zone("DMA", reserves=(0, 2)), zone(reserves=(0, 0, 0, 0))) == ["unknown", "unknown"]


def test_a_request_whose_mask_cannot_be_read_is_judged_only_where_any_request_would_fail():
    memory = MemInfo(zones=[zone(free=50), zone(node=1)])
    assert [one.verdict for one in allocation.against_zones(0, None, memory, None, PAGE).zones] == ["below_min", "unknown"]


@pytest.mark.parametrize("name", ["linux-5.10-global-no-swap", "linux-6.1-global-no-swap", "linux-6.1-global-slab", "linux-6.12-global-shmem"])
def test_in_recorded_kills_no_zone_had_enough_just_as_the_kernel_found(name):
    (incident,) = diagnose_events(HostFacts({}), read_kernel(recorded(name)), [])["incidents"]

    found = incident["allocation"]
    assert (found["verdict"], [zone["verdict"] for zone in found["zones"]]) == ("below_min", ["below_min", "below_min"])
    texts = " ".join(step["text"] for step in incident["because"])
    assert "It asked for one page (GFP_HIGHUSER_MOVABLE)" in texts
    assert "DMA32 of node 0 had" in texts
    assert "reclaim could have freed at most" in texts


def test_an_oom_kill_by_hand_has_no_failed_allocation():
    (incident,) = diagnose_events(HostFacts({}), read_kernel(recorded("linux-6.1-sysrq")), [])["incidents"]
    assert incident["allocation"] is None


def test_a_limit_refuses_whatever_the_zones_have():
    (incident,) = diagnose_events(HostFacts({}), read_kernel(recorded("linux-6.1-memcg-docker")), [])["incidents"]
    assert (incident["allocation"]["verdict"], incident["allocation"]["zones"]) == ("limit", [])


@pytest.mark.parametrize(
    ("text", "nodes"),
    [("0", {0}), ("0-2,5", {0, 1, 2, 5}), ("", None), (None, None), ("(null)", None), ("3-1", None), ("0-99999999", None), ("0-4096", None), ("1-", None)],
)
def test_lists_of_nodes(text, nodes):
    assert node_list(text) == (None if nodes is None else frozenset(nodes))


def case(line, mask, nodemask=None, mems_allowed=None):
    report = OomReport(quotes={"trigger": Line(line)}, nodemask=nodemask, mems_allowed=mems_allowed)
    return Case("global_oom", HostFacts({}), event=report, trigger=Trigger("x", 7, mask, (), 0))


def test_cpuset_and_memory_policy_both_bound_the_nodes():
    assert case("", None, "0-1", "1-2").nodes_allowed() == {1}
    assert case("", None, None, "1-2").nodes_allowed() == {1, 2}
    assert case("", None).nodes_allowed() is None


def test_a_line_that_goes_on_after_the_bare_mask_is_of_a_kernel_that_prints_no_names():
    assert case("x invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0", "0x201da").request.kind == "GFP_HIGHUSER_MOVABLE"
    assert case("x invoked oom-killer: gfp_mask=0x201da(GFP_HIGH", "0x201da").request is None
    assert case("x invoked oom-killer: gfp_mask=0x201da", "0x201da").request is None
