# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of evidence_info: keep the evidence, diagnose it, return little."""

from __future__ import annotations

import base64
import json
import zlib

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.diagnosis.diagnose import diagnose
from ..plugin_utils.report import progress
from ..plugin_utils.report.host_files import unread_host, write_diagnosis, write_evidence

display = Display()
EVIDENCE_SCHEMA = "memops.evidence/1"
EVIDENCE_LIMIT_BYTES = 64 << 20


class ActionModule(ActionBase):
    """Runs the module once; with ``store_in`` a host's failure is a document too."""

    TRANSFERS_FILES = False
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        task_vars = task_vars or {}
        failed = True
        try:
            result = self._examine(super().run(tmp, task_vars), task_vars)
            failed = bool(result.get("failed"))
            return result
        finally:
            if self._task.args.get("store_in"):
                told = progress.finished(self._task.args["store_in"], failed, len(task_vars.get("ansible_play_hosts_all") or ()))
                if told:
                    display.display(str(told))

    def _examine(self, result, task_vars):
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
        try:
            evidence = _unpacked(packed)
        except ValueError as error:
            if run_folder:
                unread_host(run_folder, host, str(error))
            raise AnsibleActionFail(str(error)) from error
        if not run_folder:
            return {**result, "evidence": evidence}
        evidence["host"] = host
        try:
            stored = write_evidence(run_folder, host, evidence)
            diagnosis = _diagnosed(evidence, stored, run_folder, host)
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


def _unpacked(packed):
    """The evidence that a host sent; a host is not trusted, so its size is bounded.

    Raises ValueError for anything that is not an evidence document.
    """
    try:
        text = zlib.decompressobj().decompress(base64.b64decode(packed), EVIDENCE_LIMIT_BYTES)
        evidence = json.loads(text)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"the host's answer is no evidence, or larger than {EVIDENCE_LIMIT_BYTES} bytes: {error}") from error
    if not isinstance(evidence, dict) or evidence.get("schema") != EVIDENCE_SCHEMA:
        raise ValueError(f"the host's answer is no evidence of the form {EVIDENCE_SCHEMA}")
    return evidence


def _diagnosed(evidence, stored, run_folder, host):
    try:
        return diagnose(evidence)
    except Exception as error:  # one host's odd evidence must not end a fleet's run in a traceback; it is kept to be looked at
        reason = f"the evidence in {stored} could not be diagnosed: {type(error).__name__}: {error}"
        unread_host(run_folder, host, reason)
        raise AnsibleActionFail(reason) from error


def _reason(result):
    """Why a module gave nothing, in one line that a person can act on."""
    said = (result.get("module_stderr") or result.get("module_stdout") or "").strip().splitlines()
    reason = result.get("msg") or "the module failed"
    return f"{reason} ({said[-1]})" if said else str(reason)
