# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host's memory as the kernel counts it now."""

import re

from . import balloon, large_pages, shared_memory, zones

DROPPABLE = ("tmpfs", "slab", "nodes", "zones")
SLAB_CACHES = 15

_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def collect(reader, request):
    """The section ``memory``; each part is described where it is read.

    meminfo: parse_meminfo. zones: zones.collect. slab: parse_slabinfo.
    hugepages, transparent_hugepages: large_pages. ksm, zswap: below.
    nodes: [{node, total_bytes, free_bytes, file_bytes, anon_bytes}].
    tmpfs, sysv_shm: shared_memory. balloon: balloon.collect.
    """
    page_bytes = request.page_bytes
    meminfo = parse_meminfo(reader.text("/proc/meminfo"))
    return {
        "meminfo": meminfo,
        "zones": zones.collect(reader, page_bytes),
        "slab": parse_slabinfo(reader.text("/proc/slabinfo"), page_bytes)[:SLAB_CACHES],
        "hugepages": large_pages.pools(reader),
        "transparent_hugepages": large_pages.transparent(reader),
        "ksm": _ksm(reader, page_bytes),
        "zswap": _zswap(reader, meminfo, page_bytes),
        "nodes": _nodes(reader),
        "tmpfs": shared_memory.tmpfs(reader),
        "sysv_shm": shared_memory.sysv(reader),
        "balloon": balloon.collect(reader, meminfo, page_bytes),
    }


def parse_meminfo(text):
    """{name: number} of /proc/meminfo, or of a node's meminfo (proc(5)).

    ``Active(anon): 4 kB`` becomes ``active_anon_bytes: 4096``; a line without
    a unit stays a count: ``HugePages_Free: 2`` becomes ``hugepages_free: 2``.
    """
    values = {}
    for line in (text or "").splitlines():
        name, _colon, rest = line.partition(":")
        fields = rest.split()
        if not fields or not fields[0].isdigit():
            continue
        name = name.split()[-1].replace("HugePages", "Hugepages").replace("(", "_").replace(")", "")
        name = _WORD_START.sub("_", name).lower()
        if fields[1:] == ["kB"]:
            values[name + "_bytes"] = int(fields[0]) * 1024
        else:
            values[name] = int(fields[0])
    return values


def parse_slabinfo(text, page_bytes):
    """The caches of /proc/slabinfo (slabinfo(5)), largest first.

    [{name, objects (in use), object_bytes, size_bytes (all slabs, used or not)}]
    """
    caches = []
    for line in (text or "").splitlines():
        fields = line.split()
        try:
            slabs = int(fields[fields.index("slabdata") + 2])
            caches.append(
                {
                    "name": fields[0],
                    "objects": int(fields[1]),
                    "object_bytes": int(fields[3]),
                    "size_bytes": slabs * int(fields[5]) * page_bytes,
                }
            )
        except (IndexError, ValueError):
            continue  # the two heading lines, or a line cut short
    caches.sort(key=lambda cache: cache["size_bytes"], reverse=True)
    return caches


def _ksm(reader, page_bytes):
    """Same-page merging: Documentation/admin-guide/mm/ksm.rst."""
    folder = "/sys/kernel/mm/ksm/"
    run = reader.number(folder + "run", expected=False)
    if run is None:
        return None
    return {
        "run": run,
        "pages_shared_bytes": _times(reader.number(folder + "pages_shared"), page_bytes),
        "pages_sharing_bytes": _times(reader.number(folder + "pages_sharing"), page_bytes),
    }


def _zswap(reader, meminfo, page_bytes):
    """Compressed cache in front of swap: Documentation/admin-guide/mm/zswap.rst."""
    folder = "/sys/module/zswap/parameters/"
    enabled = reader.text(folder + "enabled", 16, expected=False)
    if enabled is None:
        return None
    enabled = enabled.strip() in ("Y", "1")
    pool = meminfo.get("zswap_bytes")
    stored = meminfo.get("zswapped_bytes")
    if pool is None and enabled:
        # Before 5.19 /proc/meminfo has no Zswap lines.
        pool = reader.number("/sys/kernel/debug/zswap/pool_total_size", expected=False)
        stored = _times(reader.number("/sys/kernel/debug/zswap/stored_pages", expected=False), page_bytes)
    return {
        "enabled": enabled,
        "max_pool_percent": reader.number(folder + "max_pool_percent"),
        "compressor": (reader.text(folder + "compressor", 256) or "").strip() or None,
        "pool_bytes": pool,
        "stored_bytes": stored,
    }


def _nodes(reader):
    """One entry for each NUMA node that has memory or had it."""
    folder = "/sys/devices/system/node"
    nodes = []
    for name in reader.names(folder, expected=False):
        if not re.match(r"node\d+$", name):
            continue
        values = parse_meminfo(reader.text("%s/%s/meminfo" % (folder, name)))
        nodes.append(
            {
                "node": int(name[4:]),
                "total_bytes": values.get("mem_total_bytes"),
                "free_bytes": values.get("mem_free_bytes"),
                "file_bytes": values.get("file_pages_bytes"),
                "anon_bytes": values.get("anon_pages_bytes"),
            }
        )
    nodes.sort(key=lambda node: node["node"])
    return nodes


def _times(count, unit):
    return None if count is None else count * unit
