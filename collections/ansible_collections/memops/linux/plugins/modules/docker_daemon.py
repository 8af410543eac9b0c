#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: docker_daemon
short_description: Set what Docker offers for memory, and report containers whose limits are not meant
version_added: 1.0.0
description:
  - Merges settings into Docker's C(daemon.json). Keys that are not named keep their place, their order and their bytes.
  - The new text is checked before it is put in place, with C(dockerd --validate) where Docker has it (23 and newer), and the former
    text is kept beside it as C(daemon.json.memops-backup). A file that is not valid JSON is an error and stays as it is.
  - Docker is told to reload where that is enough. It is restarted only where a setting needs it and O(restart) allows it, and then
    the containers that run must live through it (C(live-restore)). If it does not come up, the former file is put back.
  - There is no default limit for containers in C(daemon.json). Bound all of them with a slice (C(cgroup-parent)), and give those that
    run limits of their own with O(container_limits).
  - Every container that runs is looked at, and what is probably not meant is reported (RV(container_findings)).
options:
  state:
    description:
      - V(applied) sets what is wanted. V(rolled_back) takes back what O(rollback_run) changed.
    type: str
    choices: [applied, rolled_back]
    default: applied
  settings:
    description:
      - Keys of C(daemon.json) and their values. A null takes the key out.
      - In C(default-ulimits) the value of a limit may also be a number, or have C(soft) and C(hard) alone.
    type: dict
    default: {}
  remove_stale:
    description:
      - Whether keys are taken out with which Docker does not start. That is C(oom-score-adjust), which Docker 25 and newer refuse.
        The score belongs in dockerd's systemd unit (M(memops.linux.unit_memory)).
    type: bool
    default: true
  restart:
    description:
      - Whether Docker may be restarted, where a setting needs it.
      - With V(never) the file is written, and RV(restart_needed) says that Docker does not have it yet.
      - With V(if_needed) it is restarted, and refused where that would end containers, with their names.
      - With V(even_if_containers_die) it is restarted also then.
    type: str
    choices: [never, if_needed, even_if_containers_die]
    default: never
  container_limits:
    description:
      - Memory limits for containers that are there, as C(docker update) sets them. They last until the container is made anew.
      - A limit below what the container holds and reclaim cannot take is refused, unless O(force) is set.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The container's name.
        type: str
        required: true
      memory_bytes:
        description:
          - Its memory limit, in bytes or such as V(512M). The least is 6 MiB.
        type: raw
        required: true
      memory_swap_bytes:
        description:
          - Its limit of memory and swap together, in bytes or such as V(1G). V(-1) lets it swap without a limit.
          - The default is O(container_limits[].memory_bytes), so that it does not swap.
        type: raw
      memory_reservation_bytes:
        description:
          - What reclaim leaves it as long as it can, in bytes or such as V(256M). By default it stays as it is.
        type: raw
  slice:
    description:
      - The slice that containers belong in, such as V(containers.slice). Those that run outside of it are reported.
    type: str
  config_path:
    description:
      - Path of C(daemon.json). The default is what Docker's unit passes as C(--config-file), else C(/etc/docker/daemon.json).
    type: path
  service:
    description:
      - Docker's systemd unit.
    type: str
    default: docker.service
  socket:
    description:
      - Docker's API socket.
    type: path
    default: /run/docker.sock
  force:
    description:
      - Set limits that are refused because of what a container holds, or because they are above the host's RAM.
      - With O(state=rolled_back), take back also what somebody changed since.
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
      - Shows daemon.json, what the running daemon takes over, and containers' limits. Passwords in URLs are left out.
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.unit_memory
"""

EXAMPLES = r"""
- name: Keep containers running while Docker is restarted, and bound their logs' buffers
  memops.linux.docker_daemon:
    settings:
      live-restore: true
      log-opts:
        mode: non-blocking
        max-buffer-size: 4m

- name: Put new containers into a slice, and restart Docker if no container dies of it
  memops.linux.docker_daemon:
    settings:
      live-restore: true
      cgroup-parent: containers.slice
    slice: containers.slice
    restart: if_needed

- name: Limit a container that runs
  memops.linux.docker_daemon:
    container_limits:
      - name: shop-worker
        memory_bytes: 512M
        memory_swap_bytes: 1G

- name: Take back what the last run changed
  memops.linux.docker_daemon:
    state: rolled_back
"""

RETURN = r"""
changes:
  description: What is changed, each with V(key), V(old) and V(new). A container's key is its name with V(container:) before it.
  type: list
  elements: dict
  returned: always
drift:
  description:
    - What did not hold when the module came, each with V(key), V(face), V(wanted), V(found) and V(where).
    - The face is V(daemon.json) for the file, V(running) for what dockerd or a container's cgroup has, and V(docker) for what Docker
      keeps of a container.
  type: list
  elements: dict
  returned: always
compliant:
  description: Keys that held already.
  type: list
  elements: str
  returned: always
