# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""unit_memory on a host in a folder: applied, again, drifted, failed, killed."""

import contextlib
import json

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes import baseline_page, change_journal, host_command
from ansible_collections.memops.linux.plugins.module_utils.unit_memory import working
from ansible_collections.memops.linux.tests.unit.target.unit_memory_host import MIB, Host, Killed, roll_back, work

DROP_IN = "/etc/systemd/system/db.service.d/zz-memops.conf"
GROUP = "/sys/fs/cgroup/system.slice/db.service"
WANTED = [{"name": "db.service", "oom_score_adjust": -500, "oom_policy": "kill", "memory_max_bytes": "100M", "memory_high_bytes": 80 * MIB}]


@pytest.fixture
def host(tmp_path):
    host = Host(tmp_path)
    host.unit("db.service", pids=[100, 101, 102])
    return host


def test_what_is_wanted_stands_in_the_drop_in_the_cgroup_and_the_processes(host):
    result = work(host, WANTED)
    assert result["changed"]
    assert host.get(DROP_IN).splitlines()[1:] == ["[Service]", "OOMScoreAdjust=-500", "OOMPolicy=kill", "MemoryMax=100M", "MemoryHigh=83886080"]
    assert (host.get(GROUP + "/memory.max"), host.get(GROUP + "/memory.high"), host.get(GROUP + "/memory.oom.group")) == ("104857600", "83886080", "1")
    assert [host.score(pid) for pid in (100, 101, 102)] == [-500, -500, -500]


def test_a_second_time_nothing_changes_and_no_reload_is_made(host):
    work(host, WANTED)
    before = host.tree()
    host.calls.clear()
    result = work(host, WANTED)
    assert not result["changed"] and result["drift"] == [] and len(result["compliant"]) == 4
    assert host.tree() == before
    assert ["systemctl", "daemon-reload"] not in host.calls


def test_check_mode_touches_nothing_and_says_exactly_what_would_be(host):
    before = host.tree()
    said = work(host, WANTED, check_mode=True)
    assert host.tree() == before and not host.files.exists(change_journal.PATH)
    done = work(host, WANTED)
    assert (said["changed"], said["changes"], said["diff"]) == (True, done["changes"], done["diff"])
    assert "# %s" % DROP_IN in said["diff"]["after"] and "db.service:MemoryMax max" in said["diff"]["before"]


def test_a_process_that_chose_its_own_score_keeps_it(host):
    host.put("/proc/102/oom_score_adj", "900\n")
    work(host, WANTED)
    assert [host.score(pid) for pid in (100, 101, 102)] == [-500, -500, 900]


def test_settings_that_are_not_named_stay(host):
    work(host, [{"name": "db.service", "memory_max_bytes": "100M"}])
    work(host, [{"name": "db.service", "oom_score_adjust": 5}], run="two")
    assert host.get(DROP_IN).splitlines()[2:] == ["OOMScoreAdjust=5", "MemoryMax=100M"]


def test_a_setting_that_the_vendor_s_unit_has_already_is_no_change(host):
    host.unit("other.service", pids=[200], text="[Service]\nOOMScoreAdjust=-500\n", score=-500)
    assert not work(host, [{"name": "other.service", "oom_score_adj": -500, "oom_score_adjust": -500}])["changed"]


@pytest.mark.parametrize(
    ("path", "text", "face"),
    [
        (GROUP + "/memory.max", "max\n", "running"),
        ("/proc/100/oom_score_adj", "0\n", "running"),
        (GROUP + "/memory.oom.group", "0\n", "running"),
    ],
)
def test_what_somebody_changed_in_the_kernel_is_seen_and_mended(host, path, text, face):
    work(host, WANTED)
    before = host.tree()
    host.put(path, text)
    seen = work(host, WANTED, check_mode=True)
    assert [one["face"] for one in seen["drift"]] == [face] and seen["changed"]
    work(host, WANTED, run="two")
    assert host.tree() == before


def test_a_drop_in_that_was_taken_away_is_drift_of_boot_and_comes_back(host):
    work(host, WANTED)
    host.files.remove(DROP_IN)
    seen = work(host, WANTED, check_mode=True)
    assert {one["face"] for one in seen["drift"]} == {"boot"}
    work(host, WANTED, run="two")
    assert "MemoryMax=100M" in host.get(DROP_IN)


