"""The service as it is shipped (respond.py, ansible-rulebook), on a free port of loopback, with what it needs in a folder of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter

from checkout import COLLECTION, ROOT

RESPOND = COLLECTION / "extensions/eda/respond.py"
# A stand-in for runbooks/NAME/run.yml: it only leaves a line when it ends. `before` is what it does first.
RUNBOOK = """
- name: Stand in for a runbook
  hosts: all
  gather_facts: false
  tasks:
    - name: Work
      ansible.builtin.command: {before}
      changed_when: false
    - name: Leave a line
      ansible.builtin.shell: echo '{{{{ inventory_hostname }}}} {{{{ respond_alert }}}} {{{{ respond_event }}}}' >> {record}
      changed_when: true
"""


class Service:
    """``folder`` holds the inventory, the runbooks, the state and the log; ``settings`` are RESPOND_* without the prefix."""

    def __init__(self, folder: pathlib.Path, hosts: dict[str, dict] | pathlib.Path, runbooks: pathlib.Path | None = None, **settings: object):
        self.folder, self.state, self.log = folder, folder / "state", folder / "log"
        self.runbooks = runbooks or folder / "runbooks"
        self.inventory = hosts if isinstance(hosts, pathlib.Path) else self._write_inventory(hosts)
        self.record = folder / "runs"
        self.port = free_port()
        self.settings = {
            "INVENTORY": self.inventory, "RUNBOOKS": self.runbooks, "STATE_DIR": self.state, "PORT": self.port, **settings,
        }  # fmt: skip
        self.process: subprocess.Popen | None = None
        self.prefix: list[str] = []
        self.program = RESPOND

    def _write_inventory(self, hosts: dict[str, dict]) -> pathlib.Path:
        here = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        path = self.folder / "hosts.yml"
        path.write_text(json.dumps({"all": {"hosts": hosts, "vars": here}}))
        return path

    def runbook(self, name: str, before: str = "true") -> None:
        folder = self.runbooks / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.yml").write_text(RUNBOOK.format(before=json.dumps(before), record=self.record))

    def start(self, wait: bool = True) -> Service:
        environment = {
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            **({"JAVA_HOME": os.environ["JAVA_HOME"]} if os.environ.get("JAVA_HOME") else {}),
            **{f"RESPOND_{name}": str(value) for name, value in self.settings.items()},
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, self.program], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if wait:
            self.until(lambda: self.is_open() or self.process.poll() is not None, "the service listens", seconds=60)
            assert self.process.poll() is None, self.said()
        return self

    def is_open(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and what it started: its own processes by their session, that is, by the id of what was started here."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None
        return status

    @property
    def token(self) -> str:
        return (self.state / "token").read_text().strip()

    def send(self, alerts: list[dict] | bytes, headers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None, seconds: float = 60) -> int:
        """The status of the answer to one notification; with the token unless other headers are given."""
        body = alerts if isinstance(alerts, bytes) else json.dumps({"version": "4", "alerts": alerts}).encode()
        headers = {"Authorization": f"Bearer {self.token}"} if headers is None else headers
        if tls:
            client = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=seconds, context=tls)
        else:
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            client.request("POST", "/alerts", body, {"Content-Type": "application/json", **headers})
            return client.getresponse().status
        finally:
            client.close()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def alerts(self) -> list[dict]:
        """The lines of alerts.jsonl."""
        path = self.state / "alerts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def runs(self) -> Counter[tuple[str, str]]:
        """(host, alert) -> how often its runbook came to its end."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return Counter((host, alert) for host, alert, _event in (line.split() for line in lines))

    def until(self, holds, what: str, seconds: float = 90) -> None:
        """Wait for a state; the limit only ends a test that would never end."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{what}: not within {seconds} s\n{self.said()[-6000:]}"
            time.sleep(0.1)


def firing(alert: str, instance: str, **labels: str) -> dict:
    return {
        "status": "firing",
        "labels": {"alertname": alert, "instance": instance, **labels},
        "annotations": {"summary": "a summary"},
        "startsAt": "2026-11-25T03:00:00Z",
        "fingerprint": f"{alert}{instance}",
    }


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]
