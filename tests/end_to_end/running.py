"""A program that runs as long as a block does, and waiting for what it does."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator


def until(holds: Callable[[], object], what: str, seconds: float) -> object:
    """What ``holds`` gives as soon as that is true; the limit only ends a test that would never end."""
    end = time.monotonic() + seconds
    while not (given := holds()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.1)
    return given


@contextlib.contextmanager
def running(command: list[str], log: pathlib.Path, answers: str, seconds: float = 60) -> Iterator[None]:
    """Start it, wait until the address ``answers`` does, and end it after the block."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    try:
        until(lambda: process.poll() is not None or is_answered(answers), f"{command[0]} answers", seconds)
        assert process.poll() is None, f"{command[0]} ended: {log.read_text(errors='replace')[-2000:]}"
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_answered(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=20).status == 200
    except OSError:
        return False
