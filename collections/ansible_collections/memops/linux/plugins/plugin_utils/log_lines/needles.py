# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The words by which lines worth reading are found, and the search for them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

#: By a rare word that stands in each of them, without which none of them is looked for; or by none.
_BY_WORD: dict[bytes, tuple[bytes, ...]] = {
    b"": (
        # the OOM killer's report, part by part, as its beginning may be lost
        b"kB, failcnt ", b"Memory cgroup stats", b"as a result of limit", b"total_vm", b"Tasks state", b"ut of memory", b"Kernel panic - not",
        # what else the kernel says
        b" allocation ", b"vmalloc", b"allocate memory", b"segfault ", b"unhandled ", b"User process fault", b"general protection", b"] trap ",
        b"undefined instruction: ", b" nip ", b" memory corruption", b"INFO: task ", b"soft lockup", b"fork rejected", b"__vm_enough_memory",
        # user space
        b"due to memory ", b"due to swap ", b"Run the command: ", b"), uid ", b"signal 9", b" to reclaim", b"Usage of EmptyDir", b"ENOMEM", b"bad_alloc",
        b"MemoryError", b"quota vastly exceeded", b"insufficient memory for", b" 137", b"=137", b":137", b"(137", b'"137',
    ),
    b"kill": (b"oom-kill", b"killed process ", b"kill process ", b"killing process", b"lowmemorykiller: ", b"code=killed", b"oomd kill", b"signal: killed",
              b"killed  ", b"oom_kill event"),
    b"Kill": (b"Killed", b"Kill process ", b"Killing process"),
    b"oom": (b"oom_reaper: ", b"memory.oom.group", b"container oom ", b"sys oom event"),
    b"OOM": (b"Manual OOM exec", b"OOM request ", b"OOM killer", b"OOM received", b"System OOM enc", b"OOMKilled", b"TaskOOM", b"an OOM event"),
    b"SIG": (b"ending SIG", b"SIGKILL", b" SIGTERM to ", b"SIGKILL to cgroup"),
    b"dump": (b"dump_header", b"code=dumped", b"'core-dump'"),
    b"Mem-": (b"Mem-Info", b"Mem-info"),
    b"vict": (b"evicted successfully", b"Evicted", b" to the victim"),
    b"The node ": (b"The node was low on", b"The node had condition"),
    b"ephemeral ": (b"ephemeral local storage", b"local ephemeral storage"),
}  # fmt: skip
#: Needles that are not rare enough by themselves, and what must stand there.
_EXIT_137 = re.compile(rb'(?i)(?:exit|code|return|status)[^\n]{0,40}[ :=("]137(?!\d)')
_CHECKED_BEFORE, _CHECKED_AFTER = 48, 5
#: At least one stands in each line that begins an event or is one by itself, in any log's format.
#: The longer and the rarer the better: each line that holds one is read, with those around it.
NEEDLES: tuple[bytes, ...] = tuple(itertools.chain.from_iterable(_BY_WORD.values()))


#: (place, needle) -> the needle's next place, or None.
_Search = Callable[[int, bytes], int | None]


class Hits:
    """Where needles stand in ``data``, from ``position`` on; each is searched for once."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data  # whose address is used
        self._search, self._start = _searching(data)
        search, start = self._search, self._start + position
        self._next: dict[bytes, int] = {}
        for word, group in _BY_WORD.items():
            if not word or search(start, word) is not None:
                for needle in group:
                    if search(start, needle) is not None:
                        self._find(needle, position)

    def next(self, position: int) -> int | None:
        """The first place from ``position`` on, which must not fall; None if there is none."""
        for needle, place in list(self._next.items()):
            if place < position:
                self._find(needle, position)
        return min(self._next.values(), default=None)

    def _find(self, needle: bytes, position: int) -> None:
        found = self._search(self._start + position, needle)
        if needle.endswith(b"137"):
            while found is not None and not self._is_exit(found - self._start):
                found = self._search(found + len(needle), needle)
        if found is None:
            self._next.pop(needle, None)
        else:
            self._next[needle] = found - self._start

    def _is_exit(self, place: int) -> bool:
        return _EXIT_137.search(self._data, max(0, place - _CHECKED_BEFORE), place + _CHECKED_AFTER) is not None


def _searching(data: bytes) -> tuple[_Search, int]:
    """A search of ``data`` from any place on, and which place is its beginning: strstr, or as good as it at six times the cost."""
    strstr = _strstr()
    if strstr is not None and b"\0" not in data:
        # CPython ends each bytes object with a zero, which is where strstr stops.
        return strstr, strstr(data, b"")

    def find(start: int, needle: bytes) -> int | None:
        place = data.find(needle, start)
        return None if place < 0 else place

    return find, 0


def _strstr() -> _Search | None:
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
