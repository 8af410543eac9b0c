# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a file is, from its first bytes: a log, an archive, saved evidence, or no log at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from ..log_lines.model import DamagedLog
from .archives import is_archive
from .unpacking import Allowance, is_packed, peeked, unpacked

HEAD_BYTES = 64 << 10
#: Above this share of bytes that no text has, a file is no log; a crash leaves runs of zeros in a log, which do not count.
MOST_BINARY = 0.3

_EVIDENCE = re.compile(rb'^\s*\{.*"(?:schema"\s*:\s*"memops\.evidence/|boot_id"\s*:)', re.DOTALL)
_OWN_REPORT = re.compile(rb'^\s*\{\s*"schema"\s*:\s*"memops\.(?:diagnosis|report)/\d+"|^# Memory diagnosis\n')
_HOST = re.compile(rb'"host"\s*:\s*("(?:[^"\\\n]|\\.){1,1000}")')
_KNOWN = (
    (b"LPKSHHRH", "it is a journal in its binary form: journalctl --file FILE -o short-iso > FILE.log writes it as text"),
    (b"\x7fELF", "it is a program or a core dump"),
    (b"KDUMP", "it is a dump of a kernel's memory; its vmcore-dmesg.txt is what memops reads"),
    (b"PK\x03\x04", "it is a zip archive: unpack it first"),
    (b"7z\xbc\xaf", "it is a 7z archive: unpack it first"),
    (b"\x89PNG", "it is a picture; memops reads text"),
    (b"\xff\xd8\xff", "it is a picture; memops reads text"),
    (b"GIF8", "it is a picture; memops reads text"),
    (b"%PDF", "it is a PDF; memops reads text"),
    (b"SQLite format 3", "it is a database"),
)
_TEXT = bytes(range(32, 127)) + b"\t\n\r\f\b\x1b"


def nature(blocks: Iterable[bytes]) -> tuple[str, str]:
    """(what, more): "log", "archive", "empty", "evidence" with its host, or "foreign" with why it is not read.

    blocks: the file's bytes as they lie there. Only the first are taken.
    Raises OSError; damage is for the reader of the file to tell.
    """
    head, blocks = peeked(blocks, 6)
    if not head:
        return "empty", "it is empty"
    packed = is_packed(head)
    try:
        head, _blocks = peeked(unpacked(blocks, Allowance(HEAD_BYTES * 4)), HEAD_BYTES)
    except DamagedLog:
        return "log", ""
    if is_archive(head):
        return "archive", ""
    if _EVIDENCE.match(head):
        return "evidence", _host(head)
    if _OWN_REPORT.match(head):
        return "foreign", "it is a report of memops, not a log"
    known = next((why for magic, why in _KNOWN if head.startswith(magic)), None)
    if known:
        return "foreign", known
    if _is_binary(head):
        return "foreign", f"it holds binary data, not text{' (after unpacking)' if packed else ''}"
    return "log", ""


def _host(head: bytes) -> str:
    named = _HOST.search(head)
    try:
        return json.loads(named.group(1)) if named else ""
    except ValueError:
        return ""


def _is_binary(head: bytes) -> bool:
    """Bytes above 127 are text where they are UTF-8."""
    bare = head.replace(b"\0", b"")
    if not bare:
        return True
    odd = bare.translate(None, _TEXT)
    controls = sum(byte < 128 for byte in odd)
    return controls + bare.decode("utf-8", "replace").count("\ufffd") > MOST_BINARY * len(bare)
