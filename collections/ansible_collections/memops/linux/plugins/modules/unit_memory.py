#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: unit_memory
short_description: Set who dies first and how much memory systemd's services and slices may take
version_added: 1.0.0
description:
  - Sets OOM scores, OOM policies, memory limits and protections of services and slices, in what runs now and for every later start,
    without restarting anything. All units of a host are set in one call.
  - What lasts is one drop-in per unit, C(/etc/systemd/system/NAME.d/zz-memops.conf). Settings that are not named are left as they are.
  - What runs is set by systemd where it does so, and in the cgroup otherwise. An OOM score is also given to the unit's processes that
    run already, except to those that chose another than the main process had.
  - A value that would harm the host now is refused with the sum, and then nothing is changed.
  - Each change is written into the host's journal before it is made, and can be taken back.
options:
  units:
    description:
      - The units, with what is wanted of each.
      - Sizes are bytes, a text such as V(512M) or V(2G) (powers of 1024), a share of RAM such as V(25%), or V(infinity).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The service or slice, such as V(postgresql.service).
        type: str
      process:
        description:
          - In place of O(units[].name), the name of a running program, as the kernel has it (C(/proc/PID/comm)). Its service is found on the host.
          - It is refused when no such process runs, when they are in several services, or in none.
        type: str
      state:
        description: V(absent) takes from the unit all that this module has set, and removes a slice's unit file that it made.
        type: str
        choices: [present, absent]
        default: present
      create:
        description: Make a slice that does not exist. A unit file is then written and the slice started.
        type: bool
        default: false
      description:
        description: The description of a slice that is made.
        type: str
      oom_score_adjust:
        description:
          - From -1000 (never killed) to 1000 (killed first).
          - V(-1000) is refused for all but a few daemons that stay small, unless O(force) is set.
        type: int
        aliases: [oom_score_adj]
      oom_policy:
        description: What happens to the service when one of its processes was OOM-killed. V(kill) kills all of them at once (cgroup v2).
        type: str
        choices: [continue, stop, kill]
      memory_max_bytes:
        description: The limit at which it is OOM-killed. On cgroup v1, C(memory.limit_in_bytes).
        type: str
      memory_high_bytes:
        description: Above it the unit is slowed and reclaimed from, never killed. Needs cgroup v2.
        type: str
      memory_low_bytes:
        description:
          - So much is only reclaimed from it when there is nothing else to reclaim. Needs cgroup v2.
          - The slices above it must keep as much, or it has no effect; the module says which do not.
        type: str
      memory_min_bytes:
        description: As O(units[].memory_low_bytes), and never reclaimed.
        type: str
      memory_swap_max_bytes:
        description: How much swap it may use. Needs cgroup v2.
        type: str
      tasks_max:
        description: How many processes and threads it may have, or V(infinity).
        type: str
      managed_oom_swap:
        description: Whether systemd-oomd may kill below it when swap runs out.
        type: str
        choices: [auto, kill]
      managed_oom_memory_pressure:
        description: Whether systemd-oomd may kill below it when work there waits for memory too long.
        type: str
        choices: [auto, kill]
      managed_oom_memory_pressure_limit:
        description: The share of time that is too long, such as V(60%).
        type: str
      managed_oom_preference:
        description: Whether systemd-oomd chooses it last (V(avoid)) or never (V(omit)).
        type: str
        choices: [none, avoid, omit]
  daemon:
    description:
      - The daemon that kills before the kernel has to. It is configured, started and enabled, and the other one stopped and disabled.
      - It must be installed. M(memops.linux.unit_memory) installs nothing.
    type: dict
    suboptions:
      name:
        description: Which one. V(none) leaves both as they are.
        type: str
        choices: [none, systemd-oomd, earlyoom]
        default: none
      memory_percent:
        description: For V(earlyoom), it asks the fattest process to end when less of the memory is available, and less of the swap is free.
        type: int
      memory_kill_percent:
        description: For V(earlyoom), below this it kills. The default is half of O(daemon.memory_percent).
        type: int
      swap_percent:
        description: For V(earlyoom), see O(daemon.memory_percent).
        type: int
      swap_kill_percent:
        description: For V(earlyoom), see O(daemon.memory_kill_percent).
        type: int
      report_interval_seconds:
        description: For V(earlyoom), how often it logs what is free. V(0) for never.
        type: int
      prefer:
        description: For V(earlyoom), names of processes to kill first, as in C(/proc/PID/comm). Names, not patterns.
        type: list
        elements: str
        default: []
      avoid:
        description: For V(earlyoom), names of processes to kill last.
        type: list
        elements: str
        default: []
      swap_used_limit:
        description: For V(systemd-oomd), the share of swap in use at which it kills, such as V(90%).
        type: str
      memory_pressure_limit:
        description: For V(systemd-oomd), the share of time lost to waiting for memory at which it kills, for units that name none.
        type: str
      memory_pressure_seconds:
        description: For V(systemd-oomd), for how long the pressure must last.
        type: int
  state:
    description: V(applied) sets what is wanted. V(rolled_back) takes back what earlier runs set, by the host's journal.
    type: str
    choices: [applied, rolled_back]
    default: applied
  force:
    description:
      - Set also what is refused because it would harm the host now.
      - With O(state=rolled_back), take back also what somebody has changed since.
    type: bool
    default: false
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.changes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the drop-ins, and what runs.
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.evidence_info
"""

EXAMPLES = r"""
- name: Protect the database, and offer the batch jobs
  memops.linux.unit_memory:
    units:
      - name: postgresql.service
        oom_score_adjust: -800
        oom_policy: continue
        memory_low_bytes: 2G
      - name: system.slice
        memory_low_bytes: 2G
      - name: batch.slice
        create: true
        description: Jobs that may die
        memory_high_bytes: 40%
        memory_max_bytes: 50%

