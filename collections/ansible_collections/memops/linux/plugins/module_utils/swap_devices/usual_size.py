# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much swap is usual: by RAM and by what the host does, without hibernation.

| RAM | general, container_host | database | batch | latency |
|---|---|---|---|---|
| to 2 GiB | as much as RAM | half of that | as much as RAM | as much as RAM, at most 1 GiB |
| to 8 GiB | half of RAM, at least 2 GiB | half of that | half of RAM, at least 2 GiB | 1 GiB |
| above | 4 GiB | 2 GiB | half of RAM, at most 16 GiB | 1 GiB |

Rounded up to 256 MiB. A database keeps its own cache, so that only what nobody
touches should leave RAM; batch jobs overshoot and may wait; where latency
counts, much swap only prolongs a stall. zram: half of RAM, at most 4 GiB, as
zram-generator has it.
"""

from .sizes import GIB, MIB, round_up, told

CLASSES = ("general", "container_host", "database", "batch", "latency")
STEP_BYTES = 256 * MIB


def usual(ram_bytes, workload):
    """(bytes, how it came about). workload: one of CLASSES."""
    if ram_bytes <= 2 * GIB:
        size, why = ram_bytes, "as much as RAM, up to 2 GiB of it"
    elif ram_bytes <= 8 * GIB:
        size, why = max(2 * GIB, ram_bytes // 2), "half of RAM, at least 2 GiB"
    elif workload == "batch":
        size, why = min(16 * GIB, ram_bytes // 2), "half of RAM, at most 16 GiB"
    else:
        size, why = 4 * GIB, "4 GiB above 8 GiB of RAM"
    if workload == "database":
        size, why = size // 2, "half of what is usual elsewhere (%s)" % why
    elif workload == "latency":
        size, why = min(size, GIB), "at most 1 GiB"
    return _rounded(size, "usual for %s with %s of RAM: %s" % (workload, told(ram_bytes), why))


def usual_zram(ram_bytes):
    """(bytes, how it came about)."""
    return _rounded(min(ram_bytes // 2, 4 * GIB), "usual for zram with %s of RAM: half of it, at most 4 GiB" % told(ram_bytes))


def _rounded(size, why):
    size = round_up(size, STEP_BYTES)
    return size, "%s, in steps of 256 MiB: %s" % (why, told(size))
