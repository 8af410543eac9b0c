# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How often hosts may be changed by themselves, from the record of what was."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

#: Outcomes after which nothing was left changed for the better, and a person should look before more is done.
FAILED = ("rolled_back", "rollback_failed", "interrupted")


class Rates(NamedTuple):
    """At most ``host`` changes of one host within ``host_seconds``, ``fleet`` of all hosts within ``fleet_seconds``."""

    host: int = 1
    host_seconds: int = 86400
    fleet: int = 3
    fleet_seconds: int = 3600


class Change(NamedTuple):
    """One remediation of one host. outcome: as it ended; ``interrupted`` where it never did."""

    at: datetime.datetime
    host: str
    run: str
    outcome: str


def changes(lines: Iterable[str]) -> list[Change]:
    """The remediations of a record, oldest first. Lines: JSON {at, event: begun|ended, host, run, outcome}; a torn line is passed over."""
    found: dict[tuple[str, str], Change] = {}
    for line in lines:
        try:
            entry = json.loads(line)
            at = datetime.datetime.fromisoformat(entry["at"]).astimezone(datetime.UTC)
            key = (str(entry["host"]), str(entry["run"]))
            if entry["event"] == "begun":
                found[key] = Change(at, *key, "interrupted")
            elif key in found:
                found[key] = found[key]._replace(outcome=str(entry["outcome"]))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            continue
    return sorted(found.values())


def refusal(found: Iterable[Change], host: str, rates: Rates, now: datetime.datetime) -> str | None:
    """Why this host is not changed now; None where it may be.

    One change that failed stops the whole fleet for ``fleet_seconds``: what did harm on one host may do so on the next.
    """
    counted = [change for change in found if change.outcome != "nothing_to_change"]
    fleet = [change for change in counted if (now - change.at).total_seconds() < rates.fleet_seconds]
    of_host = [change for change in counted if change.host == host and (now - change.at).total_seconds() < rates.host_seconds]
    failed = next((change for change in reversed(fleet) if change.outcome in FAILED), None)
    if failed is not None:
        return f"the remedy of {failed.host} in run {failed.run} was {failed.outcome.replace('_', ' ')} less than {rates.fleet_seconds} s ago: look at it first"
    if len(of_host) >= rates.host:
        last = of_host[-1]
        ended = last.outcome.replace("_", " ")
        return f"within {rates.host_seconds} s this host was changed by run {last.run} ({ended}), and respond_rate_host is {rates.host}"
    if len(fleet) >= rates.fleet:
        return f"within {rates.fleet_seconds} s {len(fleet)} changes were made, and respond_rate_fleet is {rates.fleet}"
    return None


def line(event: str, host: str, run: str, now: datetime.datetime, **more: Any) -> str:
    """A line of the record."""
    entry: Mapping[str, Any] = {"at": now.astimezone(datetime.UTC).isoformat(timespec="seconds"), "event": event, "host": host, "run": run, **more}
    return json.dumps(entry) + "\n"
