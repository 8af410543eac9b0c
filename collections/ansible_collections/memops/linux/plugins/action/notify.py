# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Send a notice through Apprise, from the controller. Touches no host."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..plugin_utils.respond.notice import TEXT_CHARACTERS, TITLE_CHARACTERS, harmless
from ..plugin_utils.respond.sending import send


class ActionModule(ActionBase):
    """Sends nothing in check mode. An address that fails is told and fails no task, unless ``required``."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(
            argument_spec={
                "urls": {"type": "list", "elements": "str", "default": [], "no_log": True},
                "config": {"type": "path"},
                "title": {"type": "str", "required": True},
                "text": {"type": "str", "required": True},
                "kind": {"type": "str", "choices": ["info", "success", "warning", "failure"], "default": "info"},
                "required": {"type": "bool", "default": False},
            },
        )
        if self._task.check_mode:
            return {**result, "changed": False, "notifications": []}
        text = "\n".join(harmless(line, TEXT_CHARACTERS) for line in given["text"].splitlines())[:TEXT_CHARACTERS]
        told = send(given["urls"], given["config"], harmless(given["title"], TITLE_CHARACTERS), text, given["kind"])
        missed = [one for one in told if not one["sent"]]
        outcome = {**result, "changed": False, "notifications": told}
        if given["required"] and (missed or not told):
            outcome.update(failed=True, msg="; ".join(one["why"] for one in missed) or "no address was given: set urls or config")
        return outcome
