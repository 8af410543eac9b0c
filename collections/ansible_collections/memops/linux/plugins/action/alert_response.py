# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's part of a response to an alert: what came in, what is decided, what is told. Touches no host."""

from __future__ import annotations

import datetime
import json
import pathlib

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils.enforcement.plan import diagnosis_of, plan_of
from ..plugin_utils.enforcement.remedies import proposals
from ..plugin_utils.report.host_files import host_folder, write_file
from ..plugin_utils.report.terminal import printable
from ..plugin_utils.respond import alert, policy, proposal, response
from ..plugin_utils.respond.notice import notice

display = Display()
ALERT, VARIABLES = "alert.json", "proposal.yml"


class ActionModule(ActionBase):
    """Runs on the controller, once for each host; the same in check mode, for it changes no host."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(
            argument_spec={
                "state": {"type": "str", "choices": ["opened", "decided", "told", "finished"], "required": True},
                "path": {"type": "path", "required": True},
                "alert": {"type": "str"},
                "event": {"type": "str"},
                "window": {"type": "str", "default": "1h"},
                "policy": {"type": "str", "choices": list(policy.POLICIES), "default": "observe"},
                "allowed_variables": {"type": "list", "elements": "str", "default": []},
                "allowed_groups": {"type": "list", "elements": "str", "default": []},
                "confidence": {"type": "str", "default": "certain"},
                "inventories": {"type": "list", "elements": "str", "default": []},
                "attempts": {"type": "int"},
                "units": {"type": "str", "default": ""},
                "notifications": {"type": "list", "elements": "dict", "default": []},
            },
            required_if=[("state", "opened", ["alert"])],
        )
        host = task_vars["inventory_hostname"]
        try:
            if given["state"] == "opened":
                done = _open(host, given)
            elif given["state"] == "decided":
                done = _decide(host, given, [*(task_vars.get("group_names") or ()), "all"])
            elif given["state"] == "told":
                done = _tell(host, given)
            else:
                done = _finish(host, given)
        except ValueError as error:
            raise AnsibleActionFail(f"{host}: {printable(error)}") from error
        except OSError as error:
            raise AnsibleActionFail(
                f"{host}: the response cannot be kept below {given['path']}: {error.strerror or error}."
                " Free space, or choose another folder with respond_report_dir"
            ) from error
        return {**result, "changed": False, **done}


def _open(host, given):
    name = given["alert"]
    if not alert.is_name(name):
        raise ValueError(f"respond_alert is {name[:80]!r}, which is no name of an alert: use a folder's name below runbooks")
    policy.allowed_keys(given["allowed_variables"])
    if policy.confidence_error(given["confidence"]):
        raise ValueError(f"respond_confidence: {policy.confidence_error(given['confidence'])}")
    now = datetime.datetime.now(datetime.UTC)
    event = {"name": name, **alert.read_event(given["event"], now)}
    since = alert.since(given["window"], event["started_at"], now)
    write_file(host_folder(given["path"], host) / ALERT, json.dumps(event, indent=1))
    response.write(given["path"], host, response.begun(host, given["path"], event, given["policy"], since, alert.stamp(now)))
    for problem in event["problems"]:
        display.warning(f"{host}: {printable(problem)}")
    return {"since": since}


def _decide(host, given, groups):
    path = given["path"]
    document, diagnosis = response.read(path, host), diagnosis_of(path, host)
    plan = _plan(path, host, diagnosis, "probable")
    allowed = policy.allowed_keys(given["allowed_variables"])
    permitted = _plan(path, host, diagnosis, given["confidence"], allowed)
    decision = policy.decided(given["policy"], diagnosis and diagnosis["verdict"], plan["rows"], permitted["rows"], groups, given["allowed_groups"])
    document["times"]["diagnosed"] = alert.stamp(datetime.datetime.now(datetime.UTC))
    document.update(
        attempts=given["attempts"],
        verdict=response.verdict_of(diagnosis) if diagnosis else None,
        units=response.units(given["units"]),
        decision=decision._asdict(),
    )
    if plan["rows"] and decision.code in ("proposed", "remediate"):
        how = proposal.command(given["inventories"], path, host)
        kept = write_file(host_folder(path, host) / VARIABLES, proposal.variables_file(plan, how))
        document["proposal"] = {"variables": plan["variables"], "command": how, "path": kept}
    if decision.code == "remediate":
        run = f"{pathlib.Path(path).name}-respond"
        document["remediation"] = response.remediation_begun(run, permitted["rows"], proposal.undo(given["inventories"], run, host))
    response.write(path, host, document)
    display.display(f"{host}: {decision.code.replace('_', ' ')}: {printable(decision.why)}")
    # What a diagnosis says came from a host: it is data, whatever braces stand in it.
    return {
        "decision": decision.code,
        "why": decision.why,
        "plans": wrap_var({host: permitted} if decision.code == "remediate" else {}),
        "kills_count_from": policy.kills_count_from(permitted["rows"]),
    }


def _plan(path, host, diagnosis, confidence, allowed=None):
    found = list(proposals(diagnosis or {}, variables=list(allowed or ()), confidence=confidence))
    return plan_of(path, host, found if allowed is None else policy.permitted(found, allowed))


def _tell(host, given):
    document = response.read(given["path"], host)
    told = notice(document, diagnosis_of(given["path"], host))
    display.display("\n".join(("", told.title, told.text)))
    return {"title": wrap_var(told.title), "text": wrap_var(told.text), "kind": told.kind}


def _finish(host, given):
    document = response.read(given["path"], host)
    now = alert.stamp(datetime.datetime.now(datetime.UTC))
    document["notifications"] = [{name: one.get(name) for name in ("service", "sent", "why")} for one in given["notifications"]]
    if any(one["sent"] for one in document["notifications"]):
        document["times"]["notified"] = now
    document["times"]["finished"] = now
    kept = response.write(given["path"], host, document)
    for one in document["notifications"]:
        if not one["sent"]:
            display.warning(f"{host}: not notified{' by ' + one['service'] if one['service'] else ''}: {printable(one['why'])}")
    verdict = document["verdict"]
    return {
        "path": kept,
        "examined": verdict is not None and verdict["code"] != "no_evidence",
        "outcome": (document["remediation"] or {}).get("outcome"),
        "left_on_host": response.left_on_host(verdict, document["times"]["diagnosed"]) if verdict else {},
    }
