"""What the host itself holds after the kill, and whether the diagnosis says the same."""

from __future__ import annotations

import json
import os
import pathlib
import re

import pytest

LIMIT_BYTES = 64 * 1024 * 1024
UNIT = "memops-outgrows.service"


@pytest.fixture(scope="module")
def diagnosis() -> dict:
    reports = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "reports"
    return json.loads((reports / "latest/hosts/bookworm/diagnosis.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def killed_pid(host) -> int:
    """The victim by the host's own journal."""
    journal = host.check_output("journalctl --dmesg --output=cat")
    kills = re.findall(r"Memory cgroup out of memory: Killed process (\d+) \(python3\)", journal)
    assert len(kills) == 1, journal[-2000:]
    return int(kills[0])


def test_the_kernel_killed_the_service_at_its_own_limit_and_nothing_else(host, killed_pid):
    journal = host.check_output("journalctl --dmesg --output=cat")
    assert f"oom_memcg=/system.slice/{UNIT},task_memcg=/system.slice/{UNIT},task=python3,pid={killed_pid}" in journal
    counters = dict(line.split() for line in host.check_output("cat /proc/vmstat").splitlines())
    assert counters["oom_kill"] == "1"


def test_the_service_manager_saw_an_oom_kill(host):
    assert host.check_output(f"systemctl show --value --property=Result {UNIT}") == "oom-kill"


def test_the_host_has_cgroup_v2_and_is_well_again(host):
    assert host.file("/sys/fs/cgroup/cgroup.controllers").exists
    assert host.check_output("systemctl is-active ssh.service") == "active"


def test_the_diagnosis_names_kind_cause_victim_and_limit(diagnosis, killed_pid):
    assert diagnosis["verdict"]["code"] == "memory"
    assert diagnosis["verdict"]["confidence"] == "certain"
    assert len(diagnosis["incidents"]) == 1
    incident = diagnosis["incidents"][0]
    assert (incident["kind"], incident["cause"]) == ("memcg_oom", "working_set_over_limit")
    assert incident["victim"]["pid"] == killed_pid
    assert incident["unit"] == UNIT
    assert incident["memory"]["total_bytes"] == LIMIT_BYTES


def test_every_quote_stands_in_the_host_s_journal(host, diagnosis):
    journal = host.check_output("journalctl --output=cat")
    quotes = [quote["text"] for quote in diagnosis["incidents"][0]["quotes"]]
    assert quotes
    for text in quotes:
        assert text.strip() in journal
