#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: evidence_comparison
short_description: Compare the evidence of hosts before and after a change
version_added: 1.0.0
description:
  - Reads the evidence of the same hosts in two report directories, says what was set differently (tunables, swap, limits of cgroups and containers)
    and whether kills, stalls on memory, reclaim and swapping became better or worse, with the numbers side by side.
  - Before is from the boot to the first evidence; after is from there to the second one, or from the second boot on.
  - Where the time is too short, or evidence is missing, it says that it cannot tell, and why.
  - Runs on the controller only. It connects to no host.
options:
  before:
    description:
      - The report directory with the older evidence.
    type: path
    required: true
  after:
    description:
      - The report directory with the newer evidence.
    type: path
    required: true
  path:
    description:
      - The folder that holds all comparisons. A new one is made in it, with C(compare.json) and C(compare.md), and C(latest) points to that.
    type: path
    required: true
  hosts:
    description:
      - The hosts to compare. If not given, all that either directory has.
    type: list
    elements: str
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.evidence_info
"""

EXAMPLES = r"""
- name: Did it help
  memops.linux.evidence_comparison:
    before: reports/2026-11-20T100000Z
    after: reports/latest
    path: reports/compare
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
path:
  description: The folder of the comparison.
  type: str
  returned: always
counts:
  description: How many hosts have each verdict.
  type: dict
  returned: always
  sample: {better: 3, cannot_tell: 1}
"""

# The work is done by the action plugin of the same name; this file documents it.
