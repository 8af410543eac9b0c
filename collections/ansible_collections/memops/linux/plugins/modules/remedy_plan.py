#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: remedy_plan
short_description: Say what diagnoses would have changed, host by host
version_added: 1.0.0
description:
  - Reads the diagnoses in a report directory and gives the variables of the roles that would apply their remedies. It prints them with why and risk.
  - Of an incident's remedies, which are alternatives, it takes the first that a role can apply. Findings of severity C(risk) count like incidents.
  - Remedies of all incidents are merged, whatever their order. Where two ask for different values of one setting, the safer is taken if it is known
    which that is; otherwise neither is, and it says so.
  - Runs on the controller only. It connects to no host. What it gives is data and is never evaluated as a template.
options:
  path:
    description:
      - The report directory, such as C(reports/latest).
    type: path
    required: true
  hosts:
    description:
      - The hosts to plan for, by their names in the inventory. Those without a diagnosis are left alone.
    type: list
    elements: str
    required: true
  causes:
    description:
      - Only remedies for these causes. If empty, for all.
    type: list
    elements: str
    default: []
  variables:
    description:
      - Only these variables of roles. If empty, all.
    type: list
    elements: str
    choices: [vm_tunables_overrides, swap_devices, docker_memory_container_limits, docker_memory_slice_max_bytes, oom_protection_units]
    default: []
  confidence:
    description:
      - How sure a cause must at least be.
    type: str
    choices: [certain, probable, possible]
    default: probable
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.diagnosis_report
"""

EXAMPLES = r"""
- name: See what the last diagnosis would have changed
  memops.linux.remedy_plan:
    path: reports/latest
    hosts: "{{ ansible_play_hosts_all }}"
    causes: [dirty_page_cache]
  run_once: true
  register: plan

- name: Show the variables for this host
  ansible.builtin.debug:
    var: plan.plans[inventory_hostname].variables
"""

RETURN = r"""
plans:
  description: >-
    For each host that something is applied to its roles, variables, reasons by role, the diagnosis, the settings with why and risk,
    and what is not applied and why.
  type: dict
  returned: always
left_alone:
  description: The hosts that nothing is applied to.
  type: list
  elements: str
  returned: always
"""

# The work is done by the action plugin of the same name; this file documents it.
