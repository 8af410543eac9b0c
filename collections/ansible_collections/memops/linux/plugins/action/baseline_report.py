# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Open an audit's folder, keep what each host said, and at its end write and show the report. Touches no host."""

from __future__ import annotations

import json
import pathlib

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.enforcement.audit import fleet_document, host_document, read_host, write_host
from ..plugin_utils.enforcement.audit_text import markdown, table
from ..plugin_utils.enforcement.junit import junit
from ..plugin_utils.report.host_files import write_file
from ..plugin_utils.report.run_folder import open_run

display = Display()


class ActionModule(ActionBase):
    """Runs on the controller; the same in check mode, for it changes no host."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            argument_spec={
                "state": {"type": "str", "choices": ["opened", "stored", "written"], "required": True},
                "path": {"type": "path", "required": True},
                "hosts": {"type": "list", "elements": "str"},
                "results": {"type": "dict"},
                "failures": {"type": "dict", "default": {}},
                "junit_path": {"type": "path"},
            },
            required_if=[("state", "stored", ("results",)), ("state", "written", ("hosts",))],
        )
        try:
            if arguments["state"] == "opened":
                return {**result, "changed": False, "path": open_run(arguments["path"])}
            if arguments["state"] == "stored":
                return {**result, **_store(arguments, (task_vars or {})["inventory_hostname"])}
            return {**result, **_write(arguments)}
        except OSError as error:
            raise AnsibleActionFail(
                f"the report cannot be written to {error.filename or arguments['path']}: {error.strerror or error}."
                " Choose another folder with -e audit_report_dir=DIR"
            ) from error


def _store(arguments, host):
    document = host_document(host, _plain(arguments["results"]), _plain(arguments["failures"]))
    return {"changed": False, "path": write_host(arguments["path"], document), "status": document["status"]}


def _write(arguments):
    run_folder, junit_path = pathlib.Path(arguments["path"]), arguments["junit_path"]
    report = fleet_document(read_host(run_folder, host) for host in arguments["hosts"])
    write_file(run_folder / "report.json", json.dumps(report, indent=1))
    write_file(run_folder / "report.md", markdown(report))
    write_file(run_folder / "junit.xml", junit(report))
    if junit_path:
        pathlib.Path(junit_path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(junit_path).write_text(junit(report), encoding="utf-8")
    _show(report, run_folder)
    outcome = {"changed": False, "path": str(run_folder), "counts": report["counts"], "asked": report["asked"], "answered": report["answered"]}
    if not report["compliant"]:
        bad = [f"{count} {state}" for state, count in report["counts"].items() if state not in ("compliant", "no_baseline")]
        outcome.update(failed=True, msg=f"of {report['asked']} hosts: {', '.join(bad)}. {run_folder}/report.md says what; enforce.yml mends drift")
    return outcome


def _show(report, run_folder):
    for line, colour in [("", None), *table(report), ("", None), (f"Report: {run_folder}/report.md", None)]:
        display.display(line, color=colour)


def _plain(value):
    """Results without the marks that Ansible puts on values."""
    return json.loads(json.dumps(value, default=str))
