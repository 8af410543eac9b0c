# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a sosreport holds: which of its files are logs, and what the others tell of the host.

A sosreport is a folder or an archive that `sos report` wrote: copies of files
at their own paths, and the output of commands below sos_commands (sos 3 and 4).
"""

from __future__ import annotations

import re
from typing import Any

from ...module_utils.host.memory import parse_meminfo
from ...module_utils.host.swap import parse_swaps
from ...module_utils.host.tunables import KERNEL_KEYS
from ...module_utils.host.vmstat import GAUGES
from ...module_utils.host.vmstat import parse as parse_vmstat

FACT_BYTES = 4 << 20
LOGS = 500
#: group 1: the log whose rotated forms follow each other; where there is none, each file is a log of its own.
_LOGS = re.compile(
    r"var/log/(messages|syslog|kern\.log)(?:[-.][\w.-]*)?$"
    r"|var/log/dmesg[^/]*$"
    r"|sos_commands/logs/journalctl_[^/]*$"
    r"|sos_commands/[^/]+/dmesg[^/]*$"
    r"|sos_strings/[^/]+/(?:var\.log\.(?:messages|syslog|kern\.log|dmesg)|journalctl_|dmesg)[^/]*$"
    r"|var/crash/(?:.{0,200}/)?vmcore-dmesg[^/]*$"
    r"|(?:sys/fs/pstore|var/lib/systemd/pstore)/(?:.{0,200}/)?(?:dmesg|console)[^/]*$"
)
_NO_LOGS = re.compile(r"journalctl_.*--(?:disk-usage|list-boots|header|verify|fields|version)")
_FACTS = {
    "etc/hostname": "hostname",
    "hostname": "hostname",
    "sos_commands/host/hostname": "hostname",
    "sos_commands/general/hostname": "hostname",
    "proc/sys/kernel/hostname": "hostname",
    "uname": "uname",
    "sos_commands/kernel/uname_-a": "uname",
    "proc/meminfo": "meminfo",
    "proc/vmstat": "vmstat",
    "proc/swaps": "swaps",
    "free": "free",
    "sos_commands/memory/free": "free",
    "sos_commands/kernel/sysctl_-a": "sysctl",
}
FACT_PATHS = tuple(_FACTS)
_PAGE_BYTES_OF = {"x86_64": 4096, "i386": 4096, "i586": 4096, "i686": 4096, "s390x": 4096, "armv7l": 4096, "armv6l": 4096}
_PAGE_SIZES = (4096, 16384, 65536)
#: The same amount in pages (proc/vmstat) and in bytes (proc/meminfo), read moments apart.
_IN_PAGES_AND_BYTES = (("nr_page_table_pages", "page_tables_bytes"), ("nr_anon_pages", "anon_pages_bytes"), ("nr_mapped", "mapped_bytes"))
_HOSTNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}$")


def log_family(path: str) -> str | None:
    """Which log a file of a sosreport is, or belongs to; None for all others. path: below the sosreport's top."""
    found = _LOGS.match(path)
    if not found or _NO_LOGS.search(path):
        return None
    return found.group(1) or path


def fact_name(path: str) -> str | None:
    """Under which name `evidence` takes a file's text; None for all others."""
    return _FACTS.get(path)


def hostname(texts: dict[str, str]) -> str | None:
    """The host's own name, if its file holds one."""
    words = texts.get("hostname", "").split()
    if words and _HOSTNAME.match(words[0]):
        return words[0]
    words = texts.get("uname", "").split()
    return words[1] if len(words) > 2 and words[0] == "Linux" and _HOSTNAME.match(words[1]) else None


def evidence(texts: dict[str, str]) -> dict[str, Any]:
    """Sections of an evidence document from the texts that a sosreport holds; only what they say.

    kernel: {release, version, machine, page_bytes, command_line}; memory:
    {meminfo, vmstat}; swap; tunables: {values}.
    """
    memory = parse_meminfo(texts.get("meminfo")) or _free(texts.get("free", ""))
    pages = _counts(texts.get("vmstat", ""))
    kernel = _uname(texts.get("uname", ""))
    page_bytes = _page_bytes(kernel.get("machine"), memory, pages)
    told: dict[str, Any] = {}
    if kernel or page_bytes:
        unsaid = {"release": None, "version": None, "machine": None}
        told["kernel"] = {**unsaid, **kernel, "page_bytes": page_bytes, "command_line": None}
    if memory or pages:
        told["memory"] = {"meminfo": memory, "vmstat": _vmstat(texts.get("vmstat", ""), page_bytes)}
    if "swaps" in texts:
        told["swap"] = parse_swaps(texts["swaps"])
    if "sysctl" in texts:
        told["tunables"] = {"values": _sysctl(texts["sysctl"]), "files": []}
    return told


def _uname(text: str) -> dict[str, str]:
    """uname -a: Linux NAME RELEASE VERSION... MACHINE [PROCESSOR PLATFORM] GNU/Linux."""
    words = text.split()
    if len(words) < 6 or words[0] != "Linux":
        return {}
    after = words[3:-1] if words[-1].endswith("Linux") else words[3:]
    machine = after[-1]
    while len(after) > 2 and after[-2] == machine:
        after = after[:-1]
    return {"release": words[2], "version": " ".join(after[:-1]), "machine": machine}


def _counts(text: str) -> dict[str, int]:
    fields = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in fields if len(words) == 2 and words[1].isdigit() and len(words[1]) < 30}


def _page_bytes(machine: str | None, memory: dict[str, int], pages: dict[str, int]) -> int | None:
    """By the architecture where it has one size only, else where two counts of the same thing agree on one."""
    if machine in _PAGE_BYTES_OF:
        return _PAGE_BYTES_OF[machine]
    said = set()
    for in_pages, in_bytes in _IN_PAGES_AND_BYTES:
        if pages.get(in_pages, 0) >= 1000 and memory.get(in_bytes):
            ratio = memory[in_bytes] / pages[in_pages]
            said.update(size for size in _PAGE_SIZES if abs(ratio - size) < size * 0.2)
    return said.pop() if len(said) == 1 else None


def _vmstat(text: str, page_bytes: int | None) -> dict[str, Any]:
    counters = parse_vmstat(text)
    told: dict[str, Any] = {"events": {name: count for name, count in counters.items() if name not in GAUGES}, "rates_per_second": {}}
    for gauge in GAUGES:
        pages = counters.get(gauge)
        told[gauge.removeprefix("nr_") + "_bytes"] = None if pages is None or page_bytes is None else pages * page_bytes
    return told


def _free(text: str) -> dict[str, int]:
    """free, whose rows have kibibytes without a unit of their own: total used free shared buff/cache available."""
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
    head = next((line.split() for line in text.splitlines() if line.split()[:2] == ["total", "used"]), [])
    told = {}
    for row, column, name in (
        ("Mem:", "total", "mem_total_bytes"),
        ("Mem:", "free", "mem_free_bytes"),
        ("Mem:", "available", "mem_available_bytes"),
        ("Swap:", "total", "swap_total_bytes"),
        ("Swap:", "free", "swap_free_bytes"),
    ):
        values = rows.get(row, [])
        place = head.index(column) if column in head else len(values)
        if place < len(values) and values[place].isdigit():
            told[name] = int(values[place]) * 1024
    return told


def _sysctl(text: str) -> dict[str, str]:
    """The keys that evidence keeps, fields apart by one blank as there."""
    values = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        key = key.strip()
        if equals and (key.startswith("vm.") or (key.startswith("kernel.") and key[7:] in KERNEL_KEYS)):
            values[key] = " ".join(value.split())
    return values
