"""What the host itself says: /proc, cgroups, systemd, the journal; at each stage of the scenario and now."""

from __future__ import annotations

import json
import os
import pathlib
import re

import pytest

FOLDER = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
PRECIOUS, BATCH, BOX = "memops-precious.service", "memops-batch.service", "memopsbox.slice"
MIB = 1 << 20


@pytest.fixture
def stage(host):
    name = host.backend.get_hostname()

    def load(which: str) -> dict:
        return json.loads((FOLDER / f"{name}-{which}.json").read_text(encoding="utf-8"))

    return load


@pytest.fixture
def told(host, stage):
    return stage("told")


def kept(host, which: str) -> str:
    return (FOLDER / f"{host.backend.get_hostname()}-{which}.txt").read_text(encoding="utf-8")


def limit(unit: dict, seen: dict) -> int:
    return int(unit["kernel"]["memory.max" if seen["cgroup"] == 2 else "memory.limit_in_bytes"])


@pytest.mark.parametrize("which", ["refused", "checked"])
def test_refusals_and_check_mode_leave_the_host_untouched(stage, which):
    assert stage(which) == stage("former")


def test_check_mode_foretold_exactly_what_was_done(told):
    done = {(one["key"], one["new"]) for one in told["completed"]["changes"]}
    foretold = {(one["key"], one["new"]) for one in told["checked"]["changes"]}
    # What the run that was killed had done already is no change of the next one.
    assert done <= foretold and {f"{PRECIOUS}:MemoryMax", f"{PRECIOUS}:OOMScoreAdjust"} <= {key for key, _new in done}


def test_a_run_after_one_that_was_killed_completes_it(stage):
    seen = stage("completed")
    precious = seen["units"][PRECIOUS]
    assert precious["score"] == -900 and sorted(precious["scores"].values()) == [-900, 123]
    assert limit(precious, seen) == 400 * MIB
    assert seen["units"][BATCH]["score"] == 300
    assert seen["left"] == []
    if seen["cgroup"] == 2:
        assert int(precious["kernel"]["memory.low"]) == int(seen["units"]["system.slice"]["kernel"]["memory.low"]) > 100 * MIB


def test_a_slice_was_made_with_its_limits(stage):
    seen = stage("completed")
    assert "Description=A box" in seen["files"]["/etc/systemd/system/memopsbox.slice"]
    assert limit(seen["units"][BOX], seen) > 300 * MIB


def test_a_rollback_gives_back_every_former_value(stage):
    former, back = stage("former"), stage("rolled-back")
    for seen in (former, back):
        seen["units"].pop(BOX)  # it was not there before; now it runs as systemd has it by default
    assert back == former


def test_the_kernel_kills_the_one_that_is_offered_although_the_protected_one_is_larger(host, stage):
    assert "(memops-grows)" in kept(host, "kill")
    assert "(memops-precious)" not in kept(host, "kill")
    assert stage("after-kill")["units"][PRECIOUS]["pid"] > 0
    held_kib = int(re.search(r"anon-rss:(\d+)kB", kept(host, "kill")).group(1))
    assert held_kib < 330 * 1024
    # On cgroup v1 systemd is not told that it was the OOM killer.
    result = "oom-kill" if stage("former")["cgroup"] == 2 else "signal"
    assert host.check_output("systemctl show --property=Result --value memops-grows.service") == result
    assert host.check_output(f"systemctl show --property=NRestarts --value {PRECIOUS}") == "0"


def test_earlyoom_runs_as_it_was_told_and_kills_the_preferred_one_first(host, stage):
    daemons = stage("earlyoom")["daemons"]
    assert daemons["earlyoom.service"] == ["enabled", "active"] and daemons["systemd-oomd.service"][1] != "active"
    assert "--prefer '^(memops-prefer)$'" in stage("earlyoom")["files"]["/etc/default/earlyoom"]
    assert "memops-prefer" in kept(host, "earlyoom").splitlines()[0]
    assert "memops-precious" not in kept(host, "earlyoom")


def test_systemd_oomd_runs_and_kills_below_the_slice_that_it_was_given(host, stage):
    if stage("former")["cgroup"] == 1:
        pytest.skip("systemd-oomd needs cgroup v2")
    daemons = stage("oomd")["daemons"]
    assert daemons["systemd-oomd.service"] == ["enabled", "active"] and daemons["earlyoom.service"][1] != "active"
    assert "memops-thrash.service" in kept(host, "oomd")


def test_the_daemons_are_as_they_were(stage):
    before, end = stage("daemons-before"), stage("end")
    assert end["daemons"] == before["daemons"]
    assert end["files"]["/etc/default/earlyoom"] == before["files"]["/etc/default/earlyoom"]
    assert not [path for path in end["files"] if "oomd.conf.d" in path]


def test_the_role_installs_earlyoom_which_is_started_only_with_the_thresholds_that_were_asked_for(host, stage):
    assert re.findall(r"SIG(TERM|KILL) when mem (?:avail )?<= *([\d.]+)%", kept(host, "installed")) == [("TERM", "3.00"), ("KILL", "2.00")]
    assert stage("installed")["daemons"]["earlyoom.service"] == ["enabled", "active"]


def test_now_the_processes_have_their_scores(host):
    pid = host.check_output(f"systemctl show --property=MainPID --value {PRECIOUS}")
    assert host.file(f"/proc/{pid}/oom_score_adj").content_string.strip() == "-900"


def test_now_the_page_tells_a_person_and_the_journal_what_was_there_before(host):
    page = host.file("/etc/memops/BASELINE.md").content_string
    assert f"### `{PRECIOUS}:OOMScoreAdjust` = `-900`" in page and "Why: molecule" in page
    journal = [json.loads(line) for line in host.file("/var/lib/memops/changes.jsonl").content_string.splitlines()]
    entry = next(one for one in journal if one["run"] == "role" and one["key"] == f"{PRECIOUS}:OOMScoreAdjust")
    assert entry["old"] == {"setting": None, "running": 0}
