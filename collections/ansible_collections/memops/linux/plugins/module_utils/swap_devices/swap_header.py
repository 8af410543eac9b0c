# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The header of a swap area (mkswap(8); union swap_header in the kernel's include/linux/swap.h)."""

import collections
import struct
import uuid

MAGIC = b"SWAPSPACE2"
PAGE_SIZES = (4096, 8192, 16384, 65536)
READ_BYTES = 65536

#: size_bytes: of the whole area, with the header's page. uuid, label: "" where there is none.
Header = collections.namedtuple("Header", "size_bytes uuid label")


def parse(data):
    """The Header in an area's first READ_BYTES, or None where it is no swap area of this machine's byte order."""
    for page in PAGE_SIZES:
        if data[page - len(MAGIC) : page] == MAGIC and len(data) >= page:
            version, last_page = struct.unpack_from("=II", data, 1024)
            if version != 1:
                return None
            identifier = data[1036:1052]
            label = data[1052:1068].split(b"\0")[0].decode("ascii", "replace")
            return Header((last_page + 1) * page, str(uuid.UUID(bytes=identifier)) if any(identifier) else "", label)
    return None
