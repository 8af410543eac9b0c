# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""unit_memory taken back by the journal."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes import baseline_page, change_journal
from ansible_collections.memops.linux.tests.unit.target.unit_memory_host import MIB, Host, roll_back, work

DROP_IN = "/etc/systemd/system/db.service.d/zz-memops.conf"
GROUP = "/sys/fs/cgroup/system.slice/db.service"
WANTED = [{"name": "db.service", "oom_score_adjust": -500, "memory_max_bytes": "100M"}]


@pytest.fixture
def host(tmp_path):
    host = Host(tmp_path)
    host.unit("db.service", pids=[100, 101], text="[Service]\nMemoryMax=500M\n")
    host.put(GROUP + "/memory.max", "%d\n" % (500 * MIB))
    return host


def test_every_former_value_is_there_again_and_nothing_of_ours(host):
    before = host.tree()
    work(host, WANTED)
    assert roll_back(host)["changed"]
    assert host.tree() == before
    assert host.files.read(baseline_page.PAGE) is None
    assert not roll_back(host)["changed"]


def test_check_mode_shows_what_would_go_back_and_touches_nothing(host):
    work(host, WANTED)
    before = host.tree()
    said = roll_back(host, check_mode=True)
    assert said["changes"] == [
        {"key": "db.service:OOMScoreAdjust", "old": "-500", "new": "0"},
        {"key": "db.service:MemoryMax", "old": "104857600", "new": "524288000"},
    ]
    assert host.tree() == before and change_journal.last_run(change_journal.read(host.files)) == "one"


def test_only_the_keys_that_are_named_go_back(host):
    work(host, WANTED)
    roll_back(host, rollback_keys=["db.service:MemoryMax"])
    assert host.get(GROUP + "/memory.max") == "524288000" and host.score(100) == -500
    assert host.get(DROP_IN).splitlines()[2:] == ["OOMScoreAdjust=-500"]


def test_the_last_of_two_runs_goes_back_to_what_the_first_set(host):
    work(host, WANTED)
    work(host, [{"name": "db.service", "memory_max_bytes": "200M"}], run="two")
    roll_back(host)
    assert host.get(GROUP + "/memory.max") == "104857600" and "MemoryMax=100M" in host.get(DROP_IN)
    roll_back(host, run="back2")
    assert host.get(GROUP + "/memory.max") == "524288000"


def test_a_key_that_a_later_run_changed_again_is_left_alone(host):
    work(host, WANTED)
    work(host, [{"name": "db.service", "memory_max_bytes": "200M"}], run="two")
    result = roll_back(host, "one")
    assert result["left_alone"] == [{"key": "db.service:MemoryMax", "why": "run two has changed it again since; take that one back first"}]
    assert host.get(GROUP + "/memory.max") == "209715200" and host.score(100) == 0


def test_what_somebody_changed_since_is_left_alone_unless_forced(host):
    work(host, WANTED)
    host.put(GROUP + "/memory.max", "%d\n" % (300 * MIB))
    result = roll_back(host, rollback_keys=["db.service:MemoryMax"])
    assert "it is 314572800 now, not what that run set (104857600)" in result["left_alone"][0]["why"] and not result["changed"]
    assert roll_back(host, rollback_keys=["db.service:MemoryMax"], force=True)["changed"]
    assert host.get(GROUP + "/memory.max") == "524288000"


def test_a_limit_that_would_kill_at_once_is_not_put_back(host):
    host.put(GROUP + "/memory.max", "%d\n" % (50 * MIB))
    host.put("/lib/systemd/system/db.service", "[Service]\nMemoryMax=50M\n")
    host.do(["systemctl", "daemon-reload"])
    work(host, [{"name": "db.service", "memory_max_bytes": "1G"}])
    host.put(GROUP + "/memory.current", "%d\n" % (90 * MIB))
    result = roll_back(host)
    assert "it holds 80 MiB" in result["left_alone"][0]["why"] and not result["changed"]


def test_a_unit_that_runs_only_since_gets_what_systemd_then_has(host):
    host.unit("batch.service", running=False)
    work(host, [{"name": "batch.service", "memory_max_bytes": "100M", "oom_score_adjust": 500}])
    host.unit("batch.service", pids=[300], score=500)
    host.do(["systemctl", "daemon-reload"])
    roll_back(host)
    assert host.get("/sys/fs/cgroup/system.slice/batch.service/memory.max") == "max" and host.score(300) == 0


def test_a_slice_that_was_made_loses_its_file_and_is_not_stopped(host):
    work(host, [{"name": "box.slice", "create": True, "memory_max_bytes": "100M"}])
    roll_back(host)
    assert not host.files.exists("/etc/systemd/system/box.slice")
    assert not any("stop" in call for call in host.calls)


def test_and_gets_its_file_again_when_it_is_wanted_again_though_it_still_runs(host):
    wanted = [{"name": "box.slice", "create": True, "memory_max_bytes": "100M"}]
    work(host, wanted)
    roll_back(host)
    assert work(host, wanted, run="again")["changed"]
    assert host.files.exists("/etc/systemd/system/box.slice")
    assert host.files.exists("/etc/systemd/system/slices.target.d/zz-memops-box.slice.conf")
    assert not work(host, wanted, run="third")["changed"]


def test_an_unknown_run_and_an_unknown_key_are_told(host):
    assert "There is nothing to take back" in roll_back(host, "never")["notes"][0]
    work(host, WANTED)
    result = roll_back(host, rollback_keys=["x.service:MemoryMax"])
    assert result["left_alone"][0]["key"] == "x.service:MemoryMax" and not result["changed"]


def test_a_journal_of_another_form_is_told_and_changes_nothing(host):
    run = change_journal.Run("odd", "unit_memory", "x", None, None)
    change_journal.record(host.files, run, [change_journal.Change("db.service:MemoryMax", "1", "2"), change_journal.Change("db.service:Strange", 1, 2)])
    result = roll_back(host)
    assert len(result["left_alone"]) == 2 and not result["changed"]


def test_a_slice_s_file_that_somebody_changed_since_is_left_alone_unless_forced(host):
    work(host, [{"name": "box.slice", "create": True, "memory_max_bytes": "100M"}])
    host.put("/etc/systemd/system/box.slice", "[Unit]\nDescription=mine\n")
    assert [one["key"] for one in roll_back(host, rollback_keys=["box.slice:UnitFile"])["left_alone"]] == ["box.slice:UnitFile"]
    assert host.get("/etc/systemd/system/box.slice").endswith("mine")
    roll_back(host, rollback_keys=["box.slice:UnitFile"], force=True)
    assert not host.files.exists("/etc/systemd/system/box.slice")
