# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read diagnoses, say what they would have changed on which host, and show it. Touches no host."""

from __future__ import annotations

import pathlib
import shutil

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils.enforcement.plan import plans
from ..plugin_utils.enforcement.plan_text import plan_lines
from ..plugin_utils.enforcement.remedies import VARIABLES
from ..plugin_utils.report.terminal import printable

display = Display()
NAMES_SHOWN = 5


class ActionModule(ActionBase):
    """Runs on the controller; the same in check mode, for it changes no host."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            argument_spec={
                "path": {"type": "path", "required": True},
                "hosts": {"type": "list", "elements": "str", "required": True},
                "causes": {"type": "list", "elements": "str", "default": []},
                "variables": {"type": "list", "elements": "str", "choices": list(VARIABLES), "default": []},
                "confidence": {"type": "str", "choices": ["certain", "probable", "possible"], "default": "probable"},
            },
        )
        path = arguments["path"]
        if not (pathlib.Path(path) / "hosts").is_dir():
            raise AnsibleActionFail(f"{path} is no report directory: it has no folder 'hosts'. Name one that diagnose.yml wrote, such as reports/latest")
        try:
            made, others = plans(path, arguments["hosts"], causes=arguments["causes"], wanted=arguments["variables"], confidence=arguments["confidence"])
        except (OSError, ValueError) as error:
            raise AnsibleActionFail(f"the diagnoses in {path} cannot be read: {printable(error)}") from error
        if not made:
            raise AnsibleActionFail(f"{path} has no diagnosis of any of these hosts. It has: {_some(others)}. Hosts are found by their name in the inventory")
        for line, colour in plan_lines(made.values(), max(80, min(200, shutil.get_terminal_size((120, 24)).columns))):
            display.display(line, color=colour)
        # What a diagnosis says came from a host: it is data, whatever braces stand in it.
        wanted = {host: plan for host, plan in made.items() if plan["roles"]}
        return {**result, "changed": False, "plans": wrap_var(wanted), "left_alone": sorted(set(arguments["hosts"]) - set(wanted))}


def _some(names):
    shown = ", ".join(printable(name) for name in names[:NAMES_SHOWN]) or "none"
    return shown + (f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else "")
