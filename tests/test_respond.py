"""A runbook from the alert to the notice, on this machine: it is diagnosed, what came in is kept and never evaluated, and people are told."""

from __future__ import annotations

import datetime
import json
import pathlib
import stat

import pytest
from checkout import ROOT, ansible
from responding import event, listener, response

from ansible_collections.memops.linux.plugins.module_utils.memory_metrics import reading

LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
GONE = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-o ConnectTimeout=3 -o ControlMaster=no -o ControlPath=none"}


@pytest.fixture
def run(tmp_path):
    """Run an alert's runbook on hosts of this inventory; gives (exit status, output)."""

    def runbook(alert: str, hosts: dict, *arguments: str, **variables):
        inventory = tmp_path / "hosts.yml"
        shared = {"respond_report_dir": str(tmp_path / "reports"), "respond_state_dir": str(tmp_path / "state"), "respond_leave_verdict": False}
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": shared}}))
        words = [f"runbooks/{alert}/run.yml", "-i", str(inventory), "-e", json.dumps(variables), *arguments]
        told = ansible("ansible-playbook", *words, home=tmp_path)
        return told.returncode, told.stdout + told.stderr

    return runbook


def alert_file(reports: pathlib.Path, host: str = "web1") -> dict:
    return json.loads((reports / f"latest/hosts/{host}/alert.json").read_text())


def test_a_runbook_started_by_hand_diagnoses_and_changes_nothing(run, tmp_path):
    status, output = run("HostOomKill", {"web1": LOCAL})

    document = response(tmp_path / "reports", "web1")
    assert status == 0, output
    assert document["alert"]["name"] == "HostOomKill"
    assert (document["policy"], document["decision"]["code"]) == ("observe", "observed")
    assert (document["proposal"], document["remediation"], document["notifications"]) == (None, None, [])
    assert document["times"]["finished"] is not None
    assert (tmp_path / "reports/latest/report.html").is_file()
    assert not (tmp_path / "state").exists()
    assert document["verdict"]["summary"] in output


def test_what_is_kept_is_for_its_owner_only(run, tmp_path):
    run("HostOomKill", {"web1": LOCAL}, respond_event=event(labels={}))

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "reports/latest/hosts/web1").iterdir()}
    assert modes["alert.json"] == modes["response.json"] == 0o600
    assert stat.S_IMODE((tmp_path / "reports/latest/hosts/web1").stat().st_mode) == 0o700


def test_logs_are_read_from_before_the_alert_began(run, tmp_path):
    began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=5)

    status, output = run("HostOomKill", {"web1": LOCAL}, respond_event=event(startsAt=began.isoformat().replace("+00:00", "Z")))

    document = response(tmp_path / "reports", "web1")
    assert status == 0, output
    assert 310 <= int(document["since"].rstrip("m")) <= 315
    assert document["times"]["alert_started"] == began.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_inventory_decides_over_the_runbooks_own_window(run, tmp_path):
    run("HostOomKillLoop", {"web1": {**LOCAL, "respond_window": "20m"}})

    assert response(tmp_path / "reports", "web1")["since"] == "20m"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("{{ lookup('ansible.builtin.pipe', 'touch TRACE') }}", id="template"),
        pytest.param("$(touch TRACE); `touch TRACE` | touch TRACE", id="shell"),
        pytest.param("../../../../TRACE", id="path"),
        pytest.param("all:!web1,@TRACE", id="host pattern"),
        pytest.param("a\nb: c\n- touch\x00\x1b[31m\u202e\ud800", id="lines and control characters"),
    ],
)
def test_a_hostile_label_is_kept_as_it_is_and_becomes_nothing(run, tmp_path, value):
    value = value.replace("TRACE", str(tmp_path / "trace"))
    labels = {"alertname": value, "instance": value, "severity": value, value[:100]: value}

    with listener() as (address, told):
        status, output = run(
            "HostOomKill",
            {"web1": {**LOCAL, "respond_policy": "propose", "respond_notify_urls": [address]}, "web2": LOCAL},
            "--limit",
            "web1",
            respond_event=event(labels=labels, annotations={"summary": value}, startsAt=value, fingerprint=value, generatorURL=value),
        )

    assert status == 0, output
    assert alert_file(tmp_path / "reports")["labels"] == labels
    assert not list(tmp_path.glob("trace*"))
    assert sorted(path.name for path in (tmp_path / "reports/latest/hosts").iterdir()) == ["web1"]
    assert len(told) == 1
    assert not any(ord(sign) < 32 and sign != "\n" for sign in told[0]["message"])
    assert "\u202e" not in told[0]["message"]


