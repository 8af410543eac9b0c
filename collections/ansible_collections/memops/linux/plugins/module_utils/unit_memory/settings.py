# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The settings of a unit that bear on memory: their names, their values, and where the kernel shows them."""

import collections
import re

INFINITY = "infinity"
#: At and above this a limit of cgroup v1 means none: the kernel shows 2^63 rounded down to a page.
V1_NO_LIMIT_BYTES = (1 << 63) - (1 << 20)
#: What a limit must at least be; below it no program starts.
LEAST_LIMIT_BYTES = 1 << 20

#: option: of the module. property: of systemd. sort: how its value is read. since: the systemd that brought it.
#: kinds: of units that have it. v2, v1: its file in the unit's cgroup, None where there is none.
Setting = collections.namedtuple("Setting", "option property sort since kinds v2 v1 default danger reference")

_BOTH, _SERVICE = ("service", "slice"), ("service",)
_LIMITS = "systemd.resource-control(5)"

SETTINGS = collections.OrderedDict(
    (one.property, one)
    for one in (
        Setting(
            "oom_score_adjust",
            "OOMScoreAdjust",
            "score",
            0,
            _SERVICE,
            None,
            None,
            "0",
            "A protected process that grows makes the kernel kill everything else first; -1000 is never killed.",
            "systemd.exec(5): OOMScoreAdjust=",
        ),
        Setting(
            "oom_policy",
            "OOMPolicy",
            "policy",
            243,
            _SERVICE,
            "memory.oom.group",
            None,
            "stop, and continue where Delegate= is on",
            "stop ends the whole service when one of its processes is killed; kill kills all of them at once.",
            "systemd.service(5): OOMPolicy=",
        ),
        Setting(
            "memory_max_bytes",
            "MemoryMax",
            "memory",
            231,
            _BOTH,
            "memory.max",
            "memory.limit_in_bytes",
            INFINITY,
            "At this limit the unit is OOM-killed, even if the host has memory left.",
            _LIMITS + ": MemoryMax=",
        ),
        Setting(
            "memory_high_bytes",
            "MemoryHigh",
            "memory",
            231,
            _BOTH,
            "memory.high",
            None,
            INFINITY,
            "Above it the unit is slowed and reclaimed from; far below its need it hardly moves.",
            _LIMITS + ": MemoryHigh=",
        ),
        Setting(
            "memory_low_bytes",
            "MemoryLow",
            "memory",
            231,
            _BOTH,
            "memory.low",
            None,
            "0",
            "What one unit keeps the others have not.",
            _LIMITS + ": MemoryLow=",
        ),
        Setting(
            "memory_min_bytes",
            "MemoryMin",
            "memory",
            240,
            _BOTH,
            "memory.min",
            None,
            "0",
            "It is never reclaimed: too much of it makes the host OOM-kill.",
            _LIMITS + ": MemoryMin=",
        ),
        Setting(
            "memory_swap_max_bytes",
            "MemorySwapMax",
            "memory",
            232,
            _BOTH,
            "memory.swap.max",
            None,
            INFINITY,
            "With 0 the unit meets its limit without having swapped.",
            _LIMITS + ": MemorySwapMax=",
        ),
        Setting(
            "managed_oom_swap",
            "ManagedOOMSwap",
            "word",
            247,
            _BOTH,
            None,
            None,
            "auto",
            "systemd-oomd kills below it when swap runs out.",
            _LIMITS + ": ManagedOOMSwap=",
        ),
        Setting(
            "managed_oom_memory_pressure",
            "ManagedOOMMemoryPressure",
            "word",
            247,
            _BOTH,
            None,
            None,
            "auto",
            "systemd-oomd kills below it when work there waits for memory too long.",
            _LIMITS + ": ManagedOOMMemoryPressure=",
        ),
        Setting(
            "managed_oom_memory_pressure_limit",
            "ManagedOOMMemoryPressureLimit",
            "share",
            248,
            _BOTH,
            None,
            None,
            "0%, which is that of oomd.conf",
            "Low values kill what is merely busy.",
            _LIMITS + ": ManagedOOMMemoryPressureLimit=",
        ),
        Setting(
            "managed_oom_preference",
            "ManagedOOMPreference",
            "word",
            248,
            _BOTH,
            None,
            None,
            "none",
            "What is left out leaves fewer that can be chosen.",
            _LIMITS + ": ManagedOOMPreference=",
        ),
        Setting(
            "tasks_max",
            "TasksMax",
            "tasks",
            227,
            _BOTH,
            "pids.max",
            "pids.max",
            "15 % of the kernel's limit",
            "At the limit fork() fails with EAGAIN.",
            _LIMITS + ": TasksMax=",
        ),
    )
)
OPTIONS = {one.option: one for one in SETTINGS.values()}
WORDS = {
    "OOMPolicy": ("continue", "stop", "kill"),
    "ManagedOOMSwap": ("auto", "kill"),
    "ManagedOOMMemoryPressure": ("auto", "kill"),
    "ManagedOOMPreference": ("none", "avoid", "omit"),
}

