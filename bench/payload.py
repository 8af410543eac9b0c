"""How much is sent to a host for one run: the AnsiballZ file of evidence_info, and of ping for comparison."""

from __future__ import annotations

import argparse
import base64
import io
import pathlib
import re
import tempfile
import zipfile

from .measure import CannotMeasure, run

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
GOAL_BYTES = 100_000
LISTED = 12
_ARCHIVE = re.compile(rb"[A-Za-z0-9+/=]{2000,}")


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Bytes as sent, of both modules; ours is the difference. The archive in it is base64, so a file costs 4/3 of its zipped size."""
    with tempfile.TemporaryDirectory(prefix="memops-bench-") as folder:
        ping = build(options.bin, "ansible.builtin.ping", pathlib.Path(folder) / "ping").read_bytes()
        ours = build(options.bin, "memops.linux.evidence_info", pathlib.Path(folder) / "ours").read_bytes()
    files = [
        {"file": entry.filename.removeprefix("ansible_collections/memops/linux/"), "bytes": entry.file_size, "sent_bytes": -(-entry.compress_size * 4 // 3)}
        for entry in zipfile.ZipFile(io.BytesIO(archive_bytes(ours))).infolist()
        if entry.filename.startswith("ansible_collections/memops/") and entry.file_size
    ]
    files.sort(key=lambda file: -file["sent_bytes"])
    return {
        "evidence_info_bytes": len(ours),
        "ping_bytes": len(ping),
        "own_bytes": len(ours) - len(ping),
        "goal_bytes": GOAL_BYTES,
        "own_files": len(files),
        "own_source_bytes": sum(file["bytes"] for file in files),
        "largest": files[:LISTED],
    }


def build(bin_folder: pathlib.Path, module: str, folder: pathlib.Path) -> pathlib.Path:
    """The AnsiballZ file of a module as ansible makes it, kept below ``folder``."""
    environment = {
        "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_PIPELINING": "0",  # with it, nothing is written that could be kept
        "ANSIBLE_REMOTE_TEMP": str(folder),
    }
    host = ["-i", "here,", "-c", "local", "-e", f"ansible_python_interpreter={bin_folder / 'python'}"]
    said = run([str(bin_folder / "ansible"), "all", *host, "-m", module], environment, REPOSITORY, check=False).output
    name = module.rpartition(".")[2]
    for path in folder.glob(f"*/AnsiballZ_{name}.py"):
        return path
    raise CannotMeasure(f"ansible made no file for {module}:\n{said[-1500:]}")


def archive_bytes(ansiballz: bytes) -> bytes:
    """The zip archive inside an AnsiballZ file."""
    return base64.b64decode(max(_ARCHIVE.findall(ansiballz), key=len, default=b""))
