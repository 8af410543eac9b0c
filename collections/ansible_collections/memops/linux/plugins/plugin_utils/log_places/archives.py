# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The members of a tar archive, one after the other as they stream by; nothing is written to disk.

Links, devices and names that lead out of the archive are named and passed over.
"""

from __future__ import annotations

import dataclasses
import tarfile
from collections.abc import Iterable, Iterator

from ..log_lines.model import DamagedLog
from .naming import text_of
from .unpacking import BLOCK_BYTES, peeked

MEMBERS = 100_000
#: Long names and extended headers, which tarfile reads as a whole, are never larger in an honest archive.
HEADER_BYTES = 1 << 20
PATH_CHARACTERS = 4096
_WHOLE_IN_MEMORY = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


@dataclasses.dataclass(frozen=True)
class Member:
    """One file of an archive. blocks can be read once, and only before the next member is asked for.

    why_not: why it is passed over; such a one has no blocks.
    """

    path: str
    modified_at: float | None = None
    blocks: Iterable[bytes] = ()
    why_not: str | None = None


class _BoundedHeader(tarfile.TarInfo):
    """A header, refused before tarfile would read what it announces into memory."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (header.type in _WHOLE_IN_MEMORY and header.size > HEADER_BYTES):
            raise DamagedLog(f"the archive has a header that claims {header.size} bytes; nothing after it was read")
        return header


class _Stream:
    """Blocks as tarfile reads them; remembers whether the end mark, blocks of zeros, came last."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self.last = b""

    def read(self, _size: int) -> bytes:
        block = next(self._blocks, b"")
        self.last = block[-512:] or self.last
        return block


def is_archive(head: bytes) -> bool:
    """Whether unpacked bytes, the first 512 of a file, are the header of a tar archive."""
    return head[257:262] == b"ustar"


def members(blocks: Iterable[bytes]) -> Iterator[Member]:
    """Each member of an unpacked tar archive, folders left out.

    Raises DamagedLog after the last member that could be had.
    """
    stream = _Stream(blocks)
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_BoundedHeader, errors="surrogateescape") as archive:
            for _number in range(MEMBERS):
                header = archive.next()
                if header is None:
                    break
                archive.members.clear()  # tarfile would keep each header it has seen
                if not header.isdir():
                    yield _member(archive, header)
            else:
                raise DamagedLog(f"the archive has more than {MEMBERS} members; the others were not read")
    except (tarfile.TarError, OSError, ValueError, OverflowError, RecursionError) as error:
        raise DamagedLog(f"the archive is damaged: {error}") from error
    if stream.last.strip(b"\0"):
        raise DamagedLog("the archive ends without its end mark: it was cut")


def inner_path(name: str) -> str | None:
    """A member's path below the archive's top, or None where it leads out of it.

    >>> inner_path("./var/log//messages"), inner_path("../etc/passwd"), inner_path("/etc/passwd")
    ('var/log/messages', None, None)
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if name.startswith("/") or ".." in parts else "/".join(parts)


def _member(archive: tarfile.TarFile, header: tarfile.TarInfo) -> Member:
    path = inner_path(header.name[:PATH_CHARACTERS])
    if path is None:
        return Member(text_of(header.name[:PATH_CHARACTERS]), why_not="its name leads out of the archive")
    path = text_of(path)
    if header.issym() or header.islnk():
        return Member(path, why_not="it is a link; links in an archive are not followed")
    if not header.isreg():
        return Member(path, why_not="it is a device or pipe")
    if header.issparse():
        return Member(path, why_not="it is a sparse file")
    return Member(path, float(header.mtime), _blocks(archive, header))


def _blocks(archive: tarfile.TarFile, header: tarfile.TarInfo) -> Iterator[bytes]:
    content = archive.extractfile(header)
    if content is None:
        return
    while True:
        try:
            block = content.read(BLOCK_BYTES)
        except (tarfile.TarError, OSError, ValueError) as error:
            raise DamagedLog(f"the archive ends within it, or is damaged: {error}") from error
        if not block:
            return
        yield block


def opened(blocks: Iterable[bytes]) -> Iterator[Member]:
    """The same, for a file that may turn out to be no archive. Raises DamagedLog."""
    head, blocks = peeked(blocks, 512)
    if not is_archive(head):
        raise DamagedLog("it is not a tar archive")
    return members(blocks)
