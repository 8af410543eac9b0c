# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What lies at a path: one place for each entry of the report to be.

A place says where something is, not what is in it: it is small, plain, and is
sent to the process that reads it.
"""

from __future__ import annotations

import dataclasses
import errno
import glob
import os
import stat

from .disk import raw_blocks, why, why_no_file
from .naming import stem, text_of
from .nature import nature

DEPTH = 12
FILES = 100_000
#: Of these hidden ones nothing is said, for everybody has them.
_EVERYWHERE = frozenset((".git", ".gitignore", ".DS_Store"))


class NothingThere(Exception):
    """A path that was asked for holds nothing to read; the message says why and what to do."""


@dataclasses.dataclass
class Place:
    """One entry, or an archive of several.

    kind: "log", "evidence", "sosreport" (an unpacked one's folder), "archive" or
    "unread". wanted: the name that the entry would like to have.
    why_not: of an unread one.
    """

    kind: str
    path: str
    wanted: str
    why_not: str | None = None


@dataclasses.dataclass
class Found:
    """All that lies at the paths asked for. skipped: [{path, why}] of what is no log."""

    places: list[Place] = dataclasses.field(default_factory=list)
    skipped: list[dict[str, str]] = dataclasses.field(default_factory=list)


def find(paths: list[str]) -> Found:
    """The places at files, globs and folders, each once, in the order of their paths.

    Raises NothingThere for a path that is not there, and where no path holds anything to read.
    """
    found: Found = Found()
    seen: set[str] = set()
    for path in paths:
        expanded = os.path.expanduser(path)
        if os.path.lexists(expanded):
            _look_at(expanded, found, seen, asked=True)
            continue
        for one in _matches(expanded):
            _look_at(one, found, seen, asked=False)
    if not found.places:
        reasons = "; ".join(f"{item['path']}: {item['why']}" for item in found.skipped[:5])
        raise NothingThere(f"there is no log in {', '.join(map(text_of, paths))}: {reasons or 'it is an empty folder'}")
    return found


def is_sosreport(names: set[str]) -> bool:
    """Whether a folder with these names in it is a sosreport's."""
    return "sos_commands" in names


def sosreport_name(path: str) -> str:
    """An unpacked sosreport's host as far as the names of its folders tell."""
    return os.path.basename(os.path.abspath(path))


def _matches(pattern: str) -> list[str]:
    try:
        matched = sorted(glob.iglob(pattern, recursive=True))
    except ValueError:  # a zero byte in the path
        matched = []
    if not matched:
        what = "nothing matches" if glob.has_magic(pattern) else "there is no file or folder"
        raise NothingThere(f"{what} {text_of(os.path.abspath(pattern)) if pattern else 'with an empty name'}")
    return matched


def _look_at(path: str, found: Found, seen: set[str], asked: bool) -> None:
    """A path that was named. What is named itself and cannot be read is a row that says why."""
    if _known(path, seen):
        return
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        _unread(path, found, _broken(path, error))
        return
    if stat.S_ISDIR(mode):
        _walk(path, found, seen)
    else:
        _file(path, mode, found, asked)


def _walk(top: str, found: Found, seen: set[str]) -> None:
    """A folder and what is below it. Links to files are followed, links to folders are not."""
    waiting = [(top, 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            _unread(folder, found, f"the folder cannot be read: {why(error)}")
            continue
        if is_sosreport({entry.name for entry in listed}):
            found.places.append(Place("sosreport", folder, text_of(sosreport_name(folder))))
            continue
        below = []
        for entry in listed:
            if len(found.places) + len(found.skipped) >= FILES:
                raise NothingThere(f"{text_of(top)} holds more than {FILES} files: name a smaller folder")
            deeper = _entry(entry, found, seen)
            if deeper and depth >= DEPTH:
                _skip(entry.path, found, f"it lies more than {DEPTH} folders deep")
            elif deeper:
                below.append((entry.path, depth + 1))
        waiting += reversed(below)


def _entry(entry: os.DirEntry, found: Found, seen: set[str]) -> bool:
    """Take one name of a folder; True for a folder to look into."""
    if entry.name.startswith("."):
        if entry.name not in _EVERYWHERE:
            _skip(entry.path, found, "it is hidden")
        return False
    if _known(entry.path, seen):
        return False
    try:
        mode = os.stat(entry.path).st_mode
    except OSError as error:
        _skip(entry.path, found, _broken(entry.path, error))
        return False
    if not stat.S_ISDIR(mode):
        _file(entry.path, mode, found, asked=False)
        return False
    if entry.is_symlink():
        _skip(entry.path, found, "it is a link to a folder; name that folder to have it read")
        return False
    return True


def _file(path: str, mode: int, found: Found, asked: bool) -> None:
    """One file. What is no log is a row where it was asked for by name, and else only named."""
    refuse = _unread if asked else _skip
    refused = why_no_file(mode)
    if refused:
        refuse(path, found, refused)
        return
    try:
        what, more = nature(raw_blocks(path))
    except OSError as error:
        _unread(path, found, f"it cannot be read: {why(error)}")
        return
    if what == "empty":
        _unread(path, found, more)
    elif what == "foreign":
        refuse(path, found, more)
    elif what == "evidence":
        found.places.append(Place("evidence", path, _host_of(path, more)))
    else:
        found.places.append(Place(what, path, text_of(stem(path))))


def _host_of(path: str, host: str) -> str:
    """Saved evidence is named by its file, unless the file's name is the one that all have."""
    own = stem(path)
    return text_of(own) if own != "evidence" else host or text_of(os.path.basename(os.path.dirname(os.path.abspath(path)))) or own


def _known(path: str, seen: set[str]) -> bool:
    """Whether this path was met before: named twice, or by a glob and within a folder."""
    absolute = os.path.abspath(path)
    known = absolute in seen
    seen.add(absolute)
    return known


def _broken(path: str, error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a link that leads back to itself"
    if os.path.islink(path) and error.errno == errno.ENOENT:
        return "it is a link to something that is not there"
    return why(error)


def _unread(path: str, found: Found, reason: str) -> None:
    found.places.append(Place("unread", path, text_of(stem(path)), reason))


def _skip(path: str, found: Found, reason: str) -> None:
    found.skipped.append({"path": text_of(path), "why": reason})
