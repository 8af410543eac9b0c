# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which tunables a host shall have which value: the profile, and what the inventory says over it. Checked before the host is touched."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from ...module_utils.tunables import expressions, refusals
from ...module_utils.tunables.arguments import NO_PROFILE, PROFILES

#: What the module needs of an entry that is there for a sum only.
_BARE = ("key", "kind", "path", "type", "unit", "range", "values", "pair")
#: What no host needs.
_NOT_SENT = ("profiles",)


class WantedError(ValueError):
    """What is wanted cannot be; the text names each key, its value and what is allowed."""


def wanted(profile: str, overrides: Mapping[str, Any], catalogue: Mapping[str, dict]) -> tuple[dict[str, Any], dict[str, dict]]:
    """({key: value}, {key: entry}): what the module is told.

    An override of None or "keep" takes the key out of the profile, and an
    override of one of a pair takes out the other. Raises WantedError, with all
    that is wrong.
    """
    wrong = list(_wrong(overrides, catalogue))
    if profile not in (NO_PROFILE, *PROFILES):
        wrong.append(f"profile {profile}: there are {', '.join((NO_PROFILE, *PROFILES))}")
    if wrong:
        raise WantedError("; ".join(wrong))
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if profile != NO_PROFILE:
        for key, entry in catalogue.items():
            values[key] = entry["profiles"][profile]
            sources[key] = f"profile {profile}"
    for key, value in overrides.items():
        values[key] = value
        sources[key] = "the inventory"
        if value is not None:
            values.pop(catalogue[key].get("pair"), None)
    values = {key: value for key, value in values.items() if value is not None and not _is_unmanaged(value, catalogue[key])}
    return values, entries(values, sources, catalogue)


def entries(values: Mapping[str, Any], sources: Mapping[str, str], catalogue: Mapping[str, dict]) -> dict[str, dict]:
    """The entries that the module needs for these keys, and bare ones for the sums and pairs."""
    sent = {}
    for key in values:
        sent[key] = {name: part for name, part in catalogue[key].items() if name not in _NOT_SENT and part is not None}
        sent[key]["from"] = sources[key]
    partners = [catalogue[key]["pair"] for key in values if catalogue[key].get("pair")]
    for key in (*refusals.RELATED, *partners):
        sent.setdefault(key, _bare(catalogue[key]))
    return sent


def all_entries(catalogue: Mapping[str, dict]) -> dict[str, dict]:
    """What a rollback needs: a little of every key, for the journal can name any."""
    return {key: _bare(entry) for key, entry in catalogue.items()}


def unknown_keys(keys: list[str], catalogue: Mapping[str, dict]) -> str | None:
    """A sentence on keys that the catalogue does not have, or None. They may be as the journal has them: ``vm.swappiness@boot``."""
    unknown = [_unknown(key, catalogue) for key in keys if key.partition("@")[0] not in catalogue]
    return "; ".join(unknown) or None


def _wrong(overrides: Mapping[str, Any], catalogue: Mapping[str, dict]):
    for key, value in overrides.items():
        if not isinstance(key, str) or key not in catalogue:
            yield _unknown(key, catalogue)
            continue
        if value is None:
            continue
        try:
            expressions.parse(value, catalogue[key])
        except expressions.ExpressionError as error:
            yield f"{key}: {value!r} is not allowed; {error}"
            continue
        partner = catalogue[key].get("pair")
        if partner in overrides and overrides[partner] is not None and key < partner:
            yield f"{key} and {partner} exclude each other (writing one makes the other 0); set one of them"


def _unknown(key: Any, catalogue: Mapping[str, dict]) -> str:
    near = difflib.get_close_matches(str(key), catalogue, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(catalogue))}"
    return f"{key!r} is not in the catalogue of tunables; {hint}"


def _is_unmanaged(value: Any, entry: dict) -> bool:
    return expressions.is_unmanaged(expressions.parse(value, entry))


def _bare(entry: dict) -> dict:
    return {name: entry[name] for name in _BARE if entry.get(name) is not None}
