# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All hosts of a run in one document (``memops.report/1``), a row for each."""

from __future__ import annotations

import datetime
import json
import pathlib
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..diagnosis.verdict import CODES
from .host_files import folder_name
from .view import covering, kills, same_cause, words
from .view.occurrences import Occurrence, occurrences
from .view.unread import Unread

SCHEMA = "memops.report/1"
#: Up to so many hosts each of them has a view of its own, also where its row says all.
SMALL_FLEET = 60


class Fleet(NamedTuple):
    """What all hosts' diagnoses say together. views: the hosts of which there is more to tell than their row."""

    rows: list[dict[str, Any]]
    found: list[Occurrence]
    unread: Unread
    views: set[str]


def gather(run_folder: str, hosts: Iterable[str], groups: Mapping[str, Iterable[str]] | None = None) -> Fleet:
    """A row for each host that was asked, the gravest verdict first, and what the views of the fleet need.

    groups: host -> the inventory's groups that it is in. One document is in
    memory at a time, whatever the size of the fleet.
    """
    fleet = Fleet([], [], Unread(), set())
    hosts = list(hosts)
    small = len(hosts) <= SMALL_FLEET
    for host in hosts:
        diagnosis = read_diagnosis(run_folder, host)
        row = _row(host, diagnosis)
        row["groups"] = sorted((groups or {}).get(host, ()))
        fleet.rows.append(row)
        fleet.unread.add(host, row["verdict"], diagnosis["unreadable"] if diagnosis else [])
        if diagnosis is not None:
            fleet.found.extend(occurrences(diagnosis))
            if small or diagnosis["incidents"] or diagnosis["findings"] or row["verdict"]["code"] not in ("healthy", "no_evidence"):
                fleet.views.add(host)
    order = list(CODES)
    fleet.rows.sort(key=lambda row: (order.index(row["verdict"]["code"]), row["host"]))
    return fleet


def collect_rows(run_folder: str, hosts: Iterable[str]) -> list[dict[str, Any]]:
    """The rows alone."""
    return gather(run_folder, hosts).rows


def hosts_of(run_folder: str) -> list[str]:
    """The names under which a run holds diagnoses, of all whose folder bears the whole name."""
    names = []
    for folder in sorted((pathlib.Path(run_folder) / "hosts").iterdir()):
        name = urllib.parse.unquote(folder.name)
        if (folder / "diagnosis.json").is_file():
            names.append(name)
    return names


def report_document(fleet: Fleet, runs: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The document that stands as report.json; every other form of the report is made from it and from the hosts' diagnoses.

    runs: of a merged report what it was made from.
    """
    rows = fleet.rows
    counts = Counter(row["verdict"]["code"] for row in rows)
    return {
        "schema": SCHEMA,
        "made_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "asked": len(rows),
        "answered": sum(count for code, count in counts.items() if code != "no_evidence"),
        "counts": {code: counts[code] for code in CODES if counts[code]},
        "runs": [dict(run) for run in runs],
        "same_cause": same_cause.groups(fleet.found),
        "remedies": covering.cover(fleet.found),
        "kills": kills.kills(fleet.found),
        "unread": fleet.unread.document(),
        "hosts": rows,
    }


def read_diagnosis(run_folder: str, host: str) -> dict[str, Any] | None:
    """A host's diagnosis as it lies in the run folder."""
    try:
        return json.loads((pathlib.Path(run_folder) / "hosts" / folder_name(host) / "diagnosis.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def read_evidence(run_folder: str, host: str) -> dict[str, Any] | None:
    """A host's evidence, where the run kept it; None also where it is no JSON document."""
    try:
        evidence = json.loads((pathlib.Path(run_folder) / "hosts" / folder_name(host) / "evidence.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return evidence if isinstance(evidence, dict) else None


def _row(host: str, diagnosis: dict[str, Any] | None) -> dict[str, Any]:
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
            victim=words.concerned(incident),
            place=words.place(incident),
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
