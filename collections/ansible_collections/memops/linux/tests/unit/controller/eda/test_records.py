# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The record of alerts on disk."""

from __future__ import annotations

import json
import logging
import pathlib

from ansible_collections.memops.linux.plugins.plugin_utils.eda import alerts, records

logger = logging.getLogger("test")
RAN = alerts.Decision("HostOomKill", "web1", "run", None, "c0ffee", "2026-11-25T03:00:00Z", "e30=")


def test_a_line_per_alert_is_added_in_a_file_for_its_owner_alone(tmp_path):
    path = tmp_path / "alerts.jsonl"
    records.append(path, [RAN, RAN], logger)
    records.append(path, [RAN], logger)
    assert [json.loads(line)["host"] for line in path.read_text().splitlines()] == ["web1"] * 3
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_notification_without_alerts_adds_nothing(tmp_path):
    records.append(tmp_path / "alerts.jsonl", [], logger)
    assert not (tmp_path / "alerts.jsonl").exists()


def test_a_full_disk_is_logged_and_stops_nothing(caplog):
    records.append(pathlib.Path("/dev/full"), [RAN], logger)
    assert "alerts were not recorded in /dev/full: No space left on device" in caplog.text


def test_a_folder_that_is_not_there_is_logged_and_stops_nothing(tmp_path, caplog):
    records.append(tmp_path / "none" / "alerts.jsonl", [RAN], logger)
    assert "alerts were not recorded" in caplog.text


def test_a_file_that_has_grown_is_kept_once_as_the_one_of_before(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MOST_BYTES", 500)
    path = tmp_path / "alerts.jsonl"
    for _time in range(20):
        records.append(path, [RAN], logger)
    assert {file.name for file in tmp_path.iterdir()} == {"alerts.jsonl", "alerts.jsonl.1"}
    assert all(file.stat().st_size < 1000 for file in tmp_path.iterdir())


def test_what_is_not_run_is_a_warning_in_the_log(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    unknown = RAN._replace(decision="unknown_host", host=None, why="no host", alert="evil\n")
    records.append(tmp_path / "alerts.jsonl", [RAN, unknown], logger)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert "evil\\n" in caplog.text and "evil\n" not in caplog.text
