"""Every alert has a runbook that is complete, and every runbook has an alert."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml
from checkout import COLLECTION, ROOT, ansible

from ansible_collections.memops.linux.plugins.module_utils.collection.window import seconds_back
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.causes.catalogue import RULES
from ansible_collections.memops.linux.plugins.plugin_utils.respond.alert import is_name

RUNBOOKS = ROOT / "runbooks"
HEADINGS = ["Meaning", "Impact", "What runs by itself", "What to decide", "How to go on"]
CATALOGUE = yaml.safe_load((RUNBOOKS / "alerts/catalogue.yml").read_text())
ALERTS = {alert["alert"]: alert for group in CATALOGUE["groups"] for alert in group["alerts"]}
RULES_FILE = yaml.safe_load((RUNBOOKS / "alerts/memory.rules.yml").read_text())
METRICS = set(re.findall(r"`(memops_\w+)`", (RUNBOOKS / "alerts/metrics.md").read_text()))
FOLDERS = sorted(path.name for path in RUNBOOKS.iterdir() if path.is_dir() and path.name not in ("alerts", "dashboards"))


def readme(name: str) -> str:
    return (RUNBOOKS / name / "README.md").read_text()


def test_there_is_a_runbook_for_each_alert_and_an_alert_for_each_runbook():
    assert set(FOLDERS) == set(ALERTS)
    assert all(is_name(name) for name in FOLDERS)


@pytest.mark.parametrize("rule", [rule for group in RULES_FILE["groups"] for rule in group["rules"]], ids=lambda rule: rule["alert"])
def test_an_alerts_address_leads_to_its_runbook(rule):
    path = rule["annotations"]["runbook_url"].removeprefix(CATALOGUE["variables"]["runbook_base_url"]["value"] + "/")

    assert path == f"{rule['alert']}/README.md"
    assert (RUNBOOKS / path).is_file()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_runbook_says_what_it_means_what_runs_what_to_decide_and_how_to_go_on(name):
    text = readme(name)
    sections = re.split(r"^## ", text, flags=re.MULTILINE)

    assert text.startswith(f"# {name}\n")
    assert [section.split("\n")[0] for section in sections[1:]] == HEADINGS
    assert all(len(section.split()) > 10 for section in sections[1:])
    assert 25 <= len(text.splitlines()) <= 45
    assert f"runbooks/{name}/run.yml -i FLEET --limit " in sections[5]
    assert "```promql" in sections[1]


@pytest.mark.parametrize("name", FOLDERS)
def test_what_a_runbook_names_is_there(name):
    text = readme(name)
    variables = {variable for role in COLLECTION.glob("roles/*/defaults/main.yml") for variable in yaml.safe_load(role.read_text())}
    thresholds = {threshold for alert in ALERTS.values() for threshold in alert["thresholds"]}

    metrics = {metric for block in re.findall(r"```promql\n(.*?)```", text, re.DOTALL) for metric in re.findall(r"\bmemops_\w+", block)}
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    of_roles = set(re.findall(r"`((?:swap|docker_memory|oom_protection|vm_tunables|memory_metrics)_\w+)", text))

    assert metrics <= METRICS
    assert [link for link in links if not (RUNBOOKS / name / link).exists()] == []
    assert of_roles <= variables | thresholds | {rule.cause for rule in RULES}
    assert set(re.findall(r"\b(?:Host|Cgroup|Container|Node|Memory)[A-Z]\w+[a-z]\b", _prose(text))) <= set(ALERTS)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_cause_in_a_runbook_is_one_that_a_diagnosis_can_have(name):
    causes = {rule.cause for rule in RULES}
    told = re.findall(r"cause[s]?,? (?:is )?`(\w+)`", readme(name))

    assert set(told) <= causes


@pytest.mark.parametrize("name", FOLDERS)
def test_what_runs_is_the_collections_response_with_this_alerts_name_and_window(name):
    (play,) = yaml.safe_load((RUNBOOKS / name / "run.yml").read_text())

    assert play["ansible.builtin.import_playbook"] == "memops.linux.respond"
    assert play["vars"]["respond_alert"] == name
    assert 600 <= seconds_back(play["vars"]["respond_alert_window"], 1e9) <= 7 * 86400
    assert set(play["vars"]) <= {"respond_alert", "respond_alert_window", "respond_alert_units"}


@pytest.mark.parametrize("name", FOLDERS)
def test_an_alert_is_tried_in_promtool(name):
    assert (ROOT / f"tests/alerts/cases/{name}.yml").is_file()


def test_ansible_takes_each_runbook(tmp_path):
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("all: {hosts: {web1: {}}}")

    told = ansible("ansible-playbook", "--syntax-check", "-i", str(inventory), *(f"runbooks/{name}/run.yml" for name in FOLDERS), home=tmp_path)

    assert told.returncode == 0, told.stderr
    assert told.stdout.count("playbook: runbooks/") == len(FOLDERS)


def test_the_list_of_runbooks_names_each():
    text = (RUNBOOKS / "README.md").read_text()

    assert [name for name in FOLDERS if f"({name}/README.md)" not in text] == []


def _prose(text: str) -> str:
    """A README without its code, where systemd and programs have names of their own."""
    return re.sub(r"`[^`]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def test_the_pages_of_this_folder_lead_nowhere_that_is_not_there():
    for page in (RUNBOOKS / "README.md", pathlib.Path(COLLECTION / "docs/alerts.md")):
        links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()) if "://" not in link]
        assert [link for link in links if not (page.parent / link).exists()] == []
