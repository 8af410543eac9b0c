# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sizes: as people write them, and as they read them."""

import re

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": 1 << 40}


def parse(text, total_bytes):
    """Bytes of ``512M``, ``1.5G``, ``2GiB``, ``536870912`` or ``25%`` (of total_bytes). None where it is none of these."""
    found = re.match(r"^(\d{1,15}(?:\.\d{1,6})?) ?(?:([KMGT]?)(?:i?B)?|(%))$", str(text).strip())
    if not found:
        return None
    number, unit, percent = found.groups()
    if percent:
        return round_up(int(float(number) * total_bytes / 100), 64 * MIB)
    return int(float(number) * _UNITS[unit or ""]) if "." in number else int(number) * _UNITS[unit or ""]


def round_up(size, step):
    return -(-size // step) * step


def told(size):
    """For people: ``1.5 GiB``, ``512 MiB``; never rounded up to more than there is."""
    for unit, name in ((1 << 40, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            whole, tenths = divmod(size * 10 // unit, 10)
            return "%d.%d %s" % (whole, tenths, name) if tenths else "%d %s" % (whole, name)
    return "%d bytes" % size
