"""A small file system that a test can fill: a tmpfs in a mount namespace of its own."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess


class SmallDisk:
    """Mounted on a folder, seen by ``process`` and by who enters its namespace; gone with it."""

    def __init__(self, folder: pathlib.Path, size: str = "4m") -> None:
        mount = f"mount -t tmpfs -o size={size},mode=700 tmpfs '{folder}' && echo mounted && exec sleep 600"
        self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", mount], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "mounted\n"

    def fill(self, seen_at: pathlib.Path) -> None:
        with contextlib.suppress(OSError), (seen_at / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(512))

    def free(self, seen_at: pathlib.Path) -> None:
        (seen_at / "filler").unlink()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
