# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All hosts of a run in one document (``memops.report/1``), a row for each."""

from __future__ import annotations

import datetime
import json
import pathlib
import urllib.parse
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..diagnosis.verdict import CODES
from .host_files import folder_name

SCHEMA = "memops.report/1"


def collect_rows(run_folder: str, hosts: Iterable[str]) -> list[dict[str, Any]]:
    """A row for each host that was asked, the gravest verdict first.

    One document is in memory at a time, whatever the size of the fleet.
    """
    rows = [_row(run_folder, host) for host in hosts]
    order = list(CODES)
    return sorted(rows, key=lambda row: (order.index(row["verdict"]["code"]), row["host"]))


def hosts_of(run_folder: str) -> list[str]:
    """The names under which a run holds diagnoses, of all whose folder bears the whole name."""
    names = []
    for folder in sorted((pathlib.Path(run_folder) / "hosts").iterdir()):
        name = urllib.parse.unquote(folder.name)
        if (folder / "diagnosis.json").is_file():
            names.append(name)
    return names


def report_document(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The document that stands as report.json."""
    counts = Counter(row["verdict"]["code"] for row in rows)
    return {
        "schema": SCHEMA,
        "made_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "asked": len(rows),
        "answered": sum(count for code, count in counts.items() if code != "no_evidence"),
        "counts": {code: counts[code] for code in CODES if counts[code]},
        "hosts": rows,
    }


def read_diagnosis(run_folder: str, host: str) -> dict[str, Any] | None:
    """A host's diagnosis as it lies in the run folder."""
    try:
        return json.loads((pathlib.Path(run_folder) / "hosts" / folder_name(host) / "diagnosis.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _row(run_folder: str, host: str) -> dict[str, Any]:
    diagnosis = read_diagnosis(run_folder, host)
    if diagnosis is None:
        verdict = {"code": "no_evidence", "confidence": "certain", "summary": "the host was asked and gave no answer", "incident": None}
        return {**_EMPTY, "host": host, "verdict": verdict}
    verdict = diagnosis["verdict"]
    row = {
        **_EMPTY,
        "host": host,
        "verdict": verdict,
        "incidents": len(diagnosis["incidents"]),
        "unreadable": len(diagnosis["unreadable"]),
        "diagnosis": f"hosts/{folder_name(host)}/diagnosis.json",
    }
    if verdict["incident"] is not None:
        incident = diagnosis["incidents"][verdict["incident"]]
        row.update(
            time=incident["time"],
            kind=incident["kind"],
            cause=incident["cause"],
            confidence=incident["confidence"],
            victim=(incident["concerned"] or {}).get("process") or incident["unit"],
            place=(incident["container"] or {}).get("name") or incident["unit"] or incident["cgroup"],
            remedy=incident["remedies"][0]["action"] if incident["remedies"] else None,
        )
    elif diagnosis["findings"]:
        finding = diagnosis["findings"][0]
        row.update(cause=finding["cause"], remedy=finding["remedies"][0]["action"] if finding["remedies"] else None)
    return row


_EMPTY: dict[str, Any] = {
    "incidents": 0,
    "unreadable": 0,
    "diagnosis": None,
    "time": None,
    "kind": None,
    "cause": None,
    "confidence": None,
    "victim": None,
    "place": None,
    "remedy": None,
}
