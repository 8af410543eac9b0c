#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: swap
short_description: Swap files, partitions, logical volumes and zram, now and after a reboot
version_added: 1.0.0
description:
  - Makes, grows, shrinks and removes swap, with all areas of a host in one call, and keeps it over reboots as the host does it, in fstab or
    with units of systemd.
  - Swap is turned off only where what is in it fits into available memory and the other swap, with a margin. Else it is refused with the sum.
  - A device that holds anything known is never formatted unless O(format_device) names its exact path.
  - It is all or nothing. Where a step fails, what was there is put back. A run that is cut off is completed by the next one.
  - zswap is set by M(memops.linux.tunables).
options:
  devices:
    description:
      - The swap areas that are to be, or not to be.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description:
          - V(file) is a swap file on ext4, xfs or btrfs. V(partition) is a partition or a whole disk. V(lv) is a logical volume of LVM.
          - V(zram) is a compressed area in memory, set up by zram-generator where that is installed, else by a unit of the module's own.
        type: str
        choices: [file, partition, lv, zram]
        required: true
      path:
        description:
          - The file or device. For zram C(zram0), which is its default. Not needed for kind V(lv) with O(devices[].volume_group).
        type: str
      size:
        description:
          - V(512M), V(2G), a share of RAM such as V(25%), or V(usual) for what is usual with this RAM and O(workload).
          - Rounded up to whole MiB. Not for partitions, nor for volumes that are taken as they are.
        type: str
      size_bytes:
        description:
          - The size in bytes, instead of O(devices[].size).
        type: int
      priority:
        description:
          - 0 to 32767; a higher one is used first. Left out, the kernel chooses, and what is there is left; zram has 100.
        type: int
      state:
        description:
          - V(absent) turns it off, takes it out of what comes up at boot, and deletes a swap file. Devices and volumes stay as they are.
          - A zram that a file of the distribution has zram-generator make is kept away by a drop-in; that file stays as it is.
        type: str
        choices: [present, absent]
        default: present
      volume_group:
        description:
          - The group of a volume that is made, or resized, where it is not as large as asked.
        type: str
      name:
        description:
          - The name of that volume.
        type: str
      algorithm:
        description:
          - The compressor of zram, one of those that the kernel offers. The default is the kernel's.
        type: str
      discard:
        description:
          - Whether freed pages are discarded on the device, once when it is turned on (V(once)), page by page (V(pages)) or both.
        type: str
        choices: [none, once, pages, both]
        default: none
  workload:
    description:
      - What the host does, for the size V(usual).
      - Up to 2 GiB of RAM as much as RAM, up to 8 GiB half of RAM and at least 2 GiB, above that 4 GiB, in steps of 256 MiB.
      - V(database) half of that. V(batch) above 8 GiB half of RAM, at most 16 GiB. V(latency) at most 1 GiB.
    type: str
    choices: [general, container_host, database, batch, latency]
    default: general
  exclusive:
    description:
      - Whether swap that is not listed is turned off and taken out of what comes up at boot. Its files and devices stay.
    type: bool
    default: false
  swapoff_margin_bytes:
    description:
      - What must stay available when swap is turned off. V(auto) is 5 % of RAM and at least 64 MiB.
    type: str
    default: auto
  format_device:
    description:
      - Exact paths of devices, or files, that may be formatted although they hold something. What they hold is lost.
    type: list
    elements: str
    default: []
  persist_with:
    description:
      - What brings swap up at boot. V(auto) keeps what an area has, else uses fstab where the host keeps anything in it, else units of systemd.
      - zram always has units or zram-generator.
    type: str
    choices: [auto, fstab, systemd]
    default: auto
  state:
    description:
      - V(applied) makes the swap of the host as O(devices) says. V(rolled_back) takes back what an earlier run changed.
    type: str
    choices: [applied, rolled_back]
    default: applied
  force:
    description:
      - With O(state=rolled_back), take back also what was changed again since. The rule for turning swap off holds all the same.
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
      - The UUID that a device gets is chosen when it is formatted, so it is another one in check mode.
notes:
  - A partition of the type swap on a GPT disk that holds the root file system is brought up by systemd-gpt-auto-generator, too.
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.tunables
  - module: memops.linux.evidence_info
"""

EXAMPLES = r"""
- name: A swap file of the usual size
  memops.linux.swap:
    devices:
      - kind: file
        path: /swapfile
        size: usual

- name: Compressed swap in memory first, then a disk, and nothing else
  memops.linux.swap:
    devices:
      - kind: zram
        size: usual
        priority: 100
      - kind: partition
        path: /dev/disk/by-id/virtio-swap
        priority: 10
    exclusive: true

- name: Remove a swap file
  memops.linux.swap:
    devices:
      - kind: file
        path: /swapfile
        state: absent

