"""Saved logs end to end: no inventory, no host, a row for each log, and a clear word for whatever is none."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import time

import pytest
from checkout import COLLECTION, ansible

RECORDED = COLLECTION / "tests/unit/fixtures/kernel_logs"
GLOBAL = (RECORDED / "linux-6.1-global-no-swap.log").read_bytes()
MEMCG = (RECORDED / "linux-6.1-memcg-docker.log").read_bytes()
CALM = b"2026-11-20T10:00:00+00:00 web1 kernel: usb 1-1: new device\n"


@pytest.fixture
def diagnose_logs(tmp_path, valid):
    """Run the playbook on paths, without an inventory; gives (exit status, output, {entry: row}, {entry: diagnosis})."""

    def run(logs, *arguments):
        reports = tmp_path / "reports"
        variables = json.dumps({"diagnose_logs": logs, "diagnose_report_dir": str(reports)})
        told = ansible("ansible-playbook", "playbooks/diagnose_logs.yml", "-e", variables, *arguments, home=tmp_path)
        latest = reports / "latest"
        documents = [valid(path) for path in latest.glob("hosts/*/diagnosis.json")]
        report = latest / "report.json"
        rows = {row["host"]: row for row in json.loads(report.read_text())["hosts"]} if report.exists() else {}
        output = told.stdout + told.stderr
        assert "Traceback" not in output
        assert set(rows) == {document["host"] for document in documents}
        return told.returncode, output, rows, {document["host"]: document for document in documents}

    return run


def test_one_log_gives_the_report_with_its_reasoning_and_without_a_warning(diagnose_logs, tmp_path):
    (tmp_path / "a, case.log").write_bytes(MEMCG)

    status, output, rows, diagnoses = diagnose_logs(str(tmp_path / "a, case.log"))

    assert status == 0, output
    assert rows["a, case"]["verdict"]["code"] == "memory"
    assert diagnoses["a, case"]["incidents"][0]["kind"] == "memcg_oom"
    assert "because a memory cgroup was at its limit" in output
    assert "[a, case.log:" in output
    assert "WARNING" not in output
    assert "ok=2 " in output
    assert (tmp_path / "reports/latest/report.md").exists()


def test_a_folder_gives_a_row_for_each_log_the_unreadable_ones_too_and_names_what_is_passed_over(diagnose_logs, tmp_path):
    logs = tmp_path / "logs"
    (logs / "old").mkdir(parents=True)
    (logs / "messages").write_bytes(GLOBAL)
    (logs / "old/messages").write_bytes(CALM)
    (logs / "messages-20261101.gz").write_bytes(gzip.compress(MEMCG))
    (logs / "letter.txt").write_bytes(b"Dear team,\n")
    (logs / "cut.gz").write_bytes(gzip.compress(os.urandom(1000))[:100])
    (logs / "empty").write_bytes(b"")
    (logs / "photo.png").write_bytes(b"\x89PNG")
    (logs / "round").symlink_to(".")
    os.mkfifo(logs / "pipe")

    status, output, rows, diagnoses = diagnose_logs(str(logs))

    assert status == 0, output
    assert {name: row["verdict"]["code"] for name, row in rows.items()} == {
        "logs:messages": "memory",
        "messages-20261101": "memory",
        "old:messages": "healthy",
        "letter": "no_evidence",
        "cut": "no_evidence",
        "empty": "no_evidence",
    }
    assert "not a log" in rows["letter"]["verdict"]["summary"]
    assert diagnoses["old:messages"]["verdict"]["confidence"] == "possible"
    for name, why in (("photo.png", "picture"), ("pipe", "named pipe"), ("round", "link to a folder")):
        assert any(line.startswith("not read: ") and name in line and why in line for line in output.splitlines())


def test_a_sosreport_a_glob_and_saved_evidence_in_one_list(diagnose_logs, tmp_path):
    with tarfile.open(tmp_path / "sosreport-x.tar.xz", "w:xz") as archive:
        for name, content in (("etc/hostname", b"web1\n"), ("sos_commands/kernel/dmesg", GLOBAL), ("var/log/messages", CALM)):
            info = tarfile.TarInfo(f"sosreport-x/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    (tmp_path / "a.log").write_bytes(MEMCG)
    (tmp_path / "b.log").write_bytes(CALM)
    host = tmp_path / "earlier/hosts/db1"
    host.mkdir(parents=True)
    (host / "evidence.json").write_text(json.dumps({"schema": "memops.evidence/1", "host": "db1", "subset": [], "unreadable": []}))

    status, output, rows, _diagnoses = diagnose_logs([str(tmp_path / "sosreport-x.tar.xz"), str(tmp_path / "?.log"), str(tmp_path / "earlier")])

    assert status == 0, output
    assert {name: row["verdict"]["code"] for name, row in rows.items()} == {"web1": "memory", "a": "memory", "b": "healthy", "db1": "cannot_tell"}


def test_check_mode_and_an_inventory_without_localhost_change_nothing(diagnose_logs, tmp_path):
    (tmp_path / "case.log").write_bytes(MEMCG)
    (tmp_path / "hosts.yml").write_text("all: {hosts: {web1: {ansible_host: 192.0.2.1}}}")

    status, output, rows, _diagnoses = diagnose_logs(str(tmp_path / "case.log"), "--check", "--diff", "-i", str(tmp_path / "hosts.yml"))

    assert status == 0, output
    assert "changed=0" in output
    assert rows["case"]["verdict"]["code"] == "memory"


@pytest.mark.parametrize(
    ("logs", "told"),
    [
        ("nowhere.log", "there is no file or folder"),
        ("no*.log", "nothing matches"),
        (".", "it is an empty folder"),
        ([], "-e diagnose_logs=PATH"),
        ("photo", "photo: it is a picture"),
    ],
)
def test_paths_with_nothing_to_read_fail_with_the_reason_and_leave_no_report(diagnose_logs, tmp_path, logs, told):
    place = tmp_path / "place"
    place.mkdir()
    if logs == "photo":
        (place / "photo").write_bytes(b"\x89PNG")
        logs = "."

    status, output, rows, _diagnoses = diagnose_logs(f"{place}/{logs}" if logs else logs)

    assert status != 0
    assert told in output
    assert rows == {}
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("content", [b"Dear team,\n", b"", bytes(range(256)) * 300, b"\x89PNG"], ids=["a letter", "nothing", "noise", "a picture"])
def test_a_run_in_which_nothing_could_be_read_fails_with_a_report_that_says_why(diagnose_logs, tmp_path, content):
    (tmp_path / "case.log").write_bytes(content)

    status, output, rows, _diagnoses = diagnose_logs(str(tmp_path / "case.log"))

    assert status != 0
    assert "the log could not be read" in output
    assert rows["case"]["verdict"]["code"] == "no_evidence"


def test_a_report_directory_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "case.log").write_bytes(CALM)
    arguments = ("-e", f"diagnose_logs={tmp_path}/case.log", "-e", f"diagnose_report_dir={tmp_path}/case.log/reports")

    told = ansible("ansible-playbook", "playbooks/diagnose_logs.yml", *arguments, home=tmp_path)

    assert told.returncode != 0
    assert "diagnose_report_dir" in told.stdout + told.stderr
    assert "Traceback" not in told.stdout + told.stderr


def test_names_of_files_are_shown_and_never_evaluated(diagnose_logs, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    names = [b"{{ 7*7 }}.log", b"{% raw %}.log", b"a\x1b[31m\nb.log", b"caf\xe9.log", b"-rf.log", b"<script>.log", b"$(id).log", b"a, b.log"]
    for name in names:
        with open(os.path.join(os.fsencode(logs), name), "wb") as file:
            file.write(CALM)
    (logs / "{{ 8*8 }}.png").write_bytes(b"\x89PNG")

    status, output, rows, _diagnoses = diagnose_logs(str(logs), "-v")

    assert status == 0, output
    assert set(rows) == {"{{ 7*7 }}", "{% raw %}", "a\x1b[31m\nb", "caf\\xe9", "-rf", "<script>", "$(id)", "a, b"}
    assert "{{ 7*7 }}" in output
    assert "{{ 8*8 }}.png" in output
    assert "\x1b[31m\nb" not in output
    told = (tmp_path / "reports/latest/report.md").read_text()
    assert "<script>" not in told.replace("\\<", "")


def test_a_line_of_a_gigabyte_is_read_in_little_memory_and_time(diagnose_logs, tmp_path):
    with open(tmp_path / "line.log", "wb") as file:
        file.write(MEMCG + b"a" * 70_000)
        file.seek((1 << 30) - 1)
        file.write(b"\n")
        file.write(GLOBAL)
    began = time.monotonic()

    status, output, _rows, diagnoses = diagnose_logs(str(tmp_path / "line.log"))

    assert status == 0, output
    assert time.monotonic() - began < 30
    assert {incident["kind"] for incident in diagnoses["line"]["incidents"]} == {"memcg_oom", "global_oom"}


def test_reports_of_ten_thousand_kills_are_all_counted(tmp_path):
    kill = "Out of memory: Killed process {} (shop) total-vm:9000kB, anon-rss:8000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:48kB oom_score_adj:0"
    (tmp_path / "many.log").write_text("".join(f"[{100 + number}.000000] {kill.format(number + 1)}\n" for number in range(10_000)))
    code = (
        "import json, sys\n"
        "from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs.reading_process import main\n"
        "main(sys.stdin, sys.stdout)\n"
    )
    entry = {"kind": "log", "path": "", "name": "many"}
    task = {"do": "diagnose", "kind": "log", "path": str(tmp_path / "many.log"), "run_folder": str(tmp_path), "limit_bytes": 1 << 30, "entries": [entry]}
    environment = {**os.environ, "PYTHONPATH": str(COLLECTION.parents[2])}

    told = subprocess.run([sys.executable, "-c", code], input=json.dumps(task) + "\n", capture_output=True, text=True, env=environment, timeout=120)

    assert json.loads(told.stdout.splitlines()[-1]) == {"verdicts": {"many": "memory"}}, told.stderr
    diagnosis = json.loads((tmp_path / "hosts/many/diagnosis.json").read_text())
    assert diagnosis["incidents"][0]["repeats"] == 10_000
