# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of daemon.json and of the daemon: reload, restart, or neither, and what is refused."""

import json

import pytest

from ansible_collections.memops.linux.plugins.module_utils.docker_daemon import daemon_keys, daemon_plan
from ansible_collections.memops.linux.plugins.module_utils.docker_daemon.daemon_plan import EVEN_IF_CONTAINERS_DIE, IF_NEEDED, NEVER, Daemon

RUNNING = Daemon("/etc/docker/daemon.json", None, {}, "running", {"LiveRestoreEnabled": False, "CgroupDriver": "systemd"}, 2, ["shop"], {}, None, False)
LIVES = dict(RUNNING.info, LiveRestoreEnabled=True)


def kinds(plan):
    return [step[0] for step in plan.steps]


def decided(wanted, daemon=RUNNING, **more):
    return daemon_plan.decide(wanted, daemon, **more)


@pytest.mark.parametrize(
    ("given", "text", "info", "wanted", "restart", "then"),
    [
        ("live-restore is taken over by a reload", None, {}, {"live-restore": True}, NEVER, ["write", "reload"]),
        ("a shm size is taken over by a reload", "{}", {}, {"default-shm-size": "128M"}, NEVER, ["write", "reload"]),
        ("a cgroup parent waits for a restart that is not allowed", None, {}, {"cgroup-parent": "containers.slice"}, NEVER, ["write"]),
        ("what holds needs nothing", '{"live-restore": true}', {"LiveRestoreEnabled": True}, {"live-restore": True}, IF_NEEDED, []),
        ("what is in the file and not in the daemon is reloaded", '{"live-restore": true}', {}, {"live-restore": True}, NEVER, ["reload"]),
        (
            "live-restore is in force before the restart that needs it",
            None,
            {},
            {"live-restore": True, "cgroup-parent": "containers.slice"},
            IF_NEEDED,
            ["write", "reload", "restart"],
        ),
        (
            "live-restore is in force already",
            '{"live-restore": true}',
            {"LiveRestoreEnabled": True},
            {"cgroup-parent": "containers.slice"},
            IF_NEEDED,
            ["write", "restart"],
        ),
        (
            "live-restore goes away only after the restart that needs it",
            '{"live-restore": true, "cgroup-parent": "containers.slice"}',
            {"LiveRestoreEnabled": True},
            {"live-restore": None, "cgroup-parent": None},
            IF_NEEDED,
            ["write", "restart", "write", "reload", "write"],
        ),
        ("containers may die", None, {}, {"cgroup-parent": "containers.slice"}, EVEN_IF_CONTAINERS_DIE, ["write", "restart"]),
        ("a key that a reload forgets is taken out", '{"features": {"x": true}}', {}, {"features": None}, NEVER, ["write"]),
        (
            "a key that a reload does not forget is first set to its default",
            '{"live-restore": true}',
            {"LiveRestoreEnabled": True},
            {"live-restore": None},
            NEVER,
            ["write", "reload", "write"],
        ),
        ("a stale key goes without a reload", '{"oom-score-adjust": -500}', {}, {}, NEVER, ["write"]),
    ],
)
def test_the_least_that_is_needed_is_done(given, text, info, wanted, restart, then):
    daemon = RUNNING._replace(text=text, info=dict(RUNNING.info, **info), in_effect={"features": {"y": True}} if "forgets" in given else {})
    plan = decided(wanted, daemon, restart=restart)
    assert not plan.refused
    expected = then + ["reload"] if "a reload forgets" in given else then
    assert kinds(plan) == expected


def test_a_setting_that_waits_for_a_restart_is_drift_of_the_running_daemon():
    daemon = RUNNING._replace(text='{"cgroup-parent": "containers.slice"}', in_effect={"cgroup-parent": None})
    plan = decided({"cgroup-parent": "containers.slice"}, daemon)
    assert plan.pending == {"cgroup-parent": None}
    assert [(face["face"], face["found"]) for face in plan.drift] == [("running", None)]
    assert plan.steps == [] and plan.compliant == []