- name: Take back what the newest run changed
  memops.linux.swap:
    state: rolled_back
"""

RETURN = r"""
changes:
  description:
    - Each area that is different, or would be, as C(key) (its path, or C(zram0)), C(old) and C(new).
    - These are null where there is no such swap, else have C(kind), C(size_bytes), C(priority) (null for the kernel's choice), C(running),
      C(at_boot) and C(discard).
  type: list
  elements: dict
  returned: always
drift:
  description: What was not as wanted when the module came, as C(key), C(face) (V(running), V(boot) or V(file)), C(wanted), C(found) and C(where).
  type: list
  elements: dict
  returned: always
compliant:
  description: The areas that were as wanted.
  type: list
  elements: str
  returned: always
refused:
  description: What was not done because it would hurt, as C(key) and C(why), with the sum. The module then fails, and nothing was changed.
  type: list
  elements: dict
  returned: always
left_alone:
  description: What a rollback did not take back, as C(key) and C(why).
  type: list
  elements: dict
  returned: always
unsupported:
  description: What cannot be done on this host, as C(key) and C(why).
  type: list
  elements: dict
  returned: always
notes:
  description: How sizes came about, and what else a person should know.
  type: list
  elements: str
  returned: always
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.changes import change_journal
from ..module_utils.changes.host_files import HostFiles
from ..module_utils.host.memory import parse_meminfo
from ..module_utils.swap_devices import applying, going_back, sizes, wanted
from ..module_utils.swap_devices.deciding import Request
from ..module_utils.swap_devices.errors import SwapError
from ..module_utils.swap_devices.probing import Probe
from ..module_utils.swap_devices.usual_size import CLASSES

LISTS = ("changes", "drift", "compliant", "refused", "left_alone", "unsupported", "notes")


def main():
    device = {
        "kind": {"type": "str", "choices": list(wanted.KINDS), "required": True},
        "path": {"type": "str"},
        "size": {"type": "str"},
        "size_bytes": {"type": "int"},
        "priority": {"type": "int"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "volume_group": {"type": "str"},
        "name": {"type": "str"},
        "algorithm": {"type": "str"},
        "discard": {"type": "str", "choices": list(wanted.DISCARDS), "default": "none"},
    }
    module = AnsibleModule(
        argument_spec={
            "devices": {"type": "list", "elements": "dict", "options": device, "default": []},
            "workload": {"type": "str", "choices": list(CLASSES), "default": "general"},
            "exclusive": {"type": "bool", "default": False},
            "swapoff_margin_bytes": {"type": "str", "default": "auto"},
            "format_device": {"type": "list", "elements": "str", "default": []},
            "persist_with": {"type": "str", "choices": ["auto", "fstab", "systemd"], "default": "auto"},
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
    result = {name: [] for name in LISTS}
    probe = Probe(HostFiles())
    try:
        done = _work(probe, module.params, module.check_mode, result)
    except applying.FAILURES as error:
        decision = getattr(error, "decision", None)
        if decision:
            result.update(_told(decision), changes=[])
        module.fail_json(msg=str(error), **result)
    result.update(_told(done.decision, result["notes"]))
    module.exit_json(changed=done.changed, diff=done.decision.diff, **result)


def _work(probe, asked, only_look, result):
    run = change_journal.Run(asked["run"] or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), applying.AREA, asked["reason"], asked["diagnosis"], None)
    margin = _margin(asked["swapoff_margin_bytes"])
    if asked["state"] == "rolled_back":
        back = going_back.back(probe, asked["rollback_run"], asked["rollback_keys"], asked["force"])
        result["left_alone"] = back.left_alone
        if not back.wanted and not back.left_alone:
            result["notes"].append("There is nothing to take back.")
        request = Request(back.wanted, False, margin, (), asked["persist_with"])
        return applying.apply(probe, request, run._replace(undoes=back.undoes), only_look, {area.key for area in back.wanted})
    ram_bytes = parse_meminfo(probe.files.read("/proc/meminfo") or "").get("mem_total_bytes") or 0
    areas = wanted.resolve(asked["devices"], asked["workload"], ram_bytes)
    allowed = tuple(wanted.checked_path(path, "each of format_device") for path in asked["format_device"])
    return applying.apply(probe, Request(areas, asked["exclusive"], margin, allowed, asked["persist_with"]), run, only_look)


def _margin(text):
    if text == "auto":
        return None
    size = sizes.parse(text, 0) if "%" not in text else None
    if size is None:
        raise SwapError("swapoff_margin_bytes must be auto, or bytes such as 268435456 or 256M, not %r" % text)
    return size


def _told(decision, notes=()):
    told = {name: getattr(decision, name) for name in ("changes", "drift", "compliant", "refused", "unsupported")}
    told["notes"] = list(notes) + decision.notes
    return told


if __name__ == "__main__":
    main()
