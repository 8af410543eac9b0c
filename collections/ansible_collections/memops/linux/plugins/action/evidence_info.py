# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of evidence_info: keep the evidence, diagnose it, return little."""

from __future__ import annotations

import base64
import json
import zlib

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ..plugin_utils.diagnosis.diagnose import diagnose
from ..plugin_utils.report.host_files import unread_host, write_diagnosis, write_evidence


class ActionModule(ActionBase):
    """Runs the module once; with ``store_in`` a host's failure is a document too."""

    TRANSFERS_FILES = False
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        run_folder = arguments.pop("store_in", None)
        host = task_vars.get("inventory_hostname")
        try:
            result.update(self._execute_module("memops.linux.evidence_info", module_args=arguments, task_vars=task_vars))
        except AnsibleConnectionFailure as error:
            if run_folder:
                unread_host(run_folder, host, f"unreachable: {error}")
            raise
        except AnsibleActionFail as error:
            if run_folder:
                unread_host(run_folder, host, str(error))
            raise
        packed = result.pop("packed_evidence", None)
        if packed is None or result.get("failed"):
            if run_folder:
                unread_host(run_folder, host, _reason(result))
            return {"failed": True, "msg": "the module returned no evidence", **result}
        text = zlib.decompress(base64.b64decode(packed))
        evidence = json.loads(text)
        if not run_folder:
            return {**result, "evidence": evidence}
        evidence["host"] = host
        try:
            write_evidence(run_folder, host, evidence)
            diagnosis = diagnose(evidence)
            path = write_diagnosis(run_folder, host, diagnosis)
        except OSError as error:
            raise AnsibleActionFail(f"cannot write below {run_folder}: {error.strerror}; free space or choose another folder") from error
        return {
            **result,
            "verdict": diagnosis["verdict"],
            "incidents": len(diagnosis["incidents"]),
            "unreadable": len(diagnosis["unreadable"]),
            "diagnosis_path": path,
        }


def _reason(result):
    """Why a module gave nothing, in one line that a person can act on."""
    said = (result.get("module_stderr") or result.get("module_stdout") or "").strip().splitlines()
    reason = result.get("msg") or "the module failed"
    return f"{reason} ({said[-1]})" if said else str(reason)