def test_a_setting_goes_back_to_what_the_daemon_still_has_without_a_restart():
    daemon = RUNNING._replace(text='{"cgroup-parent": "containers.slice"}', in_effect={"cgroup-parent": None})
    plan = decided({"cgroup-parent": None}, daemon, restart=IF_NEEDED)
    assert kinds(plan) == ["write"]
    assert plan.pending == {}


def test_a_file_that_somebody_changed_after_the_start_is_not_taken_for_what_the_daemon_has():
    daemon = RUNNING._replace(text='{"cgroup-parent": "containers.slice", "live-restore": true}', info=LIVES, unsure="it was changed")
    plan = decided({"cgroup-parent": "containers.slice", "live-restore": True}, daemon)
    assert plan.pending == {"cgroup-parent": None} and plan.unknown == {"cgroup-parent"}
    assert plan.compliant == ["live-restore"]
    assert kinds(decided({"cgroup-parent": "containers.slice"}, daemon, restart=IF_NEEDED)) == ["restart"]
    assert kinds(decided({"cgroup-parent": None}, daemon, restart=IF_NEEDED)) == ["write", "restart"]
    assert kinds(decided({"log-opts": None}, daemon, restart=IF_NEEDED)) == []


def test_a_file_that_was_reloaded_as_it_is_is_what_the_daemon_has_of_reloadable_keys():
    daemon = RUNNING._replace(text='{"default-shm-size": "1G"}', unsure="it was changed", reloaded=True)
    assert decided({"default-shm-size": "1G"}, daemon).steps == []
    assert decided({"default-shm-size": "1G"}, daemon._replace(reloaded=False)).steps == [("reload",)]


def test_the_same_size_in_other_words_is_no_change():
    plan = decided({"default-shm-size": 1 << 30}, RUNNING._replace(text='{"default-shm-size": "1024M"}'))
    assert plan.changes == [] and plan.steps == []


@pytest.mark.parametrize(
    ("state", "restart", "then"),
    [("stopped", IF_NEEDED, ["write"]), ("failed", IF_NEEDED, ["write", "restart"]), ("failed", NEVER, ["write"])],
)
def test_a_daemon_that_does_not_run_is_only_started_where_it_failed_and_may_be(state, restart, then):
    daemon = RUNNING._replace(state=state, info={}, running=[], text='{"oom-score-adjust": -500}')
    assert kinds(decided({}, daemon, restart=restart)) == then


def test_a_restart_that_would_end_containers_is_refused_with_their_names():
    plan = decided({"cgroup-parent": "containers.slice"}, RUNNING._replace(running=["shop", "db"]), restart=IF_NEEDED)
    assert "db, shop" in plan.refused[0]["why"] and plan.steps == []


def test_nothing_runs_so_a_restart_needs_no_live_restore():
    assert kinds(decided({"cgroup-parent": "containers.slice"}, RUNNING._replace(running=[]), restart=IF_NEEDED)) == ["write", "restart"]


