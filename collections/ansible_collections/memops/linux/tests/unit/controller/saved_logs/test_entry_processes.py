# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many entries over several processes: one that dies, hangs or fails takes nobody with it."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import time

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.log_places.sources import find
from ansible_collections.memops.linux.plugins.plugin_utils.log_places.unpacking import UNPACKED_LIMIT_BYTES
from ansible_collections.memops.linux.plugins.plugin_utils.report.run_folder import open_run
from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs import crew
from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs.diagnosing import CannotWrite, diagnose_all

CALM = "2026-11-20T10:00:00+00:00 web1 kernel: usb 1-1: new device\n"
#: A reading process that does what its task says.
STAND_IN = """
import json, os, sys, time
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    do = json.loads(line)["do"]
    if do == "die": os.kill(os.getpid(), 9)
    if do == "hang": time.sleep(60)
    if do == "fall": sys.exit("a last word")
    if do == "babble": print("no answer", flush=True)
    else: print(json.dumps({"pid": os.getpid(), "did": do}), flush=True)
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Puts another program in the place of the reading process."""

    def put(source):
        (tmp_path / "stand_in_reader.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(crew, "_MODULE", "stand_in_reader")

    return put


def answers(*does, processes=1, task_seconds=30):
    return [(task["do"], answer) for task, answer in filter(None, crew.done([{"do": do} for do in does], processes, 0.05, task_seconds))]


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("die", "was ended by SIGKILL (for want of memory"),
        ("fall", "ended with status 1: a last word"),
        ("babble", "the process that read it"),
        ("hang", "longer than 2 s"),
    ],
)
def test_a_process_that_ends_or_hangs_fails_its_own_task_only(stand_in, does, told):
    stand_in(STAND_IN)

    given = dict(answers("one", does, "two", task_seconds=2))

    assert (given["one"]["did"], given["two"]["did"]) == ("one", "two")
    assert given["one"]["pid"] != given["two"]["pid"]
    assert told in given[does]["failed"]


def test_tasks_are_dealt_out_over_all_processes_and_ticks_are_told_meanwhile(stand_in):
    stand_in(STAND_IN.replace('"hang": time.sleep(60)', '"nap": time.sleep(0.3)'))

    told = list(crew.done([{"do": "nap"} for _number in range(4)], 2, 0.05))

    assert len({answer["pid"] for _task, answer in filter(None, told)}) == 2
    assert None in told


def test_a_reading_process_that_does_not_come_up_is_told_with_its_last_word(stand_in):
    stand_in("import sys; sys.exit('no such library')")

    with pytest.raises(crew.CannotStart, match="no such library"):
        answers("one", "two")


def test_the_processes_end_when_their_giver_does(stand_in):
    stand_in(STAND_IN.replace('"hang": time.sleep(60)', '"nap": time.sleep(60)'))
    given = crew.done([{"do": "work"}, {"do": "nap"}], 1, 0.05)
    pid = next(filter(None, given))[1]["pid"]
    given.close()

    for _attempt in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("it is still there")


def test_a_file_in_the_current_folder_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text(CALM)

    assert list(run(tmp_path, tmp_path / "a.log")[0].values()) == ["healthy"]


def run(tmp_path, *paths, processes=2):
    """({entry: code}, {name: document}) of a run over these paths."""
    folder = open_run(str(tmp_path / "reports"))
    verdicts, _skipped = diagnose_all(find([str(path) for path in paths]), folder, processes, UNPACKED_LIMIT_BYTES, lambda progress: None)
    documents = (json.loads(path.read_text()) for path in pathlib.Path(folder).glob("hosts/*/diagnosis.json"))
    return verdicts, {document["host"]: document for document in documents}


def test_each_entry_has_a_document_the_unreadable_ones_too(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "calm.log").write_text(CALM)
    (logs / "empty.log").write_text("")
    (logs / "letter.txt").write_text("Dear team,\n")
    (logs / "cut.tar.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x01")

    verdicts, documents = run(tmp_path, logs)

    assert verdicts == {"calm": "healthy", "empty": "no_evidence", "letter": "no_evidence", "cut": "no_evidence"}
    assert {name: document["verdict"]["code"] for name, document in documents.items()} == verdicts
    assert documents["empty"]["verdict"]["summary"] == "it is empty"


def test_a_reading_process_that_dies_leaves_a_document_that_says_so(tmp_path, stand_in):
    (tmp_path / "a.log").write_text(CALM)
    stand_in(STAND_IN.replace('do == "die"', "True"))

    verdicts, documents = run(tmp_path, tmp_path / "a.log")

    assert verdicts == {"a": "no_evidence"}
    assert "SIGKILL" in documents["a"]["verdict"]["summary"]


def test_a_log_that_needs_more_memory_than_is_allowed_fails_by_itself(tmp_path, stand_in):
    (tmp_path / "a.log").write_text(CALM)
    stand_in(
        "from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs import reading_process\n"
        "import sys\n"
        "reading_process.MEMORY_BYTES = 400 << 20\n"
        "reading_process.diagnosis_within_memory = lambda name, family, file: bytearray(1 << 30)\n"
        "reading_process.main(sys.stdin, sys.stdout)\n"
    )

    _verdicts, documents = run(tmp_path, tmp_path / "a.log")

    assert documents["a"]["verdict"]["summary"] == "reading it takes more than 400 MiB of memory"


def test_an_error_of_memops_on_one_log_is_a_document_with_its_place(tmp_path, stand_in):
    (tmp_path / "a.log").write_text(CALM)
    stand_in(
        "from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs import reading_process\n"
        "import sys\n"
        "reading_process.diagnosis_within_memory = lambda name, family, file: 1 // 0\n"
        "reading_process.main(sys.stdin, sys.stdout)\n"
    )

    _verdicts, documents = run(tmp_path, tmp_path / "a.log")

    assert "memops failed on it: ZeroDivisionError" in documents["a"]["verdict"]["summary"]


def test_a_report_folder_that_cannot_be_written_ends_the_run_and_is_no_fault_of_the_logs(tmp_path):
    (tmp_path / "a.log").write_text(CALM)
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises((CannotWrite, OSError)):
        diagnose_all(find([str(tmp_path / "a.log")]), str(tmp_path / "file"), 1, UNPACKED_LIMIT_BYTES, lambda progress: None)
