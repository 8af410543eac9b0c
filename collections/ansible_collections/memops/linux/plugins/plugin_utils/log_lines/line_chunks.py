# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Blocks of bytes in, chunks of whole lines out, whatever the encoding and the line ends.

Neither a chunk nor a line in it is longer than a fixed size, so that memory
stays the same for any input.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

#: Longer than any line of a log that says something; what follows in such a line is dropped.
LINE_BYTES = 16 << 10
#: A chunk is searched many times over, so it has to fit into a core's cache.
CHUNK_BYTES = 128 << 10
_FEW_BYTES = CHUNK_BYTES // 2
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class LineChunks:
    """Iterates over chunks of lines that end with ``\\n``; the log's last line may lack it.

    blocks: of any size. dropped_bytes: of lines that were too long, so far.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.dropped_bytes = 0
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        for block in _with_newlines(_decoded(iter(self._blocks))):
            begin, size = 0, len(block)
            while begin < size:
                stop = min(size, begin + CHUNK_BYTES)
                end = block.rfind(b"\n", begin, stop) + 1 if stop - begin + len(rest) >= _FEW_BYTES else 0
                if end:
                    yield self._bounded(rest + block[begin:end])
                    rest, begin = b"", end
                    continue
                if len(rest) - rest.rfind(b"\n") > LINE_BYTES and block.find(b"\n", begin, stop) < 0:
                    self.dropped_bytes += stop - begin
                else:
                    rest += block[begin:stop]
                begin = stop
        if rest:
            yield self._bounded(rest)

    def _bounded(self, chunk: bytes) -> bytes:
        """Cuts what is too long; looks at one place per LINE_BYTES where nothing is."""
        parts, kept, position, size = [], 0, 0, len(chunk)
        while size - position > LINE_BYTES:
            end = chunk.rfind(b"\n", position, position + LINE_BYTES + 1)
            if end >= 0:
                position = end + 1
                continue
            parts.append(chunk[kept : position + LINE_BYTES])
            end = chunk.find(b"\n", position + LINE_BYTES)
            kept = end if end >= 0 else size
            self.dropped_bytes += kept - position - LINE_BYTES
            position = kept + 1
        return b"".join((*parts, chunk[kept:])) if parts else chunk


def _decoded(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """UTF-16, as other systems' editors save a pasted log, becomes UTF-8; all else stays as it is."""
    start = b""
    for block in blocks:
        start += block
        if len(start) >= len(codecs.BOM_UTF8):
            break
    encoding = _UTF_16.get(start[:2])
    if encoding is None:
        yield start.removeprefix(codecs.BOM_UTF8)
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    yield decoder.decode(start[2:]).encode("utf-8", "replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _with_newlines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Carriage returns alone end lines in what a serial console left; the first block that has any line end decides."""
    for block in blocks:
        if b"\n" not in block and b"\r" in block[:-1]:
            yield block.replace(b"\r", b"\n")
            for later in blocks:
                yield later.replace(b"\r", b"\n")
            return
        yield block
        if b"\n" in block:
            break
    yield from blocks
