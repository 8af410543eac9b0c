#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memory_metrics
short_description: Write memory metrics that node_exporter lacks
version_added: 1.0.0
description:
  - Installs a small program and a systemd timer that writes C(memops.prom) for node_exporter's textfile collector.
  - "It tells of each memory cgroup that matters its events, limits and pressure; of the kernel its stalls in reclaim and its refaults;
    whether the last boot ended in a panic; and what the last diagnosis said, where one has left C(/var/lib/memops/verdict.json)."
  - The program needs nothing but Python 3.6 or newer, runs confined, and is the first to go when memory runs out.
options:
  directory:
    description:
      - Where node_exporter reads text files (C(--collector.textfile.directory)). It is made where it is missing.
    type: path
    default: /var/lib/prometheus/node-exporter
  interval_seconds:
    description:
      - How often the metrics are written, from 5 to 3600 seconds.
    type: int
    default: 15
  cgroups:
    description:
      - How many memory cgroups have metrics at most, from 1 to 400. Those with kills come first, then other trouble, limits that are
        nearly met, and the largest. C(memops_cgroups) counts all.
    type: int
    default: 100
  python:
    description:
      - The Python that runs the program. By default the host's own, C(/usr/bin/python3) or C(/usr/libexec/platform-python).
    type: path
  state:
    description:
      - V(present) installs or renews them. V(absent) removes the program, the timer and the metrics.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - memops.linux.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The program is shown as its size and checksum.
author:
  - The memops developers (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Write memory metrics for Debian's node_exporter
  memops.linux.memory_metrics:

- name: Write them where another node_exporter looks, once a minute
  memops.linux.memory_metrics:
    directory: /var/lib/node_exporter/textfile
    interval_seconds: 60

- name: Remove them
  memops.linux.memory_metrics:
    state: absent
"""

RETURN = r"""
metrics_file:
  description: The file that is written.
  type: str
  returned: success
  sample: /var/lib/prometheus/node-exporter/memops.prom
notes:
  description: What is worth knowing, such as that node_exporter must be told of a new directory.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.changes import host_command
from ..module_utils.changes.host_files import HostFiles
from ..module_utils.memory_metrics import installing


def main():
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "default": "/var/lib/prometheus/node-exporter"},
            "interval_seconds": {"type": "int", "default": 15},
            "cgroups": {"type": "int", "default": 100},
            "python": {"type": "path"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        if given["state"] == "present":
            result = installing.install(HostFiles(), host_command, given, module.check_mode)
        else:
            result = installing.remove(HostFiles(), host_command, given["directory"], module.check_mode)
    except (installing.InstallError, host_command.CommandError, TimeoutError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
