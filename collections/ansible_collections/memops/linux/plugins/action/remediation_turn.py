# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take the turn to change a host, and give it back with the outcome. Touches no host."""

from __future__ import annotations

import datetime
import os

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.report.terminal import printable
from ..plugin_utils.respond import response, turns
from ..plugin_utils.respond.alert import stamp
from ..plugin_utils.respond.rates import Rates

display = Display()


class ActionModule(ActionBase):
    """Runs on the controller. In check mode the turn is free and nothing is recorded."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(
            argument_spec={
                "state": {"type": "str", "choices": ["taken", "given_back"], "required": True},
                "path": {"type": "str", "default": ""},
                "report": {"type": "path", "required": True},
                "wait_seconds": {"type": "float", "default": 300.0},
                "host_changes": {"type": "int", "default": Rates().host},
                "host_seconds": {"type": "int", "default": Rates().host_seconds},
                "fleet_changes": {"type": "int", "default": Rates().fleet},
                "fleet_seconds": {"type": "int", "default": Rates().fleet_seconds},
                "outcome": {"type": "str", "choices": list(response.OUTCOMES), "default": "interrupted"},
                "why": {"type": "str"},
                "taken_back": {"type": "list", "elements": "dict", "default": []},
            },
        )
        given["path"] = given["path"] or turns.default_folder()
        host = (task_vars or {})["inventory_hostname"]
        try:
            if given["state"] == "taken":
                return {**result, "changed": False, **_take(host, given, self._task.check_mode)}
            return {**result, "changed": False, **_give_back(host, given, self._task.check_mode)}
        except (OSError, ValueError) as error:
            raise AnsibleActionFail(
                f"{host}: the record of remediations in {given['path']} cannot be kept: {getattr(error, 'strerror', None) or error}."
                " Nothing is changed without it; free space, or choose another folder with respond_state_dir"
            ) from error


def _take(host, given, check_mode):
    if check_mode:
        return {"granted": True}
    document = response.read(given["report"], host)
    rates = Rates(given["host_changes"], given["host_seconds"], given["fleet_changes"], given["fleet_seconds"])
    # The process of ansible-playbook: this one is a fork of it that ends with the task.
    reason = turns.take(given["path"], host, document["alert"]["name"], document["remediation"]["run"], os.getppid(), rates, given["wait_seconds"])
    if reason is None:
        return {"granted": True}
    display.display(f"{host}: not now: {printable(reason)}", color="yellow")
    document["remediation"].update(outcome="not_now", why=reason)
    response.write(given["report"], host, document)
    return {"granted": False, "why": reason}


def _give_back(host, given, check_mode):
    document = response.read(given["report"], host)
    outcome = "would_change" if check_mode else given["outcome"]
    document["remediation"].update(outcome=outcome, why=given["why"] or None, **response.taken_back(given["taken_back"]))
    document["times"]["remediated"] = stamp(datetime.datetime.now(datetime.UTC))
    response.write(given["report"], host, document)
    if not check_mode:
        turns.give_back(given["path"], host, document["remediation"]["run"], outcome)
    return {"outcome": outcome}