_SIZE = re.compile(r"(\d{1,19})([KMGT]?)\Z")
_SHARE = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?%\Z")


class Memory(collections.namedtuple("Memory", "ram_bytes page_bytes")):
    """What sizes are measured by: the RAM that the kernel manages, and a page."""

    def share(self, permyriad):
        """Bytes of so many ten-thousandths of RAM, as systemd counts them: in whole pages."""
        return self.ram_bytes // self.page_bytes * permyriad // 10000 * self.page_bytes


def value(name, text, memory):
    """What a setting's text in a unit file means: bytes, a number, "infinity" or a word; None for "" (not set).

    Raises ValueError, whose text names what is accepted.
    """
    setting, text = SETTINGS[name], text.strip()
    if text == "":
        return None
    if setting.sort == "memory":
        return _memory(text, memory)
    if setting.sort == "score":
        if not re.match(r"[+-]?\d{1,4}\Z", text) or not -1000 <= int(text) <= 1000:
            raise ValueError("%r is no number from -1000 to 1000" % text)
        return int(text)
    if setting.sort == "tasks":
        if text == INFINITY:
            return INFINITY
        if not re.match(r"\d{1,10}\Z", text) or int(text) < 1:
            raise ValueError("%r is neither a number of tasks nor infinity" % text)
        return int(text)
    if setting.sort == "share":
        return permyriad(text)
    if text not in WORDS[name]:
        raise ValueError("%r is none of %s" % (text, ", ".join(WORDS[name])))
    return text


def _memory(text, memory):
    if text == INFINITY:
        return INFINITY
    size = _SIZE.match(text)
    if size:
        return int(size.group(1)) << {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[size.group(2)]
    if text.endswith("%"):
        return memory.share(permyriad(text))
    raise ValueError("%r is no size: bytes as 536870912, 512M or 2G, a share of RAM as 25%%, or infinity" % text)


def permyriad(text):
    """Ten-thousandths of a percentage, at most 10000. Raises ValueError."""
    found = _SHARE.match(text)
    number = int(found.group(1)) * 100 + int((found.group(2) or "").ljust(2, "0")) if found else 10001
    if number > 10000:
        raise ValueError("%r is no percentage from 0%% to 100%%" % text)
    return number


def shown_value(name, text):
    """The same of what ``systemctl show`` prints; None where it prints nothing that is understood."""
    setting, text = SETTINGS[name], (text or "").strip()
    if setting.sort in ("memory", "tasks"):
        if text == INFINITY or text == str((1 << 64) - 1):
            return INFINITY
        return int(text) if text.isdigit() else None
    if setting.sort == "score":
        return int(text) if re.match(r"-?\d+\Z", text) else None
    if setting.sort == "share":
        if text.endswith("%"):
            return permyriad(text)
        # A share of 2^32 - 1, rounded up when it was read.
        return int(text) * 10000 // ((1 << 32) - 1) if text.isdigit() else None
    return text or None


def kernel_value(name, text):
    """The same of the setting's file in a cgroup; None where there is none."""
    text = (text or "").strip()
    if not text:
        return None
    if name == "OOMPolicy":
        return int(text) if text.isdigit() else None
    if text == "max" or (text.isdigit() and int(text) >= V1_NO_LIMIT_BYTES):
        return INFINITY
    return int(text) if text.isdigit() else None


def in_kernel(name, wanted, memory):
    """What the cgroup's file will show for a value: whole pages, 1 where all die together; None where there is no such file."""
    setting = SETTINGS[name]
    if setting.sort == "policy":
        return 1 if wanted == "kill" else 0
    if setting.sort == "memory" and isinstance(wanted, int):
        return wanted // memory.page_bytes * memory.page_bytes
    return wanted


def same(name, one, other, memory):
    """Whether two values come to the same in the kernel."""
    if SETTINGS[name].sort == "memory":
        return in_kernel(name, one, memory) == in_kernel(name, other, memory)
    return one == other


def to_kernel(number, version):
    """The text to write into a cgroup's file."""
    if number == INFINITY:
        return "max" if version == 2 else "-1"
    return str(number)