@pytest.mark.parametrize(
    ("wanted", "more", "why"),
    [
        ({"memory-limit": 1}, {}, "no such setting"),
        ({"oom-score-adjust": -500}, {}, "Docker 25"),
        ({"live-restore": "yes"}, {}, "true or false"),
        ({"live-restore": 1}, {}, "true or false"),
        ({"default-shm-size": "a lot"}, {}, "a size"),
        ({"default-shm-size": 0}, {}, "a size"),
        ({"shutdown-timeout": -1}, {}, "whole number"),
        ({"shutdown-timeout": True}, {}, "whole number"),
        ({"log-opts": ["max-size=10m"]}, {}, "a table"),
        ({"log-opts": {"labels": ["a"]}}, {}, "text"),
        ({"default-ulimits": {"nofile": {"soft": 2, "hard": 1}}}, {}, "soft (2) is above hard (1)"),
        ({"default-ulimits": {"nofile": "many"}}, {}, "whole numbers"),
        ({"default-ulimits": {"nofile": {"soft": 2}}}, {}, "whole numbers"),
        ({"exec-opts": ["native.umask=normal"]}, {}, "native.cgroupdriver"),
        ({"labels": "a=b"}, {}, "a list"),
        ({"cgroup-parent": "/containers"}, {}, "name of a slice"),
        ({"cgroup-parent": "containers"}, {}, "name of a slice"),
        ({"cgroup-parent": "containers.slice"}, {"info": dict(RUNNING.info, CgroupDriver="cgroupfs")}, "systemd owns"),
        ({"live-restore": True}, {"info": dict(RUNNING.info, Swarm={"LocalNodeState": "active"})}, "swarm"),
        ({"live-restore": True}, {"options": {"live-restore": "--live-restore"}}, "passes it as --live-restore"),
        ({"exec-opts": ["native.cgroupdriver=cgroupfs"]}, {}, "stop shop first"),
    ],
)
def test_what_docker_would_not_start_with_is_refused_before_anything_is_written(wanted, more, why):
    plan = decided(wanted, RUNNING._replace(**more), restart=IF_NEEDED)
    assert [one["key"] for one in plan.refused] == list(wanted)
    assert why in plan.refused[0]["why"]
    assert plan.steps == [] and plan.changes == []


def test_with_cgroupfs_on_cgroup_v1_a_slice_becomes_the_path_of_its_cgroup():
    daemon = RUNNING._replace(cgroup_version=1, info=dict(RUNNING.info, CgroupDriver="cgroupfs"))
    assert decided({"cgroup-parent": "containers.slice"}, daemon).wanted["cgroup-parent"] == "/containers.slice"
    assert decided({"cgroup-parent": "a-b.slice"}, daemon).wanted["cgroup-parent"] == "/a.slice/a-b.slice"
    both = {"cgroup-parent": "containers.slice", "exec-opts": ["native.cgroupdriver=systemd"]}
    assert decided(both, daemon._replace(running=[])).wanted["cgroup-parent"] == "containers.slice"


@pytest.mark.parametrize(
    ("key", "given", "then"),
    [
        ("log-opts", {"max-file": 3, "compress": True}, {"max-file": "3", "compress": "true"}),
        ("default-ulimits", {"nofile": 9}, {"nofile": {"Name": "nofile", "Hard": 9, "Soft": 9}}),
        ("default-ulimits", {"nofile": {"soft": 1, "hard": -1}}, {"nofile": {"Name": "nofile", "Hard": -1, "Soft": 1}}),
        ("default-shm-size", "134217728", 134217728),
    ],
)
def test_values_are_written_as_docker_reads_them(key, given, then):
    plan = decided({key: given})
    assert not plan.refused
    assert json.loads(plan.text) == {key: then}


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (["-H", "fd://", "--containerd=/run/containerd/containerd.sock"], ["containerd", "hosts"]),
        (["--log-opt", "max-size=1m", "--storage-driver", "overlay2"], ["log-opts", "storage-driver"]),
        (["--add-runtime", "x=/x", "--validate", "$DOCKER_OPTS", "-D"], ["debug"]),
        (["-Htcp://0.0.0.0"], ["hosts"]),
        ([], []),
    ],
)
def test_options_of_the_unit_are_the_keys_that_the_file_may_not_have(words, keys):
    assert sorted(daemon_keys.from_options(words)) == keys


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("64M", 64 << 20),
        ("1g", 1 << 30),
        ("1.5k", 1536),
        ("512", 512),
        ("2GiB", 2 << 30),
        ("1 MB", 1 << 20),
        ("0", None),
        ("", None),
        ("-1", None),
        ("M", None),
    ],
)
def test_sizes_are_read_as_docker_reads_them(text, count):
    assert daemon_keys.size_bytes(text) == count
