"""Where the lab keeps what it made, and how several runs share it.

``${XDG_CACHE_HOME:-~/.cache}/memops/lab`` holds ``images/KEY``, ``tools/KEY`` and ``vms/RUN/NAME``. A finished
entry appears by one rename and is never changed after. A lock is held by a process, not by a file that
is there: when its holder dies, however it dies, the kernel lets go of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import typing

from .errors import LabError
from .progress import say


def home() -> pathlib.Path:
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache").absolute() / "memops" / "lab"


def key_of(*parts: object) -> str:
    """A name for content: the same parts, the same name."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]


@contextlib.contextmanager
def locked(name: str, *, wait: bool = True) -> typing.Iterator[bool]:
    """Hold the lock of that name while the block runs; yields False where another holds it and ``wait`` is off."""
    path = home() / "locks" / name.replace("/", ".")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                yield False
                return
            say(f"waiting for another run that makes {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)  # programs.run hands it on: a build that outlives us still holds its lock
        yield True


def entry(kind: str, key: str, make: typing.Callable[[pathlib.Path], None]) -> pathlib.Path:
    """The folder ``kind/key``, filled by ``make(folder)`` if it is not there yet. Two that ask at once make it once."""
    made = home() / kind / key
    if made.is_dir():
        return made
    with locked(f"{kind}/{key}"):
        if made.is_dir():
            return made
        building = home() / "building" / f"{kind}.{key}"
        discard(building)
        building.mkdir(parents=True, mode=0o755)
        try:
            make(building)
            made.parent.mkdir(exist_ok=True)
            building.rename(made)
        finally:
            discard(building)
    return made


def discard(folder: pathlib.Path) -> None:
    """Remove a folder of this cache; refuses one that something is mounted in, so that nothing else is emptied."""
    mounts = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
    below = [mount for mount in mounts if pathlib.Path(mount).is_relative_to(folder)]
    if below:
        raise LabError(f"{folder} cannot be removed while this is mounted: {', '.join(below)}")
    shutil.rmtree(folder, ignore_errors=False) if folder.is_dir() else None


def discard_unfinished() -> list[str]:
    """Remove what builds left that died; what a living one works on is locked and stays."""
    removed = []
    for folder in sorted((home() / "building").glob("*.*")):
        with locked(folder.name, wait=False) as free:
            if free:
                discard(folder)
                removed.append(str(folder))
    return removed
