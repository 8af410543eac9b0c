"""What several runs share: made once, whole or not at all, and nothing of the dead stays."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import signal
import time

import pytest

from lab import cache
from lab.errors import LabError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> pathlib.Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def make_slowly(folder: pathlib.Path) -> None:
    with (cache.home() / "made").open("a") as log:
        log.write("once\n")
    (folder / "part").write_text("first")
    time.sleep(0.5)
    (folder / "part").write_text("whole")


def ask(results) -> None:
    results.put((cache.entry("images", "key", make_slowly) / "part").read_text())


def test_two_that_ask_at_once_get_one_whole_entry():
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    askers = [context.Process(target=ask, args=(results,)) for _ in range(3)]
    for asker in askers:
        asker.start()

    assert [results.get(timeout=30) for _ in askers] == ["whole"] * 3
    for asker in askers:
        asker.join()
    assert (cache.home() / "made").read_text() == "once\n"


def test_a_failure_leaves_nothing_and_the_next_may_try():
    def fail(folder):
        (folder / "half").write_text("")
        raise LabError("no")

    with pytest.raises(LabError):
        cache.entry("images", "key", fail)

    assert list((cache.home() / "building").iterdir()) == []
    assert cache.entry("images", "key", lambda folder: (folder / "whole").touch()).name == "key"


def test_what_a_killed_build_left_is_removed_and_what_a_living_one_makes_is_not():
    context = multiprocessing.get_context("fork")
    builders = [context.Process(target=cache.entry, args=("images", key, lambda folder: time.sleep(60))) for key in ("dead", "living")]
    for builder in builders:
        builder.start()
    building = cache.home() / "building"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and len(list(building.glob("*"))) < 2:
        time.sleep(0.05)
    os.kill(builders[0].pid, signal.SIGKILL)
    builders[0].join()

    try:
        assert [pathlib.Path(path).name for path in cache.discard_unfinished()] == ["images.dead"]
        assert [path.name for path in building.iterdir()] == ["images.living"]
    finally:
        builders[1].kill()
        builders[1].join()


def test_a_folder_with_something_mounted_in_it_is_not_emptied(monkeypatch):
    removed = []
    monkeypatch.setattr(cache.shutil, "rmtree", lambda *arguments, **options: removed.append(arguments))

    with pytest.raises(LabError, match="/proc"):
        cache.discard(pathlib.Path("/proc"))
    assert removed == []


def test_equal_content_has_equal_keys_and_other_content_another():
    assert cache.key_of("a", {"x": 1, "y": 2}) == cache.key_of("a", {"y": 2, "x": 1})
    assert cache.key_of("a", "b") != cache.key_of("ab")
