# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From diagnoses to role variables: the first that can be applied, the safer of two, and nothing that is not asked for."""

from __future__ import annotations

import itertools
import json
import pathlib

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose
from ansible_collections.memops.linux.plugins.plugin_utils.enforcement.merging import merged, variables
from ansible_collections.memops.linux.plugins.plugin_utils.enforcement.plan import host_plan, plans
from ansible_collections.memops.linux.plugins.plugin_utils.enforcement.plan_text import plan_lines
from ansible_collections.memops.linux.plugins.plugin_utils.enforcement.remedies import VARIABLES, Passed, Proposal, proposals, shape_error
from ansible_collections.memops.linux.plugins.plugin_utils.report.host_files import write_diagnosis
from ansible_collections.memops.linux.plugins.plugin_utils.report.run_folder import open_run
from ansible_collections.memops.linux.tests.unit.controller.enforcement.diagnoses import diagnosis, dirty, finding, incident, limit, remedy

MIB = 1 << 20
EVIDENCE = pathlib.Path(__file__).parents[2] / "fixtures/evidence"
SWAP = [{"kind": "file", "path": "/swapfile", "size_bytes": 64 * MIB}]


def applied(document, **choice):
    return variables(merged(one for one in proposals(document, **choice) if isinstance(one, Proposal)))


def refused(document):
    return {setting.key: setting.refused for setting in merged(proposals(document)) if setting.refused}


def passed(document, **choice):
    return [one.why for one in proposals(document, **choice) if isinstance(one, Passed)]


@pytest.fixture
def run(tmp_path):
    return open_run(str(tmp_path / "reports"))


def test_of_alternatives_the_first_that_a_role_can_apply_is_taken():
    by_hand, first, second = remedy(), remedy("swap_devices", SWAP), remedy("vm_tunables_overrides", {"vm.swappiness": 10})

    assert applied(diagnosis(incident("no_swap", by_hand, first, second))) == {"swap_devices": SWAP}


def test_the_variables_that_are_allowed_choose_another_alternative():
    document = diagnosis(incident("no_swap", remedy("swap_devices", SWAP), remedy("vm_tunables_overrides", {"vm.swappiness": 10})))

    assert applied(document, variables=["vm_tunables_overrides"]) == {"vm_tunables_overrides": {"vm.swappiness": 10}}


@pytest.mark.parametrize(
    ("document", "choice", "why"),
    [
        (diagnosis(incident("leak", remedy())), {}, "a person has to make the change"),
        (diagnosis(incident(None)), {}, "its cause is not known"),
        (diagnosis(dirty(MIB)), {"causes": ["no_swap"]}, "its cause is not among those asked for"),
        (diagnosis(dirty(MIB)), {"variables": ["swap_devices"]}, "vm_tunables_overrides is not among the variables asked for"),
        (diagnosis({**dirty(MIB), "confidence": "possible"}), {}, "-e enforce_confidence=possible takes it too"),
        (diagnosis({**dirty(MIB), "confidence": "probable"}), {"confidence": "certain"}, "its cause is only probable"),
        (diagnosis(findings=(finding("no_swap", remedy("swap_devices", SWAP), severity="note"),)), {}, "it is a note, not a risk"),
        (diagnosis(incident("swap_exhausted", remedy("oom_protection_units", [{"name": "a.service"}]))), {}, "how much is for a person to decide"),
        (diagnosis(incident("no_swap", remedy("ansible_connection", "local"))), {}, "no role takes 'ansible_connection'"),
    ],
)
def test_what_is_not_applied_says_why(document, choice, why):
    assert applied(document, **choice) == {}
    assert len(passed(document, **choice)) == 1
    assert why in passed(document, **choice)[0]


def test_a_finding_that_is_a_risk_is_applied_like_an_incident():
    assert applied(diagnosis(findings=(finding("no_swap", remedy("swap_devices", SWAP)),))) == {"swap_devices": SWAP}


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ((dirty(8 * MIB), dirty(4 * MIB), dirty(16 * MIB)), {"vm_tunables_overrides": {"vm.dirty_background_bytes": 2 * MIB, "vm.dirty_bytes": 4 * MIB}}),
        (
            (limit("a", 64 * MIB), limit("b", MIB), limit("a", 96 * MIB)),
            {"docker_memory_container_limits": [{"name": "a", "memory_bytes": 96 * MIB}, {"name": "b", "memory_bytes": MIB}]},
        ),
        (
            (incident("x", remedy("docker_memory_slice_max_bytes", 10 * MIB)), incident("y", remedy("docker_memory_slice_max_bytes", 9 * MIB))),
            {"docker_memory_slice_max_bytes": 9 * MIB},
        ),
        (
            (
                incident("hog_protected", remedy("oom_protection_units", [{"process": "java", "oom_score_adj": 0}])),
                incident("working_set_over_limit", remedy("oom_protection_units", [{"name": "a.service", "memory_max_bytes": MIB}])),
                incident("hog_protected", remedy("oom_protection_units", [{"process": "java", "oom_score_adj": 0}])),
            ),
            {"oom_protection_units": [{"name": "a.service", "memory_max_bytes": MIB}, {"process": "java", "oom_score_adj": 0}]},
        ),
    ],
)
def test_many_incidents_make_one_value_and_of_two_values_the_safer_is_taken_in_any_order(asked, wanted):
    for order in itertools.permutations(asked):
        assert applied(diagnosis(*order)) == wanted


