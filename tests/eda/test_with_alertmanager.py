"""The real Alertmanager in front, as extensions/eda/README.md has it configured, and the real runbooks behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request

import pytest
import yaml
from checkout import ROOT
from eda.certificates import make_certificates
from eda.service import Service, firing, free_port


class Alertmanager:
    """With one receiver, on a free port of loopback, its data in the folder; `seconds` between groups' notifications."""

    def __init__(self, folder, webhook: dict, seconds: int = 1) -> None:
        program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
        if not program:
            pytest.fail("there is no Alertmanager here: `make respond-tests-setup` installs it, as root, by apt-get")
        self.port = free_port()
        route = {"receiver": "memops", "group_by": ["alertname", "instance"], "group_wait": "0s", "group_interval": f"{seconds}s", "repeat_interval": "1h"}
        config = folder / "alertmanager.yml"
        config.write_text(yaml.safe_dump({"route": route, "receivers": [{"name": "memops", "webhook_configs": [webhook]}]}))
        self.log = (folder / "alertmanager.log").open("wb")
        command = [program, f"--config.file={config}", f"--storage.path={folder}/data", "--cluster.listen-address="]
        command += [f"--web.listen-address=127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def is_ready(self) -> bool:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def alert(self, *alerts: dict) -> None:
        sent = [{key: alert[key] for key in ("labels", "annotations")} for alert in alerts]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2/alerts", json.dumps(sent).encode(), {"Content-Type": "application/json"}
        )
        assert urllib.request.urlopen(request, timeout=10).status == 200

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


@pytest.fixture
def alertmanager(tmp_path):
    started = []

    def start(webhook):
        started.append(Alertmanager(tmp_path, webhook))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_alertmanager_with_token_tls_and_a_client_certificate_reaches_the_service_that_was_down_at_first(services, alertmanager, tmp_path):
    certificates = make_certificates(tmp_path)
    (tmp_path / "token").write_text("a-token-of-this-test-alone\n")
    (tmp_path / "token").chmod(0o600)
    service = services(
        TOKEN_FILE=tmp_path / "token", CERTFILE=certificates / "server.pem", KEYFILE=certificates / "server.key", CAFILE=certificates / "ca.pem"
    )
    service.runbook("HostOomKill")
    tls = {"ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "client.key"}
    in_front = alertmanager(
        {
            "url": f"https://127.0.0.1:{service.port}/alerts",
            "send_resolved": False,
            "http_config": {
                "authorization": {"type": "Bearer", "credentials_file": str(tmp_path / "token")},
                "tls_config": {name: str(certificates / file) for name, file in tls.items()},
            },
        }
    )
    service.until(in_front.is_ready, "Alertmanager is ready")
    in_front.alert(firing("HostOomKill", "web1:9100"), firing("HostOomKill", "db1:9100"), firing("Watchdog", "db1:9100"))
    service.start()
    service.until(lambda: len(service.runs()) == 2, "both runs")
    service.until(lambda: {alert["decision"] for alert in service.alerts()} == {"run", "unknown_alert"}, "the alert without a runbook is recorded")
    assert all(len(alert["fingerprint"]) == 16 for alert in service.alerts())


def test_the_real_runbook_leaves_a_report_with_the_alert_and_records_a_host_that_cannot_be_reached(tmp_path, alertmanager):
    gone = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": free_port(), "respond_retries": [1]}
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("respond_leave_verdict: false\ndiagnose_subset: memory\n")
    service = Service(tmp_path, {"web1": {}, "gone": gone}, runbooks=ROOT / "runbooks")
    try:
        service.start()
        in_front = alertmanager(
            {
                "url": f"http://127.0.0.1:{service.port}/alerts",
                "http_config": {"authorization": {"credentials_file": str(service.state / "token")}},
            }
        )
        service.until(in_front.is_ready, "Alertmanager is ready")
        in_front.alert(firing("HostOomKill", "web1:9100", container="{{ lookup('pipe', 'false') }}"), firing("HostMemoryLow", "gone:9100"))

        def responses():
            found = [json.loads(path.read_text()) for path in service.state.glob("reports/*/hosts/*/response.json") if "latest" not in path.parts]
            return {response["host"]: response for response in found if response["times"]["finished"]}

        service.until(lambda: set(responses()) == {"web1", "gone"}, "both responses", seconds=180)
        answered = responses()
    finally:
        service.stop()
    assert answered["web1"]["alert"]["name"] == "HostOomKill"
    assert answered["web1"]["verdict"]["code"] != "no_evidence"
    assert answered["gone"]["verdict"]["code"] == "no_evidence" and answered["gone"]["attempts"] == 2
