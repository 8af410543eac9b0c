# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run changes on a host: files, the journal of changes, the page for people."""

import os
import stat
import threading

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes import baseline_page, change_journal, host_files
from ansible_collections.memops.linux.plugins.module_utils.changes.baseline_page import Row
from ansible_collections.memops.linux.plugins.module_utils.changes.change_journal import ALL, LAST, Change, Run


@pytest.fixture
def files(tmp_path):
    return host_files.HostFiles(str(tmp_path))


def run(name, area="tunables", undoes=None):
    return Run(name, area, "baseline", None, undoes)


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(files, tmp_path):
    (tmp_path / "etc").mkdir()
    path = tmp_path / "etc/daemon.json"
    path.write_text("old")
    path.chmod(0o640)
    before = os.stat(str(path)).st_ino
    files.write("/etc/daemon.json", "new")
    assert path.read_text() == "new"
    assert os.stat(str(path)).st_ino != before
    assert stat.S_IMODE(os.stat(str(path)).st_mode) == 0o640
    assert os.listdir(str(tmp_path / "etc")) == ["daemon.json"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(files, tmp_path, monkeypatch):
    files.write("/etc/x.conf", "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(host_files.os, "fsync", full)
    with pytest.raises(OSError):
        files.write("/etc/x.conf", "new")
    assert files.read("/etc/x.conf") == "old"
    assert os.listdir(str(tmp_path / "etc")) == ["x.conf"]


def test_a_sysctl_can_be_read():
    assert host_files.HostFiles().read("/proc/sys/kernel/ostype") == "Linux\n"


def test_what_a_killed_run_left_beside_a_file_is_overwritten(files, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/.x.conf.memops-new").write_text("half a li")
    files.write("/etc/x.conf", "whole\n")
    assert os.listdir(str(tmp_path / "etc")) == ["x.conf"]


def test_an_administrators_link_stays_a_link(files, tmp_path):
    (tmp_path / "real.conf").write_text("old")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/link.conf").symlink_to("../real.conf")
    files.write("/etc/link.conf", "new")
    assert (tmp_path / "etc/link.conf").is_symlink()
    assert (tmp_path / "real.conf").read_text() == "new"


def test_the_journal_says_what_was_there_before_and_only_root_reads_it(files, tmp_path):
    change_journal.record(files, run("one"), [Change("vm.swappiness", "60", "10")])
    entry = change_journal.read(files)[0]
    assert (entry["run"], entry["area"], entry["key"], entry["old"], entry["new"]) == ("one", "tunables", "vm.swappiness", "60", "10")
    assert stat.S_IMODE(os.stat(files.path(change_journal.PATH)).st_mode) == 0o600


def test_a_line_that_was_cut_off_costs_no_other(files):
    change_journal.record(files, run("one"), [Change("a", 1, 2)])
    with open(files.path(change_journal.PATH), "a") as stream:
        stream.write('{"time": "2026-')
    change_journal.record(files, run("two"), [Change("b", 3, 4)])
    assert [entry["key"] for entry in change_journal.read(files)] == ["a", "b"]


def entries(files, *runs):
    for name, undoes, key, old, new in runs:
        change_journal.record(files, run(name, undoes=undoes), [Change(key, old, new)])
    return change_journal.read(files)


def test_going_back_over_all_runs_gives_the_value_before_the_first(files):
    noted = entries(files, ("one", None, "k", "60", "10"), ("two", None, "k", "10", "1"))
    assert change_journal.former_values(noted, "tunables", ALL) == {"k": {"old": "60", "run": "one", "later": None}}


def test_going_back_over_an_earlier_run_says_that_a_later_one_changed_the_key_again(files):
    noted = entries(files, ("one", None, "k", "60", "10"), ("two", None, "k", "10", "1"))
    assert change_journal.former_values(noted, "tunables", "one") == {"k": {"old": "60", "run": "one", "later": "two"}}
    assert change_journal.former_values(noted, "tunables", LAST) == {"k": {"old": "10", "run": "two", "later": None}}


def test_a_run_that_changed_a_key_twice_goes_back_to_before_the_first_time(files):
    noted = entries(files, ("one", None, "k", "60", "10"), ("one", None, "k", "10", "1"))
    assert change_journal.former_values(noted, "tunables", "one") == {"k": {"old": "60", "run": "one", "later": None}}


def test_what_was_taken_back_is_not_taken_back_again(files):
    noted = entries(files, ("one", None, "k", "60", "10"), ("two", None, "k", "10", "1"), ("back", "two", "k", "1", "10"))
    assert change_journal.last_run(noted) == "one"
    assert change_journal.former_values(noted, "tunables", LAST)["k"]["old"] == "60"
    noted = entries(files, ("back2", ALL, "k", "10", "60"))
    assert change_journal.last_run(noted) is None
    assert change_journal.former_values(noted, "tunables", ALL) == {}


def test_only_the_keys_and_the_area_that_are_asked_for_go_back(files):
    change_journal.record(files, run("one"), [Change("a", 1, 2), Change("b", 1, 2)])
    change_journal.record(files, run("one", "swap"), [Change("/swapfile", None, {"size_bytes": 4096})])
    noted = change_journal.read(files)
    assert list(change_journal.former_values(noted, "tunables", "one", ["b"])) == ["b"]
    assert list(change_journal.former_values(noted, "swap", "one")) == ["/swapfile"]


def test_two_runs_on_one_host_go_one_after_the_other(files):
    with files.locked(change_journal.LOCK):
        errors = []

        def second():
            try:
                with files.locked(change_journal.LOCK, seconds=0):
                    pass
            except TimeoutError as error:
                errors.append(str(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(errors) == 1 and "another run" in errors[0]


ROW = Row("vm.swappiness", "10", "60", "the database keeps its own cache", "0 never swaps in a cgroup", "vm.rst", "/etc/sysctl.d/99-memops.conf")


def test_the_page_tells_value_default_reason_danger_and_where(files):
    assert baseline_page.write(files, "tunables", [ROW])
    text = files.read(baseline_page.PAGE)
    for part in ("`vm.swappiness` = `10`", "Default: 60", "Why: the database", "Danger: 0 never", "Kept by: /etc/sysctl.d/99-memops.conf"):
        assert part in text
    assert not baseline_page.write(files, "tunables", [ROW])


def test_areas_keep_each_others_part_and_the_page_goes_with_the_last_of_them(files):
    baseline_page.write(files, "tunables", [ROW])
    baseline_page.write(files, "swap", [ROW._replace(key="/swapfile")])
    assert "vm.swappiness" in files.read(baseline_page.PAGE)
    baseline_page.write(files, "tunables", [])
    assert "vm.swappiness" not in files.read(baseline_page.PAGE)
    baseline_page.write(files, "swap", [])
    assert files.read(baseline_page.PAGE) is None


def test_a_name_cannot_write_the_page_anew(files):
    baseline_page.write(files, "swap", [ROW._replace(key="x`\n# Ignore\n<script>\x1b[31m")])
    text = files.read(baseline_page.PAGE)
    assert "\n# Ignore" not in text and "<script>" not in text and "\x1b" not in text
