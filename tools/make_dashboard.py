"""Write the Grafana dashboard from runbooks/dashboards/panels.yml and the thresholds of the catalogue of alerts.

``make alert-rules`` runs it, and a test fails when the dashboard is stale.
The form is Grafana's of schema version 39 (Grafana 10.4 and newer).
"""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "runbooks/dashboards"
DASHBOARD = FOLDER / "memory.json"

HOST = 'job=~"$job", instance=~"$instance"'
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_LINE = {"drawStyle": "line", "fillOpacity": 10, "showPoints": "auto"}
_LEGEND = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}
_WIDTH, _HEIGHT, _ACROSS = 12, 8, 24


def dashboard() -> dict[str, Any]:
    told = yaml.safe_load((FOLDER / "panels.yml").read_text())
    catalogue = yaml.safe_load((ROOT / "runbooks/alerts/catalogue.yml").read_text())
    return {
        "uid": "memops-memory",
        "title": "Memory (memops)",
        "description": "What the memory alerts of memops watch, with their thresholds as lines.",
        "tags": ["memops", "memory"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables(catalogue["variables"]["runbook_base_url"]["value"])},
        "annotations": {"list": [_kills()]},
        "links": [],
        "panels": _panels(told["rows"], catalogue),
    }


def text() -> str:
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def _variables(runbooks: str) -> list[dict[str, Any]]:
    def query(name: str, label: str, words: str) -> dict[str, Any]:
        return {
            "type": "query",
            "name": name,
            "label": label,
            "datasource": _SOURCE,
            "definition": words,
            "query": {"query": words, "refId": name},
            "includeAll": True,
            "multi": True,
            "allValue": ".*",
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "refresh": 2,
            "sort": 1,
        }

    return [
        {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "refresh": 1, "current": {}},
        query("job", "job", "label_values(node_memory_MemTotal_bytes, job)"),
        query("instance", "host", 'label_values(node_memory_MemTotal_bytes{job=~"$job"}, instance)'),
        query("cadvisor", "cAdvisor", "label_values(container_spec_memory_limit_bytes, instance)"),
        {"type": "textbox", "name": "runbooks", "label": "Runbooks at", "query": runbooks, "current": {"text": runbooks, "value": runbooks}},
    ]


def _kills() -> dict[str, Any]:
    return {
        "name": "OOM kills",
        "datasource": _SOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": f"changes(node_vmstat_oom_kill{{{HOST}}}[1m]) > 0",
        "titleFormat": "OOM kill on {{instance}}",
    }


def _panels(rows: list[dict[str, Any]], catalogue: dict[str, Any]) -> list[dict[str, Any]]:
    thresholds = {name: spec["value"] for group in catalogue["groups"] for alert in group["alerts"] for name, spec in alert["thresholds"].items()}
    made: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        made.append({"type": "row", "id": len(made) + 1, "title": row["title"], "collapsed": False, "panels": [], "gridPos": _at(0, top, _ACROSS, 1)})
        top += 1
        for index, panel in enumerate(row["panels"]):
            left = index * _WIDTH % _ACROSS
            made.append({"id": len(made) + 1, "gridPos": _at(left, top, _WIDTH, _HEIGHT), **_panel(panel, thresholds)})
            if left or index == len(row["panels"]) - 1:
                top += _HEIGHT
    return made


def _panel(panel: dict[str, Any], thresholds: dict[str, float]) -> dict[str, Any]:
    lines = [thresholds[name] for name in panel.get("thresholds", [])]
    table = panel.get("table", False)
    return {
        "type": "table" if table else "timeseries",
        "title": panel["title"],
        "description": "Alerts: " + ", ".join(panel["alerts"]) if panel["alerts"] else "",
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": re.sub("@host@", lambda _place: HOST, query["expr"]),
                "legendFormat": query["legend"],
                "instant": table,
                "range": not table,
                **({"format": "table"} if table else {}),
            }
            for index, query in enumerate(panel["queries"])
        ],
        "links": [{"title": name, "url": f"${{runbooks}}/{name}/README.md", "targetBlank": True} for name in panel["alerts"]],
        "fieldConfig": {
            "defaults": {
                "unit": panel["unit"],
                **({} if panel.get("negative") else {"min": 0}),
                "custom": {} if table else {**_LINE, "thresholdsStyle": {"mode": "line" if lines else "off"}},
                "thresholds": {"mode": "absolute", "steps": _steps(lines, panel.get("below", False))},
            },
            "overrides": [],
        },
        "options": {} if table else _LEGEND,
    }


def _steps(lines: list[float], below: bool) -> list[dict[str, Any]]:
    """Grafana's steps: a colour from a value upwards, the first from nowhere."""
    colours = ["green", "orange", "red"]
    ordered = sorted(lines)
    used = colours[: len(ordered) + 1]
    return [{"color": colour, "value": value} for colour, value in zip(used[::-1] if below else used, [None, *ordered], strict=True)]


def _at(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


if __name__ == "__main__":
    DASHBOARD.write_text(text())
    print(DASHBOARD.relative_to(ROOT))
