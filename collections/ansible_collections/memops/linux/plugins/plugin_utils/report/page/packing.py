# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many like texts packed small, each of them unpacked by itself.

The pages of two hosts are nearly the same markup. Each is deflated (RFC 1951)
behind a common beginning that is stored once: the compressor has seen it
already, so what repeats in a page costs next to nothing. Whoever unpacks joins
the two, inflates, and takes what stands after the NUL.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable

#: What deflate can look back on.
WINDOW_BYTES = 32 << 10
END_OF_BEGINNING = "\0"
#: All packed texts are of a place of this name, so that their anchors repeat too; whoever unpacks one gives it its own.
ANCHOR = "h-"


class Packer:
    """Packs texts that hold no NUL."""

    def __init__(self, examples: Iterable[str]) -> None:
        """examples: texts such as those to come; the last 32 KiB of all of them are the beginning."""
        beginning = "".join(examples).replace(END_OF_BEGINNING, "").encode("utf-8")[-WINDOW_BYTES + 1 :].decode("utf-8", "ignore")
        self._compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        begun = self._compressor.compress((beginning + END_OF_BEGINNING).encode("utf-8")) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        self.start = base64.b64encode(begun).decode("ascii")

    def pack(self, text: str) -> str:
        """The rest of one text, in base64; it means something behind ``start`` only."""
        compressor = self._compressor.copy()
        return base64.b64encode(compressor.compress(text.encode("utf-8")) + compressor.flush()).decode("ascii")


def unpacked(start: str, rest: str) -> str:
    """What a browser does with it."""
    whole = zlib.decompress(base64.b64decode(start) + base64.b64decode(rest), -zlib.MAX_WBITS).decode("utf-8")
    return whole[whole.index(END_OF_BEGINNING) + 1 :]
