# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No secret of a command line or a log line gets into any form of the report, in whichever form it stood there."""

from __future__ import annotations

import pathlib
import shlex

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection import redact
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose
from ansible_collections.memops.linux.plugins.plugin_utils.report.host_files import write_diagnosis, write_evidence
from ansible_collections.memops.linux.plugins.plugin_utils.report.run_folder import open_run
from ansible_collections.memops.linux.plugins.plugin_utils.report.writing import write_report
from ansible_collections.memops.linux.tests.unit.controller.report.documents import recorded

SECRET = "hunter2-s3cr3t-0815"
COMMAND_LINES = (
    f"app --password={SECRET}",
    f"app --password {SECRET}",
    f"app --db-passwd={SECRET}",
    f"app -Dspring.datasource.password={SECRET}",
    f"app --api-token={SECRET}",
    f"app --token {SECRET}",
    f"app --secret-key={SECRET}",
    f"app --client_secret={SECRET}",
    f"app API_KEY={SECRET}",
    f"app --access-key {SECRET}",
    f"mysql -u root -p{SECRET}",
    f"redis-cli -a {SECRET}",
    f"curl -u admin:{SECRET} example.org",
    f"app postgres://user:{SECRET}@db/shop",
    f"app amqp://user:{SECRET}@queue",
    f"app https://{SECRET}@git.example.org/x.git",
    f"app 'https://api.example.org/?token={SECRET}&x=1'",
    f'app "Authorization: Bearer {SECRET}"',
)


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_a_secret_in_a_command_line_or_a_log_line_is_in_no_form_of_the_report(tmp_path, line):
    _found, evidence = recorded("bookworm-6.1/earlyoom_kill", "web1")
    quoted = redact.text(f'mem avail: 1 of 9 MiB; sending SIGTERM to process 7 "{line}"')
    command_line = redact.command_line("\0".join(shlex.split(line)).encode())
    evidence["processes"]["largest"].append({"pid": 7, "name": "app", "command_line": command_line})
    evidence["unreadable"] = [{"section": "services", "source": redact.text(line), "why": redact.text(line)}]
    evidence["services"]["lines"].append(
        {"time": "2026-11-25T14:30:00.000Z", "unit": "earlyoom.service", "process": "earlyoom", "pid": 9, "text": quoted}
    )
    run = open_run(str(tmp_path))
    write_evidence(run, "web1", evidence)
    write_diagnosis(run, "web1", diagnose(evidence))

    write_report(run, ["web1"])

    files = [path for path in pathlib.Path(run).rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"evidence.json", "diagnosis.json", "report.json", "report.md", "report.html"}
    for path in files:
        assert SECRET not in path.read_text(encoding="utf-8"), path.name
    assert redact.MASK in (pathlib.Path(run) / "report.html").read_text(encoding="utf-8")
