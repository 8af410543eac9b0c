#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: memory_fault
short_description: Make one named memory fault on purpose, within limits and for a limited time
version_added: 1.0.0
description:
  - Runs one fault of the catalogue on a host that it is allowed on, so that a diagnosis, an alert or a remedy can be tried on the
    real thing. C(docs/faults.md) in the collection lists all of them, with what each may kill.
  - Most faults stay within a cgroup or container of their own. Those that take the whole host need O(whole_host) as well.
  - All that it changes (sysctls, swap, mounts, files, containers) is as before when it ends, also where it or its connection is killed.
options:
  fault:
    description:
      - Which fault, by its name in the catalogue.
      - Required unless O(state=cleaned).
    type: str
  allowed:
    description:
      - Whether faults may be made on this host. It must be said; nothing is done without it.
    type: bool
    required: true
  whole_host:
    description:
      - Whether faults may be made that take the whole host, where any process can die.
    type: bool
    default: false
  seconds:
    description:
      - How long the fault may take. At that time it is ended. Some faults need longer and say so in the catalogue.
    type: int
    default: 60
  keep_seconds:
    description:
      - How long what a diagnosis wants to see stays when the fault has come about, such as a dead container, or the load of a fault
        that kills nothing. The module then returns at once. With V(0) it returns when all is as before.
    type: int
    default: 0
  state:
    description:
      - V(made) makes the fault. V(cleaned) ends one that is still there, and undoes what is left of it.
    type: str
    choices: [made, cleaned]
    default: made
extends_documentation_fragment:
  - memops.linux.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says what would be done and what may be killed, and does nothing.
  diff_mode:
    support: full
    details:
      - Shows what is done and what may be killed.
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.evidence_info
"""

EXAMPLES = r"""
- name: Let a process run into its cgroup's limit
  memops.linux.memory_fault:
    fault: memcg_anon
    allowed: true

- name: Use up the memory of a whole staging host
  memops.linux.memory_fault:
    fault: host_anon_no_swap
    allowed: "{{ reproduce_allowed }}"
    whole_host: "{{ reproduce_whole_host }}"
    seconds: 120

- name: End whatever is left of a fault
  memops.linux.memory_fault:
    state: cleaned
    allowed: true
"""

RETURN = r"""
statement:
  description: What is done and what it may kill, line by line.
  type: list
  elements: str
  returned: when O(state=made)
happened:
  description: Whether the fault came about within its time.
  type: bool
  returned: when it was made
started:
  description: When it began, ISO 8601 in UTC.
  type: str
  returned: when it was made
ended:
  description: When it had come about, or its time was over; ISO 8601 in UTC.
  type: str
  returned: when it was made and the host does not reboot
processes:
  description: The processes that it made, each with V(pid) and V(process), its name.
  type: list
  elements: dict
  returned: when it was made
killed:
  description: Those of them that were killed, as it saw it, each with V(pid), V(process) and V(signal).
  type: list
  elements: dict
  returned: when it was made
  sample: [{"pid": 812, "process": "memops-hog", "signal": 9}]
oom_kills:
  description: How many OOM kills the kernel counted in the cgroups that it made.
  type: int
  returned: when it was made
refused:
  description: Names of those that were refused memory.
  type: list
  elements: str
  returned: when it was made
reboots:
  description: Whether the host reboots by it, some seconds after the module has returned.
  type: bool
  returned: when O(state=made)
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.memory_fault import launching, places, plan, requirements
from ..module_utils.memory_fault.catalogue import FAULTS
from ..module_utils.memory_fault.errors import FaultError


def main():
    module = AnsibleModule(
        argument_spec={
            "fault": {"type": "str"},
            "allowed": {"type": "bool", "required": True},
            "whole_host": {"type": "bool", "default": False},
            "seconds": {"type": "int", "default": 60},
            "keep_seconds": {"type": "int", "default": 0},
            "state": {"type": "str", "choices": ["made", "cleaned"], "default": "made"},
        },
        required_if=[("state", "made", ("fault",))],
        supports_check_mode=True,
    )
    host = module.params
    fail = _failing(module)
    if not host["allowed"]:
        fail("Faults are not allowed on this host. If it may be harmed, set reproduce_allowed: true for it in the inventory.")
    if host["state"] == "cleaned":
        _clean(module, fail)
    fault = FAULTS.get(host["fault"])
    if not fault:
        fail("There is no such fault. There are: %s." % ", ".join(FAULTS))
    if fault["scope"] == "host" and not host["whole_host"]:
        fail(
            "This fault takes the whole host, and may kill: %s. If the whole host may go, set reproduce_whole_host: true for it in the inventory."
            % fault["may_kill"]
        )
    if host["seconds"] < 1 or host["keep_seconds"] < 0:
        fail("seconds must be 1 or more and keep_seconds 0 or more.")
    seconds = max(host["seconds"], fault.get("seconds", 0))
    steps = plan.resolve(fault, places.meminfo())
    told = {
        "statement": plan.statement(host["fault"], fault, steps, seconds, host["keep_seconds"]),
        "reboots": fault["until"] == "rebooted",
    }
    lacking = requirements.missing(fault, plan.disk_bytes(steps))
    if lacking:
        fail("This host lacks what it takes: %s." % "; ".join(lacking), **told)
    if launching.is_running():
        fail("Another fault is being made here, or was not cleaned up. To end it: memops.linux.memory_fault with state: cleaned.", **told)
    told["diff"] = {"before": "", "after": "\n".join(told["statement"]) + "\n"}
    if module.check_mode:
        module.exit_json(changed=True, **told)
    order = {"fault": host["fault"], "until": fault["until"], "steps": steps, "seconds": seconds, "keep_seconds": host["keep_seconds"]}
    _make(module, fail, order, told)


def _make(module, fail, order, told):
    places.protect()
    try:
        launching.start(order)
    except (FaultError, OSError) as error:
        fail("It could not be started: %s" % error, **told)
    enough = "delayed" if told["reboots"] else "happened" if order["keep_seconds"] else "ended"
    state = launching.wait(order, (enough, "failed", "ended"))
    if state["phase"] == "ended" or state.get("cleaned"):
        launching.end()
    if state["phase"] == "failed" or "error" in state:
        fail("It could not be made: %s" % state.get("error", "the supervisor was ended"), not_restored=state.get("not_restored", []), **told)
    if state.get("not_restored"):
        fail("It was made, but not all is as before: %s." % "; ".join(state["not_restored"]), **told)
    if not told["reboots"] and not state["happened"]:
        module.warn("%s did not come about within %d s; give it more seconds, or see what the catalogue says it needs." % (order["fault"], order["seconds"]))
    module.exit_json(
        changed=True,
        happened=state["happened"] or told["reboots"],
        started=_utc(state["started"]),
        ended=_utc(state["ended"]) if state.get("ended") else None,
        processes=state.get("processes", []),
        killed=state.get("killed", []),
        refused=state.get("refused", []),
        oom_kills=state.get("oom_kills", 0),
        **told,
    )


def _clean(module, fail):
    there = launching.is_running()
    if there and not module.check_mode:
        left = launching.stop()
        if left:
            fail("Not all could be undone: %s." % "; ".join(left))
        launching.end()
    module.exit_json(changed=there)


def _failing(module):
    name = module.params["fault"]

    def fail(text, **more):
        module.fail_json(msg="%s%s" % ("%s: " % name if name else "", text), fault=name, **more)

    return fail


def _utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


if __name__ == "__main__":
    main()