refused:
  description: What is not done, each with V(key) and V(why). If there is any, nothing is changed.
  type: list
  elements: dict
  returned: always
left_alone:
  description: What a rollback does not take back, each with V(key) and V(why).
  type: list
  elements: dict
  returned: always
unsupported:
  description: What this kernel or this Docker does not have, each with V(key) and V(why).
  type: list
  elements: dict
  returned: always
notes:
  description: Sentences for a person.
  type: list
  elements: str
  returned: always
restart_needed:
  description: Whether Docker has some of the settings only after a restart that was not made.
  type: bool
  returned: always
restart_needed_by:
  description: The keys that need it.
  type: list
  elements: str
  returned: always
restarted:
  description: Whether Docker is restarted.
  type: bool
  returned: always
reloaded:
  description: Whether Docker is told to reload its file.
  type: bool
  returned: always
container_findings:
  description:
    - Containers that run and whose limits are probably not meant, each with V(name), V(id), V(finding) and V(text).
    - A finding is V(no_limit), V(limit_above_slice), V(outside_slice), V(no_swap), V(as_much_swap_again) or V(unlimited_swap).
  type: list
  elements: dict
  returned: always
config_path:
  description: The path of daemon.json.
  type: str
  returned: success
docker_version:
  description: Version of the dockerd that runs.
  type: str
  returned: success
rollback_run:
  description: The run that is taken back.
  type: str
  returned: when O(state=rolled_back)
"""

import re
import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.changes import change_journal
from ..module_utils.changes.host_files import HostFiles
from ..module_utils.docker_daemon import daemon_keys, enforcing, rolling_back

LISTS = ("changes", "drift", "compliant", "refused", "left_alone", "unsupported", "notes", "restart_needed_by", "container_findings")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$")


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["applied", "rolled_back"], "default": "applied"},
            "settings": {"type": "dict", "default": {}},
            "remove_stale": {"type": "bool", "default": True},
            "restart": {"type": "str", "choices": ["never", "if_needed", "even_if_containers_die"], "default": "never"},
            "container_limits": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "memory_bytes": {"type": "raw", "required": True},
                    "memory_swap_bytes": {"type": "raw"},
                    "memory_reservation_bytes": {"type": "raw"},
                },
            },
            "slice": {"type": "str"},
            "config_path": {"type": "path"},
            "service": {"type": "str", "default": "docker.service"},
            "socket": {"type": "path", "default": "/run/docker.sock"},
            "force": {"type": "bool", "default": False},
            "run": {"type": "str"},
            "reason": {"type": "str", "default": "baseline"},
            "diagnosis": {"type": "str"},
            "rollback_run": {"type": "str", "default": "last"},
            "rollback_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        },
        supports_check_mode=True,
    )
    wanted = module.params
    files = HostFiles()
    try:
        request = _request(wanted)
        if wanted["state"] == "applied":
            result = enforcing.apply(files, request, module.check_mode)
        else:
            result = rolling_back.roll_back(files, request, wanted["rollback_run"], wanted["rollback_keys"], module.check_mode)
    except ValueError as error:
        module.fail_json(msg=str(error), **_whole({}))
    except enforcing.EnforcementError as error:
        module.fail_json(msg=str(error), **_whole(error.result))
    module.exit_json(**_whole(result))


def _request(wanted):
    name = wanted["run"] or time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return enforcing.Request(
        settings=wanted["settings"],
        limits=[_limits(one) for one in wanted["container_limits"]],
        parent=wanted["slice"] or None,
        service=wanted["service"],
        socket=wanted["socket"],
        config_path=wanted["config_path"],
        remove_stale=wanted["remove_stale"],
        restart=wanted["restart"],
        force=wanted["force"],
        run=change_journal.Run(name, enforcing.AREA, wanted["reason"], wanted["diagnosis"], None),
    )


def _limits(one):
    """One of container_limits, in bytes. Raises ValueError."""
    if not NAME.match(one["name"]):
        raise ValueError("container_limits: %r is no name of a container" % one["name"])
    limits = {"name": one["name"]}
    for part in ("memory_bytes", "memory_swap_bytes", "memory_reservation_bytes"):
        value = one.get(part)
        if value is None and part != "memory_bytes":
            continue
        value = int(value) if isinstance(value, str) and re.match(r"-?\d{1,18}$", value) else value
        count = -1 if part == "memory_swap_bytes" and value == -1 else daemon_keys.size_bytes(value)
        if not count:
            raise ValueError("container_limits: %s of %s is %r; it must be a size above 0, in bytes or such as 512M" % (part, one["name"], value))
        limits[part] = count
    return limits


def _whole(result):
    """The result with all that it must have; on a failure there may be less."""
    return dict(dict.fromkeys(("changed", "restart_needed", "restarted", "reloaded"), False), **dict({name: [] for name in LISTS}, **result))


if __name__ == "__main__":
    main()
