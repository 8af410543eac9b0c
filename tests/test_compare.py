"""Before and after by the playbook: from two directories no host is touched, and the documents keep to their schemas."""

from __future__ import annotations

import copy
import datetime
import json
import pathlib

import jsonschema
import pytest
from checkout import COLLECTION, ansible

EVIDENCE = json.loads((COLLECTION / "tests/unit/fixtures/evidence/bookworm-6.1/memcg_anon.json").read_text())["evidence"]
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def valid(name: str, path: pathlib.Path) -> dict:
    document = json.loads(path.read_text())
    jsonschema.Draft202012Validator(json.loads((COLLECTION / f"docs/schemas/{name}-1.schema.json").read_text())).validate(document)
    return document


def folder(path: pathlib.Path, **by_host) -> str:
    for host, evidence in by_host.items():
        (path / f"hosts/{host}").mkdir(parents=True)
        (path / f"hosts/{host}/evidence.json").write_text(json.dumps({**evidence, "schema": "memops.evidence/1"}))
    return str(path)


def later(evidence: dict, seconds: int) -> dict:
    document = copy.deepcopy(evidence)
    document["uptime_seconds"] += seconds
    document["collected_at"] = (datetime.datetime.fromisoformat(evidence["collected_at"]) + datetime.timedelta(seconds=seconds)).isoformat()
    return document


def counted(evidence: dict, kills: int) -> dict:
    document = copy.deepcopy(evidence)
    document["memory"] = {"vmstat": {"events": {"oom_kill": kills}}}
    return document


@pytest.fixture
def compare(tmp_path):
    """Run the playbook; gives (exit status, output, the newest comparison)."""

    def run(*arguments: str):
        told = ansible("ansible-playbook", "playbooks/compare.yml", "-e", f"compare_report_dir={tmp_path}/compare", *arguments, home=tmp_path)
        path = tmp_path / "compare/latest/compare.json"
        return told.returncode, told.stdout + told.stderr, valid("comparison", path) if path.exists() else None

    return run


def test_two_directories_are_compared_without_an_inventory(compare, tmp_path):
    first = counted(EVIDENCE, 9)
    before = folder(tmp_path / "a", web1=first, web2=first)
    after = folder(tmp_path / "b", web1=later(first, 90000), web2=later(counted(EVIDENCE, 90000), 90000), new=first)

    status, output, document = compare("-e", f"compare_before={before}", "-e", f"compare_after={after}")

    assert status == 0, output
    kills = {row["host"]: row["measures"][0]["verdict"] if row["measures"] else row["why"] for row in document["hosts"]}
    assert kills == {"web1": "better", "web2": "worse", "new": "there is no evidence of it before"}
    assert "oom_kills" in (tmp_path / "compare/latest/compare.md").read_text()


def test_older_evidence_is_compared_with_what_this_machine_says_now(compare, tmp_path):
    hosts = tmp_path / "hosts.yml"
    hosts.write_text(json.dumps({"all": {"hosts": {"here": LOCAL}}}))
    before = folder(tmp_path / "a", here=EVIDENCE)

    status, output, document = compare("-i", str(hosts), "-e", f"compare_before={before}", "-e", f"diagnose_report_dir={tmp_path}/reports")

    assert status == 0, output
    assert [(row["host"], row["rebooted"]) for row in document["hosts"]] == [("here", True)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Name the report directory with the older evidence with -e compare_before=DIR"),
        (("-e", "compare_before=/nowhere", "-e", "compare_after=/nowhere"), "/nowhere is no report directory"),
    ],
)
def test_a_directory_that_is_missing_is_named(compare, arguments, told):
    status, output, _document = compare("-i", "localhost,", *arguments)

    assert status != 0
    assert told in output
    assert "Traceback" not in output
