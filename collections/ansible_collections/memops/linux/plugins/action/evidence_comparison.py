# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare the evidence in two report directories, and write and show what differs. Touches no host."""

from __future__ import annotations

import json
import pathlib

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.comparison.document import VERDICTS, comparison, hosts_of
from ..plugin_utils.comparison.text import markdown, table
from ..plugin_utils.report.host_files import write_file
from ..plugin_utils.report.page import comparison as comparison_page
from ..plugin_utils.report.run_folder import open_run
from ..plugin_utils.report.terminal import printable

display = Display()


class ActionModule(ActionBase):
    """Runs on the controller; the same in check mode, for it changes no host."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            argument_spec={
                "before": {"type": "path", "required": True},
                "after": {"type": "path", "required": True},
                "path": {"type": "path", "required": True},
                "hosts": {"type": "list", "elements": "str"},
            },
        )
        before, after = (_resolved(arguments[name]) for name in ("before", "after"))
        hosts = arguments["hosts"]
        if hosts is None:
            hosts = sorted({*hosts_of(before), *hosts_of(after)})
        try:
            document = comparison(before, after, hosts)
        except (OSError, ValueError) as error:
            raise AnsibleActionFail(f"the evidence cannot be compared: {printable(error)}") from error
        try:
            folder = pathlib.Path(open_run(arguments["path"]))
            write_file(folder / "compare.json", json.dumps(document, indent=1))
            write_file(folder / "compare.md", markdown(document))
            write_file(folder / "compare.html", comparison_page.page(document, VERDICTS))
        except OSError as error:
            raise AnsibleActionFail(
                f"the comparison cannot be written to {arguments['path']}: {error.strerror or error}. Choose another folder with -e compare_report_dir=DIR"
            ) from error
        for line, colour in [*table(document), ("", None), (f"Comparison: {folder}/compare.html (and compare.md, compare.json)", None)]:
            display.display(line, color=colour)
        outcome = {**result, "changed": False, "path": str(folder), "counts": document["counts"]}
        if not any(row["before_at"] and row["after_at"] for row in document["hosts"]):
            outcome.update(failed=True, msg="no host has evidence on both sides; the table above says what is missing")
        return outcome


def _resolved(path):
    """The directory that a link such as ``latest`` points to now."""
    folder = pathlib.Path(path).resolve()
    if not (folder / "hosts").is_dir():
        raise AnsibleActionFail(f"{path} is no report directory: it has no folder 'hosts'. Name one that diagnose.yml wrote")
    return str(folder)
