# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A forked worker that collects, and a watch over it.

Some files of /proc block for as long as the process they describe is stuck,
and the reader then cannot be interrupted. So the work is done in a child that
announces what it opens; a child that makes no progress is ended and replaced
by one that leaves out the path it hung on. The child also volunteers for the
OOM killer, so that collecting on a starving host costs the host nothing.
"""

import json
import mmap
import os
import select
import signal
import struct
import time

STALL_SECONDS = 10
STALLS_PER_SECTION = 3
PATH_BYTES = 480

_STEP_AND_PATH = struct.Struct("=QH%ds" % PATH_BYTES)
_LENGTHS = struct.Struct("=II")


class Board:
    """One page shared by worker and watch: a step counter and the current path."""

    def __init__(self):
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self._steps = 0

    def announce(self, path):
        """Called by the worker before each step that can block."""
        self._steps += 1
        encoded = path.encode("utf-8", "replace")[:PATH_BYTES]
        _STEP_AND_PATH.pack_into(self._memory, 0, self._steps, len(encoded), encoded)

    def steps(self):
        """How many steps were announced so far."""
        return _STEP_AND_PATH.unpack_from(self._memory, 0)[0]

    def path(self):
        """The path announced last."""
        _steps, length, encoded = _STEP_AND_PATH.unpack_from(self._memory, 0)
        return encoded[:length].decode("utf-8", "replace")


def run_sections(names, work, seconds, stall_seconds=STALL_SECONDS):
    """Yield ``(name, data, notes)`` for each section, in order.

    work: called in the worker as ``work(name, skip, announce)``; returns
        ``(data, notes)``: data as JSON text, notes a dict of lists.
    seconds: the time for all sections together.
    data is the section as JSON bytes, or None when it could not be collected;
    notes then holds the reason under "unreadable".
    """
    pending = list(names)
    skip = set()
    stalls = 0
    deadline = time.monotonic() + seconds
    while pending:
        worker = _Worker(pending, work, frozenset(skip))
        try:
            failure = None
            while pending and failure is None:
                notes, data, failure = worker.next_section(stall_seconds, deadline)
                if failure is None:
                    stalls = 0
                    yield pending.pop(0), data, notes
        finally:
            status = worker.end()
        if failure is None:
            return
        path = worker.board.path()
        if failure == "stalled" and path not in skip and stalls < STALLS_PER_SECTION:
            skip.add(path)
            stalls += 1
            continue
        stalls = 0
        yield pending.pop(0), None, _failed(failure, status, path)
        if failure == "late":
            for name in pending:
                yield name, None, {"unreadable": [{"source": name, "why": "no time was left to read it"}]}
            return


def _failed(failure, status, path):
    if failure == "ended" and status is not None and os.WIFSIGNALED(status):
        why = "the collector was killed by signal %d while reading it" % os.WTERMSIG(status)
    elif failure == "ended":
        why = "the collector failed while reading it"
    elif failure == "late":
        why = "did not finish in the time allowed"
    else:
        why = "did not answer in time"
    return {"unreadable": [{"source": path, "why": why}]}


class _Worker:
    """A child that works through sections and sends one frame for each."""

    def __init__(self, names, work, skip):
        self.board = Board()
        self._received = bytearray()
        self._descriptor, writing = os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(writing)
            return
        status = 1
        try:
            _leave_parents_streams()
            _volunteer_for_oom_killer()
            for name in names:
                data, notes = work(name, skip, self.board.announce)
                _send(writing, json.dumps(notes), data)
            status = 0
        finally:
            os._exit(status)

    def next_section(self, stall_seconds, deadline):
        """(notes, data, None), or (None, None, "stalled" | "late" | "ended")."""
        steps = self.board.steps()
        stalled_at = time.monotonic() + stall_seconds
        while True:
            frame = self._take_frame()
            if frame:
                return json.loads(frame[0].decode()), frame[1], None
            now = time.monotonic()
            if steps != self.board.steps():
                steps = self.board.steps()
                stalled_at = now + stall_seconds
            if now >= deadline:
                return None, None, "late"
            if now >= stalled_at:
                return None, None, "stalled"
            wait = min(0.5, stalled_at - now, deadline - now)
            if select.select([self._descriptor], [], [], wait)[0]:
                chunk = os.read(self._descriptor, 65536)
                if not chunk:
                    return None, None, "ended"
                self._received += chunk
                stalled_at = now + stall_seconds

    def _take_frame(self):
        if len(self._received) < _LENGTHS.size:
            return None
        notes_length, data_length = _LENGTHS.unpack_from(self._received)
        notes_end = _LENGTHS.size + notes_length
        end = notes_end + data_length
        if len(self._received) < end:
            return None
        frame = bytes(self._received[_LENGTHS.size:notes_end]), bytes(self._received[notes_end:end])
        del self._received[:end]
        return frame

    def end(self):
        """End the worker; its wait status, or None for one stuck in the kernel."""
        os.close(self._descriptor)
        for pause in (0, 0.01, 0.05, 0.2, 0.5):
            time.sleep(pause)
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                return status
            os.kill(self._pid, signal.SIGKILL)
        return None


def _leave_parents_streams():
    """A worker that stays stuck must not hold the connection's streams open."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _volunteer_for_oom_killer():
    try:
        with open("/proc/self/oom_score_adj", "w") as handle:
            handle.write("1000")
    except OSError:
        pass  # a sandbox without a writable /proc: collecting matters more


def _send(descriptor, notes, data):
    notes = notes.encode()
    data = data.encode()
    view = memoryview(_LENGTHS.pack(len(notes), len(data)) + notes + data)
    while view:
        view = view[os.write(descriptor, view):]
