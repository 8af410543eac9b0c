# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Free memory against the watermarks, and in which block sizes it is free."""

import re

_ZONE = re.compile(r"^Node +(\d+), zone +(\S+)(.*)$", re.MULTILINE)
# The per-CPU lists below each zone have a "high:" too: only values without a colon count.
_VALUE = re.compile(r"^ +(pages free|min|low|high|present|managed) +(\d+)$", re.MULTILINE)


def collect(reader, page_bytes):
    """The zones that hold memory, by node and from the lowest zone up.

    [{node, zone, free_bytes, min_bytes, low_bytes, high_bytes, present_bytes,
    managed_bytes, free_blocks}]; free_blocks counts the free blocks of order
    0, 1, 2 ...; null where /proc/buddyinfo does not list the zone.
    """
    free_blocks = parse_buddyinfo(reader.text("/proc/buddyinfo"))
    zones = parse_zoneinfo(reader.text("/proc/zoneinfo", 4 << 20), page_bytes)
    for zone in zones:
        zone["free_blocks"] = free_blocks.get((zone["node"], zone["zone"]))
    return zones


def parse_zoneinfo(text, page_bytes):
    """The zones of /proc/zoneinfo with managed pages (proc(5)), without free_blocks."""
    zones = []
    parts = _ZONE.split(text or "")
    for node, name, _rest, body in zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4]):
        pages = {key: int(value) for key, value in _VALUE.findall(body)}
        # Kernels before 3.10 do not say "managed".
        if not pages.get("managed", pages.get("present")):
            continue
        zone = {"node": int(node), "zone": name}
        for key, source in (("free", "pages free"), ("min",) * 2, ("low",) * 2, ("high",) * 2, ("present",) * 2, ("managed",) * 2):
            zone[key + "_bytes"] = pages[source] * page_bytes if source in pages else None
        zones.append(zone)
    return zones


def parse_buddyinfo(text):
    """{(node, zone): [free blocks of order 0, 1, ...]} of /proc/buddyinfo (proc(5))."""
    return {
        (int(node), name): [int(count) for count in counts.split() if count.isdigit()]
        for node, name, counts in _ZONE.findall(text or "")
    }
