# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Before and after: what was set, what became better or worse, and when nobody can tell."""

from __future__ import annotations

import copy
import datetime
import json
import pathlib

import pytest
from markdown_it import MarkdownIt

from ansible_collections.memops.linux.plugins.plugin_utils.comparison.document import compared, comparison, read_evidence
from ansible_collections.memops.linux.plugins.plugin_utils.comparison.text import markdown, table
from ansible_collections.memops.linux.plugins.plugin_utils.report.host_files import write_evidence
from ansible_collections.memops.linux.plugins.plugin_utils.report.run_folder import open_run

HOUR = 3600
BOOT = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
EVIDENCE = pathlib.Path(__file__).parents[2] / "fixtures/evidence"


def evidence(uptime, boot="a", started=BOOT, stall=0.0, **events):
    return {
        "schema": "memops.evidence/1",
        "host": "web1",
        "collected_at": (started + datetime.timedelta(seconds=uptime)).isoformat().replace("+00:00", "Z"),
        "boot_id": boot * 32,
        "booted_at": started.isoformat().replace("+00:00", "Z"),
        "uptime_seconds": uptime,
        "memory": {"vmstat": {"events": {"oom_kill": 0, "pswpout": 0, **events}}},
        "pressure": {"memory": {"some": {"total_seconds": stall}, "full": {"total_seconds": stall}}},
        "tunables": {"values": {"vm.swappiness": "60"}, "files": []},
        "swap": {"devices": []},
        "cgroups": {"groups": []},
        "containers": {"containers": [], "engines": []},
    }


def row(before, after, measure):
    return next(one for one in compared("web1", before, after)["measures"] if one["measure"] == measure)


@pytest.mark.parametrize(
    ("before", "after", "verdict", "told"),
    [
        ((0, 10), (0, 20), "same", "0 in 10.0 h, then 0 in 10.0 h"),
        ((8, 10), (8, 20), "better", "8 in 10.0 h, then 0 in 10.0 h"),
        ((8, 10), (8, 11), "cannot_tell", "at the former rate 0.8 would be expected in that time"),
        ((8, 0.2), (8, 0.4), "better", "8 in 12 min, then 0 in 12 min"),
        ((1, 10), (1, 20), "cannot_tell", "at the former rate 1.0 would be expected"),
        ((0, 100), (3, 110), "worse", "0 in 4.2 days, then 3 in 10.0 h"),
        ((0, 10), (1, 20), "cannot_tell", "at the former rate 0.0 would be expected"),
        ((5000, 1000), (5010, 2000), "better", "then 10 in 41.7 days"),
        ((50, 100), (104, 200), "cannot_tell", "at the former rate 50.0 would be expected"),
    ],
)
def test_kills_are_compared_by_rate_and_only_where_chance_does_not_explain_it(before, after, verdict, told):
    found = row(evidence(before[1] * HOUR, oom_kill=before[0]), evidence(after[1] * HOUR, oom_kill=after[0]), "oom_kills")

    assert found["verdict"] == verdict
    assert told in found["why"]


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((36000, 10), (36000 + 3600, 20), "better"),
        ((36000, 10), (36000 * 11, 20), "worse"),
        ((36000, 10), (36000 * 2, 20), "same"),
        ((36000, 10), (int(36000 * 1.9), 20), "same"),
        ((10, 10), (40, 20), "same"),
        ((36000, 10), (36000, 10.1), "cannot_tell"),
    ],
)
def test_rates_differ_from_a_fifth_on_above_a_floor_and_after_ten_minutes(before, after, verdict):
    found = row(evidence(before[1] * HOUR, pswpout=before[0]), evidence(after[1] * HOUR, pswpout=after[0]), "swapped_out")

    assert found["verdict"] == verdict


def test_stalls_are_the_share_of_the_time_that_was_lost():
    found = row(evidence(10 * HOUR, stall=3600), evidence(20 * HOUR, stall=3960), "memory_stall_some")

    assert (found["before"], found["after"], found["verdict"]) == (10, 1, "better")


