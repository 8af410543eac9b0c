# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel messages in, excerpts out: one excerpt is what the kernel printed on one memory event.

An OOM report runs from its header over call trace, memory totals and task
table to the kill lines; parts of it may be lost, other CPUs print in between,
and the next report may follow at once. This works on any iterable of
``(time, text)``: a live host's log or a saved one.
"""

import collections

from . import phrases
from .shortening import EXCERPT_BYTES, shortened

GAP_SECONDS = {"body": 60, "tail": 60, "hung_task": 2, "soft_lockup": 2}
#: Lines after which an event is over, though nothing said so.
BODY_LINES = {"oom_report": 1500, "hung_task": 60, "soft_lockup": 60}
OTHER_BODY_LINES = 400
PANIC_LINES = 40
ROW_LINES = 40000
#: Foreign lines that may stand between two lines of a report that is at its end.
FOREIGN_LINES = 32
RECENT_EVENTS = 4

#: time: seconds, or None; lines: [(time, text)]; keys: texts that tell this event from others;
#: unfinished: the log ended before the report did; headless: its begin is not there;
#: repeats: how many events like it were left out after it.
Excerpt = collections.namedtuple("Excerpt", "kind time lines omitted_lines where keys unfinished headless repeats")

_NEAR_END = frozenset(("row", "constraint"))
_STRONG = frozenset(("header", "constraint", "memcg", "table", "killed", "killing", "spared", "group", "no_victim", "panic", "request"))
_ALONE = {"killed": "kill", "killing": "kill", "spared": "kill", "group": "kill", "sharing": "kill", "reaper": "reaped"}
_ALONE.update(no_victim="no_victim", panic="panic", request="oom_request", suppressed="suppressed")
_KEYS = frozenset(("constraint", "killed", "killing", "spared"))


def select(records, budget_bytes=EXCERPT_BYTES):
    """Yield an Excerpt for each memory event in ``records``, in the log's order.

    records: ``(time, text)`` or ``(time, text, where)``; time in seconds on any
        clock, or None; text as phrases.role takes it; where is kept from
        the event's first line.
    """
    selector = Selector(budget_bytes)
    for record in records:
        yield from selector.feed(*record)
    yield from selector.finish()


class Selector:
    """The state between two lines of one log."""

    def __init__(self, budget_bytes=EXCERPT_BYTES):
        self._budget_bytes = budget_bytes
        self._event = None
        self._recent = []  # closed events, held back for a late line of the OOM reaper
        self._finished = []

    @property
    def open(self):
        """Whether the next line may belong to an event that has begun."""
        return self._event is not None

    def feed(self, time, text, where=None):
        """Take one message; return the excerpts that it completes."""
        if self._event and self._event.over_at(time):
            self._close()
        role = phrases.role(text)
        if role is None:
            if self._event and not self._event.take_foreign(time, text):
                self._close()
        elif role in phrases.SINGLE:
            kind = "vmalloc_failure" if role == "vmap_full" else role
            self._finished.append(_Event(kind, time, text, role, where).excerpt(self._budget_bytes))
        elif role in phrases.BLOCK:
            self._take_block(time, text, role, where)
        elif role == "reaper":
            self._reaped(time, text, where)
        elif self._event and self._event.accepts(role):
            self._event.take(time, text, role)
        else:
            self._begin(_ALONE.get(role, "oom_report"), time, text, role, where)
        return self._take_finished()

    def finish(self):
        """The log ended: return what is left."""
        if self._event:
            self._close(unfinished=self._event.stage == "body")
        while self._recent:
            self._release()
        return self._take_finished()

    def _begin(self, kind, time, text, role, where):
        if self._event:
            self._close()
        self._event = _Event(kind, time, text, role, where)

    def _take_block(self, time, text, role, where):
        kind = "allocation_failure" if role == "slab_failure" else role
        event = self._event
        if event and event.kind == "oom_report" and event.stage == "body":
            # Another CPU's: its lines cannot be told from the report's, its first one can.
            self._finished.append(_Event(kind, time, text, role, where).excerpt(self._budget_bytes))
        elif event and event.kind == kind and role == "slab_failure" and role not in event.roles:
            event.take(time, text, role)
        else:
            self._begin(kind, time, text, role, where)

    def _reaped(self, time, text, where):
        pid = phrases.victim(text)
        events = ([self._event] if self._event else []) + self._recent[::-1]
        for event in events:
            if pid in event.victims:
                event.take(time, text, "reaper")
                return
        if self._event and self._event.accepts("reaper"):
            self._event.take(time, text, "reaper")
        else:
            self._begin("reaped", time, text, "reaper", where)

    def _close(self, unfinished=False):
        event, self._event = self._event, None
        if event.kind != "suppressed" and (event.kind != "oom_report" or event.roles & _STRONG):
            event.unfinished = unfinished
            self._recent.append(event)
        while len(self._recent) > RECENT_EVENTS:
            self._release()

    def _release(self):
        self._finished.append(self._recent.pop(0).excerpt(self._budget_bytes))

    def _take_finished(self):
        finished, self._finished = self._finished, []
        return finished


class _Event:
    """An event that is being read.

    stage: "lead" (lines that announce a report), "body", "tail" (the kill line
    was there: a few more may follow), "panic" (the kernel's last words follow).
    """

    def __init__(self, kind, time, text, role, where):
        self.kind, self.where = kind, where
        self.headless = kind == "oom_report" and role != "header"
        self.lines = []
        self.roles = set()
        self.victims = set()
        self.unfinished = False
        self._foreign = []
        self._others = self._rows = self._unkept = 0
        self._last = None
        lead = kind in ("suppressed", "oom_request")
        self.stage = "lead" if lead else "body" if kind == "oom_report" or kind in phrases.BLOCK else "tail"
        self.take(time, text, role)

    def over_at(self, time):
        if time is None or self._last is None:
            return False
        gap = GAP_SECONDS.get(self.kind) or GAP_SECONDS["tail" if self.stage == "tail" else "body"]
        return not -gap <= time - self._last <= gap

    def accepts(self, role):
        """Whether a line of this role continues the event; if not, it begins the next one."""
        if self.stage == "lead":
            return role in ("header", "panic", "no_victim", "killed", "killing", "request", "suppressed")
        if self.kind in phrases.BLOCK:
            return role in ("mem_info", "totals")
        if self.kind == "reaped":
            return False
        if role in ("no_victim", "panic"):
            return True
        if self.stage == "body":
            return role not in ("header", "request", "suppressed")
        if role in ("killed", "spared"):
            return "group" in self.roles or ("killed" not in self.roles and "killing" in self.roles)
        return role in ("group", "sharing", "reaper")

    def take(self, time, text, role):
        if role == "row" and self._rows >= ROW_LINES:
            self._unkept += 1
            return
        self.lines += self._foreign
        self._foreign = []
        self._add(time, text, role)
        self.roles.add(role)
        if role == "row":
            self._rows += 1
        elif role == "header":
            self.kind, self.stage = "oom_report", "body"
        elif role in ("killed", "killing", "spared", "no_victim", "panic"):
            if self.stage == "lead":
                self.kind = _ALONE[role]
            self.stage = "panic" if role == "panic" else "tail"
            self._others = 0
        elif role in ("totals", "slab_failure") and self.kind in phrases.BLOCK:
            self.stage = "tail"
        if role in ("killed", "killing", "spared"):
            self.victims.add(phrases.victim(text))

    def take_foreign(self, time, text):
        """Take a line that may or may not belong here; False when the event must be over."""
        if text.startswith("\n"):  # the rest of a message that is here
            (self._foreign or self.lines).append((time, text, None))
            return True
        if self.stage == "panic" or (self.stage == "body" and not self.roles & _NEAR_END):
            self._others += 1
            self._add(time, text, None)
            return self._others < (PANIC_LINES if self.stage == "panic" else BODY_LINES.get(self.kind, OTHER_BODY_LINES))
        self._foreign.append((time, text, None))
        return len(self._foreign) <= FOREIGN_LINES

    def _add(self, time, text, role):
        self.lines.append((time, text, role))
        if time is not None:
            self._last = time

    def excerpt(self, budget_bytes):
        split = [(time, part, role) for time, text, role in self.lines for part in text.split("\n") if part]
        kept, omitted = shortened(split, budget_bytes, self.victims)
        first = next((time for time, _text, _role in split if time is not None), None)
        lines = [line[:2] for line in kept]
        omitted += self._unkept
        return Excerpt(self.kind, first, lines, omitted, self.where, self._keys(split), self.unfinished, self.headless, 0)

    def _keys(self, lines):
        """Texts that no other event of this host has, as far as the event has any."""
        keys = [" ".join(text.split()) for _time, text, role in lines if role in _KEYS]
        if not keys:
            keys = [" ".join("".join(text for _time, text, _role in lines[:2]).split())]
        return frozenset(keys)
