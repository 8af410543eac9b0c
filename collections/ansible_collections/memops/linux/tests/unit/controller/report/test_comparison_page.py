# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""compare.html: both numbers side by side, what was not counted left out, and text of hosts only text."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.comparison.document import VERDICTS
from ansible_collections.memops.linux.plugins.plugin_utils.report.page import comparison
from ansible_collections.memops.linux.plugins.plugin_utils.report.terminal import printable
from ansible_collections.memops.linux.tests.unit.controller.report.documents import HOSTILE
from ansible_collections.memops.linux.tests.unit.controller.report.test_page import Page


def row(host="web1", verdict="better", before=12.5, after=0.0, why="9 in 40 min, then 0 in 6.0 h"):
    return {
        "host": host,
        "verdict": verdict,
        "why": None,
        "before_at": "2026-11-20T10:00:00.000Z",
        "after_at": "2026-11-20T16:00:00.000Z",
        "before_seconds": 2400,
        "after_seconds": 21600,
        "rebooted": False,
        "measures": [{"measure": "oom_kills", "unit": "per hour", "before": before, "after": after, "verdict": verdict, "why": why}],
        "changed": [
            {"area": "tunable", "key": "vm.swappiness", "before": "60", "after": "10"},
            {"area": "swap", "key": "/swapfile", "before": None, "after": 1 << 30},
        ],
        "notes": [],
    }


def page_of(*rows):
    counts = {verdict: sum(one["verdict"] == verdict for one in rows) for verdict in VERDICTS}
    document = {
        "schema": "memops.comparison/1",
        "made_at": "2026-11-20T17:00:00Z",
        "before": "/a",
        "after": "/b",
        "counts": {verdict: count for verdict, count in counts.items() if count},
        "hosts": list(rows),
    }
    return Page("".join(comparison.page(document, VERDICTS)))


def test_a_host_s_numbers_and_settings_stand_side_by_side():
    text = page_of(row()).text

    for word in ("web1", "oom_kills", "12.5", "per hour", "9 in 40 min, then 0 in 6.0 h", "vm.swappiness", "60", "10", "none", "1 better"):
        assert word in text


@pytest.mark.parametrize(("before", "after", "drawn"), [(4.0, 1.0, 2), (None, 1.0, 1), (None, None, 0)])
def test_what_was_not_counted_is_neither_a_number_nor_a_bar(before, after, drawn):
    page = page_of(row(before=before, after=after, verdict="cannot_tell"))

    bars = [attributes for tag, attributes in page.elements if tag == "svg" and attributes.get("class") == "bar"]
    assert len(bars) == drawn
    assert ("not shown" in page.text) == (drawn < 2)


def test_links_lead_somewhere_and_of_many_hosts_those_that_differ_are_told():
    rows = [row(f"h{number}", "better" if number == 7 else "same") for number in range(comparison.HOSTS_SHOWN + 1)]

    page = page_of(*rows)

    ids = page.ids()
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for tag, attributes in page.elements if tag == "a"}
    assert targets <= set(ids)
    assert sum(attributes.get("class") == "item" for _tag, attributes in page.elements) == 1


def test_hostile_hosts_settings_and_reasons_are_text():
    evil = {**row(HOSTILE, why=HOSTILE), "why": HOSTILE, "notes": [HOSTILE]}
    evil["changed"][0].update(key=HOSTILE, before=HOSTILE, after=HOSTILE)

    page = page_of(evil)

    assert {tag for tag, _attributes in page.elements} <= {tag for tag, _attributes in page_of(row()).elements}
    assert printable(HOSTILE) in page.text
    assert "\u202e" not in page.text
