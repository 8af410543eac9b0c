# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An Alertmanager notification in, what is to be done with each of its alerts out. Every text in it may be hostile."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import NamedTuple

from .targets import Hosts, find_host

ALERT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
MOST_ALERTS = 2000
MOST_LABELS = 64
LONGEST_NAME = 128
LONGEST_VALUE = 1024

RUN, RESOLVED, UNKNOWN_HOST, UNKNOWN_ALERT, MALFORMED = "run", "resolved", "unknown_host", "unknown_alert", "malformed"


class BadNotification(ValueError):
    """What was sent is no notification of Alertmanager's (version 4 of its webhook format)."""


class Decision(NamedTuple):
    """What is done with one alert.

    ``alert`` is its name as it came, cut to LONGEST_NAME; ``host`` a name of the inventory, or None; ``decision`` one of the words
    above, with ``why`` where nothing is run. ``event`` is base64 of JSON {labels, annotations, startsAt, fingerprint, generatorURL},
    the only form in which the alert's own text goes on; None where nothing is run.
    """

    alert: str | None
    host: str | None
    decision: str
    why: str | None
    fingerprint: str | None
    starts_at: str | None
    event: str | None


def decide(notification: object, hosts: Hosts, has_runbook: Callable[[str], bool]) -> list[Decision]:
    """One decision per alert, in the order of the notification.

    ``has_runbook`` is asked with names that match ALERT_NAME alone. Raises BadNotification where there is no list of alerts, or one
    too long; a single alert that is malformed does not keep the others from running.
    """
    alerts = notification.get("alerts") if isinstance(notification, dict) else None
    if not isinstance(alerts, list):
        raise BadNotification("a JSON object with a list `alerts` is expected, as Alertmanager's webhook sends it")
    if len(alerts) > MOST_ALERTS:
        raise BadNotification(f"{len(alerts)} alerts in one notification; at most {MOST_ALERTS} are taken: group_by: [alertname, instance]")
    return [_decide_one(alert, hosts, has_runbook) for alert in alerts]


def _decide_one(alert: object, hosts: Hosts, has_runbook: Callable[[str], bool]) -> Decision:
    labels = _texts(alert.get("labels")) if isinstance(alert, dict) else None
    if labels is None or "alertname" not in labels:
        return Decision(None, None, MALFORMED, "there is no label alertname", None, None, None)
    name = labels["alertname"][:LONGEST_NAME]
    fingerprint, starts_at = (_text(alert.get(key)) for key in ("fingerprint", "startsAt"))

    def decided(decision: str, why: str | None = None, host: str | None = None, event: str | None = None) -> Decision:
        return Decision(name, host, decision, why, fingerprint, starts_at, event)

    if alert.get("status") == "resolved":
        return decided(RESOLVED)
    if alert.get("status") != "firing":
        return decided(MALFORMED, "its status is neither firing nor resolved")
    if not ALERT_NAME.fullmatch(name) or not has_runbook(name):
        return decided(UNKNOWN_ALERT, "there is no runbook of that name")
    host, why = find_host(labels, hosts)
    if host is None:
        return decided(UNKNOWN_HOST, why)
    return decided(RUN, host=host, event=_packed(alert, labels))


def _packed(alert: dict, labels: dict[str, str]) -> str:
    event = {
        "labels": _first(labels),
        "annotations": _first(_texts(alert.get("annotations")) or {}),
        **{key: _text(alert.get(key)) for key in ("startsAt", "fingerprint", "generatorURL")},
    }
    return base64.b64encode(json.dumps(event).encode("ascii")).decode("ascii")


def _first(texts: dict[str, str]) -> dict[str, str]:
    return dict(list(texts.items())[:MOST_LABELS])


def _texts(value: object) -> dict[str, str] | None:
    """The texts of an object, each bounded; None where it is no object."""
    if not isinstance(value, dict):
        return None
    return {key: text[:LONGEST_VALUE] for key, text in value.items() if len(key) <= LONGEST_NAME and isinstance(text, str)}


def _text(value: object) -> str | None:
    return value[:LONGEST_VALUE] if isinstance(value, str) else None
