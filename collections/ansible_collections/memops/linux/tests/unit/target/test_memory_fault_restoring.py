# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever a fault changed is as before: newest first, also after a death in the middle, and evidence only when it is no longer wanted."""

import os
import subprocess
import sys

import pytest

from ansible_collections.memops.linux.plugins.module_utils.memory_fault import places, restoring, watching


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "JOURNAL", str(tmp_path / "journal"))
    monkeypatch.setattr(places, "STATE", str(tmp_path / "state.json"))
    return tmp_path


@pytest.fixture
def sysctls(folder, monkeypatch):
    """Sysctls that live in a folder; each written value is kept in order."""
    monkeypatch.setattr(places, "sysctl_path", lambda name: str(folder / name))
    return folder


def test_changes_are_undone_newest_first(sysctls):
    (sysctls / "vm.x").write_text("3")
    restoring.note("sysctl", name="vm.x", value="1")
    restoring.note("sysctl", name="vm.x", value="2")

    assert restoring.restore() == []
    assert (sysctls / "vm.x").read_text() == "1"
    assert restoring.notes() == []


def test_a_sysctl_whose_partner_was_in_force_gets_the_partner_back(sysctls):
    restoring.note("sysctl", name="vm.overcommit_kbytes", value="0", partner_value="50")

    assert restoring.restore() == []
    assert (sysctls / "vm.overcommit_ratio").read_text() == "50"
    assert not (sysctls / "vm.overcommit_kbytes").exists()


def test_what_cannot_be_undone_is_told_and_stays_noted_and_the_rest_is_undone(sysctls):
    restoring.note("sysctl", name="vm.x", value="1")
    restoring.note("sysctl", name="no/such/folder", value="1")

    (told,) = restoring.restore()

    assert "no/such/folder" in told
    assert (sysctls / "vm.x").read_text() == "1"
    assert [what["name"] for _verb, what in restoring.notes()] == ["no/such/folder"]


def test_evidence_stays_while_it_is_wanted(folder):
    (folder / "files").mkdir()
    (folder / "filler").write_text("")
    restoring.note("folder", path=str(folder / "files"))
    restoring.note("file", path=str(folder / "filler"))

    restoring.restore(keep=restoring.EVIDENCE)
    assert ((folder / "files").exists(), (folder / "filler").exists()) == (True, False)

    restoring.restore()
    assert not (folder / "files").exists()


def test_a_note_that_was_cut_off_by_a_death_is_passed_over(sysctls):
    restoring.note("sysctl", name="vm.x", value="1")
    with open(places.JOURNAL, "a") as journal:
        journal.write('["sysctl", {"na')

    assert restoring.restore() == []
    assert (sysctls / "vm.x").read_text() == "1"


def test_undoing_twice_does_no_harm(folder):
    for _again in range(2):
        restoring.note("file", path=str(folder / "gone"))
        restoring.note("folder", path=str(folder / "gone"))
        restoring.note("swap", path=str(folder / "gone"))
        restoring.note("mount", path=str(folder / "gone"))
        assert restoring.restore() == []


def test_a_process_is_ended_and_another_with_its_number_is_not():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        restoring.note("process", pid=process.pid, started=restoring.start_time(process.pid) - 1)
        restoring.restore()
        assert process.poll() is None
        restoring.note("process", pid=process.pid, started=restoring.start_time(process.pid))
        restoring.restore()
        assert process.wait(10) == -9
    finally:
        process.kill()
        process.wait()


def workload(code):
    words = [sys.executable, "-c", code]
    return watching.Workload("memops-x", subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE), None)


@pytest.mark.parametrize(
    "code, until, came_about",
    [
        ("import os; os.kill(os.getpid(), 9)", "killed", True),
        ("import os; os.kill(os.getpid(), 15)", "killed", True),
        ("pass", "killed", False),
        ("pass", "ended", True),
        ("""print('{"refused": "no"}')""", "refused", True),
        ("""print('{"refused": null}')""", "refused", False),
        ("""print('[1]'); print('no JSON'); print('{"killed": 7}')""", "killed", True),
    ],
)
def test_what_came_about_is_told_from_how_programs_end_and_what_they_report(code, until, came_about):
    one = workload(code)
    one.process.wait()
    one.look()

    assert watching.happened(until, [one]) is came_about


def test_a_program_that_fails_by_itself_is_told_with_its_last_words():
    one = workload("raise SystemExit('no such node')")
    one.process.wait()
    one.look()

    assert watching.gone_wrong("killed", [one]) == "memops-x ended with 1: no such node"


def test_a_killed_program_did_not_fail_by_itself():
    one = workload("import os; os.kill(os.getpid(), 9)")
    one.process.wait()
    one.look()

    assert watching.gone_wrong("killed", [one]) is None
    assert one.killed == {one.process.pid: {"process": "memops-x", "signal": 9}}


def test_the_state_is_whole_or_the_one_before(folder):
    places.save_state({"phase": "running"})

    assert places.load_state() == {"phase": "running"}
    assert os.listdir(str(folder)) == ["state.json"]
