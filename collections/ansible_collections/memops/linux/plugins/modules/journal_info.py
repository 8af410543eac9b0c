#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: journal_info
short_description: Read which runs changed a host and what a rollback would be about
version_added: 1.0.0
description:
  - Reads the journal of changes that the host keeps (C(/var/lib/memops/changes.jsonl)).
  - Says which runs there were and how much of each still stands, and for one run which areas and keys a rollback of it would take back.
options:
  rollback_run:
    description:
      - The run that a rollback would be of. The name of a run, V(last) for the newest that still stands, or V(all).
    type: str
    default: last
  rollback_keys:
    description:
      - Only these keys.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.tunables
"""

EXAMPLES = r"""
- name: Which runs could be taken back
  memops.linux.journal_info:
  register: journal
"""

RETURN = r"""
runs:
  description: The newest runs first, at most 20, each with its time, reason, diagnosis, how many changes it made and how many of them still stand.
  type: list
  elements: dict
  returned: always
chosen:
  description: Of the run asked for, its name, the areas (modules) and keys that a rollback takes back, and keys that it never changed.
  type: dict
  returned: always
  sample: {run: 2026-11-25T101500Z, areas: {tunables: []}, unknown_keys: []}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.changes import change_journal, journal_runs
from ..module_utils.changes.host_files import HostFiles


def main():
    module = AnsibleModule(
        argument_spec={
            "rollback_run": {"type": "str", "default": change_journal.LAST},
            "rollback_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        },
        supports_check_mode=True,
    )
    try:
        entries = change_journal.read(HostFiles())
    except (OSError, ValueError) as error:
        module.fail_json(msg="The journal %s cannot be read: %s" % (change_journal.PATH, error))
    given = module.params
    module.exit_json(
        changed=False,
        runs=journal_runs.summary(entries),
        chosen=journal_runs.chosen(entries, given["rollback_run"], given["rollback_keys"]),
    )


if __name__ == "__main__":
    main()
