"""The programs the lab runs: found, or said by which package they come; run, and heard when they fail."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing

from .errors import LabError

#: program -> Debian package
PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "newuidmap": "uidmap",  # mmdebstrap's, where it does not run as root
}
#: What has no program of its own; newer suites are signed by keys that an old one does not hold.
OTHER_PACKAGES = ("debian-archive-keyring",)
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def find(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *SBIN]))


def need(program: str, why: str) -> str:
    """The program's path. Raises LabError, with the package's name, where it is not installed."""
    found = find(program)
    if not found:
        raise LabError(
            f"{program} is needed to {why} and is not installed. It comes with Debian's package {PACKAGES[program]};"
            f" `python -m lab setup` as root installs all that the lab needs."
        )
    return found


def run(argv: typing.Sequence[str], log: pathlib.Path, what: str, environment: typing.Mapping[str, str] | None = None) -> None:
    """Run to the end with its output in ``log``. Raises LabError with the log's end where it fails."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            close_fds=False,  # a lock that is held goes along
        )
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if code:
        raise LabError(f"{what} failed (exit status {code}). The end of what it said:\n{tail(log)}")


def tail(path: pathlib.Path, lines: int = 25) -> str:
    """The last lines of a file that may hold anything, fit for a terminal."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64 * 1024))
        text = file.read().decode("utf-8", "replace")
    kept = ["".join(char if char.isprintable() else " " for char in line).rstrip() for line in text.splitlines()]
    return "\n".join("    " + line for line in [line for line in kept if line][-lines:])
