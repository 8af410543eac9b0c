# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bounded, honest reads: every file a collector touches goes through a Reader.

A read never raises and never grows without bound. What could not be read is
kept as ``{"source", "why"}``: missing evidence is evidence. Before each read
the path is announced, so that a watchdog outside knows what a stuck collector
hangs on and can start it again without that path.
"""

import errno
import os
import select
import subprocess
import time

READ_LIMIT_BYTES = 1 << 20
COMMAND_LIMIT_BYTES = 8 << 20
UNREADABLE_LIMIT = 50


class Reader:
    """Reads files and command output below ``root``; notes what it cannot read.

    root: a folder that stands for ``/`` (tests give recorded trees).
    skip: paths that must not be opened again, because they hung before.
    announce: called with each path before it is opened; long readers call it
        as they go, because silence is taken for a hang.
    """

    def __init__(self, root="/", skip=(), announce=None):
        self.root = root.rstrip("/")
        self.unreadable = []
        self._noted = set()
        self._skip = frozenset(skip)
        self.announce = announce or (lambda path: None)

    def note(self, source, why):
        """Remember that ``source`` could not be read; once per source."""
        if source in self._noted:
            return
        self._noted.add(source)
        if len(self.unreadable) < UNREADABLE_LIMIT:
            self.unreadable.append({"source": source, "why": why})

    def path(self, path):
        """The path below the root, for calls that need one (statvfs, glob)."""
        return self.root + path

    def data(self, path, limit=READ_LIMIT_BYTES, expected=True):
        """The file's first ``limit`` bytes, or None.

        expected: an absent file is noted too; else absence is an answer.
        A file that is longer than the limit is noted as cut.
        """
        descriptor = self.descriptor(path, expected)
        if descriptor is None:
            return None
        try:
            data = _read_up_to(descriptor, limit + 1)
        except OSError as error:
            self._note_error(path, error, expected)
            return None
        finally:
            os.close(descriptor)
        if len(data) > limit:
            self.note(path, "only the first %d bytes were read" % limit)
            return data[:limit]
        return data

    def descriptor(self, path, expected=True, flags=0):
        """An open file, for those that read a large one as a stream, or None (noted). The caller closes it."""
        if not self.may_touch(path):
            return None
        try:
            return os.open(self.root + path, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC | flags)
        except OSError as error:
            self._note_error(path, error, expected)
            return None

    def may_touch(self, path):
        """Announce the path; False (noted) where it hung before and must be left alone."""
        if path in self._skip:
            self.note(path, "did not answer in time")
            return False
        self.announce(path)
        return True

    def text(self, path, limit=READ_LIMIT_BYTES, expected=True):
        """Like data, as text; bytes that are not UTF-8 become U+FFFD."""
        data = self.data(path, limit, expected)
        return None if data is None else data.decode("utf-8", "replace")

    def number(self, path, expected=True):
        """The whole number that the file holds, or None ("max" is None too)."""
        text = self.text(path, 64, expected)
        try:
            return int(text)
        except (TypeError, ValueError):
            return None

    def names(self, path, expected=True):
        """The names in a folder, sorted; empty where it cannot be read."""
        if not self.may_touch(path):
            return []
        try:
            return sorted(os.listdir(self.root + path))
        except OSError as error:
            self._note_error(path, error, expected)
            return []

    def lines_of(self, argv, timeout_seconds, limit_bytes=COMMAND_LIMIT_BYTES):
        """Yield the output lines (bytes, no newline) of a command.

        The command runs without a shell, with no input, in the C locale. It is
        ended when the time or the byte limit is reached, which is noted; so is
        a failure to start, and an exit status other than 0 or 1 (grep's and
        journalctl's word for "no match").
        """
        source = " ".join(argv[:2])
        if not self.may_touch(source):
            return
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                close_fds=True,
            )
        except OSError as error:
            self.note(source, "could not be started: %s" % os.strerror(error.errno))
            return
        try:
            deadline = time.monotonic() + timeout_seconds
            for line in _lines_until(process.stdout, deadline, limit_bytes, lambda: self.announce(source)):
                if line is None:
                    self.note(source, "stopped after %d s or %d bytes; later lines are missing" % (timeout_seconds, limit_bytes))
                    return
                yield line
            if process.wait(timeout=5) not in (0, 1):
                self.note(source, "ended with status %d" % process.returncode)
        except subprocess.TimeoutExpired:
            self.note(source, "did not end")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()

    def _note_error(self, path, error, expected):
        absent = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESRCH, errno.ENODEV)
        if expected or not absent:
            self.note(path, "is not there" if absent else (error.strerror or str(error)))


def _read_up_to(descriptor, limit):
    chunks = []
    left = limit
    while left > 0:
        chunk = os.read(descriptor, min(left, 65536))
        if not chunk:
            break
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def _lines_until(stream, deadline, limit_bytes, tick):
    """Yield lines; a final None says that time or bytes ran out before the end."""
    descriptor = stream.fileno()
    rest = b""
    left = limit_bytes
    while True:
        tick()
        left_seconds = deadline - time.monotonic()
        if left <= 0 or left_seconds <= 0:
            yield None
            return
        if not select.select([descriptor], [], [], min(1, left_seconds))[0]:
            continue
        chunk = os.read(descriptor, min(65536, left))
        if not chunk:
            break
        left -= len(chunk)
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield from lines
    if rest:
        yield rest
