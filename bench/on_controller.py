"""Runs in ansible's Python: the controller's work on one host's evidence, without ansible around it.

Prints {step: CPU seconds}; started as ``python on_controller.py EVIDENCE FOLDER``.
"""

from __future__ import annotations

import base64
import json
import pathlib
import sys
import time
import zlib

REPEATS = 5


def main(evidence_path: str, folder: str) -> None:
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "collections"))
    started = time.process_time()
    from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose
    from ansible_collections.memops.linux.plugins.plugin_utils.report import host_files

    steps = {"import of the diagnosis": time.process_time() - started}
    packed = base64.b64encode(zlib.compress(pathlib.Path(evidence_path).read_bytes(), 1))

    def timed(step, work):
        before = time.process_time()
        for _ in range(REPEATS):
            outcome = work()
        steps[step] = (time.process_time() - before) / REPEATS
        return outcome

    evidence = timed("unpack and parse the evidence", lambda: json.loads(zlib.decompress(base64.b64decode(packed))))
    timed("write the evidence", lambda: host_files.write_evidence(folder, "host", evidence))
    diagnosis = timed("diagnose", lambda: diagnose(evidence))
    timed("write the diagnosis", lambda: host_files.write_diagnosis(folder, "host", diagnosis))
    print(json.dumps(steps))


main(*sys.argv[1:])
