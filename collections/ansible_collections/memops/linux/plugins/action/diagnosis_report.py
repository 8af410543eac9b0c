# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Open a run's folder, and at its end write and show the report. Touches no host."""

from __future__ import annotations

import json
import pathlib
import shutil

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.report.fleet import collect_rows, hosts_of, read_diagnosis, report_document
from ..plugin_utils.report.host_files import write_file
from ..plugin_utils.report.markdown import HOSTS_TOLD, markdown
from ..plugin_utils.report.run_folder import open_run
from ..plugin_utils.report.terminal import reasoning, table

display = Display()


class ActionModule(ActionBase):
    """Runs on the controller; the same in check mode, for it changes no host."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            argument_spec={
                "state": {"type": "str", "choices": ["opened", "written"], "required": True},
                "path": {"type": "path", "required": True},
                "hosts": {"type": "list", "elements": "str"},
                "subjects": {"type": "str", "choices": ["hosts", "logs"], "default": "hosts"},
            },
        )
        try:
            if arguments["state"] == "opened":
                return {**result, "changed": False, "path": open_run(arguments["path"])}
            return {**result, **_write(arguments["path"], arguments["hosts"], arguments["subjects"])}
        except OSError as error:
            raise AnsibleActionFail(
                f"the report cannot be written to {arguments['path']}: {error.strerror or error}."
                " Choose another folder with -e diagnose_report_dir=DIR"
            ) from error


def _write(run_folder, hosts, subjects):
    rows = collect_rows(run_folder, hosts_of(run_folder) if hosts is None else hosts)
    report = report_document(rows)
    folder = pathlib.Path(run_folder)
    write_file(folder / "report.json", json.dumps(report, indent=1))
    told = [row["host"] for row in rows if row["verdict"]["code"] != "healthy" and row["diagnosis"]][:HOSTS_TOLD]
    write_file(folder / "report.md", markdown(report, (read_diagnosis(run_folder, host) for host in told)))
    _show(rows, run_folder)
    outcome = {"changed": False, "path": run_folder, "counts": report["counts"], "asked": report["asked"], "answered": report["answered"]}
    if not report["answered"]:
        outcome.update(failed=True, msg=_none(report["asked"], subjects))
    return outcome


def _none(asked, subjects):
    if subjects == "logs":
        return "the log could not be read; the table above says why" if asked == 1 else f"none of the {asked} logs could be read; the table above says why"
    return f"none of the {asked} hosts gave evidence; the table above says why"


def _show(rows, run_folder):
    columns = max(80, min(200, shutil.get_terminal_size((120, 24)).columns))
    lines = [("", None), *table(rows, columns)]
    if len(rows) == 1 and rows[0]["diagnosis"]:
        lines += reasoning(read_diagnosis(run_folder, rows[0]["host"]), columns)
    lines += [("", None), (f"Report: {run_folder}/report.md", None)]
    for line, colour in lines:
        display.display(line, color=colour)
