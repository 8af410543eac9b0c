# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several runs made one: of several control nodes, of slices of a fleet, or one after the other.

By host, the newest counts:

* Its diagnosis is the newest one that rests on evidence. That the host could not
  be examined since is noted, and does not wipe out what was known.
* An incident of an older run is kept, and marked with that run, where it is from
  before the time from which the newer one had a kernel log: the newer could not
  see it. Inside that time the newer diagnosis counts alone. Where a log has no
  clock an incident is kept unless the newer diagnosis has one like it.
* The verdict is the newest one's. Where that knows of no incident and an older
  incident is kept, the verdict is of that one.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
from collections.abc import Iterable
from typing import Any

from ..diagnosis.document import SCHEMA
from ..diagnosis.verdict import leading
from .fleet import hosts_of, read_diagnosis
from .host_files import folder_name, host_folder, write_diagnosis


class NoRun(Exception):
    """A folder that holds no run, in a sentence for a person."""


def find_runs(folders: Iterable[str]) -> list[pathlib.Path]:
    """The runs in these folders, each of which is one or holds some; the oldest first.

    Raises NoRun for one that is neither.
    """
    found: dict[str, pathlib.Path] = {}
    for name in folders:
        folder = pathlib.Path(name).expanduser().absolute()
        if not folder.is_dir():
            raise NoRun(f"{folder} is no folder")
        inside = [folder] if _is_run(folder) else sorted(item for item in folder.iterdir() if not item.is_symlink() and _is_run(item))
        if not inside:
            raise NoRun(f"{folder} is no report directory, and holds none: there is no folder hosts in it")
        found |= {str(run.resolve()): run.resolve() for run in inside}
    return sorted(found.values(), key=lambda run: (_made_at(run), str(run)))


def run_notes(runs: Iterable[pathlib.Path]) -> list[dict[str, Any]]:
    """{name, made_at, hosts} of each run."""
    return [{"name": run.name, "made_at": _made_at(run), "hosts": len(asked_in(run))} for run in runs]


def asked_in(run: pathlib.Path) -> list[str]:
    """The hosts that a run asked, those without an answer included."""
    report = _report(run)
    named = [row["host"] for row in report.get("hosts", [])]
    return named + sorted(set(hosts_of(str(run))) - set(named))


def groups_in(runs: Iterable[pathlib.Path]) -> dict[str, set[str]]:
    """host -> the groups that any of the runs knew it in."""
    groups: dict[str, set[str]] = {}
    for run in runs:
        for row in _report(run).get("hosts", []):
            groups.setdefault(row["host"], set()).update(row.get("groups") or ())
    return groups


def merge_into(target: str, runs: list[pathlib.Path]) -> list[str]:
    """Write each host's merged diagnosis, with the evidence that it rests on, into a run's folder; the hosts that were asked.

    One host is in memory at a time. Raises OSError.
    """
    asked: dict[str, list[pathlib.Path]] = {}
    for run in runs:
        for host in asked_in(run):
            asked.setdefault(host, []).append(run)
    for host, of_host in asked.items():
        known = [(run, diagnosis) for run in of_host if (diagnosis := read_diagnosis(str(run), host)) is not None]
        if not known:
            continue
        merged, source = merged_diagnosis([(run.name, diagnosis) for run, diagnosis in known])
        write_diagnosis(target, host, merged)
        evidence = known[source][0] / "hosts" / folder_name(host) / "evidence.json"
        if evidence.is_file():
            _place(evidence, host_folder(target, host) / "evidence.json")
    return list(asked)


def merged_diagnosis(known: list[tuple[str, dict[str, Any]]]) -> tuple[dict[str, Any], int]:
    """One diagnosis of one host's, (name of the run, diagnosis), the oldest first; and the place of the one that counts."""
    known = [(name, diagnosis) for name, diagnosis in known if diagnosis.get("schema") == SCHEMA] or known
    answered = [place for place, (_name, diagnosis) in enumerate(known) if diagnosis["verdict"]["code"] != "no_evidence"]
    if not answered:
        return known[-1][1], len(known) - 1
    source = answered[-1]
    newest = known[source][1]
    merged = {**newest, "incidents": [dict(incident) for incident in newest["incidents"]], "unreadable": list(newest["unreadable"]), "notes": []}
    lead = None
    for place in reversed(answered[:-1]):
        name, older = known[place]
        newer = known[answered[answered.index(place) + 1]][1]
        kept = [incident for incident in older["incidents"] if _is_unseen(incident, newer, merged["incidents"])]
        if kept and lead is None:
            lead = older["verdict"]
        merged["incidents"] += [{"from_run": name, **incident} for incident in kept]
    for name, failed in known[source + 1 :]:
        merged["notes"].append(f"Run {name} could not examine this host: {failed['verdict']['summary']}")
    if newest["verdict"]["incident"] is None and lead is not None and newest["verdict"]["code"] in ("healthy", "at_risk"):
        first = leading(merged["incidents"])
        merged["notes"].append(f"The newest run by itself says: {newest['verdict']['summary']}.")
        merged["verdict"] = {**lead, "incident": first}
    return merged, source


def _is_unseen(incident: dict[str, Any], newer: dict[str, Any], so_far: list[dict[str, Any]]) -> bool:
    """Whether the newer diagnosis could not know of this incident, and no other run has told it."""
    same = (incident["time"], incident["kind"], (incident["victim"] or incident["concerned"] or {}).get("pid"))
    if any((other["time"], other["kind"], (other["victim"] or other["concerned"] or {}).get("pid")) == same for other in so_far):
        return False
    seen_from = max(filter(None, (newer["log_from"], newer["since"])), default=None)
    if incident["time"] is None or seen_from is None:
        return True
    return incident["time"] < seen_from


def _place(source: pathlib.Path, target: pathlib.Path) -> None:
    """A second name for a file that nobody changes; a copy where that cannot be."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        target.chmod(0o600)


def _is_run(folder: pathlib.Path) -> bool:
    return (folder / "hosts").is_dir()


def _made_at(run: pathlib.Path) -> str:
    """When the run was made; of one without a report what its folder's name says."""
    return str(_report(run).get("made_at") or run.name)


def _report(run: pathlib.Path) -> dict[str, Any]:
    try:
        report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}
