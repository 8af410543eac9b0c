# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two pieces of evidence of each host side by side: ``memops.comparison/1``."""

from __future__ import annotations

import datetime
import json
import pathlib
import urllib.parse
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..report.host_files import folder_name
from .measures import measured
from .settings import changed, lacking
from .windows import CannotCompare, windows

SCHEMA = "memops.comparison/1"

#: What may be said of a host, what needs attention first.
VERDICTS = {
    "worse": "something became worse and nothing better",
    "mixed": "something became better and something worse",
    "better": "something became better and nothing worse",
    "same": "nothing that is measured differs",
    "cannot_tell": "nothing could be told apart from chance, or evidence is missing",
}


def compared(host: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    """One host's comparison. before, after: its documents of evidence, or None where there is none."""
    row = {
        "host": host,
        "verdict": "cannot_tell",
        "why": None,
        "before_at": (before or {}).get("collected_at"),
        "after_at": (after or {}).get("collected_at"),
        "before_seconds": None,
        "after_seconds": None,
        "rebooted": None,
        "measures": [],
        "changed": [],
        "notes": [],
    }
    if before is None or after is None:
        sides = [name for name, evidence in (("before", before), ("after", after)) if evidence is None]
        return {**row, "why": f"there is no evidence of it {' or '.join(sides)}"}
    row.update(changed=changed(before, after), notes=lacking(before, after))
    try:
        spans = windows(before, after)
    except CannotCompare as error:
        return {**row, "why": str(error)}
    measures = measured(before, after, spans)
    row.update(before_seconds=round(spans.before_seconds, 1), after_seconds=round(spans.after_seconds, 1), rebooted=spans.rebooted)
    if spans.rebooted:
        row["notes"].append("the host was rebooted between the two; after is counted from that boot on")
    return {**row, "measures": measures, "verdict": _verdict({one["verdict"] for one in measures})}


def comparison(before: str, after: str, hosts: Iterable[str]) -> dict[str, Any]:
    """compare.json: these hosts of two report directories, the worst first."""
    rows = [compared(host, read_evidence(before, host), read_evidence(after, host)) for host in hosts]
    order = list(VERDICTS)
    rows.sort(key=lambda row: (order.index(row["verdict"]), row["host"]))
    counts = Counter(row["verdict"] for row in rows)
    return {
        "schema": SCHEMA,
        "made_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "before": str(before),
        "after": str(after),
        "counts": {verdict: counts[verdict] for verdict in order if counts[verdict]},
        "hosts": rows,
    }


def hosts_of(run_folder: str) -> list[str]:
    """The names under which a report directory holds evidence."""
    return sorted(urllib.parse.unquote(path.parent.name) for path in (pathlib.Path(run_folder) / "hosts").glob("*/evidence.json"))


def read_evidence(run_folder: str, host: str) -> dict[str, Any] | None:
    """A host's evidence as it lies in a report directory. Raises ValueError for one that is none."""
    path = pathlib.Path(run_folder) / "hosts" / folder_name(host) / "evidence.json"
    try:
        evidence = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if not isinstance(evidence, dict) or evidence.get("schema") != "memops.evidence/1":
        raise ValueError(f"{path} is no evidence of the form memops.evidence/1")
    return evidence


def _verdict(found: set[str]) -> str:
    if {"better", "worse"} <= found:
        return "mixed"
    return next((verdict for verdict in ("worse", "better", "same") if verdict in found), "cannot_tell")
