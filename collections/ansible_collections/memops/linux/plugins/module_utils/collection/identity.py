# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which host this is: the head of an evidence document."""

import os
import platform
import sys
import time

from . import redact


def utc(seconds):
    """ISO 8601 in UTC with milliseconds, from seconds since the epoch."""
    whole = int(seconds // 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + ".%03dZ" % int((seconds - whole) * 1000)


def collect(reader, now):
    """Host name, kernel, boot and rights of the collector."""
    uptime = reader.text("/proc/uptime", 64)
    uptime_seconds = float(uptime.split()[0]) if uptime else None
    command_line = reader.text("/proc/cmdline", 4096)
    boot_id = reader.text("/proc/sys/kernel/random/boot_id", 64)
    names = os.uname()
    return {
        "host": names.nodename,
        "collected_at": utc(now),
        "kernel": {
            "release": names.release,
            "version": names.version,
            "machine": names.machine,
            "page_bytes": os.sysconf("SC_PAGE_SIZE"),
            "command_line": redact.text(command_line.strip()) if command_line else None,
        },
        "boot_id": boot_id.strip().replace("-", "") if boot_id else None,
        "uptime_seconds": uptime_seconds,
        "booted_at": None if uptime_seconds is None else utc(now - uptime_seconds),
        "privileged": os.geteuid() == 0,
        "python": "%s %s" % (platform.python_implementation(), ".".join(map(str, sys.version_info[:3]))),
    }
