# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A few reading processes, one for each core, and the tasks dealt out to them one by one.

They are programs of their own and not forks: an Ansible worker may not be
allowed to have children of its own, holds locks of others, and is large. A
process that dies or hangs fails the task that it was at, and is replaced.
"""

from __future__ import annotations

import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

_MODULE = __name__.rpartition(".")[0] + ".reading_process"
#: What holds ansible_collections/memops/linux/plugins/plugin_utils/saved_logs.
_IMPORT_FROM = str(pathlib.Path(__file__).resolve().parents[6])
TASK_SECONDS = 3600
STDERR_BYTES = 4096

Task = dict[str, Any]
Answer = dict[str, Any]


class CannotStart(Exception):
    """No reading process comes up; the message is its own last word."""


class _Died(Exception):
    """A process ended within a task; the message says how."""


def cores() -> int:
    """How many processes can run at the same time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def done(tasks: list[Task], processes: int, tick_seconds: float, task_seconds: float = TASK_SECONDS) -> Iterator[tuple[Task, Answer] | None]:
    """(task, answer) of each task, as they come; None after each tick_seconds in which none came.

    See reading_process for tasks and answers. Raises CannotStart.
    """
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    answers: queue.SimpleQueue = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    crew = [_Reader(waiting, answers, task_seconds) for _number in range(min(processes, len(tasks)))]
    for reader in crew:
        reader.start()
    left = len(tasks)
    try:
        while left:
            try:
                answer = answers.get(timeout=tick_seconds)
            except queue.Empty:
                yield None
                continue
            if isinstance(answer, CannotStart):
                raise answer
            left -= 1
            yield answer
    finally:
        for reader in crew:
            reader.stop()


class _Reader(threading.Thread):
    """Takes tasks until none is left; it waits for its process, which does the work."""

    def __init__(self, waiting: queue.SimpleQueue, answers: queue.SimpleQueue, task_seconds: float) -> None:
        super().__init__(daemon=True)
        self._waiting, self._answers, self._task_seconds = waiting, answers, task_seconds
        self._process: _Process | None = None
        self._stopped = False

    def run(self) -> None:
        while not self._stopped:
            try:
                task = self._waiting.get_nowait()
            except queue.Empty:
                break
            try:
                if self._process is None:
                    self._process = _Process()
                self._answers.put((task, self._process.answer(task, self._task_seconds)))
            except _Died as death:
                self._process = None
                self._answers.put((task, {"failed": str(death)}))
            except (CannotStart, OSError) as error:
                self._answers.put(error if isinstance(error, CannotStart) else CannotStart(str(error)))
                break
        self.stop()

    def stop(self) -> None:
        self._stopped = True
        if self._process is not None:
            self._process.kill()


class _Process:
    """One reading process. Raises CannotStart."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([_IMPORT_FROM, *filter(None, [os.environ.get("PYTHONPATH")])])}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        self._timed_out = False
        # -P: a file in the folder where the playbook runs must not be imported.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            text=True,
            encoding="ascii",
        )
        if not self._process.stdout.readline():
            raise CannotStart(self._ending())

    def answer(self, task: Task, most_seconds: float) -> Answer:
        """Raises _Died."""
        watch = threading.Timer(most_seconds, self._time_out)
        watch.daemon = True
        watch.start()
        try:
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            ending = self._ending()
            raise _Died(f"reading it took longer than {most_seconds:g} seconds" if self._timed_out else f"the process that read it {ending}") from error
        finally:
            watch.cancel()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _time_out(self) -> None:
        self._timed_out = True
        self._process.kill()

    def _ending(self) -> str:
        self._process.kill()
        status = self._process.wait()
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - STDERR_BYTES))
        said = self._errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        if status == -signal.SIGKILL:
            how += " (for want of memory, if nobody ended it by hand)"
        return how + (f": {said}" if said else "")
