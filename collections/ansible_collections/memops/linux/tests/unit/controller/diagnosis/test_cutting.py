# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cutting a log never makes its diagnosis surer, nor certain of what the whole log does not say."""

from __future__ import annotations

import os
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose_events
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import LogFile
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.reading import read_log
from ansible_collections.memops.linux.tests.unit.controller.diagnosis.cutting import cut, incidents, surer_than_the_whole
from ansible_collections.memops.linux.tests.unit.controller.diagnosis.reports import REPORTS
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import NAMES, lines_of, recorded

LOGS = {name: recorded(name) for name in NAMES} | {name: lines_of(text) for name, text in REPORTS.items()}
WHOLE = {name: incidents(lines) for name, lines in LOGS.items()}
#: A folder of logs that must not be part of the project: cases/*.log.
LABELLED = os.environ.get("MEMOPS_OOM_LOGS")


@given(st.sampled_from(sorted(LOGS)), st.integers(0, 1 << 32))
@settings(max_examples=400, deadline=None)
def test_a_cut_log_is_never_surer_than_the_whole_one(name, seed):
    assert surer_than_the_whole(WHOLE[name], incidents(cut(LOGS[name], seed))) == []


@pytest.mark.parametrize("name", sorted(LOGS))
def test_a_log_that_breaks_off_is_never_surer_than_the_whole_one(name):
    lines = LOGS[name]
    for number in range(0, len(lines), max(1, len(lines) // 12)):
        for part in (lines[:number], lines[number:]):
            assert surer_than_the_whole(WHOLE[name], incidents(part)) == []


def test_the_property_can_fail():
    (whole,) = WHOLE["linux-6.1-global-no-swap"]
    assert surer_than_the_whole([{**whole, "confidence": "probable"}], [whole])
    assert surer_than_the_whole([{**whole, "cause": "leak"}], [whole])
    assert not surer_than_the_whole([whole], [{**whole, "confidence": "possible"}])


def read_text(lines):
    data = "\n".join(line.text for line in lines).encode() + b"\n"
    reading = read_log(LogFile("log", lambda: iter([data])))
    return diagnose_events(HostFacts({}), reading.events, reading.services)["incidents"]


@pytest.mark.skipif(not LABELLED, reason="MEMOPS_OOM_LOGS names no folder of logs")
def test_logs_of_others_keep_the_property_too():
    paths = sorted(pathlib.Path(LABELLED or "").glob("cases/*.log"))
    assert paths
    for path in paths:
        lines = [Line(text) for text in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        whole = read_text(lines)
        for seed in range(25):
            assert surer_than_the_whole(whole, read_text(cut(lines, seed))) == [], (path.name, seed)
