# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of a run: private, complete or not there, never outside the run folder."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
import urllib.parse
from collections.abc import Iterable
from typing import Any

from ..diagnosis.document import unread


def folder_name(host: str) -> str:
    """A host's name as the name of a folder; whatever is odd in it is percent-encoded.

    >>> folder_name("web1.example.org"), folder_name("../x"), folder_name("..")
    ('web1.example.org', '..%2Fx', '%2E%2E')
    """
    quoted = urllib.parse.quote(host, safe="@:+,=")[:200]
    return quoted.replace(".", "%2E") if set(quoted) <= {"."} else quoted


def host_folder(run_folder: str, host: str) -> pathlib.Path:
    """The host's folder in this run; made if it is not there."""
    folder = pathlib.Path(run_folder) / "hosts" / folder_name(host)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def write_evidence(run_folder: str, host: str, evidence: dict[str, Any]) -> str:
    """Keep what a host said; the path."""
    return write_file(host_folder(run_folder, host) / "evidence.json", json.dumps(evidence, separators=(",", ":")))


def write_diagnosis(run_folder: str, host: str, diagnosis: dict[str, Any]) -> str:
    """Keep what follows from it; the path."""
    return write_file(host_folder(run_folder, host) / "diagnosis.json", json.JSONEncoder(indent=1).iterencode(diagnosis))


def unread_host(run_folder: str, host: str, reason: str) -> str:
    """A host that gave no evidence has a diagnosis too: it says why there is none."""
    return write_diagnosis(run_folder, host, unread(host, reason))


def write_file(path: pathlib.Path, text: Iterable[str]) -> str:
    """Write a file whole or not at all, readable by its owner only. text: a string, or its parts as they come."""
    handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass") as stream:
            stream.writelines([text] if isinstance(text, str) else text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return str(path)
