"""A service for each test, ended with it."""

from __future__ import annotations

import importlib.metadata
import pathlib
import sys

import pytest
from checkout import COLLECTION
from eda.service import Service

from bench import machine


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


FIGURES = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser):
    parser.addoption("--write-figures", action="store_true", help="write what the tests measured into docs/reliability.md")


def pytest_configure(config):
    config.stash[FIGURES] = {}


@pytest.fixture
def figure(request):
    """Keep what a test measured: its name, and the figure in words."""

    def keep(name: str, said: str) -> None:
        request.config.stash[FIGURES][name] = said

    return keep


def pytest_sessionfinish(session, exitstatus):
    if session.config.getoption("--write-figures") and exitstatus == 0:
        write(COLLECTION / "docs/reliability.md", session.config.stash[FIGURES])


def write(page: pathlib.Path, figures: dict[str, str]) -> None:
    """The table between the page's two marks."""
    head, mark, rest = page.read_text().partition("<!-- figures: made by make respond-tests -->\n")
    _old, end, tail = rest.partition("<!-- end of figures -->")
    assert mark and end, f"{page} has no place for figures"
    rows = "".join(f"| {name} | {said} |\n" for name, said in figures.items())
    on = machine.describe(pathlib.Path(sys.executable).parent)
    where = f"{on['cores']} cores, {on['ram_bytes'] / 2**30:.0f} GiB, Linux {on['kernel']}, ansible-core {on['ansible_core']}"
    where += f", ansible-rulebook {importlib.metadata.version('ansible-rulebook')}; load average at the end of the tests {on['load_before']}"
    page.write_text(f"{head}{mark}On {where}:\n\n| tried | seen |\n|---|---|\n{rows}{end}{tail}")
