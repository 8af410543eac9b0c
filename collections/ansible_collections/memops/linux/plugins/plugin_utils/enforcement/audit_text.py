# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An audit for people: report.md, and what the terminal shows."""

from __future__ import annotations

from typing import Any

from ..report.markdown import escaped
from ..report.terminal import printable
from .audit import STATES
from .junit import told

COLOURS = {"no_answer": "bright red", "refused": "red", "drift": "yellow", "compliant": "green", "no_baseline": None}
HOSTS_SHOWN = 40
KEYS_SHOWN = 20


def markdown(report: dict[str, Any]) -> str:
    """report.md: the table of hosts, then each key that is not as it should be."""
    counts = ", ".join(f"{count} {state}" for state, count in report["counts"].items()) or "no host"
    lines = ["# Baseline audit", "", f"{report['made_at']} · {report['answered']} of {report['asked']} hosts answered · {counts}", ""]
    lines += [f"- {state}: {meaning}" for state, meaning in STATES.items() if state in report["counts"]]
    lines += ["", "| host | status | keys | drift | refused | unsupported | why |", "|---|---|---|---|---|---|---|"]
    for host in report["hosts"]:
        found = [sum(key["status"] == state for key in host["keys"]) for state in ("drift", "refused", "unsupported")]
        cells = [escaped(host["host"]), host["status"], len(host["keys"]), *found, escaped(host["why"])]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    for host in report["hosts"]:
        odd = [key for key in host["keys"] if key["status"] != "compliant"]
        if not odd and not host["notes"]:
            continue
        lines += ["", f"## {escaped(host['host'])}", ""]
        if odd:
            lines += ["| area | key | status | face | wanted | found | where or why |", "|---|---|---|---|---|---|---|"]
        for key in odd:
            for face in key["faces"] or [{"face": None, "wanted": None, "found": None, "where": key["why"]}]:
                cells = [key["area"], key["key"], key["status"], face["face"], face["wanted"], face["found"], face["where"] or key["why"]]
                lines.append("| " + " | ".join(escaped(cell) for cell in cells) + " |")
        if host["notes"]:
            lines += ["", *(f"- {escaped(note)}" for note in host["notes"])]
    return "\n".join(lines) + "\n"


def table(report: dict[str, Any]) -> list[tuple[str, str | None]]:
    """(line, colour): each host that is not compliant with its keys; the others are only counted when there are many."""
    hosts = report["hosts"]
    shown = [host for host in hosts if host["status"] not in ("compliant", "no_baseline")][:HOSTS_SHOWN] if len(hosts) > HOSTS_SHOWN else hosts
    width = max((len(printable(host["host"])) for host in shown), default=4)
    lines: list[tuple[str, str | None]] = []
    for host in shown:
        lines.append((f"{printable(host['host']).ljust(width)}  {host['status'].ljust(11)}  {_said(host)}", COLOURS[host["status"]]))
        odd = [key for key in host["keys"] if key["status"] in ("drift", "refused", "left_alone")]
        for key in odd[:KEYS_SHOWN]:
            for text in [told(face) for face in key["faces"]] or [f"{key['status']}: {key['why']}"]:
                lines.append((f"  {printable(key['key'])}: {printable(text)}", None))
        if len(odd) > KEYS_SHOWN:
            lines.append((f"  ... and {len(odd) - KEYS_SHOWN} more keys in report.md", None))
    if len(shown) < len(hosts):
        lines.append((f"... and {len(hosts) - len(shown)} more hosts; all are in report.json", None))
    return lines


def _said(host: dict[str, Any]) -> str:
    if host["why"]:
        return printable(host["why"])
    good = sum(key["status"] == "compliant" for key in host["keys"])
    return f"{good} of {len(host['keys'])} keys as wanted" if host["keys"] else STATES["no_baseline"]
