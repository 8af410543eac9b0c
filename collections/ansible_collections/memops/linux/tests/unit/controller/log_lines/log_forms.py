# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The recordings as other programs would have kept, shown, forwarded or quoted them.

A message is (uptime in seconds, text); further lines of one message stand
behind newlines. Each form is the one its program documents or writes.
"""

from __future__ import annotations

import datetime
import html
import json
import quopri
import re
import struct
import textwrap
from collections.abc import Callable

from ansible_collections.memops.linux.tests.unit.controller.events.recorded import recorded

BOOT = datetime.datetime(2026, 11, 20, 9, 0, 0, tzinfo=datetime.UTC)
Messages = list[tuple[float, str]]
_MONTHS_FR = {11: "nov.", 12: "déc."}
_MONTHS_RU = {11: "ноя", 12: "дек"}


def messages(name: str) -> Messages:
    """A recording's messages; a line without a stamp belongs to the one above."""
    found: Messages = []
    for line in recorded(name):
        if line.uptime_seconds is None and found:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line.text}")
        else:
            found.append((line.uptime_seconds or 0.0, line.text))
    return found


def at(uptime: float) -> datetime.datetime:
    return BOOT + datetime.timedelta(seconds=uptime)


def each_line(prefix: Callable[[float], str]) -> Callable[[Messages], str]:
    """A form that puts a prefix before each line, as rsyslog's kernel log module does."""
    return lambda said: "\n".join(prefix(uptime) + line for uptime, text in said for line in text.split("\n")) + "\n"


def each_message(prefix: Callable[[float], str]) -> Callable[[Messages], str]:
    """A form that indents the further lines of a message below its first one."""

    def written(said: Messages) -> str:
        lines = []
        for uptime, text in said:
            first = prefix(uptime)
            lines.append(first + text.replace("\n", "\n" + " " * len(first)))
        return "\n".join(lines) + "\n"

    return written


def _syslog(uptime: float) -> str:
    return f"{at(uptime):%b %e %H:%M:%S} web1 kernel: "


def _dmesg(uptime: float) -> str:
    return f"[{uptime:12.6f}] "


def _json(said: Messages, **more: str) -> str:
    return "".join(
        json.dumps(
            {
                "__REALTIME_TIMESTAMP": str(int(at(uptime).timestamp() * 1e6)),
                "__MONOTONIC_TIMESTAMP": str(int(uptime * 1e6)),
                "_TRANSPORT": "kernel",
                "SYSLOG_IDENTIFIER": "kernel",
                "_HOSTNAME": "web1",
                "MESSAGE": list(text.encode()) if "\x1b" in text else text,
                **more,
            }
        )
        + "\n"
        for uptime, text in said
    )


def _export(said: Messages) -> bytes:
    entries = []
    for uptime, text in said:
        entry = f"__CURSOR=s=1\n__REALTIME_TIMESTAMP={int(at(uptime).timestamp() * 1e6)}\n_TRANSPORT=kernel\n_HOSTNAME=web1\n".encode()
        data = text.encode()
        entry += b"MESSAGE\n" + struct.pack("<Q", len(data)) + data + b"\n" if b"\n" in data else b"MESSAGE=" + data + b"\n"
        entries.append(entry)
    return b"\n".join(entries)


def _verbose(said: Messages) -> str:
    return "".join(
        f"{at(uptime):%a %Y-%m-%d %H:%M:%S}.000001 UTC [s=0a1b;i=7;b=0c;m=1;t=2;x=3]\n    _TRANSPORT=kernel\n    _HOSTNAME=web1\n    MESSAGE={line}\n"
        for uptime, text in said
        for line in text.split("\n")
    )


def _docker_json(said: Messages) -> str:
    """A privileged container that prints the host's ring buffer, as the json-file driver keeps it."""
    return "".join(
        json.dumps({"message": _dmesg(uptime) + line, "time": f"{at(uptime):%Y-%m-%dT%H:%M:%S}.000000001Z"}) + "\n"
        for uptime, text in said
        for line in text.split("\n")
    )


