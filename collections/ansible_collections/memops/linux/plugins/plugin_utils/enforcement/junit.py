# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An audit as JUnit XML, which every CI server can show: a suite for each host, a case for each key."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ..report.terminal import printable
from .plan_text import value


def junit(report: dict[str, Any]) -> str:
    """The document's text. report: ``memops.audit/1`` of a fleet.

    Drift and refusals are failures, a host that gave no answer is an error, what a host cannot have or what was left alone is skipped.
    """
    top = ElementTree.Element("testsuites", name="memops audit", timestamp=report["made_at"].rstrip("Z"))
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for host in report["hosts"]:
        suite = ElementTree.SubElement(top, "testsuite", name=printable(host["host"]), timestamp=host["checked_at"].rstrip("Z"))
        counts = dict.fromkeys(totals, 0)
        for case in _cases(host):
            suite.append(case)
            counts["tests"] += 1
            for child, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
                counts[name] += case.find(child) is not None
        for name, count in counts.items():
            suite.set(name, str(count))
            totals[name] += count
    for name, count in totals.items():
        top.set(name, str(count))
    ElementTree.indent(top)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(top, encoding="unicode") + "\n"


def _cases(host: dict[str, Any]) -> list[ElementTree.Element]:
    cases = []
    if host["why"]:
        case = _case(host, "host", "answers")
        ElementTree.SubElement(case, "error", type="no_answer", message=printable(host["why"]))
        cases.append(case)
    for key in host["keys"]:
        case = _case(host, key["area"], key["key"])
        if key["status"] in ("drift", "refused"):
            message = "; ".join(told(face) for face in key["faces"]) or key["why"] or key["status"]
            ElementTree.SubElement(case, "failure", type=key["status"], message=printable(message))
        elif key["status"] != "compliant":
            ElementTree.SubElement(case, "skipped", message=printable(f"{key['status']}: {key['why']}"))
        cases.append(case)
    return cases


def _case(host: dict[str, Any], area: str, key: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=f"{printable(host['host'])}.{printable(area)}", name=printable(key))


def told(face: dict[str, Any]) -> str:
    """One face of a key's drift, in words."""
    where = f" ({face['where']})" if face["where"] else ""
    return f"{face['face']}: wanted {value(face['wanted'])}, found {'nothing' if face['found'] is None else value(face['found'])}{where}"
