# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The processes that hold the memory, and how many there are of each name.

One pass reads a single file per process and keeps only the largest; these are
then described in full. A process that ends meanwhile is left out.
"""

import heapq
import os
import re

from ..collection import redact
from ..collection.identity import utc
from . import cgroup_owner

DROPPABLE = ("by_name", "largest")

LARGEST = 30
NAMES = 25
COMMAND_LINE_CHARACTERS = 300
PSS_LARGEST = 5
#: smaps_rollup walks page tables under the process's mmap_lock: 10 to 60 ms
#: per GiB of 4 KiB pages. So the largest together get no more than this.
PSS_WALK_BYTES = 2 << 30
#: Swap in use below this share of it is what any host has after a while.
SWAP_MATTERS = 0.01

_KERNEL_THREAD = 0x00200000  # PF_KTHREAD of include/linux/sched.h
_ESCAPED = re.compile(r"\\([n\\])")
_VM_SWAP = re.compile(br"^VmSwap:\s*(\d+) kB", re.M)
_KB_LINE = re.compile(r"^(\w+):\s*(\d+) kB$", re.M)
_HIDEPID = re.compile(r"^\S+ /proc proc \S*hidepid=(?!0|off)", re.M)
_UIDS = re.compile(r"^Uid:\s*(\d+)", re.M)


def parse_stat(data):
    """The fields of /proc/PID/stat (bytes) that are used here, or None.

    {name, state, ppid, kernel_thread, threads, start_ticks, rss_pages}. The name
    may hold blanks and brackets; the kernel writes a newline in it as ``\\n``.
    """
    opened = data.find(b"(")
    closed = data.rfind(b")")
    fields = data[closed + 1 :].split(None, 22)
    if opened < 0 or len(fields) < 22:
        return None
    name = data[opened + 1 : closed].decode("utf-8", "replace")
    if "\\" in name:
        name = _ESCAPED.sub(lambda found: "\n" if found.group(1) == "n" else "\\", name)
    try:
        flags, threads, start, rss = int(fields[6]), int(fields[17]), int(fields[19]), int(fields[21])
        return {
            "name": name,
            "state": fields[0].decode("ascii", "replace"),
            "ppid": int(fields[1]),
            "kernel_thread": bool(flags & _KERNEL_THREAD),
            "threads": threads,
            "start_ticks": start,
            "rss_pages": max(0, rss),
        }
    except ValueError:
        return None


def parse_status(text):
    """{uid, <each kB line's name>: bytes} of /proc/PID/status; uid is the real one."""
    fields = {name: int(kilobytes) * 1024 for name, kilobytes in _KB_LINE.findall(text)}
    uids = _UIDS.search(text)
    fields["uid"] = int(uids.group(1)) if uids else None
    return fields


def parse_limits(text):
    """The soft limits of /proc/PID/limits: {address_space_bytes, locked_bytes}, each int | "max" | None."""
    return {"address_space_bytes": _limit(text, "Max address space"), "locked_bytes": _limit(text, "Max locked memory")}


def parse_cgroup(text):
    """(memory cgroup's path, path that systemd gave) from /proc/PID/cgroup; each str or None.

    The two differ where cgroup v1 accounts memory for fewer units than exist.
    """
    memory = unified = named = None
    for line in text.split("\n"):
        _number, _colon, rest = line.partition(":")
        controllers, _colon, path = rest.partition(":")
        if path.endswith(" (deleted)"):
            path = path[: -len(" (deleted)")]
        if not path:
            continue
        if not controllers:
            unified = path
        elif controllers == "name=systemd":
            named = path
        elif "memory" in controllers.split(","):
            memory = path
    return memory or unified, named or unified


def collect(reader, request):
    """The section ``processes``; count and threads are without kernel threads."""
    swapped = _swap_matters(reader.text("/proc/meminfo", 65536))
    if os.geteuid() != 0 and _HIDEPID.search(reader.text("/proc/self/mounts") or ""):
        reader.note("/proc", "mounted with hidepid: processes of other users do not show")
    census = _Census(reader, request.page_bytes, bool(swapped))
    largest = heapq.nlargest(LARGEST, census.walk())
    boot = _boot_time(reader.text("/proc/stat"))
    pss_left = PSS_WALK_BYTES if os.geteuid() == 0 else 0
    entries = []
    for rank, (_held, _tie, pid, folder, stat) in enumerate(largest):
        rss = stat["rss_pages"] * request.page_bytes
        # A process in an uninterruptible wait may hold the lock that the walk needs.
        walk = rank < PSS_LARGEST and rss <= pss_left and stat["state"] != "D"
        entry = _describe(reader, pid, folder, stat, rss, boot, walk)
        if entry:
            entries.append(entry)
            pss_left -= rss if walk else 0
    seen = census.count + census.kernel_threads
    return {
        "count": census.count if seen else None,
        "threads": census.threads if seen else None,
        "kernel_threads": census.kernel_threads if seen else None,
        "swapped": swapped,
        "largest": entries,
        "by_name": census.names(request.page_bytes),
    }


class _Census:
    """One pass over all processes: totals, sums by name, and what each holds."""

    def __init__(self, reader, page_bytes, with_swap):
        self.count = self.threads = self.kernel_threads = 0
        self._by_name = {}
        self._reader = reader
        self._page_bytes = page_bytes
        self._with_swap = with_swap

    def walk(self):
        """Yield (bytes held, tie-breaker, pid, folder, stat) of each process."""
        for pid in self._reader.names("/proc"):
            if not pid.isdigit():
                continue
            folder = "/proc/" + pid
            stat = self._stat(folder)
            if not stat:
                continue
            if stat["kernel_thread"]:
                self.kernel_threads += 1
                continue
            self.count += 1
            self.threads += stat["threads"]
            if stat["state"] == "Z" and stat["threads"] > 1:
                folder, stat = self._living_thread(folder, stat)
            rss = stat["rss_pages"]
            sums = self._by_name.setdefault(stat["name"], [0, 0])
            sums[0] += 1
            sums[1] += rss
            held = rss * self._page_bytes
            if self._with_swap:
                status = self._reader.data(folder + "/status", 16384, expected=False)
                swap = _VM_SWAP.search(status or b"")
                held += int(swap.group(1)) * 1024 if swap else 0
            yield held, -int(pid), int(pid), folder, stat

    def _stat(self, folder):
        data = self._reader.data(folder + "/stat", 4096, expected=False)
        return parse_stat(data) if data else None

    def _living_thread(self, folder, stat):
        """The first thread still there of a process whose main thread has ended.

        Such a process looks like an empty zombie, but its memory is in use.
        """
        for tid in self._reader.names(folder + "/task", expected=False)[:64]:
            thread = folder + "/task/" + tid
            alive = self._stat(thread)
            if alive and alive["state"] != "Z":
                return thread, dict(alive, name=stat["name"], threads=stat["threads"])
        return folder, stat

    def names(self, page_bytes):
        """The names with most memory and with most processes; most memory first."""
        by_rss = heapq.nlargest(NAMES, self._by_name.items(), key=lambda item: (item[1][1], item[0]))
        by_count = heapq.nlargest(NAMES, self._by_name.items(), key=lambda item: (item[1][0], item[0]))
        chosen = {}
        for rank in range(len(by_rss)):
            for name, sums in (by_rss[rank], by_count[rank]):
                if len(chosen) < NAMES:
                    chosen[name] = sums
        ordered = sorted(chosen.items(), key=lambda item: (-item[1][1], -item[1][0], item[0]))
        return [{"name": name, "count": sums[0], "rss_bytes": sums[1] * page_bytes} for name, sums in ordered]


def _describe(reader, pid, folder, stat, rss, boot, walk):
    status_text = reader.text(folder + "/status", 16384, expected=False)
    if not status_text:
        return None
    status = parse_status(status_text)
    cgroup, systemd_path = parse_cgroup(reader.text(folder + "/cgroup", 65536, expected=False) or "")
    rollup = reader.text(folder + "/smaps_rollup", 8192, expected=False) if walk else None
    argv = reader.data(folder + "/cmdline", expected=False)
    started = None if boot is None else utc(boot + stat["start_ticks"] / float(os.sysconf("SC_CLK_TCK")))
    return {
        "pid": pid,
        "ppid": stat["ppid"],
        "name": stat["name"],
        "uid": status["uid"],
        "command_line": redact.command_line(argv)[:COMMAND_LINE_CHARACTERS] if argv else None,
        "state": stat["state"],
        "started_at": started,
        "rss_bytes": rss,
        "pss_bytes": parse_status(rollup).get("Pss") if rollup else None,
        "anon_bytes": status.get("RssAnon"),
        "file_bytes": status.get("RssFile"),
        "shmem_bytes": status.get("RssShmem"),
        "swap_bytes": status.get("VmSwap"),
        "peak_rss_bytes": status.get("VmHWM"),
        "locked_bytes": status.get("VmLck"),
        "page_tables_bytes": status.get("VmPTE"),
        "oom_score": reader.number(folder + "/oom_score", expected=False),
        "oom_score_adj": reader.number(folder + "/oom_score_adj", expected=False),
        "cgroup": cgroup,
        "unit": cgroup_owner.unit(systemd_path) or cgroup_owner.unit(cgroup),
        "container_id": cgroup_owner.container_id(cgroup) or cgroup_owner.container_id(systemd_path),
        "limits": parse_limits(reader.text(folder + "/limits", 8192, expected=False) or ""),
    }


def _limit(text, name):
    found = re.search(r"^%s\s+(\d+|unlimited)\s" % name, text, re.M)
    if not found:
        return None
    return "max" if found.group(1) == "unlimited" else int(found.group(1))


def _swap_matters(meminfo):
    """Whether more than SWAP_MATTERS of the swap is in use; None where that is not known."""
    sizes = dict(_KB_LINE.findall(meminfo or ""))
    if "SwapTotal" not in sizes or "SwapFree" not in sizes:
        return None
    total, free = int(sizes["SwapTotal"]), int(sizes["SwapFree"])
    return total - free > total * SWAP_MATTERS


def _boot_time(stat):
    """Seconds since the epoch at which the kernel started (btime of /proc/stat), or None."""
    found = re.search(r"^btime (\d+)$", stat or "", re.M)
    return int(found.group(1)) if found else None