def test_after_a_reboot_the_counters_are_counted_from_that_boot():
    found = compared("web1", evidence(10 * HOUR, oom_kill=9), evidence(10 * HOUR, boot="b", started=BOOT + datetime.timedelta(days=1), oom_kill=9))

    assert found["rebooted"] is True
    assert [(one["before"], one["after"]) for one in found["measures"] if one["measure"] == "oom_kills"] == [(0.9, 0.9)]
    assert any("rebooted" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (None, evidence(HOUR), "no evidence of it before"),
        (evidence(HOUR), None, "no evidence of it after"),
        (None, None, "before or after"),
        (evidence(2 * HOUR), evidence(HOUR), "is not newer"),
        ({**evidence(HOUR), "uptime_seconds": None}, evidence(2 * HOUR), "how long the host was up"),
    ],
)
def test_it_cannot_tell_without_two_stretches_of_time_and_says_why(before, after, why):
    found = compared("web1", before, after)

    assert found["verdict"] == "cannot_tell"
    assert why in found["why"]


def test_what_the_kernel_does_not_count_is_not_taken_for_zero():
    before, after = evidence(HOUR), evidence(2 * HOUR)
    after["memory"], after["pressure"] = None, {"memory": None}

    found = compared("web1", before, after)

    assert {one["verdict"] for one in found["measures"]} == {"cannot_tell"}
    assert any(note.startswith("memory: not compared") for note in found["notes"])


def test_what_was_set_differently_is_named_with_both_values():
    before = evidence(HOUR)
    before["cgroups"]["groups"] = [{"path": "/a", "max_bytes": 10}, {"path": "/gone", "max_bytes": 1}]
    before["containers"]["containers"] = [{"name": "shop", "id": "c" * 64, "memory_limit_bytes": "max"}]
    after = copy.deepcopy(before)
    after.update(uptime_seconds=2 * HOUR, collected_at=evidence(2 * HOUR)["collected_at"])
    after["tunables"]["values"]["vm.swappiness"] = "10"
    after["tunables"]["files"] = [{"key": "vm.swappiness", "value": "10"}]
    after["swap"]["devices"] = [{"path": "/swapfile", "size_bytes": 5, "priority": -2}]
    after["cgroups"]["groups"] = [{"path": "/a", "max_bytes": 20}]
    after["containers"]["containers"][0]["memory_limit_bytes"] = 7

    found = {f"{one['area']} {one['key']}": (one["before"], one["after"]) for one in compared("web1", before, after)["changed"]}

    assert found == {
        "tunable vm.swappiness": ("60", "10"),
        "tunable at boot vm.swappiness": (None, "10"),
        "swap /swapfile: size_bytes": (None, 5),
        "swap /swapfile: priority": (None, -2),
        "cgroup /a: max_bytes": (10, 20),
        "container shop: memory_limit_bytes": ("max", 7),
    }


@pytest.mark.parametrize("path", sorted(EVIDENCE.glob("*/healthy_idle.json")), ids=lambda path: path.parent.name)
def test_recorded_evidence_is_compared_with_itself_an_hour_later_and_nothing_differs(path):
    before = json.loads(path.read_text())["evidence"]
    after = copy.deepcopy(before)
    after["uptime_seconds"] += HOUR
    after["collected_at"] = (datetime.datetime.fromisoformat(before["collected_at"]) + datetime.timedelta(hours=1)).isoformat()

    found = compared("guest", before, after)

    assert found["changed"] == []
    assert "worse" not in {one["verdict"] for one in found["measures"]}


def test_a_fleet_is_compared_from_two_directories_and_text_of_hosts_stays_text(tmp_path):
    folders = [open_run(str(tmp_path / name)) for name in ("before", "after")]
    for folder, hours, kills in zip(folders, (10, 20), (90, 90), strict=True):
        document = evidence(hours * HOUR, oom_kill=kills)
        document["tunables"]["values"]["vm.<script>\x1b|"] = str(hours)
        write_evidence(folder, "web1", document)
    write_evidence(folders[0], "old", evidence(HOUR))

    document = comparison(*folders, ["old", "web1"])
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown(document))

    assert [(one["host"], one["verdict"]) for one in document["hosts"]] == [("web1", "better"), ("old", "cannot_tell")]
    assert "<script>" not in page
    assert all(line.isprintable() for line, _colour in table(document))


def test_a_file_that_is_no_evidence_is_an_error(tmp_path):
    folder = open_run(str(tmp_path))
    write_evidence(folder, "web1", {"schema": "other"})

    with pytest.raises(ValueError, match="no evidence of the form"):
        read_evidence(folder, "web1")