def test_where_neither_value_is_known_to_be_safer_neither_is_set_and_the_rest_is():
    document = diagnosis(
        incident("x", remedy("vm_tunables_overrides", {"vm.swappiness": 10})),
        incident("y", remedy("vm_tunables_overrides", {"vm.swappiness": 80, "vm.panic_on_oom": 0})),
    )

    assert applied(document) == {"vm_tunables_overrides": {"vm.panic_on_oom": 0}}
    assert "incidents ask for 10 and 80" in refused(document)["vm.swappiness"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("vm_tunables_overrides", {}),
        ("vm_tunables_overrides", ["vm.swappiness"]),
        ("vm_tunables_overrides", {"vm.swappiness": {"a": 1}}),
        ("vm_tunables_overrides", {"../x": 1}),
        ("vm_tunables_overrides", {"vm.swappiness\n": 1}),
        ("vm_tunables_overrides", {"vm.swappiness": "1\n2"}),
        ("docker_memory_slice_max_bytes", "9"),
        ("docker_memory_slice_max_bytes", True),
        ("docker_memory_slice_max_bytes", -1),
        ("docker_memory_container_limits", []),
        ("docker_memory_container_limits", {"name": "a"}),
        ("docker_memory_container_limits", [{"memory_bytes": 1}]),
        ("docker_memory_container_limits", [{"name": "a\x1b", "memory_bytes": 1}]),
        ("docker_memory_container_limits", [{"name": "a", "memory_bytes": [1]}]),
        ("swap_devices", ["/swapfile"]),
    ],
)
def test_a_value_of_another_shape_becomes_nothing(variable, value):
    assert shape_error(variable, value)
    assert applied(diagnosis(incident("x", remedy(variable, value)))) == {}


def test_every_remedy_of_the_recorded_faults_that_names_a_variable_can_be_applied_or_says_why_not():
    seen = set()
    for path in sorted(EVIDENCE.glob("*/*.json")):
        document = diagnose(json.loads(path.read_text())["evidence"])
        for one in [*proposals(document, confidence="possible"), *proposals(document, variables=["docker_memory_slice_max_bytes"])]:
            if isinstance(one, Proposal):
                seen.add(one.variable)
            else:
                assert "cannot be applied as it stands" not in one.why or "how much is for a person to decide" in one.why, (path, one)
    assert seen == set(VARIABLES)


def test_a_plan_says_what_why_at_which_risk_and_from_which_diagnosis(run):
    path = write_diagnosis(run, "web1", diagnosis(dirty(8 * MIB), dirty(4 * MIB), incident("no_swap", remedy("swap_devices", SWAP, "none is there", "slow"))))

    plan = host_plan(run, "web1")

    assert plan["roles"] == ["vm_tunables", "swap"]
    assert plan["diagnosis"] == path
    assert plan["reasons"] == {"vm_tunables": "remedy for dirty_page_cache (2)", "swap": "remedy for no_swap"}
    by_key = {row["key"]: row for row in plan["rows"]}
    assert by_key["vm.dirty_bytes"]["chosen"] == f"of {4 * MIB} and {8 * MIB} the smaller one, for it holds in the smaller cgroup too"
    assert by_key["vm.dirty_bytes"]["asked_by"] == ["incidents[0]", "incidents[1]"]
    assert (by_key["/swapfile: size_bytes"]["why"], by_key["/swapfile: size_bytes"]["risk"]) == ("none is there", "slow")


def test_only_hosts_that_the_report_names_have_a_plan_and_the_others_are_named(run):
    for host in ("web1", "db1"):
        write_diagnosis(run, host, diagnosis(dirty(MIB), host=host))

    made, others = plans(run, ["web1", "web2"])

    assert list(made) == ["web1"]
    assert others == ["db1"]


@pytest.mark.parametrize("document", [[], {"schema": "memops.diagnosis/2", "host": "web1"}, diagnosis(host="web2")])
def test_a_document_that_is_no_diagnosis_of_the_host_is_an_error(run, document):
    write_diagnosis(run, "web1", document)

    with pytest.raises(ValueError, match="no diagnosis of it"):
        host_plan(run, "web1")


def test_names_of_hosts_cannot_act_on_the_terminal_that_shows_the_plan(run):
    name = "shop\x1b[2J{{ 7*7 }}"
    document = diagnosis(dirty(MIB), incident("leak", remedy(), confidence="certain"))
    document["incidents"][0]["remedies"][0]["why"] = name
    write_diagnosis(run, "web1", document)

    lines = [line for line, _colour in plan_lines([host_plan(run, "web1")], 120)]

    assert all(line.isprintable() for line in lines)
    assert any("vm.dirty_bytes" in line and str(MIB) in line for line in lines)
    assert any("left: leak" in line for line in lines)
