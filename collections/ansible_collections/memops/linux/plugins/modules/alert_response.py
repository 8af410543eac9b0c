#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: alert_response
short_description: Keep, decide and word the response to an alert
version_added: 1.0.0
description:
  - The controller's part of a response to an alert on one host, as the playbook C(respond.yml) uses it.
  - Keeps C(alert.json) and C(response.json) beside the host's diagnosis, and C(proposal.yml) where a change is proposed.
  - Runs on the controller only. It connects to no host. What an alert or a diagnosis says is data and is never evaluated as a template.
options:
  state:
    description:
      - V(opened) keeps the alert and says from when on logs are to be read.
      - V(decided) reads the host's diagnosis and says what is done by the policy.
      - V(told) puts the response in words that can be sent anywhere.
      - V(finished) keeps what was sent, and gives what the host may keep of the verdict.
    type: str
    choices: [opened, decided, told, finished]
    required: true
  path:
    description:
      - The report directory of the run.
    type: path
    required: true
  alert:
    description:
      - The alert's name, letters and digits. Needed with O(state=opened).
    type: str
  event:
    description:
      - With O(state=opened) what came in, base64 of JSON with C(labels), C(annotations), C(startsAt), C(fingerprint) and C(generatorURL), at most 256 KiB.
      - What cannot be kept of it is a warning and no error.
    type: str
  window:
    description:
      - With O(state=opened) how far back logs are read, as in M(memops.linux.evidence_info). It reaches to ten minutes before the alert began, at most 30 days.
    type: str
    default: 1h
  policy:
    description:
      - V(observe) changes nothing and proposes nothing, V(propose) writes the change and its command, V(remediate) also lets allowed changes be made.
    type: str
    choices: [observe, propose, remediate]
    default: observe
  allowed_variables:
    description:
      - Variables of roles that may be set, such as V(vm_tunables_overrides), or one of its keys, such as V(vm_tunables_overrides.vm.dirty_bytes).
      - A remedy that would also set something else is left out as a whole.
    type: list
    elements: str
    default: []
  allowed_groups:
    description:
      - Groups of the inventory whose hosts may be changed.
    type: list
    elements: str
    default: []
  confidence:
    description:
      - How sure a cause must at least be for its remedy to be made. Proposed is what is V(probable).
      - One of V(certain), V(probable) and V(possible).
    type: str
    default: certain
  inventories:
    description:
      - What stands after C(-i) in the commands that are proposed.
    type: list
    elements: str
    default: []
  attempts:
    description:
      - With O(state=decided) how often it was tried to reach the host.
    type: int
  units:
    description:
      - With O(state=decided) what C(systemctl show) said of the units that the alert is about.
    type: str
    default: ''
  notifications:
    description:
      - With O(state=finished) what M(memops.linux.notify) returned.
    type: list
    elements: dict
    default: []
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.remediation_turn
  - module: memops.linux.notify
"""

EXAMPLES = r"""
- name: Keep the alert
  memops.linux.alert_response:
    state: opened
    path: "{{ run.path }}"
    alert: HostOomKill
  register: opened
"""

RETURN = r"""
since:
  description: From when on logs are to be read, as an age.
  type: str
  returned: when opened
  sample: 70m
decision:
  description: What is done. One of C(no_evidence), C(observed), C(nothing_to_change), C(proposed) and C(remediate).
  type: str
  returned: when decided
why:
  description: Why, in a sentence.
  type: str
  returned: when decided
plans:
  description: For a host that is changed its plan, as M(memops.linux.remedy_plan) has it, of allowed settings only.
  type: dict
  returned: when decided
kills_count_from:
  description: Whether OOM kills speak against the change from C(before) it on, or C(after) it was made.
  type: str
  returned: when decided
title:
  description: The notice's title.
  type: str
  returned: when told
text:
  description: The notice's text, plain, of at most 3000 characters.
  type: str
  returned: when told
kind:
  description: One of C(info), C(success), C(warning) and C(failure).
  type: str
  returned: when told
path:
  description: Where C(response.json) stands.
  type: str
  returned: when finished
examined:
  description: Whether the host gave evidence.
  type: bool
  returned: when finished
outcome:
  description: How the remediation ended, if there was one.
  type: str
  returned: when finished
left_on_host:
  description: The verdict in words and numbers (memops.verdict/1).
  type: dict
  returned: when finished
"""

# The work is done by the action plugin of the same name; this file documents it.
