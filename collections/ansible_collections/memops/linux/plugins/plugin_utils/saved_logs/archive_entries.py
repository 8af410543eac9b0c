# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An archive's entries: first which there are, then each one's diagnosis, in one pass over its bytes each time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from ..diagnosis.document import unread
from ..log_lines.model import DamagedLog, LogFile
from ..log_places import sosreport
from ..log_places.archives import Member, opened
from ..log_places.disk import raw_blocks
from ..log_places.naming import stem
from ..log_places.nature import nature
from ..log_places.unpacking import Allowance, peeked, unpacked
from .entry import Log, diagnosis_of_evidence, diagnosis_of_host, diagnosis_of_log, read

ENTRIES = 10_000
HOSTS = 200
SKIPS_TOLD = 50
_MARK = "sos_commands/"
_NAMED = tuple(path for path in sosreport.FACT_PATHS if sosreport.fact_name(path) in ("hostname", "uname"))


@dataclasses.dataclass
class Contents:
    """kind, wanted name and path of each entry; a sosreport's path is its top folder in the archive, or empty.

    skipped: [{path, why}] of the members that are passed over.
    """

    entries: list[dict[str, str]] = dataclasses.field(default_factory=list)
    skipped: list[dict[str, str]] = dataclasses.field(default_factory=list)


def examine(path: str, limit_bytes: int) -> Contents:
    """The entries that an archive gives. Raises OSError, or DamagedLog where it gives none."""
    look = _Look()
    damage = None
    try:
        for member in opened(unpacked(raw_blocks(path), Allowance(limit_bytes))):
            look.at(member)
    except DamagedLog as error:
        damage = error
    contents = look.contents(stem(path))
    if damage and not contents.entries:
        raise damage
    if damage:
        contents.skipped.append({"path": "the rest of the archive", "why": str(damage)})
    return contents


def diagnoses(path: str, entries: list[dict[str, str]], limit_bytes: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, diagnosis) of the entries of an archive: {kind, path, name}. Raises OSError.

    An entry that the archive no longer gives is left out.
    """
    hosts = {entry["path"]: _Host(entry["name"]) for entry in entries if entry["kind"] == "sosreport"}
    alone = {entry["path"]: entry for entry in entries if entry["kind"] != "sosreport"}
    allowance = Allowance(limit_bytes)
    damage = ""
    try:
        for member in opened(unpacked(raw_blocks(path), allowance)):
            if member.why_not:
                continue
            if member.path in alone:
                entry = alone.pop(member.path)
                yield entry["name"], _alone(entry, member, allowance)
            for top, host in hosts.items():
                if member.path.startswith(top):
                    host.take(member, member.path[len(top) :], allowance)
    except DamagedLog as error:
        damage = str(error)
    for host in hosts.values():
        yield host.name, host.diagnosis(damage)


class _Host:
    """What a sosreport in an archive has given so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._logs: list[Log] = []
        self._texts: dict[str, str] = {}

    def take(self, member: Member, path: str, allowance: Allowance) -> None:
        fact = sosreport.fact_name(path)
        if fact is not None:
            _keep_text(self._texts, fact, member.blocks)
            return
        family = sosreport.log_family(path)
        if family is not None and len(self._logs) < sosreport.LOGS:
            self._logs.append(read(family, _log_file(path, member, allowance)))

    def diagnosis(self, damage: str) -> dict[str, Any]:
        unreadable = [{"section": "kernel_log", "source": "the archive", "why": damage}] if damage else []
        return diagnosis_of_host(self.name, self._logs, sosreport.evidence(self._texts), unreadable)


class _Look:
    """A first pass over an archive. A sosreport is known by its sos_commands, which may come after its other files."""

    def __init__(self) -> None:
        self._logs: dict[str, dict[str, str]] = {}
        self._skipped: dict[str, str] = {}
        self._tops: dict[str, None] = {}
        self._names: dict[str, dict[str, str]] = {}

    def at(self, member: Member) -> None:
        top, mark, _rest = member.path.partition(_MARK)
        if mark and (not top or top.endswith("/")) and len(self._tops) < HOSTS:
            self._tops[top] = None
        if member.why_not:
            self._skip(member.path, member.why_not)
            return
        named = next((path for path in _NAMED if member.path == path or member.path.endswith("/" + path)), None)
        if named is not None and len(self._names) < ENTRIES:
            _keep_text(self._names.setdefault(member.path.removesuffix(named), {}), sosreport.fact_name(named) or "", member.blocks)
            return
        if member.path in self._logs or any(member.path.startswith(top) for top in self._tops):
            return
        try:
            what, more = nature(member.blocks)
        except DamagedLog:
            what, more = "log", ""
        if what == "archive":
            self._skip(member.path, "it is an archive within an archive: unpack the outer one")
        elif what in ("foreign", "empty"):
            self._skip(member.path, more)
        elif len(self._logs) < ENTRIES:
            own = stem(member.path)
            self._logs[member.path] = {"kind": what, "path": member.path, "wanted": more if what == "evidence" and own == "evidence" and more else own}
        else:
            self._skip(member.path, f"only the first {ENTRIES} logs of an archive are read")

    def contents(self, archive: str) -> Contents:
        entries = []
        for top in self._tops:
            folder = top.rstrip("/").rsplit("/", 1)[-1]
            entries.append({"kind": "sosreport", "path": top, "wanted": sosreport.hostname(self._names.get(top, {})) or folder or archive})
        entries += [log for path, log in self._logs.items() if not any(path.startswith(top) for top in self._tops)]
        skipped = [{"path": path, "why": why} for path, why in self._skipped.items() if not any(path.startswith(top) for top in self._tops)]
        return Contents(entries, skipped)

    def _skip(self, path: str, why: str) -> None:
        if len(self._skipped) < SKIPS_TOLD:
            self._skipped.setdefault(path, why)


def _alone(entry: dict[str, str], member: Member, allowance: Allowance) -> dict[str, Any]:
    name = entry["name"]
    if entry["kind"] != "evidence":
        return diagnosis_of_log(name, read(member.path, _log_file(member.path, member, allowance)))
    try:
        return diagnosis_of_evidence(name, unpacked(member.blocks, allowance))
    except DamagedLog as damage:
        return unread(name, str(damage))


def _log_file(shown: str, member: Member, allowance: Allowance) -> LogFile:
    return LogFile(shown, lambda: unpacked(member.blocks, allowance), member.modified_at)


def _keep_text(texts: dict[str, str], name: str, blocks: Iterable[bytes]) -> None:
    """The first text of that name which says anything."""
    if name in texts:
        return
    head, _rest = peeked(blocks, sosreport.FACT_BYTES)
    text = head.decode("utf-8", "replace")
    if text.strip():
        texts[name] = text
