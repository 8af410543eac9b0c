"""Coverage-guided fuzzing of the whole way from a log's bytes to a diagnosis: ``make fuzz SECONDS=600``.

Each input is read as a log and diagnosed. It must not raise or take long, and
the document must be JSON. The seeds are the recordings, whole
and in several forms of logs.
"""

from __future__ import annotations

import json
import pathlib
import sys
import tempfile

import atheris

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "collections"))

with atheris.instrument_imports(include=["ansible_collections.memops.linux.plugins"]):
    from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose_events
    from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
    from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import LogFile
    from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.reading import read_log

from ansible_collections.memops.linux.tests.unit.controller.events.recorded import NAMES  # noqa: E402
from ansible_collections.memops.linux.tests.unit.controller.log_lines.log_forms import BOOT, FORMS, messages  # noqa: E402

SEED_FORMS = ("dmesg", "syslog", "dmesg -T", "journalctl -o json", "journalctl -o export", "journalctl -o verbose", "nothing", "a mail broken at 76", "HTML")
WORDS = (
    b"Out of memory: Killed process 7 (a) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0",
    b"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=a,pid=7,uid=0",
    b"a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    b"Tasks in /a are going to be killed due to memory.oom.group set",
    b'sending SIGTERM to process 7 uid 0 "a": badness 800, VmRSS 5 MiB',
    b"Nov 20 10:00:00 web1 kernel: ",
    b"[   12.345678] ",
)


def seeds(folder: pathlib.Path) -> None:
    """The corpus to begin with."""
    for name in NAMES:
        for form in SEED_FORMS:
            written = FORMS[form](messages(name))
            data = written if isinstance(written, bytes) else written.encode()
            (folder / f"{name}-{form.replace(' ', '_').replace('/', '_')}").write_bytes(data[:12000])
    for number, word in enumerate(WORDS):
        (folder / f"word-{number}").write_bytes(word + b"\n")


def one_input(data: bytes) -> None:
    reading = read_log(LogFile("fuzzed", lambda: iter([data]), BOOT.timestamp()))
    diagnosis = diagnose_events(HostFacts({"host": "fuzzed", "unreadable": []}), reading.events, reading.services)
    json.dumps(diagnosis, allow_nan=False)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="memops-fuzz-") as folder:
        seeds(pathlib.Path(folder))
        # -timeout: no input of this size may take longer.
        atheris.Setup([*sys.argv, "-max_len=16384", "-timeout=20", "-rss_limit_mb=2048", folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
