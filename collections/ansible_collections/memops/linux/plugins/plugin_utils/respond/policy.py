# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is done about a diagnosis: the policy, and what it allows on which host."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ..diagnosis.rule import CONFIDENCES
from ..enforcement.remedies import VARIABLES, Passed, Proposal

POLICIES = ("observe", "propose", "remediate")

#: Settings that can themselves end in a kill while they are made, by variable, tunable or cause.
TIGHTENING = ("docker_memory_slice_max_bytes", "oom_protection_units", "vm.min_free_kbytes", "no_container_limits")

_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,100}")


class Decision(NamedTuple):
    """code: no_evidence, observed, nothing_to_change, proposed or remediate. why: a sentence."""

    code: str
    why: str


def allowed_keys(entries: Iterable[str]) -> dict[str, set[str] | None]:
    """Which variables may be set by themselves, and of each which keys; None: all of them.

    entries: ``vm_tunables_overrides``, or with a key ``vm_tunables_overrides.vm.dirty_bytes``.
    Raises ValueError for anything else.

    >>> allowed_keys(["vm_tunables_overrides.vm.dirty_bytes", "swap_devices"])
    {'vm_tunables_overrides': {'vm.dirty_bytes'}, 'swap_devices': None}
    """
    allowed: dict[str, set[str] | None] = {}
    for entry in entries:
        variable, _dot, key = str(entry).partition(".")
        if variable not in VARIABLES:
            raise ValueError(f"{entry!r} in respond_allowed_variables is no variable of a role that a remedy can set: use {', '.join(VARIABLES)}")
        if not key:
            allowed[variable] = None
        elif VARIABLES[variable].items != "tunables" or not _KEY.fullmatch(key):
            raise ValueError(f"{entry!r} in respond_allowed_variables: only vm_tunables_overrides has keys, such as vm_tunables_overrides.vm.dirty_bytes")
        elif allowed.setdefault(variable, set()) is not None:
            allowed[variable].add(key)
    return allowed


def permitted(found: Iterable[Proposal | Passed], allowed: Mapping[str, Collection[str] | None]) -> list[Proposal | Passed]:
    """The proposals, those that would set a key that is not allowed passed over as a whole: half a remedy is none."""
    return [_permitted(one, allowed) for one in found]


def _permitted(one: Proposal | Passed, allowed: Mapping[str, Collection[str] | None]) -> Proposal | Passed:
    if isinstance(one, Passed):
        return one
    keys = allowed.get(one.variable, ())
    over = [] if keys is None else sorted(set(one.value if isinstance(one.value, dict) else [one.variable]) - set(keys))
    return Passed(one.where, one.cause, f"respond_allowed_variables does not have {', '.join(over)}") if over else one


def decided(
    policy: str,
    verdict: Mapping[str, Any] | None,
    proposed: Collection[Any],
    permitted_rows: Collection[Any],
    groups: Collection[str],
    allowed_groups: Collection[str],
) -> Decision:
    """What is done with a host.

    verdict: of its diagnosis. proposed: the settings that the diagnosis asks
    for; permitted_rows: those that may be made by themselves. groups: of the host.
    """
    if verdict is None or verdict["code"] == "no_evidence":
        return Decision("no_evidence", "the host gave no evidence")
    if policy == "observe":
        return Decision("observed", "respond_policy is observe")
    if not proposed:
        return Decision("nothing_to_change", "the diagnosis asks for no setting that a role can make")
    if policy == "propose":
        return Decision("proposed", "respond_policy is propose")
    if not set(groups) & set(allowed_groups):
        return Decision("proposed", "the host is in none of the groups of respond_allowed_groups")
    if not permitted_rows:
        return Decision("proposed", "no setting that is asked for is both allowed by respond_allowed_variables and as sure as respond_confidence wants")
    return Decision("remediate", f"{len(permitted_rows)} allowed setting{'s' if len(permitted_rows) > 1 else ''}")


def kills_count_from(rows: Iterable[Mapping[str, Any]]) -> str:
    """From when on a kill speaks against a change: ``before`` it began, or ``after`` it was made.

    While the host still kills because of what is being remedied, kills before
    the change is in force say nothing of it; of a setting that can itself kill they do.
    """
    named = {name for row in rows for name in (row["variable"], row["key"], *row["causes"])}
    return "before" if named & set(TIGHTENING) else "after"


def confidence_error(word: str) -> str | None:
    """Why this is no confidence; None where it is one."""
    return None if word in CONFIDENCES else f"{word!r} is no confidence: use {', '.join(CONFIDENCES)}"