def test_set_property_is_seen_by_the_manager_and_outdone(host):
    work(host, WANTED)
    host.put("/etc/systemd/system.control/db.service.d/50-MemoryMax.conf", "[Service]\nMemoryMax=900M\n")
    host.put(GROUP + "/memory.max", "%d\n" % (900 * MIB))
    assert [one["face"] for one in work(host, WANTED, check_mode=True)["drift"]] == ["running"]
    work(host, WANTED, run="two")
    assert host.get(GROUP + "/memory.max") == "104857600"


def test_a_drop_in_that_is_read_after_ours_is_named_and_nothing_is_changed(host):
    host.put("/etc/systemd/system/db.service.d/zzz.conf", "[Service]\nMemoryMax=7M\n")
    before = host.tree()
    with pytest.raises(working.WorkError, match=r"zzz\.conf is read after .*zz-memops\.conf and sets it to 7M"):
        work(host, WANTED)
    assert host.tree() == before


def test_a_unit_that_does_not_run_is_set_for_its_next_start(host):
    host.unit("batch.service", running=False)
    result = work(host, [{"name": "batch.service", "memory_max_bytes": "1G", "oom_score_adjust": 900}])
    assert {one["face"] for one in result["drift"]} == {"boot", "manager"}
    assert not work(host, [{"name": "batch.service", "memory_max_bytes": "1G", "oom_score_adjust": 900}])["changed"]


def test_where_a_reload_does_not_reach_the_cgroup_it_is_written(host):
    host.reload_sets_cgroups = False
    work(host, WANTED)
    assert host.get(GROUP + "/memory.max") == "104857600"


def test_what_docker_wrote_past_systemd_outlives_the_reload(host):
    scope = "docker-%s.scope" % ("a" * 64)
    host.states[scope] = {"group": "/system.slice/" + scope, "above": "system.slice"}
    host.group("/system.slice/" + scope)
    path = "/sys/fs/cgroup/system.slice/%s/memory.swap.max" % scope
    host.put(path, "0\n")
    work(host, WANTED)
    assert host.get(path) == "0"


def test_a_slice_is_made_with_a_file_that_cannot_be_told_more_than_its_description(host):
    wanted = [{"name": "box.slice", "create": True, "description": "50% of it\n[Slice]\nMemoryMax=1", "memory_max_bytes": "300M"}]
    result = work(host, wanted)
    assert {"key": "box.slice:UnitFile", "old": None, "new": host.files.read("/etc/systemd/system/box.slice")} in result["changes"]
    assert host.get("/etc/systemd/system/box.slice").splitlines()[1:] == ["[Unit]", "Description=50%% of it [Slice] MemoryMax=1"]
    assert host.get("/sys/fs/cgroup/box.slice/memory.max") == str(300 * MIB)
    assert not work(host, wanted)["changed"]


STARTS_BOX = "/etc/systemd/system/slices.target.d/zz-memops-box.slice.conf"


def test_a_slice_that_is_made_is_started_at_boot_too(host):
    work(host, [{"name": "box.slice", "create": True, "memory_max_bytes": "300M"}])
    assert host.get(STARTS_BOX).splitlines()[1:] == ["[Unit]", "Wants=box.slice"]


def test_absent_takes_away_what_was_set_and_a_slice_s_file(host):
    work(host, WANTED + [{"name": "box.slice", "create": True, "memory_max_bytes": "300M"}])
    result = work(host, [{"name": "db.service", "state": "absent"}, {"name": "box.slice", "state": "absent"}], run="two")
    assert result["changed"] and not host.files.exists(DROP_IN) and not host.files.exists("/etc/systemd/system/box.slice")
    assert not host.files.exists(STARTS_BOX)
    assert host.get(GROUP + "/memory.max") == "max" and host.score(100) == 0
    assert not work(host, [{"name": "db.service", "state": "absent"}], run="three")["changed"]


def test_the_journal_has_what_a_rollback_needs_and_the_page_what_a_person_needs(host):
    work(host, WANTED)
    entry = json.loads(host.files.read(change_journal.PATH).splitlines()[0])
    assert (entry["key"], entry["old"], entry["new"]) == (
        "db.service:OOMScoreAdjust",
        {"setting": None, "running": 0},
        {"setting": "-500", "running": -500},
    )
    page = host.files.read(baseline_page.PAGE)
    assert "### `db.service:MemoryMax` = `100M`" in page and DROP_IN in page and "Why: baseline" in page


