"""A fleet in which something is always broken: every host has its row, and the run says what is wrong."""

from __future__ import annotations

import json
import pathlib

import pytest
from checkout import COLLECTION, ROOT, ansible

LOCAL = '{ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}'
FLEET = f"""
all:
  hosts:
    good: {LOCAL}
    nopython: {{ansible_connection: local, ansible_python_interpreter: /nowhere/python3}}
    gone: {{ansible_host: 127.0.0.1, ansible_port: 1, ansible_ssh_common_args: "-o ConnectTimeout=3 -o ControlMaster=no -o ControlPath=none"}}
"""


def rows(latest: pathlib.Path) -> dict:
    return {row["host"]: row for row in json.loads((latest / "report.json").read_text())["hosts"]}


def test_a_host_that_is_unreachable_and_one_without_python_are_rows_and_the_others_are_diagnosed(diagnose):
    status, output, latest = diagnose(FLEET)

    found = rows(latest)
    assert set(found) == {"good", "nopython", "gone"}, output
    assert found["good"]["verdict"]["code"] != "no_evidence"
    assert "unreachable" in found["gone"]["verdict"]["summary"]
    assert found["nopython"]["verdict"]["code"] == "no_evidence"
    assert "/nowhere/python3" in found["nopython"]["verdict"]["summary"]
    assert status == 0
    assert "Traceback" not in output


def test_a_run_in_which_no_host_answered_is_a_failure_with_a_report(diagnose):
    status, output, latest = diagnose("all: {hosts: {nopython: {ansible_connection: local, ansible_python_interpreter: /nowhere/python3}}}")

    assert status != 0
    assert rows(latest)["nopython"]["verdict"]["code"] == "no_evidence"
    assert "none of the 1 hosts gave evidence" in output


def test_a_report_directory_that_cannot_be_written_is_said_before_any_host_is_touched(diagnose, tmp_path):
    (tmp_path / "file").write_text("not a folder")

    status, output, _latest = diagnose(FLEET, reports=tmp_path / "file" / "reports")

    assert status != 0
    assert str(tmp_path / "file" / "reports") in output
    assert "diagnose_report_dir" in output
    assert "Collect evidence" not in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("diagnose_since=yesterday", "neither an age such as 24h"),
        ('{"diagnose_subset": ["disk"]}', "unknown subset 'disk'"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_allowed(diagnose, argument, told):
    status, output, latest = diagnose(f"all: {{hosts: {{good: {LOCAL}}}}}", "-e", argument)

    assert status != 0
    assert told in rows(latest)["good"]["verdict"]["summary"]
    assert "Traceback" not in output


def test_a_pattern_that_matches_no_host_is_no_success(diagnose):
    status, output, _latest = diagnose(FLEET, "-e", "target=webb")

    assert status != 0
    assert "webb" in output


def test_a_limit_works_without_localhost_in_it(diagnose):
    status, output, latest = diagnose(FLEET, "--limit", "good")

    assert status == 0, output
    assert set(rows(latest)) == {"good"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The collection, built and installed as a user does it, with no other collection."""
    home = tmp_path_factory.mktemp("home")
    built = ansible("ansible-galaxy", "collection", "build", str(COLLECTION), "--output-path", str(home), home=home, cwd=home)
    assert built.returncode == 0, built.stderr
    (tarball,) = home.glob("memops-linux-*.tar.gz")
    placed = ansible("ansible-galaxy", "collection", "install", str(tarball), home=home, cwd=home)
    assert placed.returncode == 0, placed.stderr
    return home


def test_the_installed_collection_works_without_the_checkout(installed):
    inventory = installed / "hosts.yml"
    inventory.write_text(f"all: {{hosts: {{good: {LOCAL}}}}}")

    told = ansible("ansible-playbook", "memops.linux.diagnose", "-i", str(inventory), home=installed, cwd=installed)

    assert told.returncode == 0, told.stdout + told.stderr
    assert set(rows(installed / "reports/latest")) == {"good"}


def test_the_tarball_holds_the_product_and_no_test(installed):
    folder = installed / ".ansible/collections/ansible_collections/memops/linux"

    for name in ("playbooks/diagnose.yml", "docs/schemas/evidence-1.schema.json", "plugins/action/evidence_info.py", "meta/runtime.yml"):
        assert (folder / name).is_file()
    assert not (folder / "tests").exists()


def test_the_links_of_the_checkout_lead_into_the_collection():
    assert (ROOT / "playbooks").resolve() == COLLECTION / "playbooks"
    assert (ROOT / "roles").resolve() == COLLECTION / "roles"
