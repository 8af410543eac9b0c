# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One of the processes that read logs: a task a line on its standard input, an answer a line on its standard output.

Each task is told by itself, so that a log on which this process dies is known
by name. The tasks are JSON: {do: "examine", path, limit_bytes} and {do: "diagnose", kind,
path, run_folder, limit_bytes, entries: [{kind, path, name}]}. The answers are
{ready: true}, {entries, skipped} or {verdicts: {name: code}}, and {failed: why}.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Iterator
from typing import Any, TextIO

from ..diagnosis.document import unread
from ..log_lines.model import DamagedLog, LogFile
from ..log_places import sosreport_folder
from ..log_places.disk import plain_blocks, why
from ..log_places.naming import text_of
from ..report.host_files import write_diagnosis
from . import archive_entries
from .entry import diagnosis_of_evidence, diagnosis_of_host, diagnosis_within_memory, read

MEMORY_BYTES = 3 << 30
#: Under want of memory the kernel shall choose this process, which fails one log only.
OOM_SCORE_ADJ = "700"


class CannotWrite(Exception):
    """The report's folder cannot be written: no other log fares better."""


def main(tasks: TextIO, answers: TextIO) -> None:
    """Work until the input ends."""
    _be_modest()
    _tell(answers, {"ready": True})
    for line in tasks:
        try:
            answer = _done(json.loads(line))
        except CannotWrite as error:
            answer = {"failed": str(error), "cannot_write": True}
        except DamagedLog as damage:
            answer = {"failed": str(damage)}
        except OSError as error:
            answer = {"failed": why(error)}
        except MemoryError:
            answer = {"failed": f"reading it takes more than {MEMORY_BYTES >> 20} MiB of memory"}
        except Exception as error:  # one odd log must not end the run of a thousand
            place = traceback.extract_tb(error.__traceback__)[-1]
            answer = {"failed": f"memops failed on it: {type(error).__name__}: {error} ({os.path.basename(place.filename)}:{place.lineno})"}
        _tell(answers, answer)


def _done(task: dict[str, Any]) -> dict[str, Any]:
    if task["do"] == "examine":
        contents = archive_entries.examine(task["path"], task["limit_bytes"])
        return {"entries": contents.entries, "skipped": contents.skipped}
    verdicts = {}
    for name, diagnosis in _diagnoses(task):
        try:
            write_diagnosis(task["run_folder"], name, diagnosis)
        except OSError as error:
            raise CannotWrite(why(error)) from error
        verdicts[name] = diagnosis["verdict"]["code"]
    return {"verdicts": verdicts}


def _diagnoses(task: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    kind, path, limit_bytes = task["kind"], task["path"], task["limit_bytes"]
    if kind == "archive":
        yield from archive_entries.diagnoses(path, task["entries"], limit_bytes)
        return
    name = task["entries"][0]["name"]
    if kind == "sosreport":
        held = sosreport_folder.holding(path, limit_bytes)
        logs = [read(family, file) for family, file in held.logs]
        yield name, diagnosis_of_host(name, logs, held.facts, held.unreadable)
    elif kind == "evidence":
        yield name, diagnosis_of_evidence(name, plain_blocks(path, limit_bytes))
    elif kind == "unread":
        yield name, unread(name, task["why_not"])
    else:
        shown = text_of(os.path.basename(path))
        file = LogFile(shown, lambda: plain_blocks(path, limit_bytes), os.stat(path).st_mtime, path)
        yield name, diagnosis_within_memory(name, shown, file)


def _tell(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _be_modest() -> None:
    """Bounds what hostile bytes can make this process take."""
    _soft, most = resource.getrlimit(resource.RLIMIT_DATA)
    bound = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, most))
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(OOM_SCORE_ADJ)
    except OSError:
        pass  # not Linux, or not allowed


if __name__ == "__main__":
    # What else is printed by mistake must not be taken for an answer.
    sys.stdout, own = sys.stderr, sys.stdout
    main(sys.stdin, own)
