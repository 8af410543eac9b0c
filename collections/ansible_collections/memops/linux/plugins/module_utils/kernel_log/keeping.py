# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is kept of a log's events while it is read: bounded, whatever the log holds."""

import collections
import re

from .shortening import size

#: Of events that are alike, as many of the first and as many of the last are kept.
ALIKE = 25
ALIKE_KINDS = 200
_OF_THE_KILLER = frozenset(("oom_report", "kill", "panic", "no_victim", "oom_request", "reaped"))

#: What one log gave. source, path: as in the evidence; family: what is one log under several paths;
#: scanner: its counts; excerpts: in the log's order; dropped: how many older ones were too many.
Log = collections.namedtuple("Log", "source path family scanner excerpts dropped")


class Kept:
    """Excerpts of one log, added in its order.

    since: seconds since the epoch; older events are left out.
    limit_bytes: the oldest events are dropped above it, and counted in ``dropped``.
    Crashes and other lines that repeat by the thousand are thinned: the last
    of the first ones says in ``repeats`` how many like it were left out.
    """

    def __init__(self, since, limit_bytes):
        self.dropped = 0
        self.bytes = 0
        self.since, self._limit_bytes = since, limit_bytes
        self._events = collections.OrderedDict()
        self._alike = {}
        self._number = 0

    def add(self, excerpts):
        """Take more excerpts."""
        for excerpt in excerpts:
            if excerpt.time is not None and excerpt.time < self.since:
                continue
            self._number += 1
            self._events[self._number] = excerpt
            self.bytes += size(excerpt.lines)
            if excerpt.kind not in _OF_THE_KILLER:
                self._thin(excerpt)
            while self.bytes > self._limit_bytes and len(self._events) > 1:
                self._drop(next(iter(self._events)))
                self.dropped += 1

    def excerpts(self):
        """What was kept, in the order it came."""
        return list(self._events.values())

    def log(self, source, path, scanner, family=None):
        """The Log of what was kept."""
        return Log(source, path, family or path, scanner, self.excerpts(), self.dropped)

    def _drop(self, number):
        self.bytes -= size(self._events.pop(number).lines)

    def _thin(self, excerpt):
        key = (excerpt.kind, re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", excerpt.lines[0][1][:200]))
        if key not in self._alike and len(self._alike) >= ALIKE_KINDS:
            key = (excerpt.kind, "")
        first, last = self._alike.setdefault(key, ([], collections.deque()))
        if len(first) < ALIKE:
            first.append(self._number)
            return
        last.append(self._number)
        if len(last) > ALIKE:
            number = last.popleft()
            if number in self._events and first[-1] in self._events:
                left_out = self._events[number].repeats + 1
                self._drop(number)
                anchor = self._events[first[-1]]
                self._events[first[-1]] = anchor._replace(repeats=anchor.repeats + left_out)
