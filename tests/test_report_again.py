"""The report made again from runs that are there, one or several, without touching a host."""

from __future__ import annotations

import json
import pathlib

import pytest
from checkout import COLLECTION, ansible

RECORDED = COLLECTION / "tests/unit/fixtures/kernel_logs"


@pytest.fixture
def run(tmp_path):
    """Diagnose a recorded log; gives the folder of the run."""

    def diagnose(log: str, reports: str) -> pathlib.Path:
        told = ansible(
            "ansible-playbook",
            "playbooks/diagnose_logs.yml",
            "-e",
            json.dumps({"diagnose_logs": str(RECORDED / log), "diagnose_report_dir": str(tmp_path / reports)}),
            home=tmp_path,
        )
        assert told.returncode == 0, told.stdout
        return (tmp_path / reports / "latest").resolve()

    return diagnose


def again(tmp_path, *arguments):
    told = ansible("ansible-playbook", "playbooks/report.yml", *arguments, home=tmp_path)
    assert "Traceback" not in told.stdout + told.stderr
    return told.returncode, told.stdout + told.stderr


def test_one_run_s_report_is_written_anew_where_it_stands(run, tmp_path):
    folder = run("linux-6.1-memcg-docker.log", "reports")
    (folder / "report.html").unlink()

    status, output = again(tmp_path, "-e", f"report_dir={tmp_path}/reports/latest")

    assert status == 0, output
    assert (folder / "report.html").stat().st_size > 10_000
    assert f"{folder}/report.html" in output


def test_two_control_nodes_runs_are_one_report(run, tmp_path):
    run("linux-6.1-memcg-docker.log", "east")
    run("linux-6.1-segfault.log", "west")

    status, output = again(tmp_path, "-e", f"report_dir={tmp_path}/east,{tmp_path}/west/latest", "-e", f"report_out={tmp_path}/all")

    assert status == 0, output
    report = json.loads((tmp_path / "all/latest/report.json").read_text())
    assert {row["host"] for row in report["hosts"]} == {"linux-6.1-memcg-docker", "linux-6.1-segfault"}
    assert len(report["runs"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no report directory was given"),
        (("-e", "report_dir=/nowhere/at/all"), "/nowhere/at/all is no folder"),
        (("-e", "report_dir=/usr/share"), "holds none"),
    ],
)
def test_a_folder_that_holds_no_run_is_named_with_what_to_do(tmp_path, arguments, said):
    status, output = again(tmp_path, *arguments)

    assert status != 0
    assert said in " ".join(output.split())
