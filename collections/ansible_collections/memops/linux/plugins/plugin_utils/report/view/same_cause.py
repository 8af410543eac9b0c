# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The same cause across hosts, put together: "14 hosts, image shop, limit 512 MiB, since Tuesday"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ...diagnosis.wording import count, size
from . import words
from .occurrences import Occurrence

HOSTS_NAMED = 200
#: Digits and ids tell instances of a unit apart, not kinds of it.
_INSTANCE = re.compile(r"(?:[0-9a-f]{12,}|\d+)")


def groups(found: Iterable[Occurrence]) -> list[dict[str, Any]]:
    """Groups of two hosts and more, the largest first.

    {cause, kind, what, name, hosts: [name], host_count, kills, limits, kernels, since, until, remedy}.
    what: "image", "unit" or "process" (what they share), name: its name.
    """
    alike: dict[tuple, list[Occurrence]] = {}
    for each in found:
        alike.setdefault((each.kind, each.cause, *_subject(each)), []).append(each)
    made = [_group(*key, members) for key, members in alike.items() if len({member.host for member in members}) > 1]
    return sorted(made, key=lambda group: (-group["host_count"], -group["kills"], group["cause"] or "", group["name"]))


def told(group: dict[str, Any]) -> str:
    """A group in one line."""
    parts = [count(group["host_count"], "host"), group["cause"] or "cause not known"]
    if group["name"]:
        parts.append(f"{group['what']} {group['name']}")
    if group["limits"]:
        parts.append(f"limit {' or '.join(group['limits'])}")
    if len(group["kernels"]) == 1:
        parts.append(f"kernel {group['kernels'][0]}")
    if group["since"]:
        parts.append(f"since {group['since']}")
    return ", ".join(parts)


def _subject(each: Occurrence) -> tuple[str, str]:
    if each.image:
        return "image", each.image
    if each.unit:
        return "unit", _INSTANCE.sub("*", each.unit)
    return "process", each.process or ""


def _group(kind: str, cause: str | None, what: str, name: str, members: list[Occurrence]) -> dict[str, Any]:
    times = sorted(time for member in members for time in member.times)
    units = {member.unit for member in members}
    hosts = sorted({member.host for member in members})
    return {
        "cause": cause,
        "kind": kind,
        "what": what,
        "name": units.pop() if what == "unit" and len(units) == 1 else name,
        "hosts": hosts[:HOSTS_NAMED],
        "host_count": len(hosts),
        "kills": sum(member.repeats for member in members),
        "limits": [size(limit) for limit in sorted({member.limit_bytes for member in members if member.limit_bytes})][:4],
        "kernels": sorted({member.kernel for member in members if member.kernel}),
        "since": words.moment(times[0]) if times else None,
        "until": words.moment(times[-1]) if times else None,
        "remedy": next((member.remedy for member in members if member.remedy), None),
    }
