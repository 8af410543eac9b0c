# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Diagnose saved logs over the controller's cores: a document for each, and a small summary."""

from __future__ import annotations

import time
from collections import Counter

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.log_places.sources import NothingThere, find
from ..plugin_utils.log_places.unpacking import UNPACKED_LIMIT_BYTES
from ..plugin_utils.report.run_folder import open_run
from ..plugin_utils.report.terminal import printable
from ..plugin_utils.saved_logs.crew import CannotStart, cores
from ..plugin_utils.saved_logs.diagnosing import CannotWrite, Progress, diagnose_all

display = Display()
SAY_EACH_SECONDS = 5
SKIPPED_SHOWN, SKIPPED_RETURNED = 10, 1000


class ActionModule(ActionBase):
    """Runs on the controller; the same in check mode, for it changes no host."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            argument_spec={
                "logs": {"type": "list", "elements": "str", "required": True},
                "path": {"type": "path", "required": True},
                "processes": {"type": "int"},
                "unpacked_limit_bytes": {"type": "int", "default": UNPACKED_LIMIT_BYTES},
            },
        )
        if not arguments["logs"]:
            raise AnsibleActionFail("no path was given: name a log, a folder, a sosreport or saved evidence with -e diagnose_logs=PATH")
        processes = cores() if arguments["processes"] is None else arguments["processes"]
        for name, value in (("processes", processes), ("unpacked_limit_bytes", arguments["unpacked_limit_bytes"])):
            if value < 1:
                raise AnsibleActionFail(f"{name} must be 1 or more, not {value}")
        try:
            found = find(arguments["logs"])
        except NothingThere as reason:
            raise AnsibleActionFail(printable(reason)) from reason
        try:
            run_folder = open_run(arguments["path"])
            verdicts, skipped = diagnose_all(found, run_folder, processes, arguments["unpacked_limit_bytes"], _Teller().tell)
        except CannotStart as error:
            raise AnsibleActionFail(f"no process to read logs could be started: {printable(error)}") from error
        except (OSError, CannotWrite) as error:
            reason = getattr(error, "strerror", None) or error
            raise AnsibleActionFail(
                f"the report cannot be written to {arguments['path']}: {reason}. Choose another folder with -e diagnose_report_dir=DIR"
            ) from error
        _show_skipped(skipped)
        return {
            **result,
            "changed": False,
            "path": run_folder,
            "entries": len(verdicts),
            "counts": dict(Counter(verdicts.values())),
            "passed_over": skipped[:SKIPPED_RETURNED],
            "passed_over_count": len(skipped),
        }


class _Teller:
    """A line every few seconds of a long run."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= SAY_EACH_SECONDS:
            self._last = now
            display.display(f"{progress.done} of {progress.all} read, {progress.unread} of them could not be; {progress.all - progress.done} are left")


def _show_skipped(skipped):
    for item in skipped[:SKIPPED_SHOWN]:
        display.display(f"not read: {printable(item['path'])}: {printable(item['why'])}")
    if len(skipped) > SKIPPED_SHOWN:
        display.display(f"not read: {len(skipped) - SKIPPED_SHOWN} more, which -v lists")
