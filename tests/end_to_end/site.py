"""All parts together, each a real one: a host that is watched, who watches it, who answers, and who is told."""

from __future__ import annotations

import contextlib
import datetime
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import jsonschema
from checkout import ROOT
from eda.service import Service
from end_to_end.guest import Guest, booted
from end_to_end.monitoring import Prometheus, alertmanager, prometheus
from end_to_end.running import until
from responding import SCHEMA, listener

HOST = "web1"
ANSWERED_WITHIN_SECONDS = 600


class Site:
    """``told``: what the service sent by Apprise. ``people``: what Alertmanager sent to those that it also tells without memops."""

    def __init__(self, folder: pathlib.Path, guest: Guest, service: Service, told: list[dict], people: list[dict]) -> None:
        self.folder, self.guest, self.service, self.told, self.people = folder, guest, service, told, people

    def responses(self) -> list[pathlib.Path]:
        """The finished ones, oldest first."""
        found = [path for path in self.service.state.glob(f"reports/*/hosts/{HOST}/response.json") if "latest" not in path.parts]
        return sorted(path for path in found if json.loads(path.read_text())["times"]["finished"])

    def answer_to(self, alert: str) -> pathlib.Path:
        """Wait for the response to this alert; its file."""

        def finished():
            return next((path for path in self.responses() if json.loads(path.read_text())["alert"]["name"] == alert), None)

        try:
            return until(finished, f"a response to {alert}", ANSWERED_WITHIN_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.service.alerts()}\n{self.service.said()[-6000:]}") from None

    def times(self, answer: pathlib.Path) -> dict[str, float]:
        """Step -> when, in seconds since the epoch; files by when they were last written."""
        run, alert = answer.parents[2], read(answer)["alert"]
        recorded = next(line for line in self.service.alerts() if (line["alert"], line["decision"]) == (alert["name"], "run"))
        return {
            "the alert fires in Prometheus": stamp(recorded["starts_at"]),
            "the service has taken it": stamp(recorded["time"]),
            "the runbook runs": (answer.parent / "alert.json").stat().st_mtime,
            "the diagnosis stands": (answer.parent / "diagnosis.json").stat().st_mtime,
            "the report is written": (run / "report.json").stat().st_mtime,
            "people are told": stamp(read(answer)["times"]["notified"]),
        }


def read(answer: pathlib.Path) -> dict[str, Any]:
    document = json.loads(answer.read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def stamp(moment: str) -> float:
    return datetime.datetime.fromisoformat(moment).timestamp()


@contextlib.contextmanager
def site(folder: pathlib.Path, platform: str, variables: dict[str, Any], **changes: Any) -> Iterator[Site]:
    """Boot the host, start the rest, and wait until Prometheus has seen the host twice. variables: of the inventory's group ``watched``."""
    with contextlib.ExitStack() as stack:
        begin = stack.enter_context
        guest = begin(booted(platform, HOST, changes))
        exporter = begin(guest.exporter(folder / "tunnel.log"))
        apprise, told = begin(listener())
        webhook, people = begin(listener())
        group = {"hosts": guest.inventory(), "vars": {"respond_notify_urls": [apprise], **variables}}
        inventory = folder / "hosts.yml"
        inventory.write_text(json.dumps({"all": {"children": {"watched": group}}}))
        inventory.chmod(0o600)
        service = Service(folder, inventory, runbooks=ROOT / "runbooks")
        stack.callback(service.stop)
        service.start()
        at = begin(alertmanager(folder, service.port, service.state / "token", webhook.replace("json://", "http://")))
        watching: Prometheus = begin(prometheus(folder, {f"{HOST}:9100": exporter}, at))
        seen = f'count_over_time(node_vmstat_oom_kill{{instance="{HOST}:9100"}}[5m]) >= 2'
        until(lambda: watching.ask(seen), "Prometheus has seen the host twice", 120)
        yield Site(folder, guest, service, told, people)
