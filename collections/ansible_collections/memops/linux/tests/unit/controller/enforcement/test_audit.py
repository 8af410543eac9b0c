# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What modules say in check mode becomes rows, every host has one, and hostile text stays text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from ansible_collections.memops.linux.plugins.plugin_utils.enforcement.audit import fleet_document, host_document, read_host, write_host
from ansible_collections.memops.linux.plugins.plugin_utils.enforcement.audit_text import markdown, table
from ansible_collections.memops.linux.plugins.plugin_utils.enforcement.junit import junit
from ansible_collections.memops.linux.plugins.plugin_utils.report.run_folder import open_run

EMPTY = {"changed": False, "changes": [], "drift": [], "compliant": [], "refused": [], "left_alone": [], "unsupported": [], "notes": []}
HOSTILE = "\x1b[31m|<script>alert(1)</script>]]>`x`{{ 7*7 }}\n# head\u202e\x00\ud800\ufffe&amp;"


def said(**fields):
    return {**EMPTY, **fields}


def drift(key="vm.swappiness", face="running", wanted="10", found="60", where=None):
    return {"key": key, "face": face, "wanted": wanted, "found": found, "where": where}


GOOD = said(compliant=["vm.swappiness", "vm.dirty_bytes"])
DRIFTED = said(changed=True, drift=[drift(), drift(face="boot", where="/etc/sysctl.d/99-x.conf"), drift("vm.max_map_count")], compliant=["vm.dirty_bytes"])


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ({"tunables": GOOD}, "compliant"),
        ({"tunables": GOOD, "swap": DRIFTED}, "drift"),
        ({"tunables": said(drift=[drift()])}, "drift"),
        ({"tunables": said(unsupported=[{"key": "ksm.run", "why": "no KSM"}], compliant=["vm.swappiness"])}, "compliant"),
        ({"tunables": said(failed=True, msg="no", refused=[{"key": "vm.x", "why": "sum"}], drift=[drift()])}, "refused"),
        ({"tunables": said(failed=True, msg="broke", module_stderr="a\nPermissionError: x")}, "no_answer"),
        ({"tunables": {"unreachable": True, "msg": "no route"}}, "no_answer"),
        ({"tunables": {"skipped": True, "changed": False}, "swap": GOOD}, "compliant"),
        ({"tunables": said(changed=True, changes=[{"key": "a", "old": 1, "new": 2}])}, "drift"),
        ({"tunables": said(changed=True)}, "drift"),
        ({}, "no_baseline"),
        ({"tunables": {}}, "no_baseline"),
    ],
)
def test_the_gravest_of_what_the_modules_said_is_what_is_said_of_the_host(results, status):
    assert host_document("web1", results)["status"] == status


@pytest.mark.parametrize(
    ("failures", "status", "why"),
    [
        ({"swap": {"msg": "no room", "refused": [{"key": "/swapfile", "why": "sum"}]}}, "refused", None),
        ({"swap": {"msg": "Validation failed", "argument_errors": ["swap_devices: no list"]}}, "no_answer", "swap: swap_devices: no list"),
        ({"tunables": {"msg": "broke"}}, "no_answer", "tunables: broke"),
    ],
)
def test_the_task_that_ended_a_role_counts_even_if_the_role_did_not_keep_its_result(failures, status, why):
    document = host_document("web1", {"tunables": GOOD}, failures)

    assert (document["status"], document["why"]) == (status, why)


def test_a_failure_that_is_among_the_results_counts_once():
    failed = said(failed=True, msg="broke")

    assert host_document("web1", {"tunables": failed}, {"vm_tunables": failed})["why"] == "tunables: broke"


def test_each_key_has_a_row_with_all_faces_of_its_drift():
    keys = host_document("web1", {"tunables": DRIFTED})["keys"]

    assert [(key["key"], key["status"], [face["face"] for face in key["faces"]]) for key in keys] == [
        ("vm.max_map_count", "drift", ["running"]),
        ("vm.swappiness", "drift", ["running", "boot"]),
        ("vm.dirty_bytes", "compliant", []),
    ]


def test_a_host_of_which_nothing_was_kept_is_a_row_that_says_so(tmp_path):
    run = open_run(str(tmp_path))
    write_host(run, host_document("web1", {"tunables": GOOD}))

    report = fleet_document(read_host(run, host) for host in ("web1", "gone"))

    assert [(host["host"], host["status"]) for host in report["hosts"]] == [("gone", "no_answer"), ("web1", "compliant")]
    assert (report["asked"], report["answered"], report["compliant"]) == (2, 1, False)


@pytest.mark.parametrize(
    ("results", "compliant"),
    [({"tunables": GOOD}, True), ({}, True), ({"tunables": DRIFTED}, False), ({"tunables": said(failed=True, refused=[{"key": "a", "why": "b"}])}, False)],
)
def test_a_fleet_is_compliant_only_if_every_host_is(results, compliant):
    assert fleet_document([host_document("a", {"tunables": GOOD}), host_document("b", results)])["compliant"] is compliant


def test_junit_counts_drift_as_failure_an_unreachable_host_as_error_and_the_unsupported_as_skipped():
    documents = [
        host_document("a", {"tunables": DRIFTED}),
        host_document("b", {"tunables": {"unreachable": True, "msg": "no route"}}),
        host_document("c", {"tunables": said(unsupported=[{"key": "ksm.run", "why": "no KSM"}], compliant=["vm.x"])}),
    ]

    top = ElementTree.fromstring(junit(fleet_document(documents)).encode())

    assert {name: top.get(name) for name in ("tests", "failures", "errors", "skipped")} == {"tests": "6", "failures": "2", "errors": "1", "skipped": "1"}
    assert {suite.get("name"): suite.get("failures") for suite in top} == {"a": "2", "b": "0", "c": "0"}
    (failure,) = top.findall("testsuite[@name='a']/testcase[@name='vm.swappiness']/failure")
    assert failure.get("message") == "running: wanted 10, found 60; boot: wanted 10, found 60 (/etc/sysctl.d/99-x.conf)"


def test_hostile_text_stays_text_in_xml_markdown_and_on_the_terminal():
    result = said(
        changed=True,
        drift=[drift(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
        refused=[{"key": HOSTILE, "why": HOSTILE}],
        notes=[HOSTILE],
        failed=True,
        msg=HOSTILE,
    )
    report = fleet_document([host_document(f"a{HOSTILE}", {"tunables": result}), host_document("b", {}, failure=HOSTILE)])

    cases = ElementTree.fromstring(junit(report).encode()).findall("testsuite/testcase")
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown(report).encode("utf-8", "replace").decode())

    assert len(cases) == 3
    assert "<script>" not in page
    assert "<h1>head" not in page
    assert all(line.isprintable() for line, _colour in table(report))
