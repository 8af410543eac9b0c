"""What the host holds after all that: daemon.json, the slice, the daemons' scores, and who died."""

from __future__ import annotations

import json
import re

import pytest

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def unified(host) -> bool:
    return host.file("/sys/fs/cgroup/cgroup.controllers").exists


def inspected(host, name: str) -> dict:
    return json.loads(host.check_output(f"docker inspect {name}"))[0]


def memory(host, unified: bool, cgroup: str, v2: str, v1: str) -> str:
    top, name = ("/sys/fs/cgroup", v2) if unified else ("/sys/fs/cgroup/memory", v1)
    return host.check_output(f"cat {top}{cgroup}/{name}")


def cgroup(host, unified: bool, name: str) -> str:
    lines = host.check_output(f"cat /proc/{inspected(host, name)['State']['Pid']}/cgroup")
    return re.search(r"^0::(.*)$" if unified else r"^\d+:memory:(.*)$", lines, re.M)[1]


def test_daemon_json_has_what_is_wanted_behind_what_somebody_else_wrote(host):
    text = host.file("/etc/docker/daemon.json").content_string
    assert text.startswith('{\n    "labels": ["owner=somebody",  "rack=7"],\n    "shutdown-timeout": 20,\n    ')
    settings = json.loads(text)
    assert settings["live-restore"] is True
    assert settings["cgroup-parent"].lstrip("/") == "containers.slice"
    assert settings["log-opts"] == {"max-size": "10m", "max-file": "3"}
    assert settings["default-ulimits"] == {"nofile": {"Name": "nofile", "Hard": 4096, "Soft": 1024}}
    assert "oom-score-adjust" not in settings


def test_the_daemon_has_it_too(host):
    info = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert info["LiveRestoreEnabled"] is True
    assert sorted(info["Labels"]) == ["owner=somebody", "rack=7"]
    made = json.loads(host.check_output("docker inspect hog"))[0]["HostConfig"]
    assert made["ShmSize"] == 128 * MIB
    assert made["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}


def test_the_slice_bounds_all_containers(host, unified):
    assert memory(host, unified, "/containers.slice", "memory.max", "memory.limit_in_bytes") == str(256 * MIB)
    if unified:
        assert memory(host, unified, "/containers.slice", "memory.high", "") == str(255 * MIB)
    for name in ("shop", "worker"):
        assert cgroup(host, unified, name).startswith("/containers.slice/")


def test_dockerd_and_containerd_die_after_others(host):
    for name, score in (("dockerd", "-500"), ("containerd", "-999")):
        assert host.check_output(f"cat /proc/$(pidof {name})/oom_score_adj") == score
    assert host.check_output("systemctl show --value --property=OOMPolicy docker.service") == "continue"


def test_who_took_more_than_the_slice_allows_was_killed_in_it_and_nobody_else(host):
    assert inspected(host, "hog")["State"]["ExitCode"] == 137
    journal = host.check_output("journalctl --dmesg --output=cat")
    kills = re.findall(r"Memory cgroup out of memory: Killed process \d+ \((\w+)\)", journal)
    assert kills == ["dd"], kills
    assert "oom_memcg=/containers.slice," in journal
    assert " Out of memory: " not in journal
    for name in ("shop", "worker"):
        assert inspected(host, name)["State"]["Running"] is True


def test_a_person_on_the_host_is_told(host):
    page = host.file("/etc/memops/BASELINE.md").content_string
    assert "### `cgroup-parent` = " in page and "### `live-restore` = `true`" in page


def test_the_journal_holds_every_run(host):
    lines = host.file("/var/lib/memops/changes.jsonl").content_string.splitlines()
    runs = [entry["run"] for entry in map(json.loads, lines)]
    assert {"first", "limited", "missing", "empty", "killed"} <= set(runs)
