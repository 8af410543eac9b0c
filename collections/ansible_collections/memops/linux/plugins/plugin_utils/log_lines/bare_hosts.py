# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Syslog lines of which the tag "kernel:" is lost: "Nov 20 10:00:00 web1 Mem-Info:".

A single such line cannot be told from one without a host. In many the same
first word, with ever other words behind it, is the host's name.
"""

from __future__ import annotations

import re

from .prefix import Message
from .records import Record

_HOST = re.compile(r"([A-Za-z][\w.-]{0,254})[ \t]+(?=(\S+))")
_LEAST_LINES, _LEAST_WORDS = 4, 3
#: The kernel's words with a colon behind them, which look like a program's name.
_WORDS = frozenset(
    ("Mem-Info", "Mem-info", "DMA", "DMA32", "Normal", "HighMem", "Movable", "memory", "memory+swap", "kmem", "swap", "CPU", "Pid")
    + ("RIP", "RSP", "Code", "INFO", "BUG", "SLUB", "SLAB", "oom-killer", "oom_reaper", "watchdog", "sysrq", "traps")
)


def without_hosts(records: list[Record]) -> list[Record]:
    """The records, with the host taken off the messages where it can be told; each run of one first word by itself."""
    kept: list[Record] = []
    run: list[Record] = []
    host: str | None = None
    for record in records:
        if _has_no_tag(record.message):
            found = _HOST.match(record.message.text)
            first = found[1] if found is not None else None
            if first != host:
                kept += _without_host(run, host)
                run, host = [], first
        run.append(record)
    return kept + _without_host(run, host)


def _without_host(run: list[Record], host: str | None) -> list[Record]:
    if host is None:
        return run
    found = [_HOST.match(record.message.text) for record in run if _has_no_tag(record.message)]
    tagged = [record.message.program for record in run if _is_word_of_kernel(record.message, host)]
    if len(found) + len(tagged) < _LEAST_LINES or len({*tagged, *(each[2] for each in found if each is not None)}) < _LEAST_WORDS:
        return run
    return [Record(record.number, _of_host(record.message, host)) for record in run]


def _of_host(said: Message, host: str) -> Message:
    if _has_no_tag(said):
        return said._replace(text=said.text.removeprefix(host).lstrip(), host=host)
    if _is_word_of_kernel(said, host):
        return said._replace(text=f"{said.program}: {said.text}".rstrip(), program=None, sure=False)
    return said


def _is_word_of_kernel(said: Message, host: str) -> bool:
    return said.host == host and said.program in _WORDS and said.pid is None


def _has_no_tag(said: Message) -> bool:
    """Stamped with a time of day, and nobody is named."""
    return said.stamped and said.moment is not None and said.program is None and said.host is None and said.uptime_seconds is None and bool(said.text)
