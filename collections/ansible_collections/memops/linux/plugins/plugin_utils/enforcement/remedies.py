# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which remedies of a diagnosis a role can apply as they stand.

Of an incident's remedies, which are alternatives in the order in which to try
them, the first that a role can apply is taken, and no other: who wants the
second one says so by the variables that are allowed. Findings of severity
``risk`` are taken like incidents, notes are not.

A diagnosis repeats what a host said, so nothing in it is believed: only these
variables of these roles, with values of these shapes, become anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from ..diagnosis.rule import CONFIDENCES

ROLES = ("vm_tunables", "swap", "docker_memory", "oom_protection")

_TUNABLE = re.compile(r"[a-z0-9_]+(?:[.][A-Za-z0-9_\-]+)+")
_SCALARS = (str, int, float, bool, type(None))


class Variable(NamedTuple):
    """A role's variable that a remedy may set.

    items: what its value is made of: "tunables" is a mapping by tunable, "entries" a list of mappings, "bytes" a number.
    names: of an entry, the keys that say what it is about; the others are settings.
    """

    role: str
    items: str
    names: tuple[str, ...] = ()


VARIABLES = {
    "vm_tunables_overrides": Variable("vm_tunables", "tunables"),
    "swap_devices": Variable("swap", "entries", ("path", "kind")),
    "docker_memory_container_limits": Variable("docker_memory", "entries", ("name",)),
    "docker_memory_slice_max_bytes": Variable("docker_memory", "bytes"),
    "oom_protection_units": Variable("oom_protection", "entries", ("name", "process")),
}


class Proposal(NamedTuple):
    """One remedy that a role can apply. where: in the diagnosis, as ``incidents[0]``."""

    where: str
    cause: str
    variable: str
    value: Any
    why: str
    risk: str


class Passed(NamedTuple):
    """An incident or finding of which nothing is applied, and why."""

    where: str
    cause: str | None
    why: str


def proposals(
    diagnosis: dict[str, Any], causes: Collection[str] = (), variables: Collection[str] = (), confidence: str = "probable"
) -> Iterator[Proposal | Passed]:
    """For each incident and finding of a diagnosis what would be applied, or why nothing is.

    causes, variables: only these; empty allows each. confidence: of the cause, at least this.
    """
    for number, incident in enumerate(_list(diagnosis.get("incidents"))):
        yield _of(f"incidents[{number}]", incident, _unsure(incident, confidence), causes, variables)
    for number, finding in enumerate(_list(diagnosis.get("findings"))):
        reason = None if finding.get("severity") == "risk" else "it is a note, not a risk"
        yield _of(f"findings[{number}]", finding, reason, causes, variables)


def shape_error(variable: str, value: Any) -> str | None:
    """Why this is no value of that variable; None where it is one."""
    items = VARIABLES[variable].items
    if items == "bytes":
        return None if isinstance(value, int) and not isinstance(value, bool) and value > 0 else "it is no number of bytes"
    if items == "tunables":
        if not isinstance(value, dict) or not value:
            return "it is no mapping of tunables"
        for name, setting in value.items():
            if not _TUNABLE.fullmatch(str(name)) or not isinstance(setting, int | str) or not str(setting).isprintable():
                return f"{name!r} is no tunable with a number or a word"
        return None
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        return "it is no list of entries"
    return next((reason for reason in map(_entry_error, [variable] * len(value), value) if reason), None)


def _entry_error(variable: str, entry: dict[str, Any]) -> str | None:
    names = VARIABLES[variable].names
    if not any(isinstance(entry.get(name), str) and entry[name] for name in names):
        return f"an entry has no {' or '.join(names)}"
    if not all(isinstance(name, str) and isinstance(setting, _SCALARS) and str(setting).isprintable() for name, setting in entry.items()):
        return "an entry holds something that is no word or number"
    if set(entry) <= set(names):
        return "it names no value: how much is for a person to decide"
    return None


def _of(where: str, item: dict[str, Any], reason: str | None, causes: Collection[str], variables: Collection[str]) -> Proposal | Passed:
    cause = item.get("cause")
    if reason:
        return Passed(where, cause, reason)
    if causes and cause not in causes:
        return Passed(where, cause, "its cause is not among those asked for")
    why = "a person has to make the change: no remedy of it is a role's variable"
    for remedy in _list(item.get("remedies")):
        variable = remedy.get("variable")
        if variable is None:
            continue
        if variable not in VARIABLES:
            why = f"no role takes {variable!r}"
        elif variables and variable not in variables:
            why = f"{variable} is not among the variables asked for"
        elif shape_error(variable, remedy.get("value")):
            why = f"{variable} cannot be applied as it stands: {shape_error(variable, remedy.get('value'))}"
        else:
            return Proposal(where, str(cause), variable, remedy["value"], str(remedy.get("why")), str(remedy.get("risk")))
    return Passed(where, cause, why)


def _unsure(incident: dict[str, Any], confidence: str) -> str | None:
    if incident.get("cause") is None:
        return "its cause is not known"
    sure = incident.get("confidence")
    if sure not in CONFIDENCES or CONFIDENCES.index(sure) > CONFIDENCES.index(confidence):
        return f"its cause is only {sure}; -e enforce_confidence={sure} takes it too"
    return None


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
