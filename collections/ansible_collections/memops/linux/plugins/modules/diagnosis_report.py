#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: diagnosis_report
short_description: Keep and show the diagnoses of a run
version_added: 1.0.0
description:
  - Opens the folder of a run on the controller, and at its end writes the report of all its hosts there and shows it.
  - Runs on the controller only. It connects to no host.
options:
  state:
    description:
      - V(opened) makes the folder of a new run and points C(latest) to it.
      - V(written) reads the hosts' diagnoses from that folder, writes C(report.html), C(report.md) and C(report.json), and prints a table.
      - V(made_again) does the same from runs that are already there. Several are merged in a new run.
    type: str
    choices: [opened, written, made_again]
    required: true
  path:
    description:
      - With O(state=opened) the folder that holds all runs. With O(state=written) the folder of the run.
      - With O(state=made_again) the folder in which the merged run is made. Not used for a single run, whose report is written where it stands.
    type: path
    required: true
  runs:
    description:
      - With O(state=made_again) the report directories. Of a folder that holds several, all.
      - By host the newest diagnosis counts. Incidents from before the time that it could see are kept from older ones and marked.
    type: list
    elements: path
  hosts:
    description:
      - The hosts that were asked. One without a diagnosis gets a row that says so.
      - If not given, all that have a diagnosis in the folder.
    type: list
    elements: str
  subjects:
    description:
      - What the rows are of, for the words of a failure.
    type: str
    choices: [hosts, logs]
    default: hosts
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.evidence_info
"""

EXAMPLES = r"""
- name: Merge the runs of two control nodes
  memops.linux.diagnosis_report:
    state: made_again
    path: reports
    runs: [/srv/east/reports/latest, /srv/west/reports/latest]

- name: Open a run
  memops.linux.diagnosis_report:
    state: opened
    path: reports
  run_once: true
  register: run

- name: Collect and diagnose
  memops.linux.evidence_info:
    store_in: "{{ run.path }}"

- name: Write and show the report
  memops.linux.diagnosis_report:
    state: written
    path: "{{ run.path }}"
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
"""

RETURN = r"""
path:
  description: The folder of the run.
  type: str
  returned: always
counts:
  description: How many hosts have each verdict.
  type: dict
  returned: when a report was written
  sample: {memory: 2, healthy: 48}
asked:
  description: How many hosts were asked.
  type: int
  returned: when a report was written
answered:
  description: How many hosts gave evidence.
  type: int
  returned: when a report was written
"""

# The work is done by the action plugin of the same name; this file documents it.