@pytest.mark.parametrize(
    ("packed", "problem"),
    [
        pytest.param(event(labels={"a": "x" * (1 << 20)}), "more than 262144", id="a label of 1 MiB"),
        pytest.param("no base64!", "no base64 of a JSON object", id="not base64"),
        pytest.param(event(labels=["x"]), "labels are no mapping", id="labels that are a list"),
    ],
)
def test_a_bad_event_is_told_and_the_host_is_diagnosed_all_the_same(run, tmp_path, packed, problem):
    variables = tmp_path / "event.json"
    variables.write_text(json.dumps({"respond_event": packed}))

    status, output = run("HostOomKill", {"web1": LOCAL}, "-e", f"@{variables}")

    document = response(tmp_path / "reports", "web1")
    assert status == 0, output
    assert any(problem in told for told in document["alert"]["problems"])
    assert document["verdict"]["code"] != "no_evidence"


@pytest.mark.parametrize("name", ["../../x", "Host OomKill", "{{ 1 }}", "x" * 65])
def test_a_name_that_is_none_of_an_alert_ends_the_run_before_a_host_is_touched(run, name):
    status, output = run("HostOomKill", {"web1": LOCAL}, "-e", json.dumps({"respond_alert": name}))

    assert status != 0
    assert "which is no name of an alert" in output or "respond_alert" in output
    assert "TASK [Collect evidence" not in output


def test_a_host_that_cannot_be_reached_is_tried_again_and_told(run, tmp_path):
    with listener() as (address, told):
        status, output = run("NodeExporterDown", {"web1": {**GONE, "respond_retries": [0, 1], "respond_notify_urls": [address]}})

    document = response(tmp_path / "reports", "web1")
    assert status != 0
    assert (document["attempts"], document["decision"]["code"], document["verdict"]["code"]) == (3, "no_evidence", "no_evidence")
    assert "unreachable" in document["verdict"]["summary"]
    assert output.count("cannot be reached, tried again") == 2
    assert told[0]["title"] == "web1: could not be examined (NodeExporterDown)"
    assert "could not be examined in 3 attempts" in told[0]["message"]
    assert told[0]["type"] == "failure"


def test_a_host_that_is_gone_does_not_keep_the_others_from_being_told(run, tmp_path):
    status, output = run("HostMemoryLow", {"gone": {**GONE, "respond_retries": []}, "web1": LOCAL})

    assert status != 0
    assert response(tmp_path / "reports", "web1")["times"]["finished"], output
    assert response(tmp_path / "reports", "gone")["times"]["finished"], output


