# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal and the syslog files, searched for messages about memory.

journalctl is a stand-in here: a script that prints recorded or made output
and writes down how it was called.
"""

import json
import pathlib
import stat

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import journal_services, syslog_lines

JOURNAL = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hosts" / "linux-6.1-journal"
NOW = 1795388400  # 2026-11-22T23:00:00Z
SINCE = NOW - 86400


class Host:
    """A tree with or without a journal, and a journalctl that stands in for the real one."""

    def __init__(self, root):
        self.root = root
        self.reader = Reader(str(root))
        self.calls = root / "calls"

    def journal(self, search="", plain="", can_search=True):
        """search, plain: the output for --grep with the sieve and for --output=short-unix."""
        folder = self.root / "var/log/journal/b66ab06f0dd54bb289707f609f1c513d"
        folder.mkdir(parents=True)
        (folder / "system.journal").write_bytes(b"")
        for name, text in (("search", search), ("plain", plain)):
            (self.root / name).write_text(text)
        script = self.root / "journalctl"
        answer = "cat %s/search" % self.root if can_search else "exit 1"
        script.write_text(
            '#!/bin/sh\necho "$*" >>%s\ncase "$*" in\n*"--grep=. "*) %s;;\n*--grep=*) %s;;\n*) cat %s/plain;;\nesac\n'
            % (self.calls, "echo newest" if can_search else "exit 1", answer, self.root)
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return self

    def file(self, name, text):
        path = self.root / "var/log" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return self

    def lines(self):
        return journal_services.lines(self.reader, SINCE, NOW, str(self.root / "journalctl"))


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_recorded_messages_come_newest_first_with_the_unit_they_are_about(host):
    found = host.journal((JOURNAL / "service-oom.json").read_text()).lines()
    assert [item["text"].split(": ")[1][:24] for item in found] == ["Failed with result 'oom-", "Main process exited, cod", "A process of this unit h"]
    assert found[0] == {
        "time": "2026-11-22T22:55:07.393Z",
        "unit": "shop-report.service",
        "process": "systemd",
        "pid": 1,
        "text": "shop-report.service: Failed with result 'oom-kill'.",
    }
    assert host.reader.unreadable == []


def test_one_search_is_enough_where_there_are_matches_and_its_window_starts_at_since(host):
    host.journal((JOURNAL / "deaths.json").read_text()).lines()
    (call,) = host.calls.read_text().splitlines()
    assert "--since=@%d" % SINCE in call and "--reverse" in call


def test_a_quiet_journal_is_searched_once_and_its_search_proved_to_work(host):
    assert host.journal().lines() == []
    assert len(host.calls.read_text().splitlines()) == 2
    assert host.reader.unreadable == []


def test_a_journalctl_that_cannot_search_has_its_newest_messages_looked_through_and_that_is_noted(host):
    plain = (
        "1795388107.393028 shop01 systemd[1]: shop-report.service: Failed with result 'oom-kill'.\n"
        "1795388107.100000 shop01 shop[99]: all is well with the memory\n"
        "1795388106.000000 shop01 kernel: Out of memory: Killed process 5 (x)\n"
    )
    (found,) = host.journal(plain=plain, can_search=False).lines()
    assert (found["time"], found["unit"], found["pid"]) == ("2026-11-22T22:55:07.393Z", "shop-report.service", 1)
    assert "cannot search" in host.reader.unreadable[-1]["why"]


def test_a_message_of_bytes_or_of_several_values_is_read_and_one_that_is_not_text_is_passed_over():
    def message(value, **fields):
        return json.dumps(dict(fields, MESSAGE=value, _PID="7", SYSLOG_IDENTIFIER="shop", __REALTIME_TIMESTAMP="1795388213000000")).encode()

    assert journal_services.entry(message([27, 91, 51, 69, 78, 79, 77, 69, 77, 255]))[0]["text"] == "\x1b[3ENOMEM\ufffd"
    assert journal_services.entry(message(["ENOMEM", "more"]))[0]["text"] == "ENOMEM"
    odd = [message(None), message({}), message([[1]]), message("x", _TRANSPORT="kernel"), b"", b"[]", b"{", b'{"MESSAGE":"x"}', b"[" * 100000]
    assert [journal_services.entry(line) for line in odd] == [None] * len(odd)


def test_a_flood_of_one_service_hides_neither_another_service_nor_that_it_was_cut(host):
    def line(micros, unit, text):
        fields = {"MESSAGE": text, "_SYSTEMD_UNIT": unit, "SYSLOG_IDENTIFIER": "x", "_PID": "7", "__REALTIME_TIMESTAMP": str(micros)}
        return json.dumps(fields) + "\n"

    flood = "".join(line(1795388213000000 - number, "shop.service", "ENOMEM") for number in range(5000))
    found = host.journal(flood + line(1795380000000000, "web.service", "MemoryError")).lines()
    assert found[-1]["unit"] == "web.service" and len(found) == journal_services.LINES_PER_SPEAKER + 1
    assert "4940 older ones were left out" in host.reader.unreadable[-1]["why"]


def test_secrets_are_masked(host):
    fields = {"MESSAGE": "login password=hunter2 failed: Cannot allocate memory", "__REALTIME_TIMESTAMP": "1795388213000000"}
    (found,) = host.journal(json.dumps(fields) + "\n").lines()
    assert "hunter2" not in found["text"] and "Cannot allocate memory" in found["text"]
    assert (found["unit"], found["process"], found["pid"]) == (None, None, None)


def test_without_a_journal_the_syslog_files_are_read_within_the_window(host):
    host.file("syslog", (
        "2026-11-20T10:00:00+00:00 shop01 shop[7]: MemoryError\n"
        "2026-11-22T23:30:00.250+01:00 shop01 shop[7]: MemoryError\n"
        "2026-11-22T22:31:00.000Z shop01 kernel: [ 1.0] Out of memory: Killed process 1 (x)\n"
        "2026-11-22T22:32:00Z shop01 systemd[1]: web.service: A process of this unit has been killed by the OOM killer.\n"
    ))  # fmt: skip
    host.file("messages", "2026-11-22T22:32:00Z shop01 systemd[1]: web.service: A process of this unit has been killed by the OOM killer.\n")
    found = host.lines()
    assert [(item["time"], item["unit"], item["process"], item["pid"]) for item in found] == [
        ("2026-11-22T22:32:00.000Z", "web.service", "systemd", 1),
        ("2026-11-22T22:30:00.250Z", None, "shop", 7),
    ]


def test_neither_journal_nor_syslog_is_noted(host):
    assert host.lines() == []
    assert "neither a journal nor a syslog file" in host.reader.unreadable[0]["why"]


def test_every_form_of_stamp_is_the_same_time_and_last_december_seen_in_january_is_last_years(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    syslog_lines.time.tzset()
    january = 1798765200  # 2027-01-01T01:00:00Z
    stamps = ("Dec 31 23:30:00", "2026-12-31T23:30:00", "2026-12-31T23:30:00+01:00", "2026-12-31T17:00:00-05:30", "2026-12-31T22:30:00Z")
    times = [syslog_lines.parse(stamp + " shop01 shop[7]: MemoryError", january)[0]["time"] for stamp in stamps]
    monkeypatch.undo()
    syslog_lines.time.tzset()
    assert times == ["2026-12-31T22:30:00.000Z"] * 5


@pytest.mark.parametrize("line", ["", "Foo 99 99:99:99 h p: x", "2026-13-45T99:00:00Z h p: x", "99999999999.9 h p", "\ufffd" * 50])
def test_a_line_of_no_known_form_is_passed_over(line):
    assert syslog_lines.parse(line, NOW) is None
