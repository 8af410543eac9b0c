# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What unit_memory refuses, with the sum, and what it says this host does not have."""

import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.unit_memory import working
from ansible_collections.memops.linux.tests.unit.target.unit_memory_host import MIB, Host, work

RAM = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def host(tmp_path):
    host = Host(tmp_path)
    host.unit("db.service", pids=[100])  # 20 MiB in use, 10 of them file pages
    host.unit("ssh.service", pids=[200])
    host.unit("system.slice", above="-.slice", text="[Slice]\n")
    host.unit("-.slice", above="", text="[Slice]\n")
    host.unit("init.scope", pids=[1])
    return host


REFUSED = [
    ({"name": "db.service", "memory_max_bytes": "9M"}, "it holds 10 MiB .* 20 MiB .* less 10 MiB .* killed at once"),
    ({"name": "db.service", "memory_high_bytes": 9 * MIB}, "it holds 10 MiB .* stand still"),
    ({"name": "db.service", "memory_max_bytes": 512}, "512 bytes is below 1048576"),
    ({"name": "db.service", "memory_high_bytes": "100M", "memory_max_bytes": "100M"}, r"100 MiB \(104857600 bytes\) >= 100 MiB"),
    ({"name": "db.service", "oom_score_adjust": -1000}, "everything else on the host dies first"),
    ({"name": "db.service", "oom_score_adjust": 1001}, "no number from -1000 to 1000"),
    ({"name": "db.service", "memory_max_bytes": "12X"}, "'12X' is no size"),
    ({"name": "db.service", "memory_max_bytes": "101%"}, "no percentage"),
    ({"name": "db.service", "memory_max_bytes": "1M\nExecStart=/bin/x"}, "is no size"),
    ({"name": "db.service", "memory_max_bytes": ""}, "it is empty"),
    ({"name": "db.service", "tasks_max": "0"}, "neither a number of tasks nor infinity"),
    ({"name": "db.service", "memory_min_bytes": "81%"}, "above 80 % of RAM"),
    ({"name": "system.slice", "memory_max_bytes": "50%"}, "all services of the host together"),
    ({"name": "-.slice", "memory_max_bytes": "50%"}, "holds the whole host"),
    ({"name": "init.scope", "memory_max_bytes": "50%"}, "a scope ends with its processes"),
    ({"name": "dbs.service", "oom_score_adjust": 1}, "there is no such unit on this host; near to it are .*db.service"),
    ({"name": "box.slice", "memory_max_bytes": "1G"}, "with create: true it is made"),
    ({"name": "../db.service", "oom_score_adjust": 1}, "not a unit's name"),
    ({"name": "a..b.service", "oom_score_adjust": 1}, "not a unit's name"),
    ({"name": "db.service\n", "oom_score_adjust": 1}, "not a unit's name"),
    ({"name": "db", "oom_score_adjust": 1}, "not a unit's name"),
    ({"name": "x" * 250 + ".service", "oom_score_adjust": 1}, "not a unit's name"),
    ({"name": "db@.service", "oom_score_adjust": 1}, "a template, not a unit: name an instance of it, as in db@NAME.service"),
    ({"name": "db.socket", "oom_score_adjust": 1}, "only services and slices"),
    ({"name": "ssh.service", "oom_score_adjust": -500}, "sshd protects itself with -1000, and hands what is set here on to every session"),
]


@pytest.mark.parametrize(("unit", "why"), REFUSED, ids=[why[:40] for _unit, why in REFUSED])
def test_refused_with_the_sum_and_nothing_is_touched_not_even_what_was_not_refused(host, unit, why):
    before = host.tree()
    units = [{"name": "ssh.service", "oom_policy": "continue"}, unit]
    with pytest.raises(working.WorkError, match="(?s)^Nothing was changed. Refused: .*" + why) as failure:
        work(host, units)
    assert host.tree() == before and not host.files.exists("/var/lib/memops/changes.jsonl")
    assert len(failure.value.result["refused"]) == 1 and failure.value.result["changed"] is False


@pytest.mark.parametrize(
    "unit",
    [
        {"name": "db.service", "memory_max_bytes": "9M"},
        {"name": "db.service", "oom_score_adjust": -1000},
        {"name": "system.slice", "memory_max_bytes": "50%"},
        {"name": "db.service", "memory_min_bytes": "81%"},
    ],
)
def test_force_sets_it_all_the_same(host, unit):
    assert work(host, [unit], force=True)["changed"]


