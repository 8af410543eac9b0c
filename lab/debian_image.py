"""A bootable root disk from Debian's packages: mmdebstrap makes the root, mke2fs the disk; nothing is mounted."""

from __future__ import annotations

import os
import pathlib
import time

from . import cache, programs
from .errors import LabError
from .platforms import ImageRecipe
from .progress import say

GUEST = pathlib.Path(__file__).with_name("guest")
#: A mirror of one's own, in mmdebstrap's words; without it, Debian's.
MIRROR = "MEMOPS_LAB_MIRROR"


def ensure(recipe: ImageRecipe) -> pathlib.Path:
    """The folder with disk.raw, vmlinuz, initrd, kernel_version: made now, or from the cache."""
    options = mmdebstrap_options(recipe)
    to_disk = _script("to_disk")
    key = f"{recipe.suite}-{cache.key_of(recipe.suite, options, to_disk, recipe.disk_mib, os.environ.get(MIRROR))}"
    return cache.entry("images", key, lambda folder: _make(recipe, options, to_disk, folder))


def mmdebstrap_options(recipe: ImageRecipe) -> list[str]:
    """What makes the root; scripts are given as text, for an unprivileged mmdebstrap cannot read a home folder."""
    options = [
        "--variant=apt",
        "--components=main",
        f"--include={','.join((recipe.kernel, *recipe.packages))}",
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f"--essential-hook={_script('before_packages')}",
        f"--customize-hook={_script('finish')}",
    ]
    if not recipe.security:
        options.append('--setup-hook=sed -i /security/d "$1/etc/apt/sources.list"')
    if recipe.expired_release:
        options.append('--aptopt=Acquire::Check-Valid-Until "false"')
    return options


def _script(name: str) -> str:
    return (GUEST / f"{name}.sh").read_text(encoding="utf-8")


def mmdebstrap(suite: str, target: pathlib.Path, log: pathlib.Path, *options: str) -> None:
    """Run it on Debian's archive. Raises LabError with the end of its output."""
    program = programs.need("mmdebstrap", f"make a root of Debian {suite}")
    mirror = [os.environ[MIRROR]] if os.environ.get(MIRROR) else []
    programs.run([program, *options, suite, str(target), *mirror], log, f"mmdebstrap {suite}", {"TMPDIR": str(target.parent)})


def _make(recipe: ImageRecipe, options: list[str], to_disk: str, folder: pathlib.Path) -> None:
    mke2fs = programs.need("mke2fs", "make a disk")
    started = time.monotonic()
    say(f"making the image of Debian {recipe.suite} (once; one to three minutes)")
    tar, log = folder / "root.tar", folder / "build.log"
    mmdebstrap(recipe.suite, tar, log, *options)
    # Files that belong to the guest's root: as root they do anyway, else inside a namespace whose root we are.
    as_root = [] if os.geteuid() == 0 else [programs.need("unshare", "own the guest's files"), "--map-root-user", "--map-users=auto", "--map-groups=auto"]
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(pathlib.Path(mke2fs).parent)])
    programs.run([*as_root, "sh", "-c", to_disk, "to_disk", str(tar), str(folder), str(recipe.disk_mib)], log, "making the disk", {"PATH": path})
    version = (folder / "kernel_version").read_text(encoding="utf-8").strip()
    if not version.startswith(f"{recipe.kernel_version}."):
        raise LabError(
            f"Debian {recipe.suite} now has kernel {version}, the catalogue says {recipe.kernel_version}: results would carry a wrong name."
            " Rename the platform in lab/platforms.yml."
        )
    say(f"made Debian {recipe.suite}, kernel {version}, in {time.monotonic() - started:.0f} s")
