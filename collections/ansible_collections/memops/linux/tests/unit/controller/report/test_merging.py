# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several runs made one: the newest counts, and what it could not see is kept."""

from __future__ import annotations

import json
import pathlib

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.report import merging
from ansible_collections.memops.linux.plugins.plugin_utils.report.fleet import read_diagnosis
from ansible_collections.memops.linux.plugins.plugin_utils.report.host_files import unread_host, write_diagnosis, write_evidence
from ansible_collections.memops.linux.plugins.plugin_utils.report.run_folder import open_run
from ansible_collections.memops.linux.plugins.plugin_utils.report.writing import write_report
from ansible_collections.memops.linux.tests.unit.controller.report.documents import diagnosis, incident

MONDAY, TUESDAY, FRIDAY = "2026-11-16T10:00:00.000Z", "2026-11-17T10:00:00.000Z", "2026-11-20T10:00:00.000Z"


def of(code="memory", since="2026-11-16T00:00:00.000Z", incidents=None, **changes):
    document = diagnosis("web1", code, since=since, log_from=since, **changes)
    return document if incidents is None else {**document, "incidents": incidents}


def merged(*documents):
    return merging.merged_diagnosis([(f"run{number}", document) for number, document in enumerate(documents)])


def test_the_newest_diagnosis_counts_inside_the_time_that_it_could_see():
    document, source = merged(of(incidents=[incident(time=TUESDAY)]), of("healthy"))

    assert source == 1
    assert document["incidents"] == []
    assert document["verdict"]["code"] == "healthy"


def test_an_incident_from_before_that_time_is_kept_marked_and_tells_the_verdict():
    document, _source = merged(of(incidents=[incident(time=MONDAY)]), of("healthy", since=TUESDAY))

    assert [(one["time"], one["from_run"]) for one in document["incidents"]] == [(MONDAY, "run0")]
    assert (document["verdict"]["code"], document["verdict"]["incident"]) == ("memory", 0)
    assert "The newest run by itself says: calm." in document["notes"]


def test_an_incident_that_both_tell_is_there_once_and_the_newest_come_first():
    document, _source = merged(
        of(incidents=[incident(time=TUESDAY), incident(time=MONDAY)]),
        of(since="2026-11-17T12:00:00.000Z", incidents=[incident(time=FRIDAY), incident(time=TUESDAY)]),
    )

    assert [one["time"] for one in document["incidents"]] == [FRIDAY, TUESDAY, MONDAY]


@pytest.mark.parametrize(("pid", "kept"), [(7, 1), (8, 2)])
def test_without_a_clock_an_incident_is_kept_unless_the_newer_diagnosis_has_one_like_it(pid, kept):
    other = incident(time=None)
    other["victim"]["pid"] = pid

    document, _source = merged(of(incidents=[other]), of(incidents=[incident(time=None)]))

    assert len(document["incidents"]) == kept


def test_a_host_that_could_not_be_examined_since_keeps_what_was_known_and_says_so():
    gone = {**of("no_evidence"), "incidents": [], "verdict": {"code": "no_evidence", "confidence": "certain", "summary": "unreachable", "incident": None}}

    document, source = merged(of(), gone)

    assert source == 0
    assert document["verdict"]["code"] == "memory"
    assert document["notes"] == ["Run run1 could not examine this host: unreachable"]


def test_a_host_that_never_answered_has_the_last_reason():
    gone = [{**of("no_evidence"), "verdict": {"code": "no_evidence", "confidence": "certain", "summary": why, "incident": None}} for why in ("a", "b")]

    assert merged(*gone)[0]["verdict"]["summary"] == "b"


@pytest.fixture
def two_runs(tmp_path):
    """East knows web1 and db1, west knows db1 (newer) and a host that never answered."""
    east, west = open_run(str(tmp_path / "east")), open_run(str(tmp_path / "west"))
    write_evidence(east, "web1", {"host": "web1", "from": "east"})
    write_diagnosis(east, "web1", diagnosis("web1"))
    write_evidence(east, "db1", {"host": "db1", "from": "east"})
    write_diagnosis(east, "db1", diagnosis("db1"))
    write_evidence(west, "db1", {"host": "db1", "from": "west"})
    write_diagnosis(west, "db1", diagnosis("db1", "healthy"))
    unread_host(west, "gone", "unreachable")
    write_report(east, ["web1", "db1", "silent"], {"web1": ["shop"]})
    write_report(west, ["db1", "gone"])
    for run, made in ((east, "2026-11-20T11:00:00Z"), (west, "2026-11-21T11:00:00Z")):
        path = pathlib.Path(run) / "report.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "made_at": made}))
    return tmp_path, east, west


def test_runs_of_two_control_nodes_are_one_run_that_can_be_merged_again(two_runs):
    top, _east, _west = two_runs
    target = open_run(str(top / "all"))

    runs = merging.find_runs([str(top / "west"), str(top / "east" / "latest")])
    hosts = merging.merge_into(target, runs)
    report = write_report(target, hosts, merging.groups_in(runs), merging.run_notes(runs))

    rows = {row["host"]: row for row in report["hosts"]}
    assert {host: row["verdict"]["code"] for host, row in rows.items()} == {
        "web1": "memory",
        "db1": "healthy",
        "gone": "no_evidence",
        "silent": "no_evidence",
    }
    assert rows["web1"]["groups"] == ["shop"]
    assert [run["hosts"] for run in report["runs"]] == [3, 2]
    assert json.loads((pathlib.Path(target) / "hosts/db1/evidence.json").read_text())["from"] == "west"
    assert read_diagnosis(target, "db1")["verdict"]["code"] == "healthy"
    assert merging.find_runs([target]) == [pathlib.Path(target).resolve()]


def test_merging_leaves_the_runs_as_they_were(two_runs):
    top, east, west = two_runs
    before = {path: path.read_bytes() for run in (east, west) for path in pathlib.Path(run).rglob("*") if path.is_file()}

    merging.merge_into(open_run(str(top / "all")), merging.find_runs([east, west]))

    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(("name", "said"), [("nowhere", "is no folder"), ("empty", "there is no folder hosts in it")])
def test_a_folder_without_a_run_is_named(tmp_path, name, said):
    (tmp_path / "empty").mkdir()

    with pytest.raises(merging.NoRun, match=said):
        merging.find_runs([str(tmp_path / name)])