@pytest.mark.parametrize("words", ["systemctl daemon-reload"])
def test_a_failure_puts_back_what_was_there_and_says_so(host, words):
    before = host.tree()
    host.fails[words] = host_command.CommandError("it failed")

    def once(argv, timeout_seconds=60, ask=host.ask):
        try:
            return ask(argv, timeout_seconds)
        except host_command.CommandError:
            host.fails.clear()
            raise

    host.ask = once
    with pytest.raises(working.WorkError, match=r"it failed\. What was there before is there again"):
        work(host, WANTED)
    assert host.tree() == before


def test_a_kernel_that_refuses_a_value_gets_all_the_former_ones_back(host, monkeypatch):
    before = host.tree()
    write = host.files.write_in_place

    def refusing(path, text):
        if path.endswith("/100/oom_score_adj") and text == "-500":
            raise OSError(13, "Permission denied", path)
        write(path, text)

    monkeypatch.setattr(host.files, "write_in_place", refusing)
    with pytest.raises(working.WorkError, match=r"Permission denied.*What was there before is there again"):
        work(host, WANTED)
    assert host.tree() == before


def killing_at(host, moment, monkeypatch):
    """kill -9 at the moment-th thing that would change the host or ask systemd to; False once there is no such moment."""
    count = [0]

    def counted(function):
        def call(*arguments, **more):
            count[0] += 1
            if count[0] == moment:
                raise Killed()
            return function(*arguments, **more)

        return call

    for name in ("write", "write_in_place", "append", "remove"):
        monkeypatch.setattr(host.files, name, counted(getattr(host.files, name)))
    monkeypatch.setattr(host, "do", counted(host.do))
    return count


@pytest.mark.parametrize("moment", range(1, 40))
def test_killed_at_any_moment_the_next_run_completes_and_all_can_be_taken_back(tmp_path, monkeypatch, moment):
    host = Host(tmp_path)
    host.unit("db.service", pids=[100, 101, 102])
    clean = host.tree()
    with monkeypatch.context() as killing:
        killing_at(host, moment, killing)
        with contextlib.suppress(Killed):
            work(host, WANTED)
    result = work(host, WANTED, run="two")
    assert host.get(GROUP + "/memory.max") == "104857600" and "OOMPolicy=kill" in host.get(DROP_IN)
    assert [host.score(pid) for pid in (100, 101, 102)] == [-500, -500, -500]
    assert not work(host, WANTED, run="three")["changed"], result
    roll_back(host, "all")
    assert host.tree() == clean


@pytest.mark.parametrize("moment", range(1, 40))
def test_a_rollback_that_was_killed_is_completed_by_the_next(tmp_path, monkeypatch, moment):
    host = Host(tmp_path)
    host.unit("db.service", pids=[100, 101, 102])
    clean = host.tree()
    work(host, WANTED)
    with monkeypatch.context() as killing:
        killing_at(host, moment, killing)
        with contextlib.suppress(Killed):
            roll_back(host, "one")
    roll_back(host, "one", run="back2")
    assert host.tree() == clean
    assert change_journal.last_run(change_journal.read(host.files)) is None


def test_taking_back_the_run_that_completed_a_killed_one_gives_what_was_there_before_both(host):
    clean = host.tree()
    host.fails["systemctl daemon-reload"] = Killed()
    with pytest.raises(Killed):
        work(host, WANTED)
    host.fails.clear()
    work(host, WANTED, run="two")
    roll_back(host, "two")
    assert host.tree() == clean
    assert not roll_back(host, "one")["changed"]
    assert change_journal.standing(change_journal.read(host.files)) == []


def test_a_slice_whose_run_was_killed_before_it_was_started_is_started_by_the_next(host):
    wanted = [{"name": "box.slice", "create": True, "memory_max_bytes": "300M"}]
    host.fails["systemctl daemon-reload"] = Killed()
    with pytest.raises(Killed):
        work(host, wanted)
    host.fails.clear()
    work(host, wanted, run="two")
    assert host.get("/sys/fs/cgroup/box.slice/memory.max") == str(300 * MIB)


def test_a_failure_has_all_lists_and_no_changes(host):
    host.fails["systemctl daemon-reload"] = host_command.CommandError("it failed")
    with pytest.raises(working.WorkError) as failure:
        work(host, WANTED)
    told = failure.value.result
    assert told["changed"] is False and told["changes"] == [] and told["drift"]
    assert {"compliant", "refused", "left_alone", "unsupported", "notes", "diff"} <= set(told)
