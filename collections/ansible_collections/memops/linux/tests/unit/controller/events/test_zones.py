# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Mem-Info says of each zone beyond its watermarks; hand-written lines after the kernels' sources."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import lines_of, only, recorded

KIB = 1 << 10
HEAD = "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=2, oom_score_adj=0\nMem-Info:\n"
DMA = "Node 0 DMA free:400kB boost:8kB min:28kB low:40kB high:52kB reserved_highatomic:64KB present:1000kB managed:900kB mlocked:4kB free_cma:12kB"
NORMAL = "Node 0 Normal free:4000kB min:280kB low:400kB high:520kB present:9000kB managed:8900kB mlocked:8kB free_cma:0kB"


def zones(text):
    return only(HEAD + text).memory.zones


def test_each_zone_has_the_reserve_that_follows_its_line_in_bytes():
    dma, normal = zones(f"{DMA}\nlowmem_reserve[]: 0 2 7 7\n{NORMAL}\nlowmem_reserve[]: 0 0 0 0")
    assert (dma.reserves_bytes, normal.reserves_bytes) == ((0, 8 * KIB, 28 * KIB, 28 * KIB), (0, 0, 0, 0))


def test_a_reserve_whose_zone_is_cut_off_belongs_to_no_other_zone():
    dma, normal = zones(f"{DMA}\nlowmem_reserve[]: 0 2 7 7\nlowmem_reserve[]: 0 0 9 9\n{NORMAL}")
    assert (dma.reserves_bytes, normal.reserves_bytes) == ((0, 8 * KIB, 28 * KIB, 28 * KIB), ())


def test_a_reserve_whose_numbers_are_messages_of_their_own():
    dma, normal = zones(f"{DMA}\nlowmem_reserve[]:\n 0\n 2\n 7\n{NORMAL}\nlowmem_reserve[]:\n 0\n 0\n 0\n5 pages RAM\n9")
    assert (dma.reserves_bytes, normal.reserves_bytes) == ((28 * KIB,), (0,))


@pytest.mark.parametrize(
    ("ram", "first", "whole", "nearly"), [(2500, "DMA", True, True), (2550, "DMA", False, True), (2600, "DMA", False, False), (2550, "Normal", False, False)]
)
def test_old_kernels_zones_nearly_add_up_to_the_ram(ram, first, whole, nearly):
    lines = f"{DMA.replace('DMA', first)}\n{NORMAL.replace('Normal', 'DMA32')}\nfree:83 slab_reclaimable:2\nTotal swap = 0kB\n{ram} pages RAM"
    memory = only(HEAD + lines).memory
    assert (memory.complete, memory.nearly_complete) == (whole, nearly)


def test_boost_reserves_for_atomic_requests_and_cma():
    (zone,) = zones(DMA)
    assert (zone.boost_bytes, zone.reserved_highatomic_bytes, zone.free_cma_bytes) == (8 * KIB, 64 * KIB, 12 * KIB)


def test_free_blocks_with_the_lists_they_are_in():
    (zone,) = zones(f"{DMA}\nNode 0 DMA: 3*4kB (UM) 1*8kB (C) 0*16kB 2*32kB (UMEH) = 84kB")
    assert zone.free_blocks == {4 * KIB: 3, 8 * KIB: 1, 16 * KIB: 0, 32 * KIB: 2}
    assert zone.block_types == {4 * KIB: "UM", 8 * KIB: "C", 32 * KIB: "UMEH"}


def test_a_line_of_free_blocks_is_whole_only_if_it_holds_its_own_sum():
    line = "Node 0 DMA: 3*4kB (UM) 1*8kB (C) 0*16kB 2*32kB (UMEH) = 84kB"
    assert zones(f"{DMA}\n{line}")[0].blocks_complete
    for cut in ("2*32kB (UMEH) = 84kB", " = 84kB", "4kB"):
        (zone,) = zones(f"{DMA}\n{line.removesuffix(cut)}")
        assert not zone.blocks_complete, cut


def test_free_blocks_of_kernels_that_name_no_lists():
    (zone,) = zones(f"{DMA}\nNode 0 DMA: 3*4kB 1*8kB = 20kB")
    assert (zone.free_blocks, zone.block_types) == ({4 * KIB: 3, 8 * KIB: 1}, {})


def test_what_reclaim_had_tried_in_kernels_until_4_7():
    (zone,) = zones("Node 0 DMA free:4kB min:28kB low:40kB high:52kB present:100kB pages_scanned:77 all_unreclaimable? yes")
    assert (zone.pages_scanned, zone.all_unreclaimable) == (77, True)


def test_nodes_in_which_reclaim_gave_up():
    memory = only(HEAD + "Node 0 active_anon:4kB inactive_anon:0kB all_unreclaimable? no\nNode 1 active_anon:4kB all_unreclaimable? yes").memory
    assert memory.unreclaimable_nodes == [1]


def test_locked_memory_of_all_zones_together():
    assert only(HEAD + DMA + "\n" + NORMAL).memory.totals["mlocked_bytes"] == 12 * KIB


def test_a_figure_that_the_line_s_end_cut_off_is_none():
    (zone,) = zones(NORMAL[: NORMAL.index("kB managed")])
    assert (zone.present_bytes, zone.managed_bytes) == (None, None)


def test_the_zones_are_whole_only_if_they_add_up_to_the_ram():
    lines = recorded("linux-6.1-global-no-swap")
    assert read_kernel(lines)[0].memory.complete
    for lost in ("Node 0 DMA free:", "pages RAM", "Total swap"):
        (report,) = read_kernel([line for line in lines if lost not in line.text])
        assert not report.memory.complete, lost


def test_free_lists_alone_make_no_zone():
    assert [zone.zone for zone in zones("Node 0 DMA: 3*4kB (UM) = 12kB\n" + NORMAL)] == ["Normal"]
    assert len(lines_of(HEAD)) == 2


def test_a_count_of_pages_with_a_reader_s_mark_behind_it_counts():
    memory = only(HEAD + "free:83 slab_reclaimable:2 slab_unreclaimable:3\n511983 pages RAM \u2605").memory
    assert memory.totals["ram_bytes"] == 511983 * 4096


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        (" mapped:10 shmem:70", "shmem_bytes"),
        ("active_anon:100 inactive_anon:20", "inactive_anon_bytes"),
        (" mapped:10 shmem:70 pagetables:65", None),
    ],
)
def test_a_total_that_ends_a_line_counts_only_where_kernels_end_their_lines(line, lost):
    totals = only(HEAD + line + "\nNode 0 active_anon:1kB\n" + NORMAL).memory.totals
    assert lost is None or lost not in totals
    assert len([name for name in totals if name.startswith(("mapped", "shmem", "page_tables", "active_anon", "inactive_anon"))]) == (1 if lost else 3)
