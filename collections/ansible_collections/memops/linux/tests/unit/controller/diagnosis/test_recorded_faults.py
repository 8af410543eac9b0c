# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults that were made on real kernels: of the evidence collected then, the diagnosis says what was done.

fixtures/evidence/PLATFORM/FAULT.json: {killed: pids of those that died or, of several alike, may have, evidence},
recorded in virtual machines and trimmed. The catalogue says what is expected.
"""

from __future__ import annotations

import json
import pathlib

import jsonschema
import pytest

from ansible_collections.memops.linux.plugins.module_utils.memory_fault.catalogue import FAULTS
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose

COLLECTION = pathlib.Path(__file__).parents[4]
RECORDED = sorted((COLLECTION / "tests/unit/fixtures/evidence").glob("*/*.json"))
SCHEMA = jsonschema.Draft202012Validator(json.loads((COLLECTION / "docs/schemas/diagnosis-1.schema.json").read_text()))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_diagnosis_names_the_fault_that_was_made(path):
    recorded, fault = json.loads(path.read_text()), FAULTS[path.stem]
    expect = {**fault["expect"], **fault.get("expect_on", {}).get(path.parent.name, {})}

    diagnosis = diagnose(recorded["evidence"])

    SCHEMA.validate(diagnosis)
    verdict = diagnosis["verdict"]
    lead = diagnosis["incidents"][verdict["incident"]] if verdict["incident"] is not None else None
    assert verdict["code"] == expect["verdict"]
    assert (lead["kind"] in expect["kinds"]) if expect["kinds"] else lead is None
    if expect["kinds"]:
        assert lead["cause"] in (expect["causes"] or [None])
    if expect["findings"]:
        assert {finding["cause"] for finding in diagnosis["findings"]} & set(expect["findings"])
    if expect["victims"]:
        alike = [one for one in diagnosis["incidents"] if (one["kind"], one["cause"]) == (lead["kind"], lead["cause"])]
        told = [_concerned(one) for one in (alike if expect.get("others_too") else [lead])]
        assert any(one["process"] in expect["victims"] and _died(one["pid"], recorded) for one in told)


def _concerned(incident):
    return incident["victim"] if (incident["victim"] or {}).get("process") else incident["trigger"] or {"process": None, "pid": None}


def _died(pid, recorded):
    return pid is None or not recorded["killed"] or pid in recorded["killed"]
