# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How earlier boots ended, told only where the host's own records are enough.

journalctl is a stand-in here that prints made output and writes down how it was called.
"""

import json
import os
import pathlib
import stat
import struct

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.kernel_log import ended_boots

RECORDED = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hosts" / "linux-5.10-panic"

OLD, NOW = "1" * 32, "2" * 32
BOOTED = 1795388400  # 2026-11-22T23:00:00Z
SINCE = BOOTED - 86400
LAST = "2026-11-22 22:58:31"
#: As journalctl 247 writes it, and 252 and later.
DASHED = "-1 %s Sun 2026-11-22 20:00:00 UTC\u2014Sun %s UTC\n 0 %s Sun 2026-11-22 23:00:01 UTC\u2014Sun 2026-11-22 23:05:00 UTC\n" % (OLD, LAST, NOW)
TABLE = "IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY\n" + DASHED.replace("\u2014", " ")

STARTED, STOPPED, ASKED = "39f53479d3a045ac8e11786248231fbf", "9d1aaa27d60140bd96365438aad20286", "98268866d1d54a499c4e98921d93bc40"


def message(message_id, unit=None):
    return {"MESSAGE_ID": message_id, "UNIT": unit, "_BOOT_ID": OLD}


AT_WORK = [message(STARTED, "cron.service"), message(STOPPED, "session-3.scope"), message(STARTED, "multi-user.target")]


class Host:
    def __init__(self, root):
        self.root = root
        self.reader = Reader(str(root))
        self.wtmp_form, self.wtmp_length = ended_boots._RECORDS.get(os.uname().machine, ended_boots._RECORD)

    def journal(self, boots=DASHED, messages=(), written_at=BOOTED + 60):
        folder = self.root / "var/log/journal" / ("a" * 32)
        folder.mkdir(parents=True)
        (folder / "system.journal").write_bytes(b"")
        os.utime(str(folder / "system.journal"), (written_at, written_at))
        (self.root / "boots").write_text(boots, encoding="utf-8")
        (self.root / "messages").write_text("".join(json.dumps(one) + "\n" for one in messages))
        script = self.root / "journalctl"
        script.write_text('#!/bin/sh\ncase "$*" in\n*--list-boots*) cat %s/boots;;\n*) cat %s/messages;;\nesac\n' % (self.root, self.root))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return self

    def wtmp(self, *records):
        data = b""
        for kind, user, seconds in records:
            data += struct.pack(self.wtmp_form, kind, user.encode(), seconds).ljust(self.wtmp_length, b"\0")
        (self.root / "var/log").mkdir(parents=True, exist_ok=True)
        (self.root / "var/log/wtmp").write_bytes(data)
        return self

    def ended(self, since=SINCE, booted_at=BOOTED):
        return ended_boots.collect(self.reader, since, booted_at, str(self.root / "journalctl"))


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.mark.parametrize("boots", [DASHED, TABLE], ids=["old form", "table"])
def test_a_boot_without_any_sign_of_a_shutdown_was_cut_off(host, boots):
    assert host.journal(boots, AT_WORK).ended() == [
        {
            "boot_id": OLD,
            "last_at": "2026-11-22T22:58:31.000Z",
            "next_at": "2026-11-22T23:00:01.000Z",
            "shut_down": False,
            "source": "journal",
            "path": "journalctl",
        }
    ]


@pytest.mark.parametrize(
    "sign",
    [
        message(STARTED, "shutdown.target"),
        message(STARTED, "final.target"),
        message(STOPPED, "multi-user.target"),
        message(STOPPED, "basic.target"),
        message(ASKED),
    ],
    ids=lambda sign: str(sign["UNIT"]),
)
def test_one_sign_of_a_shutdown_is_enough(host, sign):
    assert [boot["shut_down"] for boot in host.journal(messages=AT_WORK + [sign]).ended()] == [True]


@pytest.mark.parametrize(
    ("given", "journal", "window"),
    [
        ("the host did not boot in the window", {"messages": AT_WORK}, {"since": BOOTED + 1}),
        ("uptime cannot be read", {"messages": AT_WORK}, {"booted_at": None}),
        ("the boot before ended long before the window", {"messages": AT_WORK, "boots": DASHED.replace(LAST, "2026-10-01 10:00:00")}, {}),
        ("there is no boot before", {"messages": AT_WORK, "boots": DASHED.splitlines()[1] + "\n"}, {}),
        ("this boot's journal is not kept on disk", {"messages": AT_WORK, "written_at": BOOTED - 60}, {}),
        ("the journal keeps no messages on units", {"messages": []}, {}),
        ("journalctl is too old for the options", {"messages": [], "boots": ""}, {}),
    ],
)
def test_nothing_is_said_where(host, given, journal, window):
    assert host.journal(**journal).ended(**window) == [], given


BOOT, RUN_LEVEL, LOGIN = 2, 1, 7


@pytest.mark.parametrize(
    ("given", "records", "shut_down"),
    [
        ("a shutdown between two boots", [(BOOT, "reboot", SINCE), (RUN_LEVEL, "shutdown", BOOTED - 30), (BOOT, "reboot", BOOTED)], [True]),
        ("none between two boots", [(BOOT, "reboot", SINCE), (LOGIN, "ann", BOOTED - 900), (BOOT, "reboot", BOOTED)], [False]),
        ("a change of runlevel only", [(BOOT, "reboot", SINCE), (RUN_LEVEL, "runlevel", BOOTED - 9), (BOOT, "reboot", BOOTED)], [False]),
        (
            "a crash and then a shutdown",
            [(BOOT, "reboot", SINCE), (BOOT, "reboot", SINCE + 60), (RUN_LEVEL, "shutdown", BOOTED - 30), (BOOT, "reboot", BOOTED)],
            [True, False],
        ),
        ("a file that begins with this boot", [(BOOT, "reboot", BOOTED), (LOGIN, "ann", BOOTED + 5)], []),
        ("a file that ends before this boot", [(BOOT, "reboot", SINCE), (BOOT, "reboot", SINCE + 60)], []),
        ("an empty file", [], []),
    ],
)
def test_wtmp_tells_where_no_journal_is_kept(host, given, records, shut_down):
    found = host.wtmp(*records).ended()

    assert [boot["shut_down"] for boot in found] == shut_down, given
    assert all(boot["source"] == "wtmp" and boot["boot_id"] is None for boot in found)


@pytest.mark.skipif(os.uname().machine in ended_boots._RECORDS, reason="the recorded file has the records of x86_64")
def test_a_recorded_wtmp_of_a_host_that_panicked_tells_of_it():
    found = ended_boots.collect(Reader(str(RECORDED)), 1795629000, 1795629142)

    assert found == [
        {
            "boot_id": None,
            "last_at": "2026-11-25T17:50:17.000Z",
            "next_at": "2026-11-25T17:52:21.000Z",
            "shut_down": False,
            "source": "wtmp",
            "path": "/var/log/wtmp",
        }
    ]


def test_wtmp_is_not_asked_where_the_journal_tells(host):
    host.journal(messages=AT_WORK + [message(ASKED)]).wtmp((BOOT, "reboot", SINCE), (BOOT, "reboot", BOOTED))

    assert [boot["source"] for boot in host.ended()] == ["journal"]


def test_of_a_large_wtmp_only_the_end_is_read_in_whole_records(host, monkeypatch):
    monkeypatch.setattr(ended_boots, "_TAIL_BYTES", 3 * host.wtmp_length + 7)
    logins = [(LOGIN, "ann", SINCE + second) for second in range(9)]

    assert [boot["shut_down"] for boot in host.wtmp((BOOT, "reboot", SINCE - 9), *logins, (BOOT, "reboot", BOOTED)).ended()] == [False]
