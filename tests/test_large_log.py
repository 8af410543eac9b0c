"""A log of a gigabyte: what it says of memory is found, in the memory of a small process."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import time

from checkout import COLLECTION, ROOT

GIB = 1 << 30
RECORDING = COLLECTION / "tests/unit/fixtures/kernel_logs/linux-6.1-global-no-swap.log"
COLLECT = """
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_DATA, (64 << 20, 64 << 20))
from ansible_collections.memops.linux.plugins.module_utils.collection.gather import Request
from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.kernel_log import union
reader = Reader(sys.argv[1])
section = union.collect(reader, Request(time.time(), time.time() - 86400, 1 << 20, 4096))
print(json.dumps({"excerpts": section["excerpts"], "unreadable": reader.unreadable}))
"""


def collected(root: pathlib.Path) -> dict:
    told = subprocess.run(
        [sys.executable, "-c", COLLECT, str(root)], env={**os.environ, "PYTHONPATH": str(ROOT / "collections")}, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def test_the_report_at_the_end_of_a_gigabyte_is_found_within_64_mib(tmp_path):
    log = tmp_path / "var/log/messages"
    log.parent.mkdir(parents=True)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 60))
    with log.open("wb") as handle:
        handle.write(b"x" * 1000)
        handle.seek(GIB)  # one line of a gigabyte, most of it a hole
        handle.write(b"\n")
        for line in RECORDING.read_text().splitlines():
            message = re.sub(r"^\[ *[\d.]+\] ", "", line)
            handle.write(f"{stamp} web1 kernel: {message}\n".encode())

    found = collected(tmp_path)["excerpts"]

    assert [excerpt["kind"] for excerpt in found] == ["oom_report"]
    assert any("Killed process" in line["text"] and "(shop-import)" in line["text"] for line in found[0]["lines"])


def test_packed_zeros_that_unpack_to_a_gigabyte_end_at_the_limit_and_are_named(tmp_path):
    folder = tmp_path / "var/log"
    folder.mkdir(parents=True)
    subprocess.run(f"head -c {GIB} /dev/zero | gzip -1 > messages.1.gz", shell=True, check=True, cwd=folder)

    notes = collected(tmp_path)["unreadable"]

    assert [note["source"] for note in notes if "messages.1.gz" in note["source"]] == ["/var/log/messages.1.gz"]
