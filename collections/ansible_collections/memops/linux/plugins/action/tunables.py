# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of tunables: what is wanted is worked out and checked here, before the host is touched."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.tunables.arguments import SPEC
from ..plugin_utils.tunables.catalogue import catalogue
from ..plugin_utils.tunables.wanted import WantedError, all_entries, unknown_keys, wanted


class ActionModule(ActionBase):
    """Sends the module the values of profile and inventory with their part of the catalogue, and nothing else of it."""

    TRANSFERS_FILES = False
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _checked, arguments = self.validate_argument_spec(argument_spec=SPEC)
        if arguments.pop("catalogue"):
            raise AnsibleActionFail("catalogue is filled in by the collection; give values")
        try:
            arguments.update(_for_the_host(arguments, catalogue()))
        except (WantedError, OSError) as error:
            raise AnsibleActionFail(f"Nothing was touched, because the wanted tunables cannot be: {error}") from None
        arguments = {name: value for name, value in arguments.items() if value is not None}
        result.update(self._execute_module("memops.linux.tunables", module_args=arguments, task_vars=task_vars))
        return result


def _for_the_host(arguments, known):
    if arguments["state"] == "rolled_back":
        wrong = unknown_keys(arguments["rollback_keys"], known)
        if wrong:
            raise WantedError(wrong)
        return {"values": {}, "catalogue": all_entries(known)}
    values, entries = wanted(arguments["profile"], arguments["values"], known)
    return {"values": values, "catalogue": entries}
