"""Was the diagnosis right? Compares what the catalogue expects with what was said. Pure."""

from __future__ import annotations

import typing

Document = typing.Mapping[str, typing.Any]


def expected(fault: Document, platform: str) -> dict[str, typing.Any]:
    """{verdict, kinds, causes, victims, findings, and others_too} of a fault on a platform."""
    return {**fault["expect"], **fault.get("expect_on", {}).get(platform, {})}


def judge(expect: Document, diagnosis: Document, made: Document) -> dict[str, typing.Any]:
    """What was said and which parts of it are right; None where nothing is expected of that part.

    made: what memory_fault returned. A victim is right where its name is one of
    those expected and its pid one that was seen to be killed (of several alike: that was made).
    Where the fault may hit others too, another incident of this kind and cause may name it.
    """
    lead = diagnosis["verdict"]["incident"]
    incident = diagnosis["incidents"][lead] if lead is not None else {}
    victim = _concerned(incident)
    alike = [one for one in diagnosis["incidents"] if (one["kind"], one["cause"]) == (incident.get("kind"), incident.get("cause"))]
    told = [victim, *(_concerned(one) for one in alike if expect.get("others_too"))]
    findings = [finding["cause"] for finding in diagnosis["findings"] if finding["severity"] == "risk"]
    right = {
        "verdict": diagnosis["verdict"]["code"] == expect["verdict"],
        "kind": incident.get("kind") in expect["kinds"] if expect["kinds"] else not incident,
        "cause": _cause_right(expect, incident, findings),
        "victim": any(_victim_right(expect["victims"], one, made) for one in told) if expect["victims"] else None,
    }
    return {
        "verdict": diagnosis["verdict"]["code"],
        "summary": diagnosis["verdict"]["summary"],
        "kind": incident.get("kind"),
        "cause": incident.get("cause"),
        "confidence": incident.get("confidence"),
        "contributing": [cause.get("cause") if isinstance(cause, dict) else cause for cause in incident.get("contributing") or []],
        "victim": victim.get("process"),
        "victim_pid": victim.get("pid"),
        "findings": findings,
        "incidents": len(diagnosis["incidents"]),
        "others": sorted(
            {f"{one['kind']}/{one['cause']}" for one in diagnosis["incidents"] if one is not incident} - {f"{incident.get('kind')}/{incident.get('cause')}"}
        ),
        "right": right,
        "all_right": all(part is not False for part in right.values()),
        "false_alarm": expect["verdict"] in ("healthy", "not_memory") and diagnosis["verdict"]["code"] not in (expect["verdict"], "healthy"),
    }


def _concerned(incident: Document) -> Document:
    victim = incident.get("victim") or {}
    return victim if victim.get("process") else incident.get("trigger") or {}


def _cause_right(expect: Document, incident: Document, findings: list[str]) -> bool | None:
    if expect["findings"]:
        return any(cause in findings for cause in expect["findings"])
    if not expect["kinds"]:
        return None
    return incident.get("cause") in expect["causes"] if expect["causes"] else incident.get("cause") is None


def _victim_right(names: list[str], victim: Document, made: Document) -> bool:
    if victim.get("process") not in names:
        return False
    killed = {one["pid"] for one in made.get("killed", [])}
    alike = {one["pid"] for one in made.get("processes", []) if one["process"] == victim["process"]}
    # Of several alike the kernel may have killed more than were seen to die.
    return victim.get("pid") is None or not killed or victim["pid"] in killed or (len(alike) > 1 and victim["pid"] in alike)


def totals(cells: typing.Iterable[Document]) -> dict[str, typing.Any]:
    """Counts over cells that ran: {cells, all_right, verdict, kind, cause, victim: (right, of), false_alarms, not_made}."""
    ran = [cell for cell in cells if cell["state"] == "diagnosed"]
    parts = {part: [cell["got"]["right"][part] for cell in ran if cell["got"]["right"][part] is not None] for part in ("verdict", "kind", "cause", "victim")}
    return {
        "cells": len(ran),
        "all_right": sum(cell["got"]["all_right"] for cell in ran),
        **{part: (sum(values), len(values)) for part, values in parts.items()},
        "false_alarms": sum(cell["got"]["false_alarm"] for cell in ran),
    }
