# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Does a host keep its baseline? The results of its modules in check mode, as documents: ``memops.audit/1``.

A host's document is made of what each area's module said; the fleet's of all
hosts' documents. A host that gave no answer is a document too.
"""

from __future__ import annotations

import datetime
import json
import pathlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..report.host_files import folder_name, host_folder, write_file

SCHEMA = "memops.audit/1"

#: What may be said of a host, the gravest first.
STATES = {
    "no_answer": "the host could not be reached, or a module failed on it",
    "refused": "a wanted value would harm the host now",
    "drift": "something is not as the baseline wants it",
    "compliant": "all is as the baseline wants it",
    "no_baseline": "no role has anything to say of this host",
}
#: What may be said of one key, the gravest first.
KEY_STATES = ("refused", "drift", "left_alone", "unsupported", "compliant")


def host_document(host: str, results: Mapping[str, Any], failures: Mapping[str, Any] | None = None, failure: str | None = None) -> dict[str, Any]:
    """What the modules said of a host.

    results: {area: the module's result}; an area that was not run has none or one that says so.
    failures: {role: the result of the task that ended it}; it counts where it is not one of ``results``.
    failure: why the host gave no answer, where no result says so.
    """
    keys: list[dict[str, Any]] = []
    notes: list[str] = []
    why = [failure] if failure else []
    told_of = [_message(result) for result in results.values() if isinstance(result, Mapping) and result.get("failed")]
    others = {role: {**result, "failed": True} for role, result in (failures or {}).items() if _message(result) not in told_of}
    for area, result in [*results.items(), *others.items()]:
        if not isinstance(result, Mapping) or result.get("skipped") or not result:
            continue
        told = _keys(area, result)
        keys += told
        notes += [f"{area}: {note}" for note in result.get("notes") or ()]
        if result.get("unreachable"):
            why.append(f"unreachable: {_message(result)}")
        elif result.get("failed") and not any(key["status"] == "refused" for key in told):
            why.append(f"{area}: {_message(result)}")
        elif result.get("changed") and not any(key["status"] in ("drift", "refused") for key in told):
            keys += _unnamed(area, result)
    return {
        "schema": SCHEMA,
        "host": host,
        "checked_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": _state(why, keys),
        "why": "; ".join(why) or None,
        "keys": sorted(keys, key=lambda key: (KEY_STATES.index(key["status"]), key["area"], key["key"])),
        "notes": notes,
    }


def write_host(run_folder: str, document: dict[str, Any]) -> str:
    """Keep a host's document in the run folder; the path."""
    return write_file(host_folder(run_folder, document["host"]) / "audit.json", json.dumps(document, indent=1))


def read_host(run_folder: str, host: str) -> dict[str, Any]:
    """A host's document; one that says that it gave no answer where there is none."""
    try:
        return json.loads((pathlib.Path(run_folder) / "hosts" / folder_name(host) / "audit.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return host_document(host, {}, failure="the host was asked and gave no answer")


def fleet_document(documents: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """report.json: all hosts, the gravest first."""
    states = list(STATES)
    hosts = sorted(documents, key=lambda document: (states.index(document["status"]), document["host"]))
    counts = Counter(document["status"] for document in hosts)
    return {
        "schema": SCHEMA,
        "made_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "asked": len(hosts),
        "answered": len(hosts) - counts["no_answer"],
        "compliant": all(state in ("compliant", "no_baseline") for state in counts),
        "counts": {state: counts[state] for state in states if counts[state]},
        "hosts": [{name: document[name] for name in ("host", "checked_at", "status", "why", "keys", "notes")} for document in hosts],
    }


def _keys(area: str, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each key and what is said of it; the faces of its drift together."""
    by_key: dict[tuple[str, str], dict[str, Any]] = {}

    def row(key: Any, status: str) -> dict[str, Any]:
        return by_key.setdefault((str(key), status), {"area": area, "key": str(key), "status": status, "why": None, "faces": []})

    for one in _entries(result, "drift"):
        face = {name: one.get(name) for name in ("face", "wanted", "found", "where")}
        row(one.get("key"), "drift")["faces"].append(face)
    for status in ("refused", "left_alone", "unsupported"):
        for one in _entries(result, status):
            row(one.get("key"), status)["why"] = str(one.get("why"))
    for key in result.get("compliant") or ():
        if not any((str(key), status) in by_key for status in KEY_STATES[:2]):
            row(key, "compliant")
    return list(by_key.values())


def _unnamed(area: str, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A module that would change something and named no drift: its changes are the drift."""
    rows = []
    for change in _entries(result, "changes"):
        face = {"face": "running", "wanted": change.get("new"), "found": change.get("old"), "where": None}
        rows.append({"area": area, "key": str(change.get("key")), "status": "drift", "why": None, "faces": [face]})
    return rows or [{"area": area, "key": area, "status": "drift", "why": "its module would change something and does not name it", "faces": []}]


def _entries(result: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [one for one in result.get(name) or () if isinstance(one, Mapping)]


def _state(why: list[str], keys: list[dict[str, Any]]) -> str:
    if why:
        return "no_answer"
    found = {key["status"] for key in keys}
    if not found:
        return "no_baseline"
    return next((state for state in ("refused", "drift") if state in found), "compliant")


def _message(result: Mapping[str, Any]) -> str:
    """Why a module gave nothing, in one line."""
    if result.get("argument_errors"):
        return "; ".join(str(error) for error in result["argument_errors"])
    said = str(result.get("module_stderr") or result.get("module_stdout") or "").strip().splitlines()
    reason = str(result.get("msg") or "the module failed").strip()
    return f"{reason} ({said[-1]})" if said else reason
