"""A site for each test, ended with it: also when the tests are asked to end."""

from __future__ import annotations

import contextlib
import pathlib
import signal
import sys
import tempfile

import pytest
from checkout import COLLECTION
from end_to_end.site import site as start_site

from bench import machine

PAGE = COLLECTION / "docs/reliability.md"


def pytest_addoption(parser):
    parser.addoption("--write-figures", action="store_true", help="write what the tests measured into docs/reliability.md")


@pytest.fixture(scope="session", autouse=True)
def ended_in_order():
    """A SIGTERM becomes what Ctrl-C is, so that what was started is ended."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def site():
    """Start one: platform, variables of its hosts, changes to the machine. In a folder with a short name, as ssh's sockets lie in it."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="memops-site-")))
        yield lambda platform, variables=None, **changes: stack.enter_context(start_site(folder, platform, variables or {}, **changes))


@pytest.fixture
def figures(request):
    """Keep a table in the page, in the place that is marked with its name: columns, rows, and what it was measured on besides this machine."""

    def keep(name: str, columns: list[str], rows: list[tuple[str, str]], of: str) -> None:
        if not request.config.getoption("--write-figures"):
            return
        on = machine.describe(pathlib.Path(sys.executable).parent)
        where = f"{on['cores']} cores, {on['ram_bytes'] / 2**30:.0f} GiB, Linux {on['kernel']}, load average {on['load_before']}"
        first, *others = (f"| {' | '.join(row)} |\n" for row in [columns, *rows])
        table = f"{first}{'|---' * len(columns)}|\n{''.join(others)}"
        head, mark, rest = PAGE.read_text().partition(f"<!-- {name}: made by make end-to-end -->\n")
        _old, end, tail = rest.partition("<!-- end -->")
        assert mark and end, f"{PAGE} has no place for: {name}"
        PAGE.write_text(f"{head}{mark}{of}, on {where}:\n\n{table}{end}{tail}")

    return keep
