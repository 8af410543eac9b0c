"""What is sent to people: short, plain, and harmless whatever a process is called."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.memops.linux.plugins.plugin_utils.respond import notice, proposal, response


def told(**changes: Any) -> dict[str, Any]:
    alert = {
        "name": "HostOomKill",
        "labels": {"severity": "critical"},
        "annotations": {"summary": "s"},
        "fingerprint": None,
        "problems": [],
        "started_at": None,
    }
    made = response.begun("web1", "/reports/x", alert, "remediate", "60m", "2026-11-25T12:00:00Z")
    verdict = {"code": "memory", "confidence": "certain", "summary": "it died", "kind": "memcg_oom", "cause": "dirty_page_cache", "incidents": 2}
    return {**made, "verdict": verdict, "attempts": 1, **changes}


def diagnosis(action: str = "Let writers wait.", command: str | None = "sysctl -w vm.dirty_bytes=8") -> dict[str, Any]:
    return {"verdict": {"incident": 0}, "incidents": [{"remedies": [{"action": action, "command": command}]}], "findings": []}


def remediation(outcome: str, **more: Any) -> dict[str, Any]:
    rows = [{"variable": "vm_tunables_overrides", "key": "vm.dirty_bytes", "value": 8}]
    return {**response.remediation_begun("x-respond", rows, "ansible-playbook undo"), "outcome": outcome, **more}


def test_a_notice_has_the_verdict_the_alert_the_cause_the_remedy_and_the_report():
    sent = notice.notice(told(), diagnosis())

    assert sent.title == "web1: memory (HostOomKill)"
    assert sent.text.splitlines() == [
        "it died",
        "Alert: HostOomKill (critical): s",
        "Cause: dirty_page_cache (certain), the newest of 2 in 60m",
        "Remedy: Let writers wait.",
        "By hand: sysctl -w vm.dirty_bytes=8",
        "Report: /reports/x/report.html",
    ]
    assert sent.kind == "failure"


@pytest.mark.parametrize(
    ("outcome", "title", "line", "kind"),
    [
        ("applied", "remedied", "Set: vm.dirty_bytes = 8", "success"),
        ("not_now", "memory", "Nothing was changed: too often", "failure"),
        ("rolled_back", "remedy failed and was taken back", "Rolled back: vm.dirty_bytes = 8: too often", "failure"),
        ("rollback_failed", "REMEDY FAILED AND COULD NOT BE TAKEN BACK", "Rollback failed: vm.dirty_bytes = 8: too often", "failure"),
        ("refused", "memory", "Refused: vm.dirty_bytes = 8: too often", "failure"),
    ],
)
def test_a_notice_says_what_was_changed(outcome, title, line, kind):
    sent = notice.notice(told(remediation=remediation(outcome, why="too often" if outcome != "applied" else None)), diagnosis())

    assert sent.title == f"web1: {title} (HostOomKill)"
    assert line in sent.text.splitlines()
    assert ("To take it back: ansible-playbook undo" in sent.text) == (outcome in ("applied", "rollback_failed"))
    assert sent.kind == kind


def test_a_command_that_could_not_be_sent_as_it_is_is_not_sent():
    sent = notice.notice(told(), diagnosis(command="docker update '<!channel>'"))

    assert "By hand: see the report" in sent.text


@pytest.mark.parametrize(
    "hostile",
    [
        "<!channel>",
        "<@U012>",
        "@everyone",
        "@here",
        "[click](https://e.test)",
        "<a href='x'>",
        "`x`",
        "\x1b[31m",
        "a\nReport: /evil",
        "\u202e",
        "\ud800",
        "||x||",
    ],
)
def test_names_of_processes_and_labels_call_nobody_and_are_no_markup(hostile):
    alert = {**told()["alert"], "severity": hostile, "summary": hostile}
    verdict = {**told()["verdict"], "summary": hostile, "cause": hostile}
    units = [{"unit": hostile, "active": hostile, "result": hostile, "since": hostile}]

    sent = notice.notice(told(alert=alert, verdict=verdict, units=units, remediation=remediation("rolled_back", why=hostile)), diagnosis(action=hostile))

    plain = notice.notice(told(units=[{"unit": "u", "active": "a", "result": "r", "since": "s"}], remediation=remediation("rolled_back", why="w")), diagnosis())
    assert len(sent.text.splitlines()) == len(plain.text.splitlines())
    assert not set("<>@`[]|\x1b\u202e\ud800") & set(sent.text.replace("[31m", ""))
    assert "://" not in sent.text
    assert sent.text.splitlines()[-1] == "Report: /reports/x/report.html"


@given(st.text(max_size=2000))
def test_a_notice_of_whatever_text_is_bounded_and_can_be_sent(text):
    sent = notice.notice(told(verdict={**told()["verdict"], "summary": text}, host=text), diagnosis(action=text, command=text))

    assert len(sent.title) <= notice.TITLE_CHARACTERS
    assert len(sent.text) <= notice.TEXT_CHARACTERS
    assert json.loads(json.dumps((sent.title + sent.text).encode("utf-8").decode()))


def test_a_proposal_is_yaml_whose_texts_are_no_templates_and_whose_comments_stay_comments():
    plan = {
        "host": "web1",
        "variables": {"docker_memory_container_limits": [{"name": "{{ lookup('pipe', 'x') }}", "memory_bytes": 7}]},
        "rows": [{"variable": "v", "key": "k\nowned: true", "value": 7, "why": "w\nowned: true", "risk": "r\r\nowned: true"}],
    }

    text = proposal.variables_file(plan, proposal.command(["/a b/hosts.yml"], "/reports/x", "web1"))

    class Loader(yaml.SafeLoader):
        """Knows what Ansible knows."""

    Loader.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))
    assert yaml.load(text, Loader) == {"docker_memory_container_limits": [{"memory_bytes": 7, "name": ("unsafe", "{{ lookup('pipe', 'x') }}")}]}
    assert "ansible-playbook memops.linux.enforce -i '/a b/hosts.yml' -e enforce_from=/reports/x --limit web1" in text


def test_a_folder_with_a_blank_in_its_name_is_given_to_the_command_whole():
    assert proposal.command([], "/my reports/x", "web1") == """ansible-playbook memops.linux.enforce -e '{"enforce_from": "/my reports/x"}' --limit web1"""


def test_units_that_the_host_does_not_have_are_left_out():
    said = (
        "Id=prometheus-node-exporter.service\nLoadState=loaded\nActiveState=failed\nSubState=failed\nResult=oom-kill\nStateChangeTimestamp=Wed 2026-11-25\n\n"
        "Id=node_exporter.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nResult=success\nStateChangeTimestamp=\n"
    )

    assert response.units(said) == [{"unit": "prometheus-node-exporter.service", "active": "failed failed", "result": "oom-kill", "since": "Wed 2026-11-25"}]
    assert response.units("") == response.units("System has not been booted with systemd as init system (PID 1).\n") == []
