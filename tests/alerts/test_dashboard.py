"""The Grafana dashboard: as its panels say, loadable, and every expression one that Prometheus reads."""

from __future__ import annotations

import importlib.util
import json
import re

import jsonschema
import pytest
import yaml
from alerts.promtool import promtool
from checkout import ROOT

_SPEC = importlib.util.spec_from_file_location("make_dashboard", ROOT / "tools/make_dashboard.py")
making = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(making)

DASHBOARD = json.loads(making.DASHBOARD.read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES = {
    rule["alert"]: rule["expr"] for group in yaml.safe_load((ROOT / "runbooks/alerts/memory.rules.yml").read_text())["groups"] for rule in group["rules"]
}
_METRIC = re.compile(r"\b(?:node|memops|container)_\w+|\bup\b")

_SOURCE = {"type": "object", "required": ["type", "uid"], "properties": {"uid": {"const": "${datasource}"}}}
#: What Grafana needs to load a dashboard of schema version 39 and to show its panels.
SCHEMA = {
    "type": "object",
    "required": ["uid", "title", "schemaVersion", "templating", "panels", "time", "annotations"],
    "properties": {
        "uid": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,40}$"},
        "title": {"type": "string", "minLength": 1},
        "schemaVersion": {"const": 39},
        "editable": {"type": "boolean"},
        "graphTooltip": {"enum": [0, 1, 2]},
        "templating": {
            "type": "object",
            "properties": {
                "list": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["type", "name"],
                        "properties": {"type": {"enum": ["datasource", "query", "textbox"]}, "datasource": _SOURCE},
                    },
                }
            },
        },
        "panels": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "type", "title", "gridPos"],
                "properties": {
                    "id": {"type": "integer", "minimum": 1},
                    "type": {"enum": ["row", "timeseries", "table"]},
                    "datasource": _SOURCE,
                    "gridPos": {
                        "type": "object",
                        "required": ["x", "y", "w", "h"],
                        "properties": {
                            "x": {"type": "integer", "minimum": 0, "maximum": 23},
                            "y": {"type": "integer", "minimum": 0},
                            "w": {"type": "integer", "minimum": 1, "maximum": 24},
                            "h": {"type": "integer", "minimum": 1},
                        },
                    },
                    "targets": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["refId", "expr", "datasource"],
                            "properties": {"refId": {"type": "string", "pattern": "^[A-Z]$"}, "datasource": _SOURCE},
                        },
                    },
                    "fieldConfig": {
                        "type": "object",
                        "required": ["defaults", "overrides"],
                        "properties": {
                            "defaults": {
                                "type": "object",
                                "properties": {
                                    "unit": {"enum": ["short", "percentunit", "bytes", "ops", "s"]},
                                    "thresholds": {
                                        "type": "object",
                                        "properties": {
                                            "mode": {"const": "absolute"},
                                            "steps": {
                                                "type": "array",
                                                "minItems": 1,
                                                "items": {"required": ["color", "value"], "properties": {"value": {"type": ["number", "null"]}}},
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}


def test_the_dashboard_is_that_which_make_alert_rules_writes():
    assert making.DASHBOARD.read_text() == making.text(), "run `make alert-rules`"


def test_grafana_can_load_it():
    jsonschema.Draft202012Validator(SCHEMA).validate(DASHBOARD)


def test_panels_have_a_place_and_a_number_of_their_own():
    covered = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(covered) == len(set(covered))
    assert max(x for x, _y in covered) < 24
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))


def test_prometheus_reads_every_expression(tmp_path):
    expressions = [target["expr"] for panel in PANELS for target in panel["targets"]] + [DASHBOARD["annotations"]["list"][0]["expr"]]
    rules = [{"record": f"panel:{number}", "expr": _filled(expression)} for number, expression in enumerate(expressions)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    assert f"{len(expressions)} rules found" in promtool("check", "rules", str(path))


@pytest.mark.parametrize("alert", RULES)
def test_a_panel_shows_what_an_alert_watches_and_leads_to_its_runbook(alert):
    panel = next((panel for panel in PANELS if alert in [link["title"] for link in panel["links"]]), None)

    assert panel is not None
    shown = {name for target in panel["targets"] for name in _METRIC.findall(target["expr"])}
    first = _METRIC.findall(RULES[alert])[0]
    assert first in shown
    assert {link["url"] for link in panel["links"]} >= {f"${{runbooks}}/{alert}/README.md"}


def test_less_is_worse_where_it_is_about_what_is_left():
    steps = {panel["title"]: panel["fieldConfig"]["defaults"]["thresholds"]["steps"] for panel in PANELS}

    assert steps["Available memory"] == [{"color": "red", "value": None}, {"color": "orange", "value": 0.03}, {"color": "green", "value": 0.1}]
    assert steps["Stalls in reclaim"] == [{"color": "green", "value": None}, {"color": "orange", "value": 10}]


def test_every_variable_that_is_used_is_there():
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", making.DASHBOARD.read_text()))

    assert used == names


def _filled(expression: str) -> str:
    return re.sub(r"\$\w+", ".*", expression.replace("$__rate_interval", "5m"))
