#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: remediation_turn
short_description: Change one host at a time, and not too often
version_added: 1.0.0
description:
  - Of all runs on a controller one at a time changes a host by itself. This takes the turn and gives it back.
  - Every turn is recorded in C(remediations.jsonl), and a host or a fleet that was changed too often lately gets none. One change that failed stops all others
    for O(fleet_seconds).
  - A run that was killed gives its turn back by being gone. Its change counts as failed.
  - Runs on the controller only. It connects to no host. In check mode the turn is free and nothing is recorded.
options:
  state:
    description:
      - V(taken) waits for the turn. V(given_back) records how the change ended.
    type: str
    choices: [taken, given_back]
    required: true
  path:
    description:
      - The folder of the record. If empty, C(/var/lib/memops/respond) for root, else C(~/.local/state/memops).
    type: str
    default: ''
  report:
    description:
      - The report directory of the run, in whose C(response.json) the remediation is noted.
    type: path
    required: true
  wait_seconds:
    description:
      - How long to wait while another host is being changed.
    type: float
    default: 300.0
  host_changes:
    description:
      - At most so many changes of one host within O(host_seconds).
    type: int
    default: 1
  host_seconds:
    description:
      - See O(host_changes).
    type: int
    default: 86400
  fleet_changes:
    description:
      - At most so many changes of all hosts within O(fleet_seconds).
    type: int
    default: 3
  fleet_seconds:
    description:
      - See O(fleet_changes).
    type: int
    default: 3600
  outcome:
    description:
      - With O(state=given_back) how the change ended. V(refused) is a change that a role would not make.
    type: str
    choices: [applied, nothing_to_change, would_change, not_now, refused, rolled_back, rollback_failed, interrupted]
    default: interrupted
  why:
    description:
      - With O(state=given_back) what went wrong.
    type: str
  taken_back:
    description:
      - With O(state=given_back) what the modules said that took the change back.
    type: list
    elements: dict
    default: []
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.alert_response
"""

EXAMPLES = r"""
- name: Wait for the turn to change this host
  memops.linux.remediation_turn:
    state: taken
    report: "{{ run.path }}"
  register: turn
"""

RETURN = r"""
granted:
  description: Whether the host may be changed now.
  type: bool
  returned: when taken
why:
  description: Why not.
  type: str
  returned: when it was not granted
outcome:
  description: How the change ended.
  type: str
  returned: when given back
"""

# The work is done by the action plugin of the same name; this file documents it.
