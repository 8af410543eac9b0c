# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recorded kernel logs, and a host made of log files, for the tests of kernel_log."""

import calendar
import collections
import io
import os
import time

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.kernel_log import kmsg, union

HOSTS = os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts")
Request = collections.namedtuple("Request", "now since budget_bytes page_bytes")


def recorded(*path):
    """The bytes of a recorded file."""
    with io.open(os.path.join(HOSTS, *path), "rb") as handle:
        return handle.read()


def messages(host, zero=0):
    """``(time, text)`` of a recorded /dev/kmsg, with time 0 at ``zero``."""
    parse, _stamp = kmsg.parser(zero)
    records = [parse(line) for line in recorded(host, "dev", "kmsg").split(b"\n")]
    return [record for record in records if record]


def report(pid=4711, name="shop-import", kb=1000):
    """The texts of a short but whole OOM report (hand-made, as 6.1 prints it)."""
    return [
        "%s invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0" % name,
        "CPU: 1 PID: %d Comm: %s Not tainted 6.1.0-50-cloud-amd64 #1" % (pid, name),
        "Call Trace:",
        " out_of_memory+0x1fd/0x4c0",
        "Mem-Info:",
        "Tasks state (memory values in pages):",
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[ %6d]     0 %5d     4491     2287    77824        0             0 %s" % (pid, pid, name),
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=%s,pid=%d,uid=0" % (name, pid),
        "Out of memory: Killed process %d (%s) total-vm:%dkB, anon-rss:%dkB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:152kB oom_score_adj:0"
        % (pid, name, kb, kb),
    ]


def at(text):
    """Seconds since the epoch of a UTC time."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


def syslog(texts, seconds, host="shop01"):
    """Lines of a traditional syslog file."""
    stamp = time.strftime("%b %e %H:%M:%S", time.localtime(seconds))
    return "".join("%s %s kernel: [  790.431234] %s\n" % (stamp, host, text) for text in texts).encode()


class Host:
    """A folder that stands for a host's root, and what the journal would say there."""

    def __init__(self, root):
        self.root = root
        self.journal = None

    def write(self, path, data, modified_at=None):
        full = os.path.join(str(self.root), path.lstrip("/"))
        if not os.path.isdir(os.path.dirname(full)):
            os.makedirs(os.path.dirname(full))
        with io.open(full, "wb") as handle:
            handle.write(data)
        if modified_at is not None:
            os.utime(full, (modified_at, modified_at))

    def reader(self):
        reader = Reader(str(self.root))
        if self.journal is not None:
            self.write("/var/log/journal/0123456789abcdef0123456789abcdef/system.journal", b"")
            reader.lines_of = lambda argv, timeout_seconds, limit_bytes=0: iter(self.journal.split(b"\n"))
        return reader

    def section(self, since, budget_bytes=1 << 20):
        """``(section, unreadable)``."""
        reader = self.reader()
        return union.collect(reader, Request(since + 86400, since, budget_bytes, 4096)), reader.unreadable
