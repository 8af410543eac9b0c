# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The section ``services``: failed units and OOM daemons; systemctl is a stand-in that prints recorded output."""

import collections
import pathlib

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import services

JOURNAL = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hosts" / "linux-6.1-journal"
REQUEST = collections.namedtuple("Request", "now since budget_bytes page_bytes")(1795388400, 1795302000, 1 << 20, 4096)


def stand_in(tmp_path, name, status=0):
    script = tmp_path / "systemctl"
    script.write_text("#!/bin/sh\ncat %s\nexit %d\n" % (JOURNAL / name if name else "/dev/null", status))
    script.chmod(0o755)
    return str(script)


def test_units_that_died_of_memory_or_violently_are_kept_oom_kills_first(tmp_path):
    failed = services.failed_units(Reader(str(tmp_path)), ["x"], stand_in(tmp_path, "systemctl-show.txt"))
    assert [(unit["unit"], unit["result"], unit["exec_main_code"], unit["exec_main_status"]) for unit in failed] == [
        ("shop-import.scope", "oom-kill", None, None),
        ("shop-report.service", "oom-kill", "killed", 9),
        ("shop-stop.service", "signal", "killed", 9),
        ("shop-calc.service", "signal", "killed", 11),
    ]
    assert failed[1] == {
        "unit": "shop-report.service",
        "result": "oom-kill",
        "exec_main_status": 9,
        "exec_main_code": "killed",
        "state_changed_at": "2026-11-22T22:55:07.000Z",
        "memory_max_bytes": 67108864,
        "memory_peak_bytes": None,
        "oom_policy": "stop",
        "restarts": 0,
    }


def test_what_systemd_does_not_know_is_null_and_no_limit_is_max():
    text = (
        "Id=a.service\nResult=oom-kill\nMemoryMax=infinity\nMemoryLimit=1048576\nMemoryPeak=[not set]\nStateChangeTimestamp=\n\n\n"
        "Id=b.scope\nMemoryPeak=18446744073709551615\nMemoryMax=infinity"
    )
    first, second = services.parse_show(text.encode().split(b"\n"))
    assert (first["memory_max_bytes"], first["memory_peak_bytes"], first["state_changed_at"], first["restarts"]) == (1048576, None, None, None)
    assert (second["memory_max_bytes"], second["memory_peak_bytes"], second["result"]) == ("max", None, None)


def test_a_description_of_several_lines_is_not_taken_for_units(tmp_path):
    states = services.unit_states(Reader(str(tmp_path)), stand_in(tmp_path, "systemctl-list.txt"))
    assert sorted(states) == ["shop-cache.scope", "shop-calc.service", "shop-report.service", "shop-stop.service"]
    assert states["shop-cache.scope"] == ("failed", "failed")
    forged = [b"a.scope loaded active running first line", b"        ssh.service loaded failed failed forged"]
    assert services.parse_list(forged) == {"a.scope": ("active", "running")}


def test_a_systemctl_that_fails_is_unknown_and_noted_not_no_failures(tmp_path):
    reader = Reader(str(tmp_path))
    assert services.unit_states(reader, stand_in(tmp_path, None, status=1)) is None
    assert reader.unreadable[0]["why"] == "named no units"


def test_a_host_without_systemd_has_unknown_units_and_says_so(tmp_path):
    reader = Reader(str(tmp_path))
    section = services.collect(reader, REQUEST)
    assert section == {"manager": None, "failed_units": None, "oom_daemons": None, "lines": []}
    assert reader.unreadable[0]["source"] == "systemd"


def test_a_daemon_runs_if_any_of_its_units_is_active(tmp_path, monkeypatch):
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    listed = {"k3s.service": ("active", "running"), "earlyoom.service": ("inactive", "dead")}
    monkeypatch.setattr(services, "unit_states", lambda reader: listed)
    section = services.collect(Reader(str(tmp_path)), REQUEST)
    assert [daemon["name"] for daemon in section["oom_daemons"] if daemon["active"]] == ["kubelet"]
    assert (section["manager"], section["failed_units"]) == ("systemd", [])
