# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Open a run's folder, and at its end write and show the report. Touches no host."""

from __future__ import annotations

import shutil

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.report import merging, progress
from ..plugin_utils.report.fleet import hosts_of, read_diagnosis
from ..plugin_utils.report.run_folder import open_run
from ..plugin_utils.report.terminal import printable, reasoning, table
from ..plugin_utils.report.writing import write_report

display = Display()


class ActionModule(ActionBase):
    """Runs on the controller; the same in check mode, for it changes no host."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            argument_spec={
                "state": {"type": "str", "choices": ["opened", "written", "made_again"], "required": True},
                "path": {"type": "path", "required": True},
                "runs": {"type": "list", "elements": "path"},
                "hosts": {"type": "list", "elements": "str"},
                "subjects": {"type": "str", "choices": ["hosts", "logs"], "default": "hosts"},
            },
        )
        try:
            if arguments["state"] == "opened":
                return {**result, "changed": False, "path": open_run(arguments["path"])}
            if arguments["state"] == "made_again":
                return {**result, **_make_again(arguments["path"], arguments["runs"] or [])}
            return {**result, **_write(arguments["path"], arguments["hosts"], arguments["subjects"], _groups(task_vars or {}))}
        except merging.NoRun as reason:
            raise AnsibleActionFail(f"{printable(reason)}. Name a report directory, such as reports/latest, or one that holds some") from reason
        except OSError as error:
            raise AnsibleActionFail(
                f"the report cannot be written to {arguments['path']}: {error.strerror or error}."
                " Choose another folder with -e diagnose_report_dir=DIR"
            ) from error


def _make_again(reports, named):
    """The report of one run written anew where it stands, or of several merged in a new run below reports."""
    runs = merging.find_runs(named)
    if not runs:
        raise AnsibleActionFail("no report directory was given: name one, or several with commas between, with -e report_dir=DIR")
    if len(runs) == 1:
        run_folder, hosts = str(runs[0]), merging.asked_in(runs[0])
    else:
        run_folder = open_run(reports)
        hosts = merging.merge_into(run_folder, runs)
    return _written(run_folder, hosts, "hosts", merging.groups_in(runs), merging.run_notes(runs))


def _groups(task_vars):
    """host -> the groups of the inventory that tell hosts apart."""
    of_host = {}
    for group, hosts in (task_vars.get("groups") or {}).items():
        if group not in ("all", "ungrouped"):
            for host in hosts:
                of_host.setdefault(str(host), []).append(str(group))
    return of_host


def _write(run_folder, hosts, subjects, groups):
    progress.clear(run_folder)
    return _written(run_folder, hosts_of(run_folder) if hosts is None else hosts, subjects, groups if subjects == "hosts" else {}, ())


def _written(run_folder, hosts, subjects, groups, runs):
    report = write_report(run_folder, hosts, groups, runs)
    _show(report["hosts"], run_folder)
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
    lines += [("", None), (f"Report: {run_folder}/report.html (and report.md, report.json)", None)]
    for line, colour in lines:
        display.display(line, color=colour)
