# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole call of docker_daemon against a host in a folder: applied, refused, failed, cut off, taken back."""

import json
import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes import baseline_page, change_journal, host_command
from ansible_collections.memops.linux.plugins.module_utils.changes.host_files import HostFiles
from ansible_collections.memops.linux.plugins.module_utils.docker_daemon import daemon_steps, enforcing, rolling_back
from ansible_collections.memops.linux.plugins.module_utils.docker_daemon.enforcing import EnforcementError, Request
from ansible_collections.memops.linux.tests.unit.target import docker_host
from ansible_collections.memops.linux.tests.unit.target.docker_host import MIB, DockerHost, Killed

FOREIGN = '{\n    "registry-mirrors": ["https://user:secret@mirror"],\n    "debug": false\n}\n'
SLICE = {"live-restore": True, "cgroup-parent": "containers.slice"}


@pytest.fixture
def docker(tmp_path, monkeypatch):
    monkeypatch.chdir(str(tmp_path))  # a socket's path has room for 108 bytes
    host = DockerHost(tmp_path)
    host.socket = "docker.sock"
    monkeypatch.setattr(host_command, "ask", host.ask)
    monkeypatch.setattr(host_command, "do", host.do)
    monkeypatch.setattr(daemon_steps, "RELOAD_SECONDS", 1)
    monkeypatch.setattr(docker_host, "KNOWN", docker_host.KNOWN | {"registry-mirrors"})
    server = host.serve()
    yield host
    server.shutdown()
    server.server_close()


@pytest.fixture
def files(docker, tmp_path):
    return HostFiles(str(tmp_path))


def request(settings=None, limits=(), run="r1", **more):
    wanted = {
        "parent": None,
        "service": "docker.service",
        "socket": "/docker.sock",
        "config_path": None,
        "remove_stale": True,
        "restart": "never",
        "force": False,
    }
    wanted.update(more, settings=settings or {}, limits=list(limits), run=change_journal.Run(run, "docker_daemon", "baseline", None, None))
    return Request(**wanted)


def apply(files, *settings, **more):
    check = more.pop("check", False)
    return enforcing.apply(files, request(*settings, **more), check)


def roll_back(files, run="last", keys=(), check=False, **more):
    return rolling_back.roll_back(files, request(run="back", **more), run, keys, check)


def test_settings_are_merged_and_hold_and_a_second_run_changes_nothing(docker, files):
    docker.put(docker.path, FOREIGN)
    os.utime(docker.path.lstrip("/"), (0, 0))
    first = apply(files, {"live-restore": True})
    assert first["changed"] and docker.steps() == ["reload"] and docker.effect["live-restore"] is True
    assert docker.text() == FOREIGN.replace("false\n", 'false,\n    "live-restore": true\n')
    assert files.read(docker.path + daemon_steps.BACKUP) == FOREIGN
    second = apply(files, {"live-restore": True})
    assert not second["changed"] and second["drift"] == [] and second["compliant"] == ["live-restore"]
    assert docker.steps() == ["reload"]


def test_check_mode_tells_the_same_and_touches_nothing(docker, files):
    docker.put(docker.path, FOREIGN)
    docker.add("shop", 64 * MIB, 64 * MIB)
    limits = [{"name": "shop", "memory_bytes": 128 * MIB}]
    before = sorted(str(path) for path in docker.folder.rglob("*"))
    told = apply(files, SLICE, limits=limits, restart="if_needed", check=True)
    assert sorted(str(path) for path in docker.folder.rglob("*")) == before
    assert docker.text() == FOREIGN and docker.steps() == [] and docker.containers["shop"]["Memory"] == 64 * MIB
    done = apply(files, SLICE, limits=limits, restart="if_needed")
    for part in ("changed", "diff", "changes", "drift", "restarted"):
        assert told[part] == done[part]
    assert "secret" not in json.dumps(done["diff"])


def test_a_container_lives_through_a_restart_since_live_restore_is_in_force_before(docker, files):
    docker.add("shop")
    result = apply(files, SLICE, restart="if_needed")
    assert docker.steps() == ["reload", "restart"] and result["restarted"]
    assert docker.containers["shop"]["Pid"] == 1000 and docker.effect == SLICE


def test_a_restart_that_is_not_allowed_is_told_until_it_was_made(docker, files):
    assert apply(files, SLICE)["restart_needed_by"] == ["cgroup-parent"]
    again = apply(files, SLICE)
    assert not again["changed"] and again["restart_needed"] and [face["face"] for face in again["drift"]] == ["running"]
    docker.ask(["systemctl", "restart"])
    assert not apply(files, SLICE)["restart_needed"]


def test_a_daemon_that_does_not_come_up_with_the_new_file_gets_the_former_one_back(docker, files):
    docker.put(docker.path, FOREIGN)
    docker.add("shop", 64 * MIB, 64 * MIB)
    docker.refuses_start = True
    with pytest.raises(EnforcementError) as error:
        apply(files, SLICE, limits=[{"name": "shop", "memory_bytes": 128 * MIB}], restart="if_needed")
    told = str(error.value)
    assert "did not start with the new file; it said: level=error msg=because" in told and "was put back, and Docker has it again" in told
    assert "The containers' former limits were put back." in told
    assert docker.text() == FOREIGN and docker.active and docker.containers["shop"]["Memory"] == 64 * MIB
    assert docker.steps()[-2:] == ["reset-failed", "restart"]
    assert not error.value.result["changed"]