def dmesg(said: Messages) -> str:
    return each_message(_dmesg)(said)


def _changed(change: Callable[[str], str], form: Callable[[Messages], str] = dmesg) -> Callable[[Messages], str]:
    return lambda said: "".join(change(line) + "\n" for line in form(said).splitlines())


def _wrapped(width: int) -> Callable[[Messages], str]:
    """As mail clients break lines: at blanks, and never within a word."""

    def written(said: Messages) -> str:
        lines = []
        for line in each_line(_dmesg)(said).splitlines():
            lines += textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True) or [""]
        return "\n".join(lines) + "\n"

    return written


FORMS: dict[str, Callable[[Messages], str | bytes]] = {
    "nothing": each_line(lambda uptime: ""),
    "dmesg": dmesg,
    "dmesg with callers": each_line(lambda uptime: f"[{uptime:12.6f}][  T788] "),
    "dmesg -x": each_line(lambda uptime: f"kern  :warn  : [{uptime:12.6f}] "),
    "dmesg -T": each_message(lambda uptime: f"[{at(uptime):%a %b %e %H:%M:%S %Y}] "),
    "dmesg --time-format iso": each_message(lambda uptime: f"{at(uptime):%Y-%m-%dT%H:%M:%S},{at(uptime):%f}+00:00 "),
    "dmesg -r": each_line(lambda uptime: f"<4>[{uptime:12.6f}] "),
    "syslog": each_line(_syslog),
    "syslog with uptime": each_line(lambda uptime: f"{_syslog(uptime)}[{uptime:12.6f}] "),
    "syslog without host": each_line(lambda uptime: f"{at(uptime):%b %d %H:%M:%S} kernel: "),
    "syslog with priority": each_line(lambda uptime: f"<4>{_syslog(uptime)}"),
    "syslog with year": each_line(lambda uptime: f"{at(uptime):%b %e %Y %H:%M:%S} web1 kernel: "),
    "syslog, high precision": each_line(lambda uptime: f"{at(uptime):%Y-%m-%dT%H:%M:%S.%f+00:00} web1 kernel: [{uptime:12.6f}] "),
    "rsyslog's escapes": lambda said: "".join(_syslog(uptime) + text.replace("\n", "#012") + "\n" for uptime, text in said),
    "RFC 5424": each_line(lambda uptime: f"<4>1 {at(uptime):%Y-%m-%dT%H:%M:%S.%fZ} web1 kernel - - - [{uptime:12.6f}] "),
    "RFC 5424 with data": each_line(lambda uptime: f'<4>1 {at(uptime):%Y-%m-%dT%H:%M:%SZ} web1 kernel - - [timeQuality tzKnown="1" isSynced="0"] '),
    "busybox": each_line(lambda uptime: f"{at(uptime):%b %e %H:%M:%S} web1 kern.warn kernel: [{uptime:12.6f}] "),
    "OpenWrt logread": each_line(lambda uptime: f"{at(uptime):%a %b %e %H:%M:%S %Y} kern.warn kernel: [{uptime:12.6f}] "),
    "a French locale": each_line(lambda uptime: f"{_MONTHS_FR[at(uptime).month]} {at(uptime):%d %H:%M:%S} web1 kernel: "),
    "a Russian locale": each_line(lambda uptime: f"{_MONTHS_RU[at(uptime).month]} {at(uptime):%d %H:%M:%S} web1 kernel: "),
    "metalog": each_line(lambda uptime: f"{at(uptime):%b %d %H:%M:%S} [kernel] [{uptime:12.6f}] "),
    "journalctl": each_message(_syslog),
    "journalctl -o short-precise": each_message(lambda uptime: f"{at(uptime):%b %d %H:%M:%S.%f} web1 kernel: "),
    "journalctl -o short-iso": each_message(lambda uptime: f"{at(uptime):%Y-%m-%dT%H:%M:%S+0000} web1 kernel: "),
    "journalctl -o short-full": each_message(lambda uptime: f"{at(uptime):%a %Y-%m-%d %H:%M:%S} CET web1 kernel: "),
    "journalctl -o short-monotonic": each_message(lambda uptime: f"[{uptime:12.6f}] web1 kernel: "),
    "journalctl -o short-unix": each_message(lambda uptime: f"{at(uptime).timestamp():.6f} web1 kernel: "),
    "journalctl -o json": _json,
    "journalctl -o export": _export,
    "journalctl -o verbose": _verbose,
    "container runtime": each_line(lambda uptime: f"{at(uptime):%Y-%m-%dT%H:%M:%S}.000000001Z stdout F [{uptime:12.6f}] "),
    "docker compose": each_line(lambda uptime: f"dmesg-1  | [{uptime:12.6f}] "),
    "JSON of an agent": _docker_json,
    "a platform's prefix": each_line(lambda uptime: f"{at(uptime):%Y-%m-%dT%H:%M:%S}.063 app[d8e1] sin [info] [{uptime:12.6f}] "),
    "a continuous integration's": each_line(lambda uptime: f"{at(uptime):%Y-%m-%dT%H:%M:%S}.0000000Z [{uptime:12.6f}] "),
    "a console's prompt": each_line(lambda uptime: f"web1 login: [{uptime:12.6f}] "),
    "colours": each_message(lambda uptime: f"\x1b[32m[{uptime:12.6f}] \x1b[0m"),
    "colours as text": each_line(lambda uptime: f"^[[32m[{uptime:12.6f}] ^[[0m"),
    "CRLF": lambda said: dmesg(said).replace("\n", "\r\n"),
    "a quoted mail": _changed(lambda line: "> " + line),
    "a mail quoted twice": _changed(lambda line: ">> " + line, each_line(_syslog)),
    "an indented paste": _changed(lambda line: "    " + line),
    "a telephone's caller": each_line(lambda uptime: f"<6>[{uptime:12.6f}] (2)[89:kswapd0]"),
    "another telephone's caller": each_line(lambda uptime: f"[{uptime:12.6f}] [3:        kswapd0:   89] "),
    "a first bracket that is lost": lambda said: dmesg(said).lstrip("[ "),
    "/dev/kmsg": each_line(lambda uptime: f"4,7,{round(uptime * 1e6)},-;"),
    "a page's code": _changed(lambda line: f"<p><code>{html.escape(line)}</code></p>"),
    "bold in a post": _changed(lambda line: f"**{line.strip()}**"),
    "a post with Markdown's escapes": _changed(lambda line: re.sub(r"([\[\]_*|])", r"\\\1", line)),
    "raw mail with encoded line ends": lambda said: quopri.encodestring(each_line(_dmesg)(said).encode()).replace(b"\n", b"=0A=\n").replace(b"==0A=\n", b"=\n"),
    "raw mail": lambda said: quopri.encodestring(each_line(_dmesg)(said).encode()),
    "a comment in source code": _changed(lambda line: "     * " + line),
    "a comment in a script": each_line(lambda uptime: f"# [{at(uptime):%a %b %e %H:%M:%S %Y}] "),
    "the kernel as a process": each_line(lambda uptime: f"{at(uptime):%b %e %H:%M:%S} web1 kernel[0]: "),
    "a host in brackets": each_line(lambda uptime: "[web1] kernel: "),
    "HTML": _changed(html.escape),
    "grep -n": lambda said: "".join(f"{number}:{line}\n" for number, line in enumerate(each_line(_syslog)(said).splitlines(), 1)),
    "grep -r": _changed(lambda line: "/var/log/kern.log.1:" + line, each_line(_syslog)),
    "UTF-16": lambda said: dmesg(said).encode("utf-16"),
    "a mail broken at 76": _wrapped(76),
    "a ticket broken at 100": _wrapped(100),
    "newest first": lambda said: "".join(line + "\n" for line in each_line(lambda uptime: f"{_syslog(uptime)}[{uptime:12.6f}] ")(said).splitlines()[::-1]),
}