def test_sshd_s_own_score_is_no_drift(host):
    host.unit("ssh.service", pids=[200], score=-1000)
    wanted = [{"name": "ssh.service", "oom_score_adjust": 100}]
    work(host, wanted)
    assert host.score(200) == -1000 and work(host, wanted)["drift"] == []


def test_what_cannot_be_is_refused_with_force_too(host):
    with pytest.raises(working.WorkError, match="holds the whole host"):
        work(host, [{"name": "-.slice", "memory_max_bytes": "50%"}], force=True)


@pytest.mark.parametrize(
    "unit",
    [
        {"name": "ssh.service", "oom_score_adjust": 100},
        {"name": "db.service", "memory_max_bytes": "10M"},
        {"name": "-.slice", "managed_oom_swap": "kill"},
        {"name": "system.slice", "memory_low_bytes": "40%"},
        {"name": "db.service", "memory_max_bytes": "infinity"},
    ],
)
def test_what_is_near_to_a_refusal_and_does_no_harm_is_set(host, unit):
    assert work(host, [unit])["changed"]


def test_protections_are_summed_over_all_units_of_a_slice(host):
    host.put("/sys/fs/cgroup/system.slice/ssh.service/memory.low", "%d\n" % (RAM // 2))
    with pytest.raises(working.WorkError, match=r"ssh.service .*, db.service "):
        work(host, [{"name": "db.service", "memory_min_bytes": "40%"}])
    assert work(host, [{"name": "db.service", "memory_min_bytes": "20%"}])["changed"]


def test_a_protection_that_a_slice_above_does_not_pass_on_is_said(host):
    notes = work(host, [{"name": "db.service", "memory_low_bytes": "10M"}], check_mode=True)["notes"]
    assert notes == ["db.service: MemoryLow has no effect while system.slice keeps nothing; give {name: system.slice, memory_low_bytes: 10485760} as well."]
    both = [{"name": "db.service", "memory_low_bytes": "10M"}, {"name": "system.slice", "memory_low_bytes": "10M"}]
    assert work(host, both)["notes"] == []


def test_a_unit_of_which_nothing_is_wanted_is_said_and_not_refused(host):
    result = work(host, [{"name": "db.service"}])
    assert not result["changed"] and "nothing is wanted of it" in result["notes"][0]


def test_cgroup_v1_has_one_limit_and_the_rest_is_unsupported(tmp_path):
    host = Host(tmp_path, cgroup=1)
    host.unit("db.service", pids=[100])
    wanted = {"name": "db.service", "memory_max_bytes": "100M", "memory_high_bytes": "80M", "memory_low_bytes": "1M", "managed_oom_swap": "kill"}
    result = work(host, [wanted])
    assert [one["key"] for one in result["unsupported"]] == ["db.service:MemoryHigh", "db.service:MemoryLow", "db.service:ManagedOOMSwap"]
    assert host.get("/sys/fs/cgroup/memory/system.slice/db.service/memory.limit_in_bytes") == "104857600"
    assert not work(host, [wanted])["changed"]


def test_an_old_systemd_lacks_settings_and_says_since_when_they_are_there(tmp_path):
    host = Host(tmp_path, lacking=("OOMPolicy",))
    host.unit("db.service", pids=[100])
    result = work(host, [{"name": "db.service", "oom_policy": "kill"}])
    assert result["unsupported"] == [{"key": "db.service:OOMPolicy", "why": "systemd 252 has no OOMPolicy; 243 and newer have it"}]
    assert not result["changed"]


def test_a_host_without_systemd_is_told_apart(tmp_path):
    host = Host(tmp_path)
    host.files.remove("/run/systemd/system/.here")
    os.rmdir(host.files.path("/run/systemd/system"))
    with pytest.raises(working.WorkError, match="systemd does not run this host"):
        work(host, [])


def test_a_service_has_a_score_and_a_slice_has_none(host):
    result = work(host, [{"name": "system.slice", "oom_score_adjust": 5}])
    assert result["unsupported"] == [{"key": "system.slice:OOMScoreAdjust", "why": "a slice has no OOMScoreAdjust"}]
