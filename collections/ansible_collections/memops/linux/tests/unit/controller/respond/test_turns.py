"""One host at a time, and not too often."""

from __future__ import annotations

import datetime
import json
import os
import stat
import subprocess
import sys

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.respond import turns
from ansible_collections.memops.linux.plugins.plugin_utils.respond.rates import Change, Rates, changes, line, refusal

NOW = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)
RATES = Rates(host=1, host_seconds=86400, fleet=3, fleet_seconds=3600)


def change(host: str, minutes_ago: int, outcome: str = "applied") -> Change:
    return Change(NOW - datetime.timedelta(minutes=minutes_ago), host, f"run-{minutes_ago}", outcome)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], None),
        ([change("web1", 23 * 60)], "respond_rate_host"),
        ([change("web1", 25 * 60)], None),
        ([change("web1", 5, "nothing_to_change")], None),
        ([change("web1", 90, "rolled_back")], "respond_rate_host"),
        ([change("web2", 5), change("web3", 4)], None),
        ([change("web2", 5), change("web3", 4), change("web4", 3)], "respond_rate_fleet"),
        ([change("web2", 65), change("web3", 4), change("web4", 3)], None),
        ([change("web2", 5, "rolled_back"), change("web3", 4)], "look at it first"),
        ([change("web2", 5, "rollback_failed")], "look at it first"),
        ([change("web2", 5, "interrupted")], "look at it first"),
        ([change("web2", 65, "rolled_back")], None),
        ([change("web2", 5, "refused")], None),
    ],
)
def test_how_often_a_host_and_a_fleet_are_changed(found, why):
    told = refusal(found, "web1", RATES, NOW)

    assert (told is None) == (why is None)
    assert why is None or why in told


def test_a_change_that_never_ended_was_interrupted_and_a_torn_line_hides_no_other():
    lines = [line("begun", "web1", "a", NOW), '{"at": "20', "[]", "7", line("begun", "web2", "b", NOW), line("ended", "web2", "b", NOW, outcome="applied")]

    assert [(one.host, one.outcome) for one in changes(lines)] == [("web1", "interrupted"), ("web2", "applied")]


def test_a_turn_is_taken_recorded_and_given_back(tmp_path):
    assert turns.take(str(tmp_path), "web1", "HostOomKill", "a", os.getpid(), RATES, 0) is None
    assert "web1 is being changed by run a" in turns.take(str(tmp_path), "web2", "HostOomKill", "b", os.getpid(), RATES, 0)

    turns.give_back(str(tmp_path), "web1", "a", "applied")

    assert turns.take(str(tmp_path), "web2", "HostOomKill", "b", os.getpid(), RATES, 0) is None
    events = [json.loads(text)["event"] for text in (tmp_path / turns.RECORD).read_text().splitlines()]
    assert events == ["begun", "ended", "begun"]
    assert stat.S_IMODE((tmp_path / turns.RECORD).stat().st_mode) == 0o600


def test_who_waits_gets_the_turn_when_it_is_given_back(tmp_path):
    turns.take(str(tmp_path), "web1", "HostOomKill", "a", os.getpid(), RATES, 0)

    reason = turns.take(
        str(tmp_path), "web2", "HostOomKill", "b", os.getpid(), RATES, 5, sleep=lambda _seconds: turns.give_back(str(tmp_path), "web1", "a", "applied")
    )

    assert reason is None


def test_a_run_that_was_killed_does_not_hold_its_turn_and_counts_as_failed(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert turns.take(str(tmp_path), "web1", "HostOomKill", "a", process.pid, RATES, 0) is None
    process.kill()
    process.wait()
    process.stdin.close()

    reason = turns.take(str(tmp_path), "web2", "HostOomKill", "b", os.getpid(), RATES, 0)

    assert "the remedy of web1 in run a was interrupted" in reason


def test_another_process_with_the_same_number_is_not_taken_for_the_holder(tmp_path):
    holder = {"process": os.getpid(), "begun": "1", "host": "web1", "run": "a"}
    (tmp_path / "remediation.holder.json").write_text(json.dumps(holder))

    assert turns.take(str(tmp_path), "web2", "HostOomKill", "b", os.getpid(), RATES, 0) is None


def test_of_many_at_once_one_gets_the_turn(tmp_path):
    code = (
        "import os, sys, time; from ansible_collections.memops.linux.plugins.plugin_utils.respond import turns, rates\n"
        "print(turns.take(sys.argv[1], sys.argv[2], 'X', sys.argv[2], os.getpid(), rates.Rates(), 0) is None, flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    crowd = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), f"web{number}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for number in range(6)
    ]

    got = [process.stdout.readline().strip() for process in crowd]
    for process in crowd:
        process.communicate()

    assert sorted(got) == ["False"] * 5 + ["True"]
