"""Reads saved logs as the controller does, in this process, and prints {what: number}. Run by bench.logs in the repository.

``python bench/on_saved_logs.py LOG`` reads one; of a folder it reads and diagnoses each log.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "collections"))

from ansible_collections.memops.linux.plugins.plugin_utils.events.model import OomReport
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import LogFile
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.reading import read_log
from ansible_collections.memops.linux.plugins.plugin_utils.log_places.disk import raw_blocks
from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs.entry import diagnosis_of_log


def read(path: pathlib.Path):
    return read_log(LogFile(path.name, lambda: raw_blocks(str(path)), path.stat().st_mtime, str(path)))


def main(path: pathlib.Path) -> dict[str, float]:
    started, cpu_started = time.perf_counter(), time.process_time()
    if path.is_dir():
        logs = sorted(path.iterdir())
        diagnosing = reports = 0.0
        for log in logs:
            reading = read(log)
            reports += sum(isinstance(event, OomReport) for event in reading.events)
            begun = time.perf_counter()
            diagnosis_of_log(log.stem, ("messages", log.name, reading, ""))
            diagnosing += time.perf_counter() - begun
        return {"seconds": time.perf_counter() - started, "diagnosing_seconds": diagnosing, "reports": reports}
    reading = read(path)
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
        "reports": sum(isinstance(event, OomReport) for event in reading.events),
        "bytes_read": reading.bytes_read,
        # not ru_maxrss, which starts with what the process that started this one had
        "peak_rss_bytes": int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) * 1024,
    }


print(json.dumps(main(pathlib.Path(sys.argv[1]))))
