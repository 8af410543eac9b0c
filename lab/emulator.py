"""A QEMU that boots the platform: the system's where it is new enough, else one of our own from Debian's packages.

Our own is only unpacked, not installed, and started by its own dynamic loader: no chroot, no mount, no root.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess

from . import cache, debian_image, programs
from .errors import LabError
from .progress import say

OWN_SUITE, OWN_MAJOR = "trixie", 10
OWN_PACKAGES = ("qemu-system-x86", "qemu-utils")


@dataclasses.dataclass(frozen=True)
class Emulator:
    """``machine`` and ``image`` begin the command lines of qemu-system-x86_64 and qemu-img."""

    machine: tuple[str, ...]
    image: tuple[str, ...]
    environment: dict[str, str]
    version: tuple[int, int]


def find(oldest: int) -> Emulator:
    """One whose version's first number is at least ``oldest``. Raises LabError where there is none to be had."""
    system = _of_the_system()
    if system and system.version[0] >= oldest:
        return system
    if oldest > OWN_MAJOR:
        raise LabError(f"QEMU {oldest} is needed; install it (Debian's package qemu-system-x86).")
    if not programs.find("mmdebstrap"):
        here = f"the one here is {system.version[0]}.{system.version[1]}" if system else "there is none here"
        raise LabError(f"QEMU {oldest or OWN_MAJOR} or newer is needed and {here}: install a newer qemu-system-x86, or mmdebstrap to let the lab unpack one.")
    return _own()


def _of_the_system() -> Emulator | None:
    machine, image = programs.find("qemu-system-x86_64"), programs.find("qemu-img")
    if not machine or not image:
        return None
    return Emulator((machine,), (image,), {}, _version((machine,), {}))


def _own() -> Emulator:
    root = cache.entry("tools", f"qemu-{OWN_SUITE}-{cache.key_of(OWN_PACKAGES)}", _unpack) / "root"
    libraries = root / "usr/lib/x86_64-linux-gnu"
    loader = (str(root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", str(libraries))
    firmware = [str(root / folder) for folder in ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")]
    machine = (*loader, str(root / "usr/bin/qemu-system-x86_64"), *(word for folder in firmware for word in ("-L", folder)))
    environment = {"QEMU_MODULE_DIR": str(libraries / "qemu")}
    return Emulator(machine, (*loader, str(root / "usr/bin/qemu-img")), environment, _version(machine, environment))


def _unpack(folder: pathlib.Path) -> None:
    say(f"unpacking a QEMU of Debian {OWN_SUITE} (once; some seconds)")
    tar = folder / "root.tar"
    debian_image.mmdebstrap(OWN_SUITE, tar, folder / "build.log", "--variant=extract", f"--include={','.join(OWN_PACKAGES)}")
    (folder / "root").mkdir()
    unpack = ["tar", "--extract", "--no-same-owner", "--exclude=./dev/*", "--directory", str(folder / "root"), "--file", str(tar)]
    programs.run(unpack, folder / "build.log", "unpacking QEMU")
    tar.unlink()


def _version(argv: tuple[str, ...], environment: dict[str, str]) -> tuple[int, int]:
    said = subprocess.run([*argv, "--version"], env={**os.environ, **environment}, capture_output=True, text=True, errors="replace", check=False)
    found = re.search(r"version (\d+)\.(\d+)", said.stdout)
    if not found:
        raise LabError(f"{argv[-1] if len(argv) == 1 else argv[0]} does not run: {(said.stdout + said.stderr).strip()[-500:]}")
    return int(found[1]), int(found[2])
