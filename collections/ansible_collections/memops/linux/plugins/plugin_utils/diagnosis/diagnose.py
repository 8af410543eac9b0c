# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From an evidence document to a diagnosis document (``memops.diagnosis/1``).

evidence -> events (what the texts say) -> cases (one for each incident, joined
from all sources) -> causes (the rules' judgement) -> document. Nothing here
touches a file or the network: the same evidence gives the same diagnosis.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..events.kernel import read_kernel
from ..events.model import Event, Line, ServiceEvent
from ..events.services import read_services
from . import document, verdict
from .case import Case
from .causes.catalogue import RULES
from .conditions import conditions
from .host_facts import HostFacts
from .kernel_cases import cases_of_kernel
from .rule import Lacking, Ranked, judge
from .user_space_cases import join_containers, join_services, join_units


def diagnose(evidence: dict[str, Any]) -> dict[str, Any]:
    """The diagnosis of one host's evidence."""
    host = HostFacts(evidence)
    return diagnose_events(host, kernel_events(host), read_services(host.section("services").get("lines") or []))


def diagnose_events(host: HostFacts, events: list[Event], services: list[ServiceEvent]) -> dict[str, Any]:
    """The diagnosis of what logs say, with all that is known of the host besides.

    events: the kernel's, the oldest first; services: user space's.
    """
    evidence = host.evidence
    cases = find_cases(host, events, services)
    judged = [(case, *_judge(case)) for case in cases]
    incidents = [document.incident(case, held, lacking) for case, held, lacking in judged]
    _count_repeats(incidents, cases)
    findings = [document.finding(condition) for condition in conditions(host, cases)]
    return {
        "schema": document.SCHEMA,
        "host": evidence.get("host"),
        "collected_at": evidence.get("collected_at"),
        "since": evidence.get("since"),
        "log_from": host.log_reaches_back_to(),
        "kernel": evidence.get("kernel"),
        "ram_bytes": host.ram_bytes,
        "verdict": verdict.of(host, incidents, findings),
        "incidents": incidents,
        "findings": findings,
        "unreadable": evidence.get("unreadable") or [],
        "dropped": evidence.get("dropped") or [],
    }


def find_cases(host: HostFacts, events: list[Event], services: list[ServiceEvent]) -> list[Case]:
    """All incidents of the logs and of the host's evidence, the newest first."""
    cases = cases_of_kernel(events, host)
    cases = join_services(cases, services, host)
    cases = join_units(cases, host)
    cases = join_containers(cases, host)
    for place, case in enumerate(cases):
        case.log, case.place = cases, place
    return sorted(cases, key=lambda case: case.time or "", reverse=True)


def kernel_events(host: HostFacts) -> list[Event]:
    """The typed events of all excerpts of the kernel log, the oldest first."""
    events: list[Event] = []
    for excerpt in reversed(host.section("kernel_log").get("excerpts") or []):
        lines = [Line(line["text"], line.get("time"), excerpt["path"]) for line in excerpt["lines"]]
        read = read_kernel(lines, host.page_bytes)
        if read:
            read[-1].omitted_lines = excerpt["omitted_lines"]
            read[-1].left_out = excerpt["repeats"]
        events += read
    return events


def _judge(case: Case) -> tuple[list[Ranked], list[Lacking]]:
    return judge(case, RULES)


def _count_repeats(incidents: list[dict[str, Any]], cases: list[Case]) -> None:
    """Each incident learns how often its like happened, those that the collector left out included."""
    counts: Counter[tuple] = Counter()
    for incident, case in zip(incidents, cases, strict=True):
        counts[_signature(incident)] += 1 + (case.event.left_out if case.event else 0)
    for incident in incidents:
        incident["repeats"] = counts[_signature(incident)]


def _signature(incident: dict[str, Any]) -> tuple:
    container = incident["container"] or {}
    place = container.get("name") or incident["unit"] or incident["cgroup"]
    return incident["kind"], incident["cause"], place, (incident["concerned"] or {}).get("process")
