"""What the browser's tests share: reports made once, and a page that fails its test on any error in its console."""

from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import chromium
import fleets

#: CI's machine may be busy with much else.
PATIENCE_MILLISECONDS = 120_000


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """The reports by name; each is made when it is first asked for."""
    makers = {
        "fleet": lambda folder: fleets.recorded_fleet(folder, ("bookworm-6.1",)),
        "host": lambda folder: fleets.one_host(folder, "bookworm-6.1/host_anon_swap_full"),
        "hostile": fleets.hostile_fleet,
        "large": fleets.large_fleet,
        "comparison": fleets.comparison,
    }
    made = {}

    def report(name: str):
        if name not in made:
            made[name] = makers[name](tmp_path_factory.mktemp(name))
        return made[name]

    return report


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests; each has windows of its own."""
    with chromium.browser() as running:
        yield running


@pytest.fixture
def visit(browser, reports):
    """Open a report as ``visit("fleet", "hosts", viewport=...)``; whatever the console says is an error, unless it is not ``heeded``."""
    opened, said = [], []

    def opener(name: str, place: str = "", heeded: bool = True, **settings):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        opened.append(context)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        page = context.new_page()
        if heeded:
            page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", lambda request: request.url.startswith(("file:", "blob:")) or said.append(f"asked for {request.url}"))
            page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(chromium.address(reports(name), place))
        page.locator("html.js").wait_for()
        return page

    yield opener
    for context in opened:
        context.close()
    assert said == []
