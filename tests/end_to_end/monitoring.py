"""Debian's Prometheus with the rules of this repository, and Debian's Alertmanager as docs/alerts.md has it set up."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
import yaml
from checkout import COLLECTION, ROOT
from eda.service import free_port
from end_to_end.running import running

SECONDS = 5  # between scrapes, and between evaluations


def program(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    return found or pytest.fail(f"there is no {names[0]} here: `make end-to-end-setup` installs it, as root, by apt-get")


class Prometheus:
    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, query: str) -> list[float]:
        """The values of an instant query, one per series."""
        address = f"http://127.0.0.1:{self._port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        return [float(series["value"][1]) for series in json.load(urllib.request.urlopen(address, timeout=30))["data"]["result"]]


@contextlib.contextmanager
def prometheus(folder: pathlib.Path, exporters: dict[str, int], alertmanager: int) -> Iterator[Prometheus]:
    """exporters: of each host, as ``instance`` will name it, the port of loopback where its node_exporter answers."""
    port = free_port()
    targets = [{"targets": [f"127.0.0.1:{at}"], "labels": {"instance": instance}} for instance, at in exporters.items()]
    shutil.copy(ROOT / "runbooks/alerts/memory.rules.yml", folder / "memops.rules.yml")
    config = {
        "global": {"scrape_interval": f"{SECONDS}s", "evaluation_interval": f"{SECONDS}s"},
        "rule_files": ["memops.rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
        "scrape_configs": [{"job_name": "node", "static_configs": targets}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/prometheus"]
    with running([*command, f"--web.listen-address=127.0.0.1:{port}"], folder / "prometheus.log", f"http://127.0.0.1:{port}/-/ready"):
        yield Prometheus(port)


def documented() -> dict:
    """The configuration of Alertmanager that docs/alerts.md shows."""
    page = (COLLECTION / "docs/alerts.md").read_text()
    (shown,) = re.findall(r"```yaml\n(# /etc/alertmanager/alertmanager\.yml.*?)```", page, re.DOTALL)
    return yaml.safe_load(shown)


@contextlib.contextmanager
def alertmanager(folder: pathlib.Path, respond: int, token: pathlib.Path, people: str) -> Iterator[int]:
    """Its port. respond, token: of the service. people: the address of a webhook that is told as before."""
    port, config = free_port(), documented()
    receivers = {receiver["name"]: receiver for receiver in config["receivers"]}
    (webhook,) = receivers["memops"]["webhook_configs"]
    webhook["url"] = re.sub(r":\d+", f":{respond}", webhook["url"], count=1)
    webhook["http_config"]["authorization"]["credentials_file"] = str(token)
    receivers[config["route"]["receiver"]]["webhook_configs"] = [{"url": people}]
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    command = [program("prometheus-alertmanager", "alertmanager"), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alertmanager"]
    command += ["--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}"]
    with running(command, folder / "alertmanager.log", f"http://127.0.0.1:{port}/-/ready"):
        yield port
