# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All forms of a run's report, written from what lies in its folder."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .fleet import gather, read_diagnosis, read_evidence, report_document
from .host_files import write_file
from .markdown import HOSTS_TOLD, markdown
from .page import rendering
from .page.packing import ANCHOR


def write_report(
    run_folder: str, hosts: Iterable[str], groups: Mapping[str, Iterable[str]] | None = None, runs: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Write report.json, report.md and report.html; the document that stands as report.json.

    hosts: those that were asked. groups: host -> groups of the inventory. runs: of
    a merged report what it was made from. Raises OSError.
    """
    folder = pathlib.Path(run_folder)
    fleet = gather(run_folder, hosts, groups)
    report = report_document(fleet, runs)
    write_file(folder / "report.json", json.dumps(report, indent=1))
    told = [row["host"] for row in report["hosts"] if row["verdict"]["code"] != "healthy" and row["diagnosis"]][:HOSTS_TOLD]
    write_file(folder / "report.md", markdown(report, (read_diagnosis(run_folder, host) for host in told), run_folder))
    anchors = {row["host"]: f"h{place}" for place, row in enumerate(report["hosts"]) if row["host"] in fleet.views}
    single = len(report["hosts"]) == 1
    write_file(folder / "report.html", rendering.page(report, run_folder, anchors, _views(run_folder, anchors, single)))
    return report


def _views(run_folder: str, anchors: Mapping[str, str], single: bool) -> Iterator[tuple[str, Any]]:
    """Each host's part of the page. A host's evidence is whatever it sent: where it cannot be drawn the diagnosis is told without it."""
    for host, anchor in anchors.items():
        diagnosis = read_diagnosis(run_folder, host)
        place = ANCHOR if rendering.is_packed(anchors) else anchor
        try:
            yield anchor, rendering.host_html(diagnosis, read_evidence(run_folder, host), place, single)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            yield anchor, rendering.host_html(diagnosis, None, place, single)
