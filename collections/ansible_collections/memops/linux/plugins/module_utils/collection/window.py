# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which sections to gather, and from when on: the module's words to plain values."""

import calendar
import re
import time

_AGE = re.compile(r"^(\d{1,6})\s*([smhdw])$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?Z?$")


def chosen(subset, names):
    """The sections that ``gather_subset`` means, as M(ansible.builtin.setup) reads it.

    subset: "all", names, and names with "!" in front to leave them out; only
        exclusions mean all others. names: the sections there are.
    Raises ValueError with the unknown word and the known ones.
    """
    wanted, unwanted = set(), set()
    for word in subset:
        name = word.lstrip("!")
        if name not in names and name != "all":
            raise ValueError("unknown subset %r: use all or any of %s, or !NAME to leave one out" % (word, ", ".join(names)))
        target = unwanted if word.startswith("!") else wanted
        target.update(names if name == "all" else (name,))
    if not wanted and "!all" not in subset:
        wanted = set(names)
    result = [name for name in names if name in wanted - unwanted]
    if not result:
        raise ValueError("the subset %s leaves nothing to gather" % ",".join(subset))
    return result


def seconds_back(since, now):
    """How many seconds before ``now`` the window begins.

    since: an age ("90m", "24h", "7d", "2w") or a UTC time ("2026-11-22",
        "2026-11-22T03:00", "2026-11-22 03:00:00Z").
    Raises ValueError for anything else, and for a time in the future.
    """
    text = since.strip()
    age = _AGE.match(text)
    if age:
        return int(age.group(1)) * _SECONDS[age.group(2)]
    stamp = _STAMP.match(text)
    if not stamp:
        raise ValueError("since %r is neither an age such as 24h or 7d nor a UTC time such as 2026-11-22T03:00" % since)
    clock = stamp.group(2) or "00:00"
    layout = "%Y-%m-%d %H:%M:%S" if clock.count(":") == 2 else "%Y-%m-%d %H:%M"
    seconds = now - calendar.timegm(time.strptime("%s %s" % (stamp.group(1), clock), layout))
    if seconds < 0:
        raise ValueError("since %r is in the future" % since)
    return seconds
