#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: evidence_retried
short_description: Collect evidence, again after a while where a host cannot be reached
version_added: 1.0.0
description:
  - The same as M(memops.linux.evidence_info), whose other options it takes, but a host that cannot be reached is tried again.
  - A host that just reboots, or has no memory left to answer with, is often back within a minute.
options:
  retries:
    description:
      - After how many seconds it is tried again, each from 0 to 3600. None where the list is empty.
    type: list
    elements: float
    default: []
  gather_subset:
    description:
      - As in M(memops.linux.evidence_info).
    type: list
    elements: str
  since:
    description:
      - As in M(memops.linux.evidence_info).
    type: str
  store_in:
    description:
      - As in M(memops.linux.evidence_info).
    type: path
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.evidence_info
"""

EXAMPLES = r"""
- name: Collect and diagnose
  memops.linux.evidence_retried:
    since: 1h
    store_in: "{{ run.path }}"
    retries: [5, 15, 45]
"""

RETURN = r"""
attempts:
  description: How often it was tried.
  type: int
  returned: always
verdict:
  description: The answer, as M(memops.linux.evidence_info) returns it, whose other results are returned too.
  type: dict
  returned: when the host was examined and store_in is set
"""

# The work is done by the action plugin of the same name; this file documents it.