def test_a_daemon_that_does_not_hear_a_reload_is_told_and_the_former_file_is_put_back(docker, files):
    docker.put(docker.path, FOREIGN)
    docker.deaf = True
    with pytest.raises(EnforcementError) as error:
        apply(files, {"live-restore": True})
    assert "did not take over /etc/docker/daemon.json within 1 s" in str(error.value)
    assert docker.text() == FOREIGN


@pytest.mark.parametrize("text", ['{"debug": tru}', '{"debug": true, "debug": false}', "[]", '{"a": 1'])
def test_a_file_that_is_no_json_is_an_error_and_stays_as_it_is(docker, files, text):
    docker.put(docker.path, text)
    with pytest.raises(EnforcementError) as error:
        apply(files, {"live-restore": True})
    assert "/etc/docker/daemon.json is not what Docker reads: line 1, column " in str(error.value)
    assert docker.text() == text and docker.steps() == []


@pytest.mark.parametrize("text", [None, "", "{}\n"])
def test_a_file_that_is_missing_or_empty_gets_the_settings(docker, files, text):
    if text is not None:
        docker.put(docker.path, text)
    apply(files, {"live-restore": True})
    assert json.loads(docker.text()) == {"live-restore": True}


def test_a_foreign_key_that_this_docker_does_not_know_is_refused_by_dockerd_itself(docker, files):
    docker.put(docker.path, '{"graph": "/x"}')
    with pytest.raises(EnforcementError) as error:
        apply(files, {"live-restore": True})
    assert "dockerd would not start with it: unable to configure: {'graph'}" in str(error.value)
    assert docker.text() == '{"graph": "/x"}' and not files.exists(change_journal.PATH)


def test_a_docker_that_cannot_validate_is_not_asked_more(docker, files):
    docker.validates = False
    assert apply(files, {"live-restore": True})["changed"]


def test_an_option_in_the_units_environment_file_is_a_conflict(docker, files):
    docker.put("/etc/default/docker", 'DOCKER_OPTS="--live-restore --dns 1.1.1.1"\n')
    with pytest.raises(EnforcementError) as error:
        apply(files, {"live-restore": True})
    assert "passes it as --live-restore" in str(error.value)


def test_a_stale_key_is_taken_out(docker, files):
    docker.put(docker.path, '{"oom-score-adjust": -500, "debug": true}')
    assert apply(files)["changes"] == [{"key": "oom-score-adjust", "old": -500, "new": None}]
    assert docker.text() == '{"debug": true}'
    assert apply(files, remove_stale=False)["changed"] is False


def test_a_docker_that_does_not_run_gets_its_file_and_is_not_started(docker, files):
    docker.active = False
    result = apply(files, SLICE, restart="if_needed")
    assert result["changed"] and docker.steps() == [] and json.loads(docker.text()) == SLICE
    with pytest.raises(EnforcementError):
        apply(files, limits=[{"name": "shop", "memory_bytes": 64 * MIB}])


def test_an_engine_that_is_silent_is_told(docker, files):
    with pytest.raises(EnforcementError) as error:
        apply(files, SLICE, socket="/nowhere.sock")
    assert "Docker does not answer on" in str(error.value)


@pytest.mark.parametrize("text", [None, FOREIGN])
def test_a_rollback_gives_back_every_former_value_and_byte(docker, files, text):
    if text is not None:
        docker.put(docker.path, text)
    docker.add("shop", 64 * MIB, 96 * MIB)
    apply(files, SLICE, limits=[{"name": "shop", "memory_bytes": 128 * MIB}], restart="if_needed")
    assert files.read(baseline_page.PAGE)
    result = roll_back(files, restart="if_needed")
    assert result["changed"] and result["rollback_run"] == "r1" and result["left_alone"] == []
    assert docker.text() == text
    assert docker.containers["shop"] == {"Id": "%064x" % 1000, "Pid": 1000, "Memory": 64 * MIB, "MemorySwap": 96 * MIB}
    assert not docker.effect.get("cgroup-parent") and not docker.effect.get("live-restore")
    assert files.read(baseline_page.PAGE) is None
    assert not roll_back(files)["changed"]


def test_a_limit_that_was_not_there_becomes_one_that_is_as_good_as_none(docker, files):
    docker.add("shop")
    apply(files, limits=[{"name": "shop", "memory_bytes": 128 * MIB}])
    result = roll_back(files)
    assert docker.containers["shop"]["Memory"] == 1 << 62 and "4 EiB" in result["notes"][0]
    assert not roll_back(files)["changed"]


