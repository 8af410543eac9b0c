# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One entry's diagnosis: what a log shows, what a log alone cannot show, and what is no log."""

from __future__ import annotations

import contextlib
import gzip
import json

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import DamagedLog, LogFile
from ansible_collections.memops.linux.plugins.plugin_utils.log_places.unpacking import Allowance, unpacked
from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs import entry
from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs.entry import (
    NOT_A_LOG,
    diagnosis_of_evidence,
    diagnosis_of_log,
    diagnosis_within_memory,
    read,
)

#: In the kernel's form since 5.0.
KILL = b"Out of memory: Killed process 7 (shop) total-vm:9000kB, anon-rss:8000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:48kB oom_score_adj:0"
CALM = b"2026-11-20T10:00:00+00:00 web1 kernel: usb 1-1: new device\n2026-11-20T11:30:00+00:00 web1 kernel: usb 1-1: gone\n"
MODIFIED_AT = 1_795_000_000.0


def diagnosed(*blocks):
    return diagnosis_of_log("case", read("case", LogFile("case.log", lambda: unpacked(iter(blocks), Allowance()), MODIFIED_AT)))


def test_given_a_kill_then_the_verdict_is_memory_and_the_quote_says_in_which_line_of_which_file():
    diagnosis = diagnosed(b"[ 99.000000] usb 1-1: new device\n[100.000000] " + KILL + b"\n")

    assert (diagnosis["host"], diagnosis["verdict"]["code"]) == ("case", "memory")
    assert [quote["where"] for quote in diagnosis["incidents"][0]["quotes"]] == ["case.log:2"]


def test_given_a_log_without_a_death_then_it_is_healthy_at_most_possibly_and_says_from_when_to_when():
    verdict = diagnosed(CALM)["verdict"]

    assert (verdict["code"], verdict["confidence"], verdict["incident"]) == ("healthy", "possible", None)
    assert "from 2026-11-20T10:00:00" in verdict["summary"]
    assert "to 2026-11-20T11:30:00" in verdict["summary"]
    assert "does not show the host" in verdict["summary"]


@pytest.mark.parametrize(
    "blocks",
    [
        (b"Dear team,\n\nplease find attached the minutes of the meeting.\n",),
        (b'{"a": 1}\n',),
        (bytes(range(256)) * 1000,),
        (b"\n" * 1000,),
        (b"a" * 100_000,),
    ],
    ids=["a letter", "another document", "binary bytes", "empty lines", "one long word"],
)
def test_given_what_is_no_log_then_there_is_no_evidence_and_the_reason(blocks):
    diagnosis = diagnosed(*blocks)

    assert diagnosis["verdict"]["code"] == "no_evidence"
    assert NOT_A_LOG in diagnosis["verdict"]["summary"]
    assert diagnosis["unreadable"]


def test_given_a_packed_log_that_was_cut_then_what_is_left_counts_and_the_cut_is_told():
    packed = gzip.compress(b"[100.000000] " + KILL + b"\n" + b"".join(b"[%d.000000] line %d\n" % (200 + n, n * n) for n in range(5000)))

    diagnosis = diagnosed(packed[: len(packed) // 2])

    assert [incident["victim"]["pid"] for incident in diagnosis["incidents"]] == [7]
    assert any("file was cut" in note["why"] for note in diagnosis["unreadable"])


def test_given_a_packed_log_of_which_nothing_is_left_then_the_reason_is_the_cut():
    verdict = diagnosed(gzip.compress(CALM)[:12])["verdict"]

    assert verdict["code"] == "no_evidence"
    assert "file was cut" in verdict["summary"]


def test_given_a_log_that_cannot_be_opened_then_the_reason_is_told():
    def refuse():
        raise PermissionError(13, "Permission denied")

    verdict = diagnosis_of_log("case", read("case", LogFile("case.log", refuse)))["verdict"]

    assert (verdict["code"], verdict["summary"]) == ("no_evidence", "Permission denied")


def test_given_stamps_without_a_year_then_the_report_says_what_was_assumed():
    diagnosis = diagnosed(b"Nov 20 10:00:00 web1 kernel: " + KILL + b"\n")

    assert any("no year" in note["why"] for note in diagnosis["unreadable"])


def test_given_saved_evidence_then_the_diagnosis_is_that_of_the_live_host_under_the_entrys_name():
    evidence = {"schema": "memops.evidence/1", "host": "web1", "subset": ["kernel_log"], "since": "2026-11-20T00:00:00Z"}

    assert diagnosis_of_evidence("case", [json.dumps(evidence).encode()]) == diagnose({**evidence, "host": "case"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"schema": "memops.evidence/1", "host": "web1", "mem', "was cut"),
        (b'{"schema": "memops.evidence/99"}', "no evidence of the form memops.evidence/1"),
        (b'["memops.evidence/1"]', "no evidence of the form"),
        (b"[" * 200_000, "no evidence"),
        (b"\xff\xfe\x00", "no evidence"),
    ],
    ids=["cut", "of another form", "another document", "deeply nested", "binary"],
)
def test_given_what_is_no_evidence_then_the_reason_is_told(text, told):
    verdict = diagnosis_of_evidence("case", [text])["verdict"]

    assert verdict["code"] == "no_evidence"
    assert told in verdict["summary"]


def test_given_a_log_whose_events_take_too_much_memory_then_its_start_is_diagnosed_and_that_is_told(monkeypatch):
    block = b"[100.000000] " + KILL + b"\n" + b"[200.000000] usb 1-1: new device\n" * 30_000
    real = entry.read_log

    def needy(file):
        reading = real(file)
        if reading.bytes_read > 3 * len(block):
            raise MemoryError
        return reading

    monkeypatch.setattr(entry, "read_log", needy)

    diagnosis = diagnosis_within_memory("case", "case", LogFile("case.log", lambda: iter([block] * 8)))

    assert diagnosis["incidents"][0]["repeats"] == 2
    assert f"only its first {2 * len(block)} bytes were read" in diagnosis["unreadable"][0]["why"]


def test_given_a_small_log_that_takes_too_much_memory_then_it_is_not_read_for_ever(monkeypatch):
    def needy(file):
        with contextlib.suppress(DamagedLog):
            list(file.blocks())
        raise MemoryError

    monkeypatch.setattr(entry, "read_log", needy)

    with pytest.raises(MemoryError):
        diagnosis_within_memory("case", "case", LogFile("case.log", lambda: iter([b"x" * 1000] * 4000)))
