# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Takes the prefix off a log's line: whoever wrote, kept, forwarded or quoted the log put something before it.

The parts come in any number and order (quote marks, grep's file and number, a
platform's stamp, syslog's, the kernel's own), so they are peeled one at a time
until the message is left.
"""

from __future__ import annotations

import functools
import html
import re
from typing import NamedTuple

from .stamps import Clock

KERNEL = "kernel"
_MOST_PARTS = 12


class Message(NamedTuple):
    """One line without its prefix.

    program: who wrote it; None if the prefix does not say. sure: the prefix has
    the form of a system log, so that ``program`` is no guess from the text.
    of_ring_buffer: only the kernel's own stamp is there (dmesg), where any text
    is the kernel's or was written to /dev/kmsg by root.
    time: ISO 8601 UTC. moment: (kind of stamp, value), where values of one kind
    compare, to see which way the log runs.
    """

    text: str
    time: str | None = None
    uptime_seconds: float | None = None
    program: str | None = None
    pid: int | None = None
    host: str | None = None
    unit: str | None = None
    sure: bool = False
    of_ring_buffer: bool = False
    stamped: bool = False
    moment: tuple[str, str | float] | None = None


_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]{0,20}[A-Za-z]|[()][A-Z0-9]|[=>78DEMc])|\^\[\[[0-9;]{0,20}m|(?:\\e|\\033|\\x1b|#033)\[[0-9;]{0,20}m")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|\ufeff")
#: What a page's or a post's mark leaves behind a line.
_CLOSING = re.compile(r"(?:\*\*|`|</?(?:code|pre|p|br|div|li|td|tt|span|blockquote|samp)\b[^<>]{0,20}>){1,8}$")
#: Markdown's escapes; a log of its own has none of the two that every report would show.
_ESCAPED = re.compile(r"\\([\[\]_*#|()<>~.-])")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d{1,5});")

_LEVEL = r"(?:emerg|alert|crit(?:ical)?|err(?:or)?|warn(?:ing)?|notice|info|debug)"
_FACILITY = r"(?:kern|user|mail|daemon|auth|authpriv|syslog|lpr|news|uucp|cron|ftp|local\d)"
#: What stands before a stamp, or between two, and says nothing of the message.
_JUNK = re.compile(
    r"(?:"
    r"[>|»](?: ?[>|»])*[ \t]?"  # quoted mail, a table's cell
    r"|<\d{1,3}>(?:1 (?=\d{4}-))?"  # syslog's priority, with RFC 5424's version
    r"|\d{1,8}[:\-](?=[ \t]{0,8}[A-Z<\[>]|\d{4}-\d\d-\d\d[T ])"  # grep -n
    r"|(?:\.{0,2}/[\w./~+@-]{1,200}|[\w./-]{0,100}log/[\w./+@-]{1,100}|(?:messages|syslog|kern\.log|dmesg|journal)[\w.-]{0,80}"
    r"|[\w-]{1,80}\.(?:log|txt|gz)[\w.-]{0,20})[:\-](?:\d{1,8}[:\-])?(?=[ \t]{0,2}[A-Z\d<\[])"  # grep -H
    rf"|(?:[\w.-]{{1,64}}:[ \t]+(?={_FACILITY}[ \t]*:[ \t]*{_LEVEL}[ \t]*:))"  # talosctl's, of several nodes
    rf"|{_FACILITY}\.{_LEVEL}[ \t]+|{_FACILITY}[ \t]*:[ \t]*{_LEVEL}[ \t]*:[ \t]?"  # busybox, dmesg -x
    r"|(?:stdout|stderr) [FP] "  # CRI
    r"|[\w.-]{1,64}[ \t]*\|[ \t](?=.{0,3}[\[\d<A-Z])"  # docker compose
    r"|\*[ \t]+|(?:[-+#]|//)[ \t]+(?=\[ *[\dA-Z]|[A-Z][a-z]{2} [ \d]\d \d\d:)|`+(?=\[ *\d)"  # a list's, a comment's or code's mark
    r"|(?:#|//)[ \t]+(?=(?:Memory cgroup o|O)ut of memory(?:: Kill| and no killable)|Kernel panic - not syncing: |oom-kill:constraint=)"
    r"|[\w.-]{1,64} login: ?(?=\[ *\d)"  # a console's prompt
    r"|</?(?:code|pre|p|br|div|li|td|tt|span|blockquote|samp)\b[^<>]{0,80}>|\*\*(?=[\w\[])"  # a page's marks
    r")"
)
#: "INFO: task x blocked" is the kernel's own word.
_AFTER_STAMP = re.compile(
    r"(?:\[ *[TC]\d+\]|\[ *\d{1,3}: *[^\]:]{1,32}: *\d{1,10}\]|(?:<\d>)?\.?\(\d{1,3}\)\[\d{1,10}:[^\]]{1,40}\]"  # the last two are vendors'
    r"|c\d{1,2} (?=(?!invoked |cpuset=)[^ :\[]{1,15}[ :\[])"  # another's, with the CPU
    rf"|(?!(?-i:INFO: (?:task|rcu)))\[?{_LEVEL}\]?:?(?=[ \t])|\[{_LEVEL}\]|{_FACILITY}\.{_LEVEL}(?=[ \t])|,|:(?=[ \t]))[ \t]*",
    re.IGNORECASE,
)

_CLOCK_TIME = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_OFFSET = r"(?: ?(?:Z|[+-]\d\d:?\d\d)(?![\d:]))?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
#: In the language of whoever set the locale: "avril", "Okt.", "апр".
_ANY_MONTH = r"[^\W\d_]{3,10}\.?"
_STAMP = re.compile(
    r"\d{1,3},\d{1,19},(?P<kmsg>\d{1,16}),[-cf+](?:,[\w,=-]{1,60})?;"
    r"|\[ *(?P<uptime>\d{1,10}\.\d{1,9})(?: *<[^>\]]{0,20}>)?\]"
    r"|\[?(?P<wall>(?<=\[)[^\[\]]{0,24}\d\d:\d\d:\d\d[^\[\]]{0,20}(?=\])|[^\[\]\x00-\x7f][^\[\]]{0,20}\d\d:\d\d:\d\d \d{4}(?=\]))\]"
    rf"|\[?(?P<iso>(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK_TIME}{_OFFSET})"
    r"(?: UTC| GMT| [A-Z]{3,4}(?= [\w.-]+ [\w.()-]+(?:\[\d+\])?:))?\]?:?"
    rf"|\[?(?P<old>(?:\w{{3}},? )?{_MONTH} {{1,2}}\d{{1,2}},? (?:\d{{4}} )?{_CLOCK_TIME}(?: \d{{4}})?)(?: UTC| GMT)?\]?(?=[\s:,])"
    rf"|(?P<local>{_ANY_MONTH} {{1,2}}\d{{1,2}} {_CLOCK_TIME})(?=[\s:,])"
    rf"|(?P<day_first>(?:\w{{3}},? )?\d{{1,2}}[ /]{_MONTH}[ /]\d{{4}}[ :]{_CLOCK_TIME}{_OFFSET})"
    rf"|(?P<klog>[IWEF]\d{{4}} {_CLOCK_TIME}) +\d+ [\w./-]+:\d+\]"
    rf"|(?P<logcat>\d\d-\d\d {_CLOCK_TIME})(?: +\d+ +\d+ [VDIWEF])?(?= )"
    r"|(?P<epoch>1\d{9}\.\d{3,9})(?=[:\s])"
    rf"|(?P<clock>{_CLOCK_TIME})(?: [AP]M)?(?=[\s:,])"
    r"|(?P<bare>\d{1,9}\.\d{6})(?:\](?=[ \t])|(?=:? ))"
)
#: Nothing to peel but dmesg's stamp, if no tag follows: a row of the task table, or words without the signs that a prefix has.
_NO_WORD_OF_A_PREFIX = rf"(?!(?i:{_LEVEL}|{_FACILITY}|messages|dmesg|journal|std(?:out|err))\b|[^ ]{{0,30}}log\b|.{{0,30}}\d:\d\d)"
_PLAIN = re.compile(
    r"(?:\[ *(\d{1,10}\.\d{1,9})\][ \t]*)?"
    rf"(\[ *\d{{1,10}}\] +\d[^|<>]*|(?=[A-Za-z_?]){_NO_WORD_OF_A_PREFIX}[^|<>\[\]*]*)$"
)
#: By far the most lines of a report in a syslog; a sixth of the time of peeling them.
_SYSLOG_OF_KERNEL = re.compile(
    r"((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d)( [^\s:\[\]]{1,255} kernel: )\[ *(\d{1,10}\.\d{6})\](?=[ \t\S])[ \t]*"
)
_TAG = re.compile(r"(?:(?P<host>[^\s:\[\]]{1,255})[ \t]+)?(?P<program>[^\s:\[\]]{1,64})(?:\[(?P<pid>\d{1,10})\])?:(?=[ \t]|$)[ \t]?")
_KERNEL_TAG = re.compile(r"(?:\[?(?P<host>[^\s:\[\]]{1,255})\]?[ \t]+)?kernel(?:\[\d{1,10}\])?:[ \t]?")
_LEVEL_NAME = re.compile(rf"(?:{_FACILITY}\.)?{_LEVEL}$", re.IGNORECASE)
_JOURNAL_TAG = re.compile(r"(?P<host>[^\s:\[\]]{1,255})[ \t]+(?P<program>[^\s:\[\]]{1,64})\[(?P<pid>\d{1,10})\]:[ \t]")
_RFC_5424 = re.compile(r"(?P<host>\S{1,255}) (?P<program>\S{1,48}) (?P<pid>-|\d{1,10}) \S{1,32} (?:-|\[[^\]]{0,500}\]) ?")
_FAR_UPTIME = re.compile(r"[^\"'=]{0,100}?(?<=[\s\]])\[ *(?P<uptime>\d{1,10}\.\d{6})\] ?")


def cleaned(line: str) -> str:
    """The line without a terminal's escapes, control characters and HTML's names for signs."""
    if "\x1b" in line or "^[" in line or "033" in line or "\\e[" in line or "\\x1b" in line:
        line = _ESCAPES.sub("", line)
    if not line.isprintable():
        line = _CONTROL.sub("", line.expandtabs())
    if "&" in line and _ENTITY.search(line):
        line = html.unescape(line)
    if "\\_" in line or "\\[" in line:
        line = _ESCAPED.sub(r"\1", line)
    if "#01" in line:  # rsyslog's signs for a newline and a tab
        line = line.replace("#012", "\n").replace("#011", "\t")
    line = line.replace("\xa0", " ").rstrip()
    if line.endswith(("**", "`", ">")):
        found = _CLOSING.search(line, max(0, len(line) - 120))
        line = line[: found.start()] if found is not None else line
    return line


def message(line: str, clock: Clock) -> Message:
    """The line's message; ``line`` is cleaned."""
    text = line.lstrip()
    if ": " not in text and text[-1:] != ":":
        found = _PLAIN.match(text)
        if found is not None:
            uptime = float(found[1]) if found[1] else None
            stamped = uptime is not None
            return Message(found[2], None, uptime, None, None, None, None, False, stamped, stamped, ("uptime", uptime) if stamped else None)
    found = _SYSLOG_OF_KERNEL.match(text)
    if found is not None:
        host = _host_between(found[2])
        if host is not None and _AFTER_STAMP.match(text, found.end()) is None:
            uptime = float(found[3])
            said = text[found.end() :].strip()
            return Message(said, clock.iso(found[1]), uptime, KERNEL, None, host, None, True, False, True, ("uptime", uptime))
    return _Peeling(text, clock).result()


@functools.lru_cache(maxsize=64)
def _host_between(between: str) -> str | None:
    """The host between the two stamps of a kernel's line in a syslog, if peeling part by part finds nothing else there."""
    found = _Peeling(f"Nov 20 10:00:00{between}[    1.000000] x", Clock(None)).result()
    plain = Message("x", found.time, 1.0, KERNEL, None, found.host, None, True, False, True, ("uptime", 1.0))
    return found.host if found == plain else None


class _Peeling:
    """One line while its prefix is taken off."""

    def __init__(self, text: str, clock: Clock) -> None:
        self.text, self.clock = text, clock
        self.time: str | None = None
        self.uptime: float | None = None
        self.moment: tuple[str, str | float] | None = None
        self.program: str | None = None
        self.pid: int | None = None
        self.host: str | None = None
        self.sure = self.stamped = self.kernel_stamp = False

    def result(self) -> Message:
        for _part in range(_MOST_PARTS):
            if self.program is not None or (self.stamped and self._kernel_tag()) or not (self._junk() or self._stamp()):
                break
        if self.program is None:
            self._tag()
        if self.program == KERNEL:
            self._stamp_of_kernel()
        elif self.program is None and self.uptime is None:
            self._far_uptime()
        return Message(
            self.text.strip(),
            self.time,
            self.uptime,
            self.program,
            self.pid,
            self.host,
            None,
            self.sure,
            self.kernel_stamp and self.program is None,
            self.stamped,
            self.moment,
        )

    def _cut(self, end: int) -> bool:
        self.text = self.text[end:].lstrip()
        return True

    def _junk(self) -> bool:
        if self.text[:1] == "[":  # a stamp, if anything
            return False
        found = _JUNK.match(self.text)
        return found is not None and self._cut(found.end())

    def _stamp(self) -> bool:
        found = _STAMP.match(self.text)
        if found is None:
            return False
        kind = found.lastgroup
        stamp = found[kind]
        if kind == "uptime":
            self.uptime = float(stamp)
            self.kernel_stamp = True
        elif kind == "kmsg":  # a record of /dev/kmsg: level, sequence, microseconds, flags
            self.uptime = int(stamp) / 1e6
            self.kernel_stamp = True
        elif kind == "epoch":
            self.time = self.clock.of_epoch(float(stamp))
        elif kind == "bare":
            self.uptime = float(stamp)
            self.kernel_stamp |= found[0].endswith("]")  # dmesg's, whose beginning was not selected
        elif kind != "clock" or self.time is None:
            self.time = self.clock.iso(stamp) or self.time
            self.kernel_stamp |= kind == "wall" or ("," in stamp and kind == "iso")
        if self.uptime is not None:
            self.moment = "uptime", self.uptime
        elif self.moment is None and self.time is not None:
            self.moment = "time", self.time
        elif self.moment is None and kind == "clock":
            self.moment = kind, stamp
        self.stamped = True
        self._cut(found.end())
        if kind == "klog":
            self.program, self.sure = "", True  # some Go program
        while (more := _AFTER_STAMP.match(self.text)) is not None:
            self._cut(more.end())
        return True

    def _kernel_tag(self) -> bool:
        found = _KERNEL_TAG.match(self.text) if KERNEL in self.text else None
        if found is None or (found["host"] and _LEVEL_NAME.match(found["host"])):
            return False
        self._named(found, KERNEL, None)
        return True

    def _tag(self) -> None:
        if self._kernel_tag():
            return
        if self.kernel_stamp:
            found = _JOURNAL_TAG.match(self.text)
            if found is not None and self.uptime is not None and self.time is None:
                self._named(found, found["program"], int(found["pid"]))
        elif self.stamped:
            found = _RFC_5424.match(self.text)
            if found is not None:
                self._named(found, found["program"], None if found["pid"] == "-" else int(found["pid"]))
                return
            found = _TAG.match(self.text)
            if found is not None and (found["host"] or found["pid"]):
                self._named(found, found["program"], int(found["pid"]) if found["pid"] else None)

    def _named(self, found: re.Match[str], program: str, pid: int | None) -> None:
        self.program, self.pid, self.host = program, pid, found["host"]
        self.sure = True
        self._cut(found.end())

    def _stamp_of_kernel(self) -> None:
        """After syslog's "kernel: " the kernel's own stamp may follow, and the caller's id."""
        found = _STAMP.match(self.text)
        if found is not None and found["uptime"]:
            self.uptime = float(found["uptime"])
            self.moment = "uptime", self.uptime
            self._cut(found.end())
            more = _AFTER_STAMP.match(self.text)
            if more is not None and more[0].startswith("["):
                self._cut(more.end())
        self.stamped = True

    def _far_uptime(self) -> None:
        """Behind a prefix of no known form the kernel's own stamp still shows where its message begins."""
        found = _FAR_UPTIME.match(self.text)
        if found is not None:
            self.uptime = float(found["uptime"])
            self.kernel_stamp = self.stamped = True
            self.moment = "uptime", self.uptime
            self._cut(found.end())


def tag_in_text(text: str) -> tuple[str, int | None, str] | None:
    """(program, pid, message) of a line whose prefix is gone or is the ring buffer's: "systemd[1]: x.service: ..."."""
    found = _TAG.match(text)
    if found is None or found["host"]:
        return None
    return found["program"], int(found["pid"]) if found["pid"] else None, text[found.end() :]
