# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packed bytes in, plain bytes out: a block at a time, and never more than is allowed.

How a file is packed is seen from its first bytes, not from its name.
"""

from __future__ import annotations

import bz2
import dataclasses
import itertools
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..log_lines.model import DamagedLog

BLOCK_BYTES = 1 << 20
#: So much may come out of one packed file, or of all members of one archive.
UNPACKED_LIMIT_BYTES = 8 << 30
#: Fed in small pieces, for what stands in a piece before its damage is lost.
PIECE_BYTES = 16 << 10
#: A packed file may hold a packed file; more layers than this are a trap.
LAYERS = 3
XZ_MEMORY_BYTES = 256 << 20
_DAMAGE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)


class Allowance:
    """How many unpacked bytes may still come, over all files that share it."""

    def __init__(self, limit_bytes: int = UNPACKED_LIMIT_BYTES) -> None:
        self.limit_bytes = self.left_bytes = limit_bytes

    def take(self, block: bytes) -> bytes:
        """The block, or what is allowed of it."""
        granted = block[: self.left_bytes]
        self.left_bytes -= len(granted)
        return granted


class _Gunzip:
    """zlib's machine with the methods that those of bz2 and lzma have."""

    def __init__(self) -> None:
        self._machine = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._machine.eof

    @property
    def unused_data(self) -> bytes:
        return self._machine.unused_data

    def decompress(self, data: bytes, most_bytes: int) -> bytes:
        given = self._machine.decompress(self._machine.unconsumed_tail + data, most_bytes)
        self.needs_input = not self._machine.unconsumed_tail and len(given) < most_bytes
        return given


def _unzstd() -> Any:
    try:
        from compression import zstd  # Python 3.14
    except ImportError as error:
        raise DamagedLog("it is packed with zstd, which this Python cannot unpack: unpack it first (zstd -d)") from error
    return zstd.ZstdDecompressor()


@dataclasses.dataclass(frozen=True)
class _Packing:
    name: str
    magic: bytes
    machine: Callable[[], Any]


_PACKINGS = (
    _Packing("gzip", b"\x1f\x8b\x08", _Gunzip),
    _Packing("xz", b"\xfd7zXZ\x00", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)),
    _Packing("bzip2", b"BZh", bz2.BZ2Decompressor),
    _Packing("zstd", b"\x28\xb5\x2f\xfd", _unzstd),
)


def is_packed(head: bytes) -> bool:
    """Whether a file that begins so is packed in one of the known ways."""
    return _packing(head) is not None


def unpacked(blocks: Iterable[bytes], allowance: Allowance) -> Iterator[bytes]:
    """The plain bytes of a file, packed or not, in blocks of BLOCK_BYTES at most.

    Raises DamagedLog after the last byte that could be had.
    """
    for _layer in range(LAYERS):
        head, blocks = peeked(blocks, 6)
        packing = _packing(head)
        if packing is None:
            yield from blocks
            return
        blocks = _inflated(blocks, packing, allowance)
    raise DamagedLog(f"it is packed more than {LAYERS - 1} times over")


def peeked(blocks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, as many as size where there are so many, and all blocks once more."""
    rest = iter(blocks)
    seen: list[bytes] = []
    while sum(map(len, seen)) < size:
        block = next(rest, None)
        if block is None:
            break
        seen.append(block)
    return b"".join(seen)[:size], itertools.chain(seen, rest)


def _packing(head: bytes) -> _Packing | None:
    return next((packing for packing in _PACKINGS if head.startswith(packing.magic)), None)


def _inflated(blocks: Iterable[bytes], packing: _Packing, allowance: Allowance) -> Iterator[bytes]:
    """Each of the packed streams that stand one after the other; padding between them and what follows is no log."""
    machine, read, given, rest = packing.machine(), 0, 0, b""
    for piece in _pieces(blocks):
        read += len(piece)
        data = rest + piece
        rest = b""
        while True:
            if machine is None:
                data = data.lstrip(b"\0")
                if len(data) < len(packing.magic):
                    rest = data
                    break
                if not data.startswith(packing.magic):
                    return
                machine = packing.machine()
            try:
                block = machine.decompress(data, BLOCK_BYTES)
            except _DAMAGE as error:
                raise DamagedLog(f"its {packing.name} data is damaged after {given} unpacked bytes: {error}") from error
            granted = allowance.take(block)
            given += len(granted)
            if granted:
                yield granted
            if len(granted) < len(block):
                raise DamagedLog(
                    f"only its first {given} bytes were unpacked, from {read} packed ones ({given // max(1, read)} to 1);"
                    f" the limit is {allowance.limit_bytes} bytes, and the rest was not read"
                )
            data = b""
            if machine.eof:
                data, machine = machine.unused_data, None
            elif machine.needs_input:
                break
    if machine is not None:
        raise DamagedLog(f"its {packing.name} data ends too early, after {given} unpacked bytes: the file was cut")


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        for start in range(0, len(block), PIECE_BYTES):
            yield block[start : start + PIECE_BYTES]
