# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""evidence_info, tried again after a while where the host cannot be reached."""

from __future__ import annotations

import time

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.report.terminal import printable

display = Display()


class ActionModule(ActionBase):
    """Waits here and not in the playbook, where a pause would be one for all hosts."""

    TRANSFERS_FILES = False
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        waits = arguments.pop("retries", [])
        try:
            waits = [float(seconds) for seconds in waits]
            if any(not 0 <= seconds <= 3600 for seconds in waits):
                raise ValueError(waits)
        except (TypeError, ValueError) as error:
            raise AnsibleActionFail("respond_retries is no list of seconds from 0 to 3600, such as [5, 15, 45]") from error
        host = (task_vars or {}).get("inventory_hostname")
        for attempt, wait in enumerate([*waits, None], 1):
            try:
                return {**result, **self._examine(arguments, task_vars), "attempts": attempt}
            except AnsibleConnectionFailure as error:
                if wait is None:
                    return {**result, "unreachable": True, "msg": str(error), "attempts": attempt}
                display.display(f"{host}: cannot be reached, tried again in {wait:g} s: {printable(error)}", color="yellow")
                time.sleep(wait)
        raise AssertionError("the last attempt returns")

    def _examine(self, arguments, task_vars):
        task = self._task.copy()
        task.args = dict(arguments)
        action = self._shared_loader_obj.action_loader.get(
            "memops.linux.evidence_info",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        try:
            return action.run(task_vars=task_vars)
        finally:
            action.cleanup()
