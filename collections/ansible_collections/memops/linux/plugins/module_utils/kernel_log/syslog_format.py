# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel lines in the files of a syslog daemon: RFC 3164 and RFC 3339 stamps."""

import calendar
import re
import time

TAG = b"kernel: "
_MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_DAY_SECONDS = 86400

_OLD = rb"(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) +(\d+) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?: (\d{4}))?"
_ISO = rb"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))? ?(Z|[+-]\d\d:?\d\d)?"
_STAMP = rb"(?:<\d+>(?:1 )?)?((?:" + re.sub(rb"\((?!\?)", b"(?:", _OLD) + b"|" + re.sub(rb"\((?!\?)", b"(?:", _ISO) + rb")) +"
# "host kernel: [  790.431234] text"; busybox has "kern.warn" before the tag, and host may be missing.
_LINE = _STAMP + rb"(?:(?!kernel: )[^\s:]+ +)?(?:[a-z]+\d?\.[a-z]+ +)?kernel: (?:\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?)?(.*)"


def parser(modified_at):
    """``(parse, stamp)`` for Scanner.

    modified_at: the file's mtime. A stamp without a year is the last such day
    before it; a stamp without an offset is in the host's time zone.
    """
    known = [None, None]  # neighbours share their second

    def seconds(text):
        if known[0] != text:
            known[:] = text, _seconds(text, modified_at)
        return known[1]

    def stamp(line):
        found = re.match(_STAMP, line)
        return seconds(found.group(1)) if found else None

    def parse(line):
        found = re.match(_LINE, line)
        if not found:
            return None
        text = found.group(2).decode("utf-8", "replace")
        if "#0" in text:  # rsyslog's escapes, as it writes messages that came through the journal
            text = text.replace("#012", "\n").replace("#011", "\t")
        return seconds(found.group(1)), text

    return parse, stamp


def _seconds(text, modified_at):
    try:
        found = re.match(_ISO, text)
        if found:
            return _of_iso(*found.groups())
        return _of_old(modified_at, *re.match(_OLD, text).groups())
    except (KeyError, ValueError, OverflowError):
        return None


def _of_iso(year, month, day, hour, minute, second, fraction, offset):
    fields = tuple(int(field) for field in (year, month, day, hour, minute, second))
    fraction = float(b"0." + (fraction or b"0"))
    if not offset:
        return time.mktime(fields + (0, 0, -1)) + fraction
    digits = offset[1:].replace(b":", b"") or b"0000"
    east = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return calendar.timegm(fields) + fraction - (-east if offset[:1] == b"-" else east)


def _of_old(modified_at, month, day, year, hour, minute, second, year_behind):
    year = year or year_behind
    rest = (_MONTHS[month], int(day), int(hour), int(minute), int(second), 0, 0, -1)
    if year:
        return time.mktime((int(year),) + rest)
    year = time.localtime(modified_at).tm_year
    at = time.mktime((year,) + rest)
    return at if at <= modified_at + _DAY_SECONDS else time.mktime((year - 1,) + rest)
