#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: evidence_info
short_description: Collect the evidence of memory shortages and OOM kills on a host
version_added: 1.0.0
description:
  - Collects in one call what is needed to say why a process died and whether memory was the cause. That is the kernel log of
    this boot and earlier ones, the state of memory, pressure, processes, memory cgroups, containers, swap, tunables and services.
  - Reads only, and judges nothing. The judgement is made on the controller, when O(store_in) is set.
  - What cannot be read (without root, without a journal, on a broken host) is listed with the reason, and never fails the module.
  - Command lines are redacted on the host. Environment variables are never read.
options:
  gather_subset:
    description:
      - Sections to gather. V(all), or any of V(kernel_log), V(memory), V(pressure), V(processes), V(cgroups), V(containers),
        V(swap), V(tunables), V(services).
      - A name with V(!) in front leaves that section out.
    type: list
    elements: str
    default: [all]
  since:
    description:
      - How far back logs are read. An age such as V(90m), V(24h), V(7d), V(2w), or a UTC time such as V(2026-11-22T03:00).
    type: str
    default: 7d
  budgets:
    description:
      - Bytes that a section may take, by the section's name, in place of the default.
      - What does not fit is dropped, the oldest and smallest first, and counted in the evidence.
    type: dict
    default: {}
  time_limit:
    description:
      - Seconds for the whole collection. Sections that are not reached in time are listed as unreadable.
    type: int
    default: 60
  store_in:
    description:
      - A run folder on the controller, as made by M(memops.linux.diagnosis_report). The evidence and its diagnosis are written
        below it, and the result holds only the verdict.
      - Without it the evidence itself is the result.
    type: path
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.diagnosis_report
"""

EXAMPLES = r"""
- name: Look at everything of the last week
  memops.linux.evidence_info:
  register: host

- name: Only the kernel's words and the cgroups, of the last night
  memops.linux.evidence_info:
    gather_subset: [kernel_log, cgroups]
    since: 12h

- name: Everything but the processes, with more room for the log
  memops.linux.evidence_info:
    gather_subset: ["!processes"]
    budgets:
      kernel_log: 4194304
"""

RETURN = r"""
evidence:
  description:
    - The evidence document. Its JSON Schema is C(docs/schemas/evidence-1.schema.json) in the collection.
    - Sizes are bytes, times ISO 8601 in UTC. A null means that the source does not say.
  type: dict
  returned: when O(store_in) is not set
verdict:
  description: The answer for this host. Its code, its confidence, and a sentence.
  type: dict
  returned: when O(store_in) is set
  sample:
    code: memory
    confidence: certain
    summary: "dd (pid 812) in container shop-worker was OOM-killed at a limit of 64 MiB: working_set_over_limit"
incidents:
  description: How many incidents were found.
  type: int
  returned: when O(store_in) is set
unreadable:
  description: How many sources could not be read.
  type: int
  returned: when O(store_in) is set
diagnosis_path:
  description: The diagnosis document on the controller. The evidence lies beside it.
  type: str
  returned: when O(store_in) is set
"""

import base64
import gc
import time
import zlib

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.collection import compile_once

# A short process that keeps nearly all it makes: looking for garbage would find none.
gc.disable()
compile_once.install("ansible_collections.memops", compile_once.__loader__)  # before what it is for

from ..module_utils.collection.gather import SECTIONS, gather
from ..module_utils.collection.window import chosen, seconds_back


def main():
    module = AnsibleModule(
        argument_spec={
            "gather_subset": {"type": "list", "elements": "str", "default": ["all"]},
            "since": {"type": "str", "default": "7d"},
            "budgets": {"type": "dict", "default": {}},
            "time_limit": {"type": "int", "default": 60},
            "store_in": {"type": "path"},
        },
        supports_check_mode=True,
    )
    try:
        subset = chosen(module.params["gather_subset"], list(SECTIONS))
        since_seconds = seconds_back(module.params["since"], time.time())
        budgets = {name: int(size) for name, size in module.params["budgets"].items()}
        chosen(list(budgets) or ["all"], list(SECTIONS))
    except ValueError as error:
        module.fail_json(msg=str(error))
    document = gather(subset, since_seconds, budgets, module.params["time_limit"])
    # Packed, because Ansible walks through every value of a result; the action plugin unpacks it.
    module.exit_json(changed=False, packed_evidence=base64.b64encode(zlib.compress(document.encode(), 1)).decode())


if __name__ == "__main__":
    main()
