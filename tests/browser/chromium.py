"""Debian's Chromium without a window, driven through Playwright, with nothing of anybody's profile and no network of its own."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # it opens files that this checkout has made, and runs as root in CI
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowser(Exception):
    """There is no Chromium here, and what to do about that."""


def program() -> str:
    """Where Chromium is. Raises NoBrowser."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise NoBrowser("no Chromium is installed: `make browser-setup` installs Debian's (as root), elsewhere install chromium by hand")
    return found


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A running Chromium, whose profile is an empty folder that is gone afterwards."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program(), headless=True, args=list(OPTIONS))
        try:
            yield running
        finally:
            running.close()


def address(path: pathlib.Path, place: str = "") -> str:
    """The URL of a file, at a place in it."""
    return path.resolve().as_uri() + (f"#{place}" if place else "")
