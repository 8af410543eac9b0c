"""A cloud image instead of Debian's packages: a path or URL in MEMOPS_LAB_IMAGE, told who may log in by cloud-init."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request

import yaml

from . import cache
from .emulator import Emulator
from .errors import LabError
from .progress import say

VARIABLE = "MEMOPS_LAB_IMAGE"


def ensure(image: str) -> pathlib.Path:
    """The image's file; a URL is fetched once."""
    if "://" in image:
        return cache.entry("images", f"cloud-{cache.key_of(image)}", lambda folder: _fetch(image, folder / "disk")) / "disk"
    path = pathlib.Path(image).expanduser().absolute()
    if not path.is_file():
        raise LabError(f"{VARIABLE} names {path}, and there is no such file.")
    return path


def form_and_size(disk: pathlib.Path, qemu: Emulator) -> tuple[str, int]:
    """(qcow2 or raw, bytes that the guest sees), by qemu-img."""
    words = [*qemu.image, "info", "--output=json", str(disk)]
    told = subprocess.run(words, env={**os.environ, **qemu.environment}, capture_output=True, text=True, check=False)
    found = json.loads(told.stdout) if told.returncode == 0 else {}
    if found.get("format") not in ("qcow2", "raw"):
        raise LabError(f"{disk} is no qcow2 or raw image: {found.get('format') or told.stderr.strip()}")
    return found["format"], found["virtual-size"]


def write_seed(folder: pathlib.Path, hostname: str, public_key: str, host_key: str) -> None:
    """cloud-init's NoCloud files: root may log in with the run's key, and the host shows the key that we expect."""
    folder.mkdir(mode=0o700)
    user = {
        "hostname": hostname,
        "disable_root": False,
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key, "ed25519_public": _public_of(folder)},
        "ssh_authorized_keys": [public_key.strip()],
        "users": [{"name": "root", "ssh_authorized_keys": [public_key.strip()]}],
    }
    (folder / "meta-data").write_text(yaml.safe_dump({"instance-id": f"memops-{hostname}", "local-hostname": hostname}), encoding="utf-8")
    (folder / "user-data").write_text("#cloud-config\n" + yaml.safe_dump(user), encoding="utf-8")


def _public_of(folder: pathlib.Path) -> str:
    return (folder.parent / "host_key.pub").read_text(encoding="utf-8").strip()


def _fetch(url: str, target: pathlib.Path) -> None:
    say(f"fetching {url}")
    try:
        with urllib.request.urlopen(url, timeout=60) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, 1024 * 1024)
    except (urllib.error.URLError, OSError) as error:
        raise LabError(f"{url} cannot be fetched: {error}") from error
