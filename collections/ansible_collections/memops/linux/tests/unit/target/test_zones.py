# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

import os

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import zones

HOST = os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts", "linux-6.1-swap-full")

TWO_NODES = """\
Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 1
  pages free     10
        min      1
        low      2
        high     3
        present  30
        managed  20
  pagesets
    cpu: 0
              count: 7
              high:  378
              batch: 63
Node 0, zone  Movable
  pages free     0
        min      0
        managed  0
Node 1, zone   Normal
  pages free     5
        boost    4
        min      1
        present  9
        managed  8
"""


def test_a_recorded_zone_has_its_watermarks_and_its_free_blocks_by_order():
    dma, dma32 = zones.collect(Reader(HOST), 4096)
    assert dma32 == {
        "node": 0,
        "zone": "DMA32",
        "free_bytes": 883068928,
        "min_bytes": 45408256,
        "low_bytes": 56758272,
        "high_bytes": 68108288,
        "present_bytes": 1056821248,
        "managed_bytes": 1003520000,
        "free_blocks": [827, 847, 534, 315, 170, 92, 58, 45, 41, 37, 160],
    }
    assert dma["zone"] == "DMA"


def test_zones_without_managed_pages_are_left_out_and_the_cpu_lists_are_not_mistaken_for_watermarks():
    dma, normal = zones.parse_zoneinfo(TWO_NODES, 4096)
    assert (dma["high_bytes"], dma["managed_bytes"]) == (3 * 4096, 20 * 4096)
    assert (normal["node"], normal["zone"], normal["free_bytes"]) == (1, "Normal", 5 * 4096)


def test_a_watermark_that_the_kernel_does_not_print_is_null():
    normal = zones.parse_zoneinfo(TWO_NODES, 4096)[1]
    assert (normal["low_bytes"], normal["high_bytes"]) == (None, None)


def test_free_blocks_are_null_where_buddyinfo_cannot_be_read(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "zoneinfo").write_text(TWO_NODES)
    assert [zone["free_blocks"] for zone in zones.collect(Reader(str(tmp_path)), 4096)] == [None, None]