def test_what_somebody_changed_since_is_left_alone_unless_forced(docker, files):
    docker.put(docker.path, "{}")
    docker.add("shop", 64 * MIB, 64 * MIB)
    apply(files, {"shutdown-timeout": 30, "debug": False}, limits=[{"name": "shop", "memory_bytes": 128 * MIB}])
    docker.put(docker.path, '{"shutdown-timeout": 60, "debug": false}')
    docker.containers["shop"].update(Memory=256 * MIB, MemorySwap=256 * MIB)
    result = roll_back(files)
    assert sorted(one["key"] for one in result["left_alone"]) == ["container:shop", "shutdown-timeout"]
    assert json.loads(docker.text()) == {"shutdown-timeout": 60}
    roll_back(files, run="r1", force=True)
    assert docker.text() == "{}" and docker.containers["shop"]["Memory"] == 64 * MIB


def test_a_key_that_a_later_run_changed_again_is_left_alone(docker, files):
    apply(files, {"shutdown-timeout": 30})
    apply(files, {"shutdown-timeout": 60}, run="r2")
    assert "run r2 changed it again" in roll_back(files, run="r1")["left_alone"][0]["why"]
    assert roll_back(files, run="all")["changed"]
    assert docker.text() is None


def test_only_the_keys_that_are_named_are_taken_back(docker, files):
    apply(files, {"shutdown-timeout": 30, "debug": False})
    roll_back(files, keys=["shutdown-timeout"])
    assert json.loads(docker.text()) == {"debug": False}


def test_a_container_that_was_made_anew_keeps_its_own_limits(docker, files):
    docker.add("shop", 64 * MIB, 64 * MIB)
    apply(files, limits=[{"name": "shop", "memory_bytes": 128 * MIB}])
    docker.containers["shop"]["Id"] = "f" * 64
    assert "made anew" in roll_back(files)["left_alone"][0]["why"]
    assert docker.containers["shop"]["Memory"] == 128 * MIB


def test_a_stale_key_does_not_come_back(docker, files):
    docker.put(docker.path, '{"oom-score-adjust": -500}')
    apply(files)
    assert "Docker 25" in roll_back(files)["left_alone"][0]["why"]
    assert json.loads(docker.text()) == {}


class _Mortal(HostFiles):
    """Dies at the n-th time that it or a command is asked to change something."""

    def __init__(self, root, lives):
        super(_Mortal, self).__init__(root)
        self.lives = lives

    def spend(self):
        self.lives -= 1
        if self.lives < 0:
            raise Killed

    def write(self, path, text, mode=0o644):
        self.spend()
        super(_Mortal, self).write(path, text, mode)

    def append(self, path, line, mode=0o600):
        self.spend()
        super(_Mortal, self).append(path, line, mode)

    def remove(self, path):
        self.spend()
        return super(_Mortal, self).remove(path)


def _mortal(docker, monkeypatch, lives):
    files = _Mortal(str(docker.folder), lives)

    def spending(real):
        def ask(argv, timeout_seconds=60):
            if argv[0] == "systemctl" and argv[1] != "show":
                files.spend()
            return real(argv, timeout_seconds)

        return ask

    monkeypatch.setattr(host_command, "ask", spending(docker.ask))
    monkeypatch.setattr(host_command, "do", spending(docker.do))
    return files


@pytest.mark.parametrize("lives", range(12))
def test_killed_anywhere_the_next_run_converges_and_a_rollback_still_finds_every_former_value(docker, files, monkeypatch, lives):
    docker.put(docker.path, FOREIGN)
    os.utime(docker.path.lstrip("/"), (0, 0))
    docker.add("shop", 64 * MIB, 64 * MIB)
    wanted = {"limits": [{"name": "shop", "memory_bytes": 128 * MIB}], "restart": "if_needed"}
    with pytest.raises(Killed):
        apply(_mortal(docker, monkeypatch, lives), SLICE, **wanted)
        raise Killed  # it got through
    _mortal(docker, monkeypatch, 1000)
    apply(files, SLICE, run="r2", **wanted)
    assert docker.effect == dict(json.loads(FOREIGN), **SLICE) and docker.containers["shop"]["Memory"] == 128 * MIB
    assert docker.containers["shop"]["Pid"] == 1000
    assert apply(files, SLICE, run="r3", **wanted)["drift"] == []
    roll_back(files, run="all", restart="if_needed")
    assert docker.text() == FOREIGN and docker.containers["shop"]["Memory"] == 64 * MIB


@pytest.mark.parametrize("lives", range(12))
def test_a_rollback_that_is_killed_anywhere_is_finished_by_the_next(docker, files, monkeypatch, lives):
    docker.add("shop", 64 * MIB, 64 * MIB)
    apply(files, SLICE, limits=[{"name": "shop", "memory_bytes": 128 * MIB}], restart="if_needed")
    with pytest.raises(Killed):
        rolling_back.roll_back(_mortal(docker, monkeypatch, lives), request(run="back", restart="if_needed"), "last", [], False)
        raise Killed
    _mortal(docker, monkeypatch, 1000)
    result = roll_back(files, run="r1", restart="if_needed")
    assert result.get("left_alone", []) == []
    assert docker.text() is None and docker.containers["shop"]["Memory"] == 64 * MIB and docker.containers["shop"]["Pid"] == 1000
    assert change_journal.standing(change_journal.read(files)) == []
