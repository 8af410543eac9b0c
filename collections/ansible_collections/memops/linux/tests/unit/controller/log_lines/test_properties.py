# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must hold for the bytes of any log, whole, cut, joined, damaged or hostile."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose_events
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import LogFile
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.reading import read_log
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import NAMES
from ansible_collections.memops.linux.tests.unit.controller.log_lines.log_forms import BOOT, FORMS, messages

CONFIDENCES = [None, "possible", "probable", "certain"]
LINE_FORMS = ["dmesg", "syslog", "syslog with uptime", "dmesg -T", "journalctl -o json", "RFC 5424", "a quoted mail", "container runtime"]


def as_bytes(name: str, form: str) -> bytes:
    written = FORMS[form](messages(name))
    return written if isinstance(written, bytes) else written.encode()


LOGS = {(name, form): as_bytes(name, form) for name in NAMES[::3] for form in LINE_FORMS}


def diagnosed(data: bytes) -> list[dict]:
    reading = read_log(LogFile("log", lambda: iter([data]), BOOT.timestamp() + 86400))
    diagnosis = diagnose_events(HostFacts({"host": "h", "unreadable": []}), reading.events, reading.services)
    json.dumps(diagnosis, allow_nan=False)
    return diagnosis["incidents"]


def dead(incident: dict) -> tuple:
    victim = incident["victim"] or {}
    return incident["kind"], victim.get("pid"), victim.get("process")


mutations = st.lists(st.tuples(st.sampled_from(["drop", "bit", "insert", "cut"]), st.floats(0, 1), st.binary(max_size=6)), max_size=6)


@given(st.one_of(st.binary(max_size=3000), st.text(max_size=2000).map(lambda text: text.encode("utf-8", "replace"))))
@settings(max_examples=200, deadline=None)
def test_any_bytes_have_a_diagnosis(data):
    diagnosed(data)


@given(st.sampled_from(sorted(LOGS)), mutations)
@settings(max_examples=120, deadline=None)
def test_a_damaged_log_has_a_diagnosis(which, changes):
    data = bytearray(LOGS[which])
    for change, place, more in changes:
        at = int(place * len(data))
        if change == "drop":
            del data[at : at + 40]
        elif change == "cut":
            del data[at:]
        elif change == "insert":
            data[at:at] = more
        elif data:
            data[min(at, len(data) - 1)] ^= 1 << len(more)
    diagnosed(bytes(data))


@given(st.sampled_from(sorted(LOGS)), st.floats(0, 1), st.booleans())
@settings(max_examples=120, deadline=None)
def test_a_log_that_is_cut_anywhere_is_no_surer_of_a_death(which, place, keep_end):
    data = LOGS[which]
    at = int(place * len(data))
    whole = {dead(incident): incident["confidence"] for incident in diagnosed(data)}

    for incident in diagnosed(data[at:] if keep_end else data[:at]):
        if dead(incident) in whole:
            assert CONFIDENCES.index(incident["confidence"]) <= CONFIDENCES.index(whole[dead(incident)])


@given(st.sampled_from(sorted(LOGS)), st.sampled_from(sorted(LOGS)))
@settings(max_examples=80, deadline=None)
def test_two_logs_in_one_file_have_the_incidents_of_both(first, second):
    if first[0] == second[0]:
        return  # the same report twice may be one that two sources brought

    told = [(dead(incident), incident["cause"], incident["confidence"]) for incident in diagnosed(LOGS[first] + LOGS[second])]

    apart = [(dead(incident), incident["cause"], incident["confidence"]) for which in (first, second) for incident in diagnosed(LOGS[which])]
    assert sorted(map(str, told)) == sorted(map(str, apart))


STARTS = ["[", "[1.0", "Nov 20 10:00:00 ", "2026-11-20T10:00:00Z ", "<4>", "{", '{"MESSAGE":"', "> ", "| ", "10:00:00 "]
STARTS += ["kernel: ", "a[1]: ", "&lt;", "\x1b[", "_A="]
FILLERS = ["a", "1", " ", ":", "[", "]", "[1.000000] ", "10:00:00 ", "> ", "| ", ".", "/", "-", "=", "\\x1b", "&amp;", "Nov 20 "]
FILLERS += ["kernel: ", "a: ", '"', "{", "\x00", "\u00e9", "\r"]


@pytest.mark.parametrize("filler", FILLERS)
def test_hostile_lines_take_no_longer_than_others(filler):
    """A pattern that backtracks would need seconds for one of these."""
    lines = [start + filler * (16000 // len(filler)) for start in STARTS]
    data = "\n".join([*lines, *(line + " Out of memory: Killed process 7 (a)" for line in lines)]).encode("utf-8", "replace")

    started = time.process_time()
    read_log(LogFile("log", lambda: iter([data]), None))

    assert (time.process_time() - started) / len(lines) < 0.1
