"""What the end-to-end tests share: the playbook's run and the schemas."""

from __future__ import annotations

import json
import pathlib

import jsonschema
import pytest
from checkout import COLLECTION, ansible


@pytest.fixture
def diagnose(tmp_path, valid):
    """Run the diagnosis playbook from the checkout; gives (exit status, output, report folder).

    Every document that a run leaves is held against its schema.
    """

    def run(inventory: str, *arguments: str, reports: pathlib.Path | None = None):
        reports = reports or tmp_path / "reports"
        hosts = tmp_path / "hosts.yml"
        hosts.write_text(inventory)
        told = ansible("ansible-playbook", "playbooks/diagnose.yml", "-i", str(hosts), "-e", f"diagnose_report_dir={reports}", *arguments, home=tmp_path)
        for path in reports.glob("latest/hosts/*/*.json"):
            valid(path)
        return told.returncode, told.stdout + told.stderr, reports / "latest"

    return run


@pytest.fixture
def valid():
    """Read a document and hold it against its schema."""
    validators = {
        name: jsonschema.Draft202012Validator(json.loads((COLLECTION / f"docs/schemas/{name}-1.schema.json").read_text()))
        for name in ("evidence", "diagnosis")
    }

    def read(path: pathlib.Path):
        document = json.loads(path.read_text())
        validators[path.stem].validate(document)
        return document

    return read
