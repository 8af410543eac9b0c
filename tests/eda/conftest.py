"""A service for each test, ended with it."""

from __future__ import annotations

import pytest
from eda.service import Service


@pytest.fixture
def services(tmp_path):
    """Make services by their hosts and settings; all are ended with the test."""
    made = []

    def make(hosts=None, name="service", **settings):
        folder = tmp_path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        made.append(Service(folder, {"web1": {}, "db1.example.com": {}} if hosts is None else hosts, **settings))
        return made[-1]

    yield make
    for service in made:
        service.stop()


@pytest.fixture
def service(services):
    """One with web1 and db1.example.com and the runbook HostOomKill, not started."""
    made = services()
    made.runbook("HostOomKill")
    return made
