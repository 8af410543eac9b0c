# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Logs in raw mail: RFC 2045's quoted-printable writes "=" as "=3D" and breaks long lines behind a lone "="."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: No log but an encoded one writes this, or breaks lines like that (base64 ends once).
_SIGN = "=3D"
_BROKEN = re.compile(r"^.{72,75}[^=]=\r?$", re.MULTILINE)
#: Each "=" begins a code or ends the line.
_ENCODED = re.compile(r"[^=]*(?:=[0-9A-F]{2}[^=]*)*=?$")
_CODES = re.compile(r"(?:=[0-9A-F]{2})+")
_LONGEST = 16384


def decoded(lines: Iterable[str], first_number: int, text: str) -> Iterator[tuple[int, str]]:
    """(number of its first line, line) of each line of ``text``, decoded where it is encoded."""
    numbered = enumerate(lines, first_number)
    is_encoded = _SIGN in text or ("=\n" in text.replace("\r\n", "\n") and len(_BROKEN.findall(text)) > 1)
    return _decoded(numbered) if is_encoded else numbered


def _decoded(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    held, begun = "", 0
    for number, raw in numbered:
        line = raw.rstrip("\r")
        encoded = "=" in line and _ENCODED.match(line) is not None
        breaks = encoded and line.endswith("=")
        if encoded and (held or breaks or _SIGN in line or line.endswith("=20")):
            line = _CODES.sub(_bytes, line.removesuffix("=") if breaks else line)
        if held:
            number, line = begun, held + line
        if breaks and not line.endswith("\n") and len(line) < _LONGEST:
            held, begun = line, number
        else:
            held = ""
            yield number, line.rstrip("\n")
    if held:
        yield begun, held


def _bytes(codes: re.Match[str]) -> str:
    return bytes.fromhex(codes[0].replace("=", "")).decode("utf-8", "replace")
