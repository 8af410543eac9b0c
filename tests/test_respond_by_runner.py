"""The same runbooks through ansible-runner, so that AWX and other schedulers can start them."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from checkout import ROOT
from responding import response

LOCAL = '{ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}'


@pytest.fixture
def job(tmp_path):
    """A job's folder with an inventory and the checkout as its project."""
    (tmp_path / "job/inventory").mkdir(parents=True)
    (tmp_path / "job/inventory/hosts.yml").write_text(f"all: {{hosts: {{web1: {LOCAL}, web2: {LOCAL}}}}}")
    (tmp_path / "job/project").symlink_to(ROOT)
    return tmp_path / "job"


def run(job: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess:
    beside = pathlib.Path(sys.executable).parent
    environment = {
        "PATH": f"{beside}:{os.environ['PATH']}",
        "HOME": str(job.parent),
        "LANG": "C.UTF-8",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),  # else ignored where a folder above is writable by all
        "RESPOND_REPORT_DIR": str(job.parent / "reports"),
        "RESPOND_STATE_DIR": str(job.parent / "state"),
    }
    words = [str(beside / "ansible-runner"), "run", str(job), "-p", "runbooks/HostOomKill/run.yml", "--ident", "one", *arguments]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_a_job_of_ansible_runner_leaves_the_same_response(job):
    told = run(job, "--limit", "web1")

    document = response(job.parent / "reports", "web1")
    assert told.returncode == 0, told.stdout + told.stderr
    assert (job / "artifacts/one/status").read_text() == "successful"
    assert document["decision"]["code"] == "observed"
    assert not (job.parent / "reports/latest/hosts/web2").exists()


def test_a_limit_that_matches_no_host_is_a_failure_that_diagnoses_nobody(job):
    told = run(job, "--limit", "nobody")

    assert told.returncode != 0
    assert not (job.parent / "reports").exists()


def test_addresses_of_those_to_tell_stand_in_no_artifact(job):
    variables = job / "inventory/group_vars"
    variables.mkdir()
    (variables / "all.yml").write_text(json.dumps({"respond_notify_urls": ["json://127.0.0.1:9/secret-token"]}))

    told = run(job, "--limit", "web1", "-vvv")

    kept = [path for path in (job / "artifacts").rglob("*") if path.is_file()]
    assert told.returncode == 0, told.stdout
    assert len(kept) > 10
    assert [path for path in kept if "secret-token" in path.read_text(errors="replace")] == []
    assert response(job.parent / "reports", "web1")["notifications"][0]["sent"] is False
