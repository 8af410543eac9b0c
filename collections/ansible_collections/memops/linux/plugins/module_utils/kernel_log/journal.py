# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel messages that journald kept, of this boot and earlier ones."""

import re

from .scanning import Scanner

PATH = "journalctl"
FOLDERS = ("/run/log/journal", "/var/log/journal")
TIMEOUT_SECONDS = 15
LIMIT_BYTES = 256 << 20
LINES_PER_CHUNK = 5000

_LINE = rb"(\d+\.\d+) \S+ kernel: (.*)"
_BOOT = rb"-- Boot ([0-9a-f]{32}) --"


def collect(reader, kept, since):
    """The Log of the journal, or None where this host keeps none.

    ``-o short-unix`` is the cheapest form with times; journalctl marks the
    begin of each further boot with a line of its own, with its id since
    systemd 246.
    """
    if not any(reader.names(folder, expected=False) for folder in FOLDERS):
        return None
    argv = ["journalctl", "--no-pager", "--all", "-o", "short-unix", "--since=@%d" % since, "_TRANSPORT=kernel"]
    parse, stamp = parser()
    scanner = Scanner(parse, stamp)
    for boot_id, chunk in chunks(reader.lines_of(argv, TIMEOUT_SECONDS, LIMIT_BYTES)):
        kept.add(scanner.feed(chunk, (PATH, boot_id)))
    kept.add(scanner.finish())
    return kept.log("journal", PATH, scanner)


def chunks(lines):
    """Yield ``(boot id or None, bytes of whole lines)`` from journalctl's lines."""
    boot_id, chunk = None, []
    for line in lines:
        if line.startswith(b"-- "):
            boot = re.match(_BOOT, line)
            if boot or line.startswith(b"-- Reboot"):
                yield boot_id, b"\n".join(chunk + [b""])
                boot_id, chunk = boot and boot.group(1).decode(), []
            continue
        chunk.append(line)
        if len(chunk) >= LINES_PER_CHUNK:
            yield boot_id, b"\n".join(chunk + [b""])
            chunk = []
    yield boot_id, b"\n".join(chunk + [b""])


def parser():
    """``(parse, stamp)`` for Scanner: ``1795386799.004952 host kernel: text``.

    Further lines of one message are indented and have no stamp.
    """
    last = [None]

    def parse(line):
        found = re.match(_LINE, line)
        if found:
            last[0] = float(found.group(1))
            return last[0], found.group(2).decode("utf-8", "replace")
        if line.startswith(b"    "):
            return last[0], "\n" + line.strip().decode("utf-8", "replace")
        return None

    def stamp(line):
        found = re.match(rb"\d+\.\d+ ", line)
        return float(found.group()) if found else None

    return parse, stamp