- name: Take the protection from whatever service runs this program
  memops.linux.unit_memory:
    units:
      - process: java
        oom_score_adj: 0
    reason: It held the memory while others were killed

- name: Take back what the newest run did
  memops.linux.unit_memory:
    state: rolled_back
"""

RETURN = r"""
changes:
  description: What was changed, or would be, with its V(key) (C(UNIT:Setting)), V(old) and V(new).
  type: list
  elements: dict
  returned: always
  sample: [{"key": "postgresql.service:OOMScoreAdjust", "old": "0", "new": "-800"}]
drift:
  description:
    - What did not hold when the module came, each with V(key), V(face), V(wanted), V(found) and V(where).
    - The faces are V(running) (the kernel), V(manager) (what systemd has loaded) and V(boot) (what its files give after a boot).
  type: list
  elements: dict
  returned: always
compliant:
  description: Keys that held.
  type: list
  elements: str
  returned: always
refused:
  description: Keys that were refused, and V(why).
  type: list
  elements: dict
  returned: always
left_alone:
  description: With O(state=rolled_back), keys that were not taken back, and V(why).
  type: list
  elements: dict
  returned: always
unsupported:
  description: Keys that this systemd or kernel does not have, and V(why).
  type: list
  elements: dict
  returned: always
notes:
  description: What else is worth knowing, as sentences.
  type: list
  elements: str
  returned: always
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.changes import change_journal, host_command, host_files
from ..module_utils.unit_memory import working

UNIT = {
    "name": {"type": "str"},
    "process": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "create": {"type": "bool", "default": False},
    "description": {"type": "str"},
    "oom_score_adjust": {"type": "int", "aliases": ["oom_score_adj"]},
    "oom_policy": {"type": "str", "choices": ["continue", "stop", "kill"]},
    "memory_max_bytes": {"type": "str"},
    "memory_high_bytes": {"type": "str"},
    "memory_low_bytes": {"type": "str"},
    "memory_min_bytes": {"type": "str"},
    "memory_swap_max_bytes": {"type": "str"},
    "tasks_max": {"type": "str"},
    "managed_oom_swap": {"type": "str", "choices": ["auto", "kill"]},
    "managed_oom_memory_pressure": {"type": "str", "choices": ["auto", "kill"]},
    "managed_oom_memory_pressure_limit": {"type": "str"},
    "managed_oom_preference": {"type": "str", "choices": ["none", "avoid", "omit"]},
}

DAEMON = {
    "name": {"type": "str", "choices": ["none", "systemd-oomd", "earlyoom"], "default": "none"},
    "memory_percent": {"type": "int"},
    "memory_kill_percent": {"type": "int"},
    "swap_percent": {"type": "int"},
    "swap_kill_percent": {"type": "int"},
    "report_interval_seconds": {"type": "int"},
    "prefer": {"type": "list", "elements": "str", "default": []},
    "avoid": {"type": "list", "elements": "str", "default": []},
    "swap_used_limit": {"type": "str"},
    "memory_pressure_limit": {"type": "str"},
    "memory_pressure_seconds": {"type": "int"},
}


def main():
    module = AnsibleModule(
        argument_spec={
            "units": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": UNIT,
                "mutually_exclusive": [("name", "process")],
                "required_one_of": [("name", "process")],
            },
            "daemon": {"type": "dict", "options": DAEMON},
            "state": {"type": "str", "choices": ["applied", "rolled_back"], "default": "applied"},
            "force": {"type": "bool", "default": False},
            "run": {"type": "str"},
            "reason": {"type": "str", "default": "baseline"},
            "diagnosis": {"type": "str"},
            "rollback_run": {"type": "str", "default": "last"},
            "rollback_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    name = given["run"] or time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    run = change_journal.Run(name, working.AREA, given["reason"], given["diagnosis"], None)
    try:
        result = working.work(host_files.HostFiles(), host_command, given, run, module.check_mode)
    except working.WorkError as error:
        module.fail_json(msg=str(error), **error.result)
    for note in result["notes"]:
        module.warn(note)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
