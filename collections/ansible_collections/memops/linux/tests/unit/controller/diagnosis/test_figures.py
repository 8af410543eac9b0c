# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each figure of a recorded incident can be followed to the line that it stands in."""

from __future__ import annotations

import json
import pathlib
import re

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.rule import PARTS

EVIDENCE = pathlib.Path(__file__).parents[2] / "fixtures/evidence"
RECORDED = sorted(path for path in EVIDENCE.glob("*/*.json"))


def incidents(path):
    return diagnose({"host": "h", **json.loads(path.read_text())["evidence"]})["incidents"]


def recorded(name):
    (incident, *_others) = incidents(EVIDENCE / name)
    return incident


def stands_in(figure, text):
    """Whether the line shows these bytes, in whichever unit kernels use."""
    numbers = {int(number) for number in re.findall(r"\d+", text)}
    return bool(numbers & {figure, figure // 1024, figure // 4096})


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_recorded_line_of_a_figure_shows_it(path):
    derived = {"used_bytes", "anon_bytes", "file_bytes", "swap_used_bytes", "unaccounted_bytes", "hugepages_bytes", "hugepages_free_bytes"}
    summed = {"kernel_bytes", "kernel_stack_bytes", "mlocked_bytes", "gpu_bytes", "balloon_bytes", "swap_free_bytes"}
    for incident in incidents(path):
        texts = [quote["text"] for quote in incident["quotes"]]
        for name, number in incident["figures"].items():
            kind, _dot, rest = name.partition(".")
            if kind == "memory" and rest not in derived | summed:
                assert stands_in(incident["memory"][rest], texts[number]), (name, texts[number])
            if kind == "task":
                assert re.match(rf"\[ *{rest}\]", texts[number])
            if kind in ("zone", "blocks"):
                node, _dot, zone = rest.partition(".")
                assert texts[number].startswith(f"Node {node} {zone}")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("bookworm-6.1/memcg_anon.json", {"memory.anon_bytes", "memory.total_bytes", "memory.sock_bytes", "trigger", "victim"}),
        ("bookworm-6.1/host_anon_swap_full.json", {"memory.free_bytes", "memory.shmem_bytes", "zone.0.DMA32", "blocks.0.DMA32", "memory.swap_free_bytes"}),
        ("bullseye-5.10-v1/memcg_anon.json", {"memory.anon_bytes", "memory.total_bytes", "victim"}),
    ],
)
def test_a_whole_report_gives_the_lines_of_its_figures(name, wanted):
    incident = recorded(name)

    assert wanted <= set(incident["figures"])
    victim = incident["victim"]["pid"]
    assert f"task.{victim}" in incident["figures"]


def test_a_global_report_gives_its_zones_with_watermarks_and_free_blocks_and_a_limit_s_report_none():
    zones = recorded("bookworm-6.1/host_anon_swap_full.json")["zones"]

    assert [zone["zone"] for zone in zones] == ["DMA", "DMA32"]
    assert all(zone["min_bytes"] <= zone["low_bytes"] <= zone["high_bytes"] for zone in zones)
    assert [block["size_bytes"] for block in zones[0]["blocks"]] == [4096 << order for order in range(11)]
    assert recorded("bookworm-6.1/memcg_anon.json")["zones"] == []


def test_each_step_of_a_story_says_which_part_it_tells_and_parts_come_in_order():
    for path in RECORDED:
        for incident in incidents(path):
            parts = [step["part"] for step in incident["because"]]
            assert set(parts) <= set(PARTS)
            assert parts[0] == "happened"
