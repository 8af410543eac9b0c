# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What decisions need to know of a host: its memory, its promises, its kernel, and what its tunables are now."""

import collections
import os
import re

from ..host import zones

#: The sockets of what runs containers: a host that has one is a container host, whatever its profile.
CONTAINER_SOCKETS = (
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/podman/podman.sock",
)
LOW_ZONES = ("DMA", "DMA32", "Normal")
SYSCTL_FOLDER = "/proc/sys/"

#: kernel: (major, minor). Sizes in bytes. dirtyable: free memory and file cache, of which dirty ratios are a share.
#: low_memory: of the zones that the kernel itself can use.
#: khugepaged: whether it runs, and so has its say in min_free_kbytes. containers: the CONTAINER_SOCKETS that are there.
Host = collections.namedtuple(
    "Host",
    "release kernel page_bytes memory_bytes available_bytes low_memory_bytes dirtyable_bytes swap_bytes committed_bytes zones"
    " khugepaged huge_page_bytes hugetlb_page_bytes hugetlb_bytes containers command_line",
)


def read(reader, page_bytes=None):
    """The Host. reader: a Reader."""
    page_bytes = page_bytes or os.sysconf("SC_PAGE_SIZE")
    memory = meminfo(reader.text("/proc/meminfo") or "")
    release = (reader.text("/proc/sys/kernel/osrelease") or "").strip()
    low = [zone for zone in zones.parse_zoneinfo(reader.text("/proc/zoneinfo", 4 << 20, expected=False), page_bytes) if zone["zone"] in LOW_ZONES]
    total = memory.get("MemTotal", 0)
    thp = chosen(reader.text("/sys/kernel/mm/transparent_hugepage/enabled", 256, expected=False))
    return Host(
        release=release,
        kernel=kernel_version(release),
        page_bytes=page_bytes,
        memory_bytes=total,
        available_bytes=memory.get("MemAvailable", memory.get("MemFree", 0)),
        low_memory_bytes=sum(zone["managed_bytes"] or 0 for zone in low) or total,
        dirtyable_bytes=sum(memory.get(name, 0) for name in ("MemFree", "Active(file)", "Inactive(file)")),
        swap_bytes=memory.get("SwapTotal", 0),
        committed_bytes=memory.get("Committed_AS", 0),
        zones=len(low) or 1,
        khugepaged=thp not in (None, "never"),
        huge_page_bytes=reader.number("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", expected=False) or 2 << 20,
        hugetlb_page_bytes=memory.get("Hugepagesize", 2 << 20),
        hugetlb_bytes=memory.get("Hugetlb", memory.get("HugePages_Total", 0) * memory.get("Hugepagesize", 0)),
        containers=tuple(path for path in CONTAINER_SOCKETS if os.path.exists(reader.path(path))),
        command_line=reader.text("/proc/cmdline", 8192, expected=False) or "",
    )


def meminfo(text):
    """{name: bytes, or a count where the line has no unit} of /proc/meminfo (proc(5))."""
    values = {}
    for line in text.splitlines():
        name, _colon, rest = line.partition(":")
        fields = rest.split()
        if fields and fields[0].isdigit():
            values[name] = int(fields[0]) * (1024 if fields[1:] == ["kB"] else 1)
    return values


def kernel_version(release):
    """(major, minor) of ``6.1.0-56-cloud-amd64``; (0, 0) where it cannot be told."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def path_of(key, entry):
    """Where the kernel shows the tunable."""
    return entry.get("path") or SYSCTL_FOLDER + key.replace(".", "/")


def running(reader, catalogue):
    """{key: text, or None where this kernel does not have it} for each key of the catalogue."""
    values = {}
    for key, entry in catalogue.items():
        values[key] = shown(reader.text(path_of(key, entry), 4096, expected=False), entry)
    return values


def shown(text, entry):
    """What the kernel's file says, in the form in which values are compared; None for nothing."""
    if text is None:
        return None
    if entry["type"] == "switch":
        return {"1": "Y", "0": "N"}.get(text.strip(), text.strip())
    return chosen(text) or " ".join(text.split())


def chosen(text):
    """The word in brackets, which is how sysfs shows the choice among several; None without."""
    found = re.search(r"\[([^\]]+)\]", text or "")
    return found.group(1) if found else None
