# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All kernel logs of a host as one list of events."""

import json

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.budget import fit
from ansible_collections.memops.linux.plugins.module_utils.kernel_log import kmsg, union
from ansible_collections.memops.linux.tests.unit.target.kernel_log_host import Host, at, messages, recorded, report, syslog

NOW = at("2026-11-22 22:00:00")
BOOT = "215ef38edcee42b497fb64e1d24f1e9b"


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def texts(excerpt):
    return [line["text"] for line in excerpt["lines"]]


def killed(excerpt):
    return [text.split("process ")[1].split()[0] for text in texts(excerpt) if "Killed process" in text]


def test_an_event_that_three_logs_hold_appears_once_with_its_most_complete_copy(host, monkeypatch):
    # Recorded: the kernel's clock 58.06 s after boot is the journal's 1795388009.245.
    zero = 1795388009.245033 - 58.05
    monkeypatch.setattr(kmsg, "booted_at", lambda: zero + 7)
    host.journal = recorded("linux-6.1-oom-group", "journalctl.txt")
    host.write("/dev/kmsg", recorded("linux-6.1-oom-group", "dev", "kmsg"))
    cut = [text for _time, text in messages("linux-6.1-oom-group") if text.startswith(("Memory cgroup out", "Tasks in"))]
    host.write("/var/log/messages", syslog(cut, zero + 58), zero + 60)
    section, _unreadable = host.section(zero - 100)
    (excerpt,) = section["excerpts"]
    assert (excerpt["source"], excerpt["path"], excerpt["kind"]) == ("journal", "journalctl", "oom_report")
    assert excerpt["also_in"] == ["/dev/kmsg", "/var/log/messages"]
    assert (excerpt["started_at"], len(excerpt["lines"])) == ("2026-11-22T22:53:29.245Z", 90)
    assert [source["source"] for source in section["sources"]] == ["journal", "kmsg", "file"]


def test_the_same_kill_twice_in_one_log_is_two_events_and_pairs_with_the_nearest_of_another(host):
    # A container that is killed at each start of its host has the same pid and sizes each time.
    line = report(pid=12)[-1:]
    host.write("/var/log/messages", syslog(line, NOW - 7200) + syslog(line, NOW - 60), NOW)
    host.write("/var/log/kern.log", syslog(line, NOW - 60), NOW - 1)
    section, _unreadable = host.section(NOW - 86400)
    assert [(e["started_at"], len(e["also_in"])) for e in section["excerpts"]] == [("2026-11-22T21:59:00.000Z", 1), ("2026-11-22T20:00:00.000Z", 0)]


def test_the_longer_copy_wins_though_another_log_came_first(host):
    host.write("/var/log/messages", syslog(report()[-1:], NOW), NOW)
    host.write("/var/log/kern.log", syslog(report(), NOW), NOW - 1)
    (excerpt,) = host.section(NOW - 86400)[0]["excerpts"]
    assert (excerpt["path"], excerpt["also_in"], texts(excerpt)) == ("/var/log/kern.log", ["/var/log/messages"], report())


def test_the_newest_event_comes_first_and_the_window_covers_all_sources(host):
    host.write("/var/log/messages.1", syslog(["eth0: link up"] + report(1), NOW - 7200), NOW - 7000)
    host.write("/var/log/messages", syslog(report(2), NOW - 60) + syslog(report(3) + ["eth0: link up"], NOW - 10), NOW)
    section, _unreadable = host.section(NOW - 86400)
    assert [killed(excerpt) for excerpt in section["excerpts"]] == [["3"], ["2"], ["1"]]
    assert section["window"] == {"from": "2026-11-22T20:00:00.000Z", "to": "2026-11-22T21:59:50.000Z"}


def test_events_of_this_boot_carry_its_id_and_older_ones_none(host, monkeypatch):
    monkeypatch.setattr(union, "this_boot", lambda reader: (BOOT, NOW - 3600))
    host.write("/var/log/messages", syslog(report(1), NOW - 7200) + syslog(report(2), NOW - 60), NOW)
    section, _unreadable = host.section(NOW - 86400)
    assert [excerpt["boot_id"] for excerpt in section["excerpts"]] == [BOOT, None]


def test_a_host_without_any_log_says_what_it_could_not_read(host):
    section, unreadable = host.section(NOW)
    assert section == {"sources": [], "window": {"from": None, "to": None}, "excerpts": [], "ended_boots": []}
    assert {"source": "/dev/kmsg", "why": "is not there"} in unreadable


def test_in_a_long_series_of_reports_the_older_ones_lose_their_bulk_before_any_is_lost(host):
    rows = ["[ %6d]     0 %5d     4491     2287    77824        0             0 task" % (pid, pid) for pid in range(10000, 10300)]
    data = b"".join(syslog(report(pid)[:8] + rows + report(pid)[8:], NOW - 9000 + 100 * pid) for pid in range(1, 41))
    host.write("/var/log/messages", data, NOW)
    section, _unreadable = host.section(NOW - 86400, budget_bytes=700000)
    _text, dropped = fit(section, union.DROPPABLE, 700000)
    assert len(section["excerpts"]) == 40 and dropped == []
    newest, oldest = section["excerpts"][0], section["excerpts"][-1]
    assert newest["omitted_lines"] == 0 and len(newest["lines"]) == 310
    assert oldest["omitted_lines"] + len(oldest["lines"]) == 310
    assert [text for text in texts(oldest) if text in report(1)] == report(1)


def test_the_section_is_plain_json(host):
    host.write("/var/log/messages", syslog(report(name="\x1b[31m"), NOW), NOW)
    section, _unreadable = host.section(NOW - 86400)
    assert json.loads(json.dumps(section)) == section
