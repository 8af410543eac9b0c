"""The alert rules: as the catalogue says, accepted by Prometheus, and each tried in both directions."""

from __future__ import annotations

import importlib.util
import pathlib

import pytest
import yaml
from alerts.promtool import promtool
from checkout import ROOT

from ansible_collections.memops.linux.plugins.module_utils.memory_metrics import families

CASES = pathlib.Path(__file__).parent / "cases"
RULES = ROOT / "runbooks/alerts/memory.rules.yml"


def _tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


making = _tool("make_alert_rules")
CATALOGUE = making.catalogue()
ALERTS = {alert["alert"]: alert for alert in making.alerts(CATALOGUE)}


def test_the_rules_and_the_page_are_those_that_make_alert_rules_writes():
    stale = [str(path.relative_to(ROOT)) for path, text in making.pages().items() if path.read_text() != text]

    assert stale == [], "run `make alert-rules`"


def test_prometheus_accepts_the_rules():
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", str(RULES))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_fires_when_it_should_and_else_is_silent(alert):
    cases = yaml.safe_load((CASES / f"{alert}.yml").read_text())
    expected = [bool(rule["exp_alerts"]) for test in cases["tests"] for rule in test["alert_rule_test"] if rule["alertname"] == alert]

    assert set(expected) == {True, False}, "it takes a case in which it fires, and one in which it does not"
    promtool("test", "rules", str(CASES / f"{alert}.yml"))


def test_cases_are_of_alerts_that_exist():
    assert {path.stem for path in CASES.iterdir()} == set(ALERTS)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_an_alert_says_how_bad_it_is_how_long_it_waits_and_why(alert):
    assert alert["severity"] in making.SEVERITIES
    assert alert["for_why"].endswith(".")
    assert alert["needs"] in ("node_exporter", "memory_metrics", "cadvisor")
    assert all(spec["why"].endswith(".") for spec in alert["thresholds"].values())
    assert all(f"@{name}@" in alert["expr"] for name in alert["thresholds"]), "a threshold that the expression does not use"
    assert ("memops_" in alert["expr"]) == (alert["needs"] == "memory_metrics")


@pytest.mark.parametrize("rule", [rule for group in making.rules(CATALOGUE)["groups"] for rule in group["rules"]], ids=lambda rule: rule["alert"])
def test_a_rule_leads_to_its_runbook_and_names_the_host(rule):
    assert rule["annotations"]["runbook_url"] == f"https://memops.example/memops/runbooks/{rule['alert']}/README.md"
    assert "$labels.instance" in rule["annotations"]["summary"]
    assert rule["labels"] == {"severity": ALERTS[rule["alert"]]["severity"], "source": "memops"}


def test_metrics_of_ours_that_rules_use_are_written_by_the_role(written_metrics):
    used = {name for alert in ALERTS.values() for name in making.re.findall(r"memops_\w+", alert["expr"])}

    assert used - written_metrics == set()


def test_a_site_changes_thresholds_durations_severities_and_the_address(tmp_path):
    site = tmp_path / "site.yml"
    site.write_text("memory_low: 0.05\nrunbook_base_url: https://git.example.com/runbooks/\nHostMemoryLow.severity: info\n")
    output = tmp_path / "rules.yml"

    assert making.main(["--values", str(site), "--set", "HostMemoryLow.for=10m", "--output", str(output)]) is None

    rules = {rule["alert"]: rule for group in yaml.safe_load(output.read_text())["groups"] for rule in group["rules"]}
    low = rules["HostMemoryLow"]
    assert (low["for"], low["labels"]["severity"], low["annotations"]["runbook_url"]) == (
        "10m",
        "info",
        "https://git.example.com/runbooks/HostMemoryLow/README.md",
    )
    assert low["expr"].endswith("< 0.05")
    assert "0.05" in low["annotations"]["description"]
    promtool("check", "rules", str(output))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("memory_lo=0.1", "there is no such variable"),
        ("memory_low=little", "is no number"),
        ("memory_low=0.1 or vector(1)", "is no number"),
        ("HostMemoryLow.for=soon", "is no duration"),
        ("HostMemoryLow.severity=terrible", "is none of critical, warning, info"),
        ('node_job=x"} or up{', "may hold no blank"),
        ("runbook_base_url={{ query }}", "may hold no blank"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(tmp_path, given, said):
    output = tmp_path / "rules.yml"

    told = making.main(["--set", given, "--output", str(output)])

    assert told.startswith(given.partition("=")[0])
    assert said in told
    assert not output.exists()


def test_values_of_a_site_never_overwrite_the_defaults_here():
    assert "--output" in making.main(["--set", "memory_low=0.2"])


@pytest.fixture
def written_metrics():
    verdict = dict.fromkeys(("at", "code", "confidence", "kind", "cause", "incidents"))
    found = {"cgroups": {"groups": [], "count": 0}, "vmstat": {}, "overcommit_memory": 0, "panic": None, "booted_after_panic": False, "verdict": verdict}
    return {family.name for family in families.of_host(found) + families.of_run(0, 0, 0, 0)}
