# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One response to an alert on one host, from its begin to its end, as ``response.json`` beside the diagnosis (memops.response/1).

The document is written at each step, so that a run that was killed shows how far it came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..report.host_files import host_folder, write_file

SCHEMA = "memops.response/1"
NAME = "response.json"

#: How a remediation ends. refused: a role would not make the change, and nothing had been changed.
OUTCOMES = ("applied", "nothing_to_change", "would_change", "not_now", "refused", "rolled_back", "rollback_failed", "interrupted")


def begun(host: str, run_folder: str, alert: Mapping[str, Any], policy: str, window: str, now: str) -> dict[str, Any]:
    """A response of which nothing has happened yet. alert: {name, ...} as alert.read_event gives it."""
    return {
        "schema": SCHEMA,
        "host": host,
        "run": run_folder,
        "policy": policy,
        "since": window,
        "alert": {
            "name": alert["name"],
            "severity": alert["labels"].get("severity"),
            "summary": alert["annotations"].get("summary"),
            "fingerprint": alert["fingerprint"],
            "problems": alert["problems"],
        },
        "times": {"alert_started": alert["started_at"], "run_started": now, "diagnosed": None, "remediated": None, "notified": None, "finished": None},
        "attempts": None,
        "verdict": None,
        "units": [],
        "decision": None,
        "proposal": None,
        "remediation": None,
        "notifications": [],
    }


def verdict_of(diagnosis: Mapping[str, Any]) -> dict[str, Any]:
    """The diagnosis in short: {code, confidence, summary, kind, cause, incidents}."""
    verdict = diagnosis["verdict"]
    number = verdict.get("incident")
    incident = diagnosis["incidents"][number] if number is not None else {}
    return {
        "code": verdict["code"],
        "confidence": verdict["confidence"],
        "summary": verdict["summary"],
        "kind": incident.get("kind"),
        "cause": incident.get("cause"),
        "incidents": len(diagnosis["incidents"]),
    }


def left_on_host(verdict: Mapping[str, Any], diagnosed_at: str) -> dict[str, Any]:
    """What memory_metrics shows of the verdict (memops.verdict/1): words and numbers only, no text of a log."""
    return {
        "schema": "memops.verdict/1",
        "diagnosed_at": diagnosed_at,
        **{name: verdict[name] for name in ("code", "confidence", "kind", "cause", "incidents")},
    }


def units(text: str) -> list[dict[str, Any]]:
    """{unit, active, result, since} of each unit in what ``systemctl show`` said; those that are not there are left out."""
    found = []
    for block in text.split("\n\n"):
        said = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if said.get("Id") and said.get("LoadState") not in (None, "not-found"):
            states = (said.get("ActiveState"), said.get("SubState"))
            found.append(
                {
                    "unit": said["Id"],
                    "active": " ".join(state for state in states if state),
                    "result": said.get("Result") or None,
                    "since": said.get("StateChangeTimestamp") or None,
                }
            )
    return found


def remediation_begun(run: str, rows: Iterable[Mapping[str, Any]], undo: str) -> dict[str, Any]:
    """A remediation of which nothing has happened yet. rows: of a plan. undo: the command that takes it back."""
    settings = [{name: row[name] for name in ("variable", "key", "value")} for row in rows]
    return {"run": run, "outcome": None, "why": None, "settings": settings, "taken_back": [], "left_alone": [], "undo": undo}


def taken_back(results: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """{taken_back, left_alone} of what the roles said when they took a run back."""
    told = list(results)
    return {
        "taken_back": [str(change["key"]) for result in told for change in result.get("changes") or ()],
        "left_alone": [f"{one['key']}: {one['why']}" for result in told for one in result.get("left_alone") or ()],
    }


def read(run_folder: str, host: str) -> dict[str, Any]:
    """The response as it stands. Raises OSError where it was never begun, ValueError where it is no document."""
    return json.loads((host_folder(run_folder, host) / NAME).read_text(encoding="utf-8"))


def write(run_folder: str, host: str, response: Mapping[str, Any]) -> str:
    """Keep the response; the path."""
    return write_file(host_folder(run_folder, host) / NAME, json.dumps(response, indent=1))