def test_people_are_told_by_every_address_and_a_failing_one_is_recorded_without_the_address(run, tmp_path):
    config = tmp_path / "apprise.yml"
    with listener() as (address, told), listener() as (configured, told_too), listener(500) as (broken, _told_in_vain):
        config.write_text(f"urls:\n  - {configured}\n")
        status, output = run(
            "HostOomKill",
            {"web1": {**LOCAL, "respond_notify_urls": [address, broken, "nonsense"], "respond_notify_config": str(config)}},
            respond_event=event(labels={"severity": "critical"}, annotations={"summary": "<!channel> @everyone [x](https://e.test)"}),
        )

    document = response(tmp_path / "reports", "web1")
    assert status == 0, output
    assert sorted((one["service"] or "", one["sent"]) for one in document["notifications"]) == [("", False), ("JSON", False), ("JSON", True), ("JSON", True)]
    assert "secret-token" not in json.dumps(document) + output
    assert told == told_too
    assert document["verdict"]["summary"][:40] in told[0]["message"]
    assert "Alert: HostOomKill (critical): ‹!channel› ＠everyone (x)(https(:)//e.test)" in told[0]["message"]
    assert f"Report: {(tmp_path / 'reports/latest').resolve()}/report.html" in told[0]["message"]
    assert document["times"]["notified"] is not None


@pytest.mark.parametrize(
    ("variables", "of", "said"),
    [
        pytest.param({"respond_report_dir": "NOFOLDER/reports"}, ["web1"], "another folder with -e respond_report_dir", id="nowhere to keep it"),
        pytest.param({"respond_policy": "<!channel>"}, ["web1", "web2"], "observe, propose, remediate, got: ‹!channel›", id="a wrong variable"),
    ],
)
def test_people_are_told_that_there_is_no_response(run, tmp_path, variables, of, said):
    (tmp_path / "file").touch()
    variables = {name: value.replace("NOFOLDER", str(tmp_path / "file")) for name, value in variables.items()}

    with listener() as (address, told):
        status, output = run("HostOomKill", {name: {**LOCAL, "respond_notify_urls": [address], **variables} for name in ("web1", "web2")})

    assert status == 2, output
    assert sorted(one["title"] for one in told) == [f"{host}: an alert, and no response to it" for host in of]
    assert said in told[0]["message"]
    assert "TASK [Collect evidence" not in output


def test_in_check_mode_nobody_is_told(run, tmp_path):
    with listener() as (address, told):
        status, output = run("HostOomKill", {"web1": {**LOCAL, "respond_notify_urls": [address]}}, "--check")

    assert status == 0, output
    assert told == []


@pytest.mark.parametrize("wanted", [True, False])
def test_the_verdict_is_left_where_memory_metrics_reads_it(run, tmp_path, wanted):
    place = tmp_path / "verdict.json"  # in place of the host's /var/lib/memops

    status, output = run("HostOomKill", {"web1": {**LOCAL, "respond_verdict_file": str(place), "respond_leave_verdict": wanted}})

    assert status == 0, output
    assert place.exists() == wanted
    if wanted:
        verdict = response(tmp_path / "reports", "web1")["verdict"]
        read = reading.verdict(place.read_text())
        assert {name: read[name] for name in ("code", "confidence", "kind", "cause", "incidents")} == {
            name: verdict[name] for name in ("code", "confidence", "kind", "cause", "incidents")
        }
        assert stat.S_IMODE(place.stat().st_mode) == 0o644


def test_where_the_verdict_cannot_be_left_the_response_is_whole_all_the_same(run, tmp_path):
    status, output = run("HostOomKill", {"web1": {**LOCAL, "respond_verdict_file": str(tmp_path / "nowhere/verdict.json"), "respond_leave_verdict": True}})

    assert status == 0, output
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"respond_policy": "remediat"}, "observe, propose, remediate"),
        ({"respond_allowed_variables": ["vm_tunables_profile"]}, "is no variable of a role that a remedy can set"),
        ({"respond_confidence": "sure"}, "use certain, probable, possible"),
        ({"respond_window": "yesterday"}, "neither an age such as 24h"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_allowed(run, variables, said):
    status, output = run("HostOomKill", {"web1": {**LOCAL, **variables}})

    assert status != 0
    assert said in output
    assert "Traceback" not in output


def test_the_runbook_is_the_collections_playbook_with_the_alerts_values():
    assert "memops.linux.respond" in (ROOT / "runbooks/HostOomKill/run.yml").read_text()
