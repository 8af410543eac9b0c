#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: baseline_report
short_description: Keep and show whether hosts have their baseline
version_added: 1.0.0
description:
  - Opens the folder of an audit on the controller, keeps what the modules said of each host in check mode, and at the end writes the report of all hosts.
  - Runs on the controller only. It connects to no host.
options:
  state:
    description:
      - V(opened) makes the folder of a new audit and points C(latest) to it.
      - V(stored) keeps the results of the host that the task runs for.
      - V(written) writes C(report.json), C(report.md) and C(junit.xml), prints a table, and fails if a host is not compliant or gave no answer.
    type: str
    choices: [opened, stored, written]
    required: true
  path:
    description:
      - With O(state=opened) the folder that holds all audits. Else the folder of this one.
    type: path
    required: true
  results:
    description:
      - With O(state=stored), by area (a module's name) the result of its module, which ran in check mode.
    type: dict
  failures:
    description:
      - With O(state=stored), by role the result of the task that ended it. It counts where it is none of O(results).
    type: dict
    default: {}
  hosts:
    description:
      - With O(state=written), the hosts that were asked. One of which nothing was stored gets a row that says so.
    type: list
    elements: str
  junit_path:
    description:
      - With O(state=written), write the JUnit XML there too.
    type: path
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.tunables
"""

EXAMPLES = r"""
- name: Open an audit
  memops.linux.baseline_report:
    state: opened
    path: reports/audit
  run_once: true
  register: audit

- name: Compare with the profile
  memops.linux.tunables:
    profile: container_host
  check_mode: true
  register: compared
  ignore_errors: true

- name: Keep what it said
  memops.linux.baseline_report:
    state: stored
    path: "{{ audit.path }}"
    results:
      tunables: "{{ compared }}"

- name: Write and show the report
  memops.linux.baseline_report:
    state: written
    path: "{{ audit.path }}"
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
"""

RETURN = r"""
path:
  description: The folder of the audit; with O(state=stored) the host's document in it.
  type: str
  returned: always
status:
  description: What is said of the host.
  type: str
  returned: when O(state=stored)
  sample: drift
counts:
  description: How many hosts have each status.
  type: dict
  returned: when O(state=written)
  sample: {drift: 2, compliant: 48}
asked:
  description: How many hosts were asked.
  type: int
  returned: when O(state=written)
answered:
  description: How many hosts answered.
  type: int
  returned: when O(state=written)
"""

# The work is done by the action plugin of the same name; this file documents it.
