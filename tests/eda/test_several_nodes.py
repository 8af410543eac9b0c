"""Two nodes that share a PostgreSQL server: one is active, the other takes over."""

from __future__ import annotations

import signal
import time

import pytest
from eda.postgres import Postgres
from eda.service import firing

pytestmark = pytest.mark.long


@pytest.fixture
def postgres():
    server = Postgres()
    yield server
    server.end()


@pytest.fixture
def nodes(services, postgres):
    """Two, of one inventory and one record of runs."""
    hosts = {f"web{number}": {} for number in range(8)}
    first = services(hosts, name="first", AT_ONCE=2)
    second = services(first.inventory, name="second", AT_ONCE=2)
    second.record = first.record
    for node in (first, second):
        node.runbook("HostOomKill", "sleep 2")
        database = node.folder / "database.yml"
        database.write_text(f"host: 127.0.0.1\nport: {postgres.port}\nname: respond\nuser: memops\npassword: {postgres.password}\n")
        database.chmod(0o600)
        node.settings["DATABASE_FILE"] = database
    return first, second


def test_when_the_active_node_is_killed_the_other_runs_what_it_had_accepted(nodes, figure):
    first, second = nodes
    first.start()
    second.start(wait=False)
    second.until(lambda: "another node is active" in second.said(), "the second waits")
    assert not second.is_open()
    alerts = [firing("HostOomKill", f"web{number}:9100") for number in range(8)]
    assert first.send(alerts) == 200
    first.until(lambda: first.runs(), "the first run's end")
    ended = sum(first.runs().values())
    assert ended < 8
    killed = time.monotonic()
    first.process.send_signal(signal.SIGKILL)
    second.until(second.is_open, "the second listens")
    took = time.monotonic() - killed
    assert not first.is_open(), "its ansible-rulebook died with it"
    second.until(lambda: len(second.runs()) == 8, "all runs")
    before = second.runs()
    assert second.send(alerts) == 200
    time.sleep(3)
    assert second.runs() == before, "the throttle is shared too"
    assert "of this test alone" not in first.said() + second.said()
    figure("PostgreSQL, two nodes, `kill -9` of the active one in mid-run", f"the other listened after {took:.0f} s and ran the {8 - ended} runbooks left of 8")


def test_a_node_that_loses_the_database_ends_before_another_can_be_active(nodes, postgres):
    first, _second = nodes
    first.start()
    postgres.stop()
    assert first.process.wait(60) == 1
    assert "the database is lost" in first.said()
    assert not first.is_open()
    assert postgres.password not in first.said()
    first.stop()
    first.start(wait=False)
    first.until(lambda: "the database cannot be reached" in first.said(), "it waits for the database")
    postgres.start()
    first.until(first.is_open, "it listens again")
