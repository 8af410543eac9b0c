# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is sent to people about a response: a few lines of plain text.

Process names, labels and container names are in it, which anybody can choose
who can start a process. They must not call a channel together, be a link or
colour a terminal, in whatever a service makes of plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..report.terminal import printable

TITLE_CHARACTERS = 150
PART_CHARACTERS = 500
TEXT_CHARACTERS = 3000

_SIGNS = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'", "[": "(", "]": ")", "|": "¦"})


class Notice(NamedTuple):
    """title, text: safe to send. kind: info, success, warning or failure, as Apprise has them."""

    title: str
    text: str
    kind: str


def harmless(text: Any, characters: int = PART_CHARACTERS) -> str:
    """The text on one line with nothing that a service takes for a mention, a link or markup; cut where it is long.

    >>> harmless("[x](https://e.test) `\\x1b`")
    "(x)(https(:)//e.test) '\\\\x1b'"
    """
    shown = printable(text).replace("://", "(:)//").translate(_SIGNS)
    return shown if len(shown) <= characters else shown[: characters - 1] + "…"


def notice(response: Mapping[str, Any], diagnosis: Mapping[str, Any] | None) -> Notice:
    """The notice of a response (memops.response/1) and the diagnosis that it is about."""
    code = response["verdict"]["code"] if response["verdict"] else "no_evidence"
    title = f"{response['host']}: {_headline(response, code)} ({response['alert']['name']})"
    text = "\n".join(_lines(response, diagnosis, code))
    if len(text) > TEXT_CHARACTERS:
        text = text[: TEXT_CHARACTERS - 1] + "…"
    return Notice(harmless(title, TITLE_CHARACTERS), text, _kind(response, code))


def _headline(response: Mapping[str, Any], code: str) -> str:
    outcome = (response["remediation"] or {}).get("outcome")
    if outcome == "applied":
        return "remedied"
    if outcome in ("rolled_back", "rollback_failed"):
        return "remedy failed and was taken back" if outcome == "rolled_back" else "REMEDY FAILED AND COULD NOT BE TAKEN BACK"
    return "could not be examined" if code == "no_evidence" else code.replace("_", " ")


def _lines(response: Mapping[str, Any], diagnosis: Mapping[str, Any] | None, code: str) -> Iterator[str]:
    verdict, alert = response["verdict"], response["alert"]
    if code == "no_evidence":
        attempts = response["attempts"] or 0
        yield harmless(
            f"The host could not be examined{f' in {attempts} attempts' if attempts > 1 else ''}: {verdict['summary'] if verdict else 'no diagnosis'}"
        )
    else:
        yield harmless(verdict["summary"])
    yield harmless(f"Alert: {alert['name']}" + (f" ({alert['severity']})" if alert["severity"] else "") + _since(response) + _colon(alert["summary"]))
    if verdict and verdict["cause"]:
        yield harmless(f"Cause: {verdict['cause']} ({verdict['confidence']}), the newest of {verdict['incidents']} in {response['since']}")
    for unit in response["units"]:
        yield harmless(
            f"Unit: {unit['unit']} is {unit['active']}" + (f", result {unit['result']}" if unit["result"] else "") + _colon(unit["since"], ", since ")
        )
    yield from _what_was_done(response)
    remedy = _first_remedy(diagnosis)
    if remedy is not None and (response["remediation"] or {}).get("outcome") != "applied":
        yield harmless(f"Remedy: {remedy['action']}")
        yield from _command("By hand", remedy.get("command"))
    if response["proposal"]:
        yield from _command("To make the change", response["proposal"]["command"])
    yield harmless(f"Report: {response['run']}/report.html")


def _what_was_done(response: Mapping[str, Any]) -> Iterator[str]:
    done, decision = response["remediation"], response["decision"]
    if done is None:
        if decision and decision["code"] in ("proposed", "no_evidence") and response["policy"] == "remediate":
            yield harmless(f"Nothing was changed: {decision['why']}")
        return
    keys = ", ".join(f"{setting['key']} = {setting['value']}" for setting in done["settings"])
    if done["outcome"] == "applied":
        yield harmless(f"Set: {keys}")
    elif done["outcome"] == "not_now":
        yield harmless(f"Nothing was changed: {done['why']}")
    else:
        yield harmless(f"{done['outcome'].replace('_', ' ').capitalize()}: {keys}" + _colon(done["why"]))
    if done["left_alone"]:
        yield harmless(f"Left as it is: {'; '.join(done['left_alone'])}")
    if done["undo"] and done["outcome"] in ("applied", "rollback_failed"):
        yield from _command("To take it back", done["undo"])


def _command(label: str, command: str | None) -> Iterator[str]:
    """A command only as it is: one that had to be made harmless is no longer that command."""
    if command:
        shown = harmless(command)
        yield f"{label}: {shown if shown == command else 'see the report'}"


def _first_remedy(diagnosis: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if diagnosis is None:
        return None
    number = diagnosis["verdict"]["incident"]
    items = [diagnosis["incidents"][number]] if number is not None else []
    items += [finding for finding in diagnosis["findings"] if finding["severity"] == "risk"]
    return next((remedy for item in items for remedy in item["remedies"]), None)


def _since(response: Mapping[str, Any]) -> str:
    started = response["times"]["alert_started"]
    return f", since {started}" if started else ""


def _colon(text: Any, sign: str = ": ") -> str:
    return f"{sign}{text}" if text else ""


def _kind(response: Mapping[str, Any], code: str) -> str:
    outcome = (response["remediation"] or {}).get("outcome")
    if outcome == "applied":
        return "success"
    if outcome in ("rolled_back", "rollback_failed") or code in ("memory", "no_evidence"):
        return "failure"
    return "info" if code == "healthy" else "warning"
