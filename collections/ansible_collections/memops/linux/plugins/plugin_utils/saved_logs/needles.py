# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The words by which lines worth reading are found, and the search for them."""

from __future__ import annotations

from collections.abc import Callable

#: At least one stands in each line that begins an event or is one by itself, in any log's format.
#: The longer and the rarer the better: each line that holds one is read, with those around it.
NEEDLES: tuple[bytes, ...] = (
    # the OOM killer's report, part by part, as its beginning may be lost
    b"oom-kill", b"Manual OOM exec", b"OOM request ", b"kB, failcnt ", b"Memory cgroup stats", b"as a result of limit", b"Mem-Info", b"Mem-info",
    b"total_vm", b"Tasks state", b"ut of memory", b"illed process ", b"ill process ", b"VM: killing process", b"oom_reaper: ", b"memory.oom.group",
    b"Kernel panic - not", b"lowmemorykiller: ",
    # what else the kernel says
    b" allocation ", b"vmalloc", b"allocate memory", b"segfault ", b" unhandled ", b"User process fault", b"general protection", b"] trap ",
    b"undefined instruction: ", b" nip ", b" memory corruption", b"for more than ", b"soft lockup", b"fork rejected", b"__vm_enough_memory",
    # user space
    b"OOM killer", b"code=killed", b"code=dumped", b"'core-dump'", b"due to memory ", b"due to swap ", b"oomd killed", b"ending SIG", b", badness: ",
    b" to the victim", b"viction manager", b"EvictionThresholdMet", b"low on resource", b"SystemOOM", b"OOMKilled", b"TaskOOM",
    b"ENOMEM", b"bad_alloc", b"MemoryError", b"exit status 137", b"code 137",
)  # fmt: skip


class Hits:
    """Where needles stand in ``data``, from ``position`` on; each is searched for once."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._find = _finder(data)
        self._next = {needle: place for needle in NEEDLES if (place := self._find(needle, position)) >= 0}

    def next(self, position: int) -> int | None:
        """The first place from ``position`` on, which must not fall; None if there is none."""
        for needle, place in list(self._next.items()):
            if place < position:
                place = self._next[needle] = self._find(needle, position)
                if place < 0:
                    del self._next[needle]
        return min(self._next.values(), default=None)


def _finder(data: bytes) -> Callable[[bytes, int], int]:
    """``data.find``, or the same at a sixth of the time."""
    strstr = _strstr()
    if strstr is None or b"\0" in data:
        return data.find
    # CPython ends each bytes object with a zero, which is where strstr stops.
    start = strstr(data, b"")

    def find(needle: bytes, position: int, _keeps_the_address_good: bytes = data) -> int:
        address = strstr(start + position, needle)
        return -1 if address is None else address - start

    return find


def _strstr() -> Callable[[int | bytes, bytes], int | None] | None:
    """glibc's, which compares many bytes at once, while those of other libraries are slower than ``bytes.find``."""
    if not _found:
        try:
            import ctypes

            library = ctypes.CDLL(None)
            library.gnu_get_libc_version  # noqa: B018 - other libraries lack it
            strstr = library.strstr
            strstr.argtypes, strstr.restype = (ctypes.c_void_p, ctypes.c_char_p), ctypes.c_void_p
        except (ImportError, OSError, AttributeError, TypeError):
            strstr = None
        _found.append(strstr)
    return _found[0]


_found: list = []
