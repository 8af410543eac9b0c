"""The whole path on a real kernel: a process is OOM-killed here, and the playbook must name it."""

from __future__ import annotations

import contextlib
import json
import os
import stat

import oom_kill
import pytest

#: Kills on one machine are seen by all who look at it at the time.
pytestmark = pytest.mark.xdist_group("this machine")
LOCALHOST = """
all:
  hosts:
    localhost:
      ansible_connection: local
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
"""


@pytest.fixture
def killed():
    """Kill a process named so in a cgroup of its own; gives (pid, path of the cgroup)."""
    with contextlib.ExitStack() as stack:

        def kill(name):
            if os.geteuid() or not oom_kill.kernel_log_is_readable():
                pytest.skip("needs root and a readable kernel log")
            try:
                group = stack.enter_context(oom_kill.limited_cgroup())
                return oom_kill.kill_in(group, name), "/" + group.name
            except oom_kill.CannotKill as reason:
                pytest.skip(str(reason))

        yield kill


def test_a_real_oom_kill_is_found_and_named_with_victim_limit_and_cause(diagnose, killed, valid):
    pid, cgroup = killed("hungry")

    status, output, latest = diagnose(LOCALHOST, "-e", "diagnose_since=10m")

    assert status == 0, output
    diagnosis = valid(latest / "hosts/localhost/diagnosis.json")
    incident = next(item for item in diagnosis["incidents"] if (item["victim"] or {}).get("pid") == pid)
    assert (incident["kind"], incident["cause"], incident["confidence"]) == ("memcg_oom", "working_set_over_limit", "certain")
    assert (incident["victim"]["process"], incident["cgroup"], incident["complete"]) == ("hungry", cgroup, True)
    assert incident["memory"]["total_bytes"] == oom_kill.LIMIT_BYTES
    assert diagnosis["verdict"]["code"] == "memory"
    assert any(f"Killed process {pid} (hungry)" in quote["text"] for quote in incident["quotes"])
    valid(latest / "hosts/localhost/evidence.json")
    assert f"{latest.resolve()}/report.html" in output


def test_a_hostile_process_name_is_shown_and_never_interpreted(diagnose, killed, valid):
    pid, _cgroup = killed("{{7*7}}\x1b[31m<b>")

    status, output, latest = diagnose(LOCALHOST, "-e", "diagnose_since=10m")

    assert status == 0, output
    diagnosis = valid(latest / "hosts/localhost/diagnosis.json")
    victims = [item["victim"]["process"] for item in diagnosis["incidents"] if (item["victim"] or {}).get("pid") == pid]
    assert len(victims) == 1
    assert victims[0].startswith("{{7*7}}")
    assert "\x1b[31m<b>" not in output
    assert "49" not in victims[0]


def test_every_document_of_a_run_is_private_and_valid(diagnose, valid):
    status, output, latest = diagnose(LOCALHOST)

    assert status == 0, output
    files = [path for path in latest.resolve().rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"report.json", "report.md", "report.html", "evidence.json", "diagnosis.json"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    evidence = valid(latest / "hosts/localhost/evidence.json")
    valid(latest / "hosts/localhost/diagnosis.json")
    assert evidence["host"] == "localhost"
    assert evidence["processes"]["count"] > 1
    assert evidence["memory"]["meminfo"]["mem_total_bytes"] > 0


def test_check_mode_is_the_same_as_a_real_run(diagnose):
    status, output, latest = diagnose(LOCALHOST, "--check", "--diff")

    assert status == 0, output
    assert json.loads((latest / "report.json").read_text())["answered"] == 1
    assert "changed=0" in output


def test_only_the_sections_that_were_asked_for_are_gathered(diagnose, valid):
    status, output, latest = diagnose(LOCALHOST, "-e", '{"diagnose_subset": ["memory", "swap"]}')

    assert status == 0, output
    evidence = valid(latest / "hosts/localhost/evidence.json")
    assert evidence["subset"] == ["memory", "swap"]
    assert "processes" not in evidence
