# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of the report's entries: a log's stem, and where two share one, as much of the path as tells them apart."""

from __future__ import annotations

import hashlib
import re
import urllib.parse
from collections import defaultdict

from ..report.host_files import folder_name

#: What is no part of a log's name; one packing, then one kind.
_PACKED = re.compile(r"\.(?:gz|xz|bz2|zst|tar|tgz|txz|tbz2?)$", re.IGNORECASE)
_KIND = re.compile(r"\.(?:log|txt|text|out|json|jsonl|export|journal|dmesg|syslog|lst|asc|md|tar)$", re.IGNORECASE)
NAME_CHARACTERS = 150


def stem(path: str) -> str:
    """The name of a log's file without packing and kind.

    >>> [stem(path) for path in ("x/messages-20240101.gz", "case.log.gz", "case.log", "messages.1", "a.tar.xz", ".log")]
    ['messages-20240101', 'case', 'case', 'messages.1', 'a', '.log']
    """
    name = path.rsplit("/", 1)[-1]
    for suffix in (_PACKED, _KIND):
        name = suffix.sub("", name) or name
    return name


def distinct(wanted: list[tuple[str, str]]) -> list[str]:
    """A name for each (name wished for, path): the same for the same set of paths, no two in one folder.

    Entries that wish for the same name get the shortest end of their path that
    is theirs alone, its parts joined by a colon: web1/messages and
    web2/messages become web1:messages and web2:messages.
    """
    by_name = defaultdict(list)
    for index, (name, _path) in enumerate(wanted):
        by_name[_folder(name)].append(index)
    names = [name for name, _path in wanted]
    for alike in by_name.values():
        if len(alike) > 1:
            for index, name in zip(alike, _ends([wanted[index][1] for index in alike]), strict=True):
                names[index] = name
    taken: set[str] = set()
    for index, name in enumerate(names):
        names[index] = _untaken(_short(name), taken)
        taken.add(_folder(names[index]))
    return names


def text_of(path: str) -> str:
    """A path as text that can be written anywhere: bytes of no character set become \\\\xNN."""
    try:
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return path.encode("utf-8", "backslashreplace").decode()


def _ends(paths: list[str]) -> list[str]:
    parts = [[part for part in path.split("/") if part] for path in paths]
    owners = defaultdict(set)
    for index, path in enumerate(parts):
        for start in range(len(path)):
            owners[tuple(path[start:])].add(index)
    return [
        ":".join(next((path[start:] for start in range(len(path) - 1, -1, -1) if len(owners[tuple(path[start:])]) == 1), path))
        for path in parts
    ]


def _short(name: str) -> str:
    """Long names are cut, and keep a mark of what was cut off."""
    quoted = urllib.parse.quote(name, safe="@:+,=")
    if len(quoted) <= NAME_CHARACTERS:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    while len(urllib.parse.quote(name, safe="@:+,=")) > NAME_CHARACTERS:
        name = name[: max(1, len(name) * 9 // 10)]
    return f"{name}~{mark}"


def _untaken(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while _folder(free) in taken:
        free, number = f"{name}~{number}", number + 1
    return free


def _folder(name: str) -> str:
    return folder_name(name)
