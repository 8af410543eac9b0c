# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is applied to a host because of its diagnosis, before it is."""

from __future__ import annotations

import pathlib
from collections import Counter
from collections.abc import Collection
from typing import Any

from ..report.fleet import hosts_of, read_diagnosis
from ..report.host_files import folder_name
from .merging import merged, variables
from .remedies import ROLES, VARIABLES, Passed, Proposal, proposals


def host_plan(run_folder: str, host: str, causes: Collection[str] = (), wanted: Collection[str] = (), confidence: str = "probable") -> dict[str, Any] | None:
    """A host's plan; None where the folder has no diagnosis of it.

    {host, roles: [name], variables: {name: value}, reasons: {role: text}, diagnosis: path,
    rows: [{variable, key, value, why, risk, causes, asked_by, chosen}], refused: [{variable, key, why}], passed: [{where, cause, why}]}.
    wanted: the only variables that may be set; empty allows each. Raises ValueError for a diagnosis that is none.
    """
    diagnosis = diagnosis_of(run_folder, host)
    return None if diagnosis is None else plan_of(run_folder, host, list(proposals(diagnosis, causes, wanted, confidence)))


def diagnosis_of(run_folder: str, host: str) -> dict[str, Any] | None:
    """What the folder holds as the host's diagnosis; None where there is none. Raises ValueError for a document that is none."""
    diagnosis = read_diagnosis(run_folder, host)
    if diagnosis is not None and (not isinstance(diagnosis, dict) or diagnosis.get("schema") != "memops.diagnosis/1" or diagnosis.get("host") != host):
        raise ValueError(f"{run_folder} holds something for {host} that is no diagnosis of it")
    return diagnosis


def plan_of(run_folder: str, host: str, found: list[Proposal | Passed]) -> dict[str, Any]:
    """The plan, as host_plan gives it, of these proposals."""
    settings = merged(one for one in found if not isinstance(one, Passed))
    values = variables(settings)
    applied = {VARIABLES[name].role for name in values}
    return {
        "host": host,
        "roles": [role for role in ROLES if role in applied],
        "variables": values,
        "reasons": {role: _reason(settings, role) for role in ROLES if role in applied},
        "diagnosis": str(pathlib.Path(run_folder).resolve() / "hosts" / folder_name(host) / "diagnosis.json"),
        "rows": [_row(setting) for setting in settings if not setting.refused],
        "refused": [{"variable": setting.variable, "key": setting.key, "why": setting.refused} for setting in settings if setting.refused],
        "passed": [one._asdict() for one in found if isinstance(one, Passed)],
    }


def plans(run_folder: str, hosts: Collection[str], **choice: Any) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The plans of these hosts as far as the folder holds diagnoses of them, and the other names that it holds."""
    made = {host: plan for host in hosts if (plan := host_plan(run_folder, host, **choice)) is not None}
    return made, sorted(set(hosts_of(run_folder)) - set(hosts))


def _row(setting) -> dict[str, Any]:
    first = setting.asked_by[0]
    return {
        "variable": setting.variable,
        "key": setting.key,
        "value": setting.value,
        "why": first.why,
        "risk": first.risk,
        "causes": sorted({proposal.cause for proposal in setting.asked_by}),
        "asked_by": [proposal.where for proposal in setting.asked_by],
        "chosen": setting.chosen,
    }


def _reason(settings, role: str) -> str:
    """For the host's journal: which causes, in how many incidents and findings."""
    where = {proposal.where: proposal.cause for setting in settings if VARIABLES[setting.variable].role == role for proposal in setting.asked_by}
    counts = Counter(where.values())
    return "remedy for " + ", ".join(f"{cause} ({count})" if count > 1 else cause for cause, count in sorted(counts.items()))
