# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The stamps that logs put before their lines, as ISO 8601 UTC text.

A stamp without a year means the last such day before the log was written; one
without an offset is taken as UTC. Both are noted, for they are assumptions.
"""

from __future__ import annotations

import datetime
import re

#: By their first letters, in the languages of which people paste logs; four letters where three are two months.
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen янв sty oca led",
            "feb fév fev фев lut şub úno",
            "mar mär mrt мар bře",
            "apr avr abr апр kwi nis dub",
            "may mai mei mag maj мая май kvě",
            "jun juin giu июн cze haz",
            "jul juil lug июл lip tem",
            "aug aoû aou ago авг sie ağu srp",
            "sep set сен wrz eyl zář",
            "oct okt out ott окт paź eki říj",
            "nov ноя lis kas",
            "dec dez déc dic дек gru ara pro",
        ),
        1,
    )
    for name in names.split()
}
_FRACTION = r"(?:[.,](?P<fraction>\d{1,9}))?"
_TIME = rf"(?P<hour>\d\d?):(?P<minute>\d\d):(?P<second>\d\d){_FRACTION}"
_ZONE = r"(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)"
_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        # 2026-11-20T10:00:00.123456+02:00, 2026/11/20 10:00:00
        rf"(?:\w+ )?(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ]{_TIME} ?{_ZONE}?",
        # Fri Nov 20 10:00:00 2026, Nov 20 10:00:00, Nov 20 2026 10:00:00
        rf"(?:\w+[.,]? )?(?P<name>[^\W\d_]{{3,10}})\.? +(?P<day>\d\d?),? (?:(?P<year>\d{{4}}) )?{_TIME}"
        r"(?: (?:(?P<zone>UTC|GMT)|[A-Z]{2,5}|[+-]\d{4}))?(?: (?P<behind>\d{4}))?",
        # 20 Nov 2026 10:00:00, 20/Nov/2026:10:00:00 +0200
        rf"(?:\w+,? )?(?P<day>\d\d?)[ /](?P<name>[^\W\d_]{{3,10}})\.?[ /](?P<year>\d{{4}})[ :,]+{_TIME} ?{_ZONE}?",
        # the Chinese, Japanese or Korean month of dmesg -T
        rf"[^\d]{{0,8}}(?P<month>\d\d?)(?:月|월) +(?P<day>\d\d?)日? {_TIME}(?: (?P<behind>\d{{4}}))?",
        # klog 1120 10:00:00.123456, logcat 11-20 10:00:00.123
        rf"[IWEF]?(?P<month>\d\d)-?(?P<day>\d\d) {_TIME}",
    )
)
_DAY = datetime.timedelta(days=1)


class Clock:
    """The stamps of one log.

    without_year, without_zone: such stamps were met, and something was assumed.
    """

    def __init__(self, modified_at: float | None) -> None:
        moment = datetime.datetime.now(datetime.UTC) if modified_at is None else datetime.datetime.fromtimestamp(modified_at, datetime.UTC)
        self._newest = moment + _DAY
        self._known: tuple[str, str | None] = ("", None)  # neighbours share their second
        self.without_year = self.without_zone = False

    def iso(self, stamp: str) -> str | None:
        """ISO 8601 UTC, or None where the stamp says no day or is none."""
        if self._known[0] != stamp:
            self._known = (stamp, self._read(stamp))
        return self._known[1]

    def of_epoch(self, seconds: float) -> str | None:
        """Of seconds since the epoch."""
        try:
            return _text(datetime.datetime.fromtimestamp(seconds, datetime.UTC))
        except (ValueError, OverflowError, OSError):
            return None

    def _read(self, stamp: str) -> str | None:
        for form in _FORMS:
            found = form.match(stamp)
            if found is not None:
                try:
                    return _text(self._moment(found.groupdict()))
                except (ValueError, OverflowError):
                    return None
        return None

    def _moment(self, part: dict[str, str | None]) -> datetime.datetime:
        name = part.get("name")
        month = (_MONTHS.get(name[:3].lower()) or _MONTHS.get(name[:4].lower())) if name else int(part["month"] or 0)
        if month is None:
            raise ValueError(name)
        microsecond = int(((part["fraction"] or "") + "000000")[:6])
        clock = (int(part["hour"] or 0), int(part["minute"] or 0), int(part["second"] or 0), microsecond)
        year = part.get("year") or part.get("behind")
        day = int(part["day"] or 0)
        if year:
            moment = datetime.datetime(int(year), month, day, *clock, tzinfo=datetime.UTC)
        else:
            self.without_year = True
            moment = self._latest(month, day, clock)
        zone = part.get("zone")
        if not zone:
            self.without_zone = True
        elif zone[0] in "+-":
            digits = zone[1:].replace(":", "")
            offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            moment = moment + offset if zone[0] == "-" else moment - offset
        return moment

    def _latest(self, month: int, day: int, clock: tuple[int, int, int, int]) -> datetime.datetime:
        for year in range(self._newest.year, self._newest.year - 9, -1):
            try:
                moment = datetime.datetime(year, month, day, *clock, tzinfo=datetime.UTC)
            except ValueError:  # 29 February
                continue
            if moment <= self._newest:
                return moment
        raise ValueError("no such day")


def _text(moment: datetime.datetime) -> str:
    text = moment.replace(tzinfo=None).isoformat()
    return text + "Z"
