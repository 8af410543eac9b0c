#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: tunables
short_description: Set the kernel tunables of memory, live and lasting, and take them back
version_added: 1.0.0
description:
  - Sets sysctls of C(vm.*), C(kernel.panic) and C(kernel.panic_on_oops), transparent huge pages, zswap and same-page merging in one call.
  - Each value is made to hold now, at the next boot and after C(sysctl --system), which read different files. Where a file of somebody
    else wins, it is named.
  - What would hurt the host now is refused with the sum, and then nothing is touched.
  - Each change stands in the journal of the host with the value that was there before, and O(state=rolled_back) puts that back.
  - The role P(memops.linux.vm_tunables#role) has the catalogue of all tunables, with what they mean and what can go wrong.
options:
  profile:
    description:
      - The class of workload whose values are wanted. V(none) wants only O(values).
    type: str
    default: none
    choices: [none, general, container_host, database, batch, latency]
  values:
    description:
      - Values by key, over those of the profile. A number in the key's own unit, a word, or an expression of the host.
      - "Expressions: a size as V(512M), a share as V(4% of memory) or V(4% of memory without huge pages), V(sqrt rule) for
        C(vm.min_free_kbytes), each with V(, at least ...) and V(, at most ...). V(keep) leaves the key alone, V(keep, at least N) only
        raises it."
      - Null takes a key out of the profile.
      - Of a pair such as C(vm.dirty_bytes) and C(vm.dirty_ratio), which exclude each other, one can be given.
    type: dict
    default: {}
  catalogue:
    description:
      - What the module has to know of the wanted keys. It is filled in by the collection and cannot be given.
    type: dict
    default: {}
  force:
    description:
      - Do what would be refused, with a warning. With O(state=rolled_back), also take back what somebody changed since.
    type: bool
    default: false
  persist:
    description:
      - Whether the values also hold after a boot. They are kept in C(/etc/sysctl.d/zz-memops.conf) and C(/etc/tmpfiles.d/00-memops.conf).
      - The kernel's command line is left alone.
    type: bool
    default: true
  own_conflicts:
    description:
      - Whether lines of other files below C(/etc) that would win are taken out of use, by a comment sign. They are put back with a
        rollback.
      - Otherwise they are reported.
    type: bool
    default: false
  state:
    description:
      - V(applied) makes the values hold. V(rolled_back) puts back what was there before a run, as the journal tells.
    type: str
    choices: [applied, rolled_back]
    default: applied
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.changes
attributes:
  check_mode:
    support: full
    details:
      - Says exactly what would be changed, and what would be refused.
  diff_mode:
    support: full
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.evidence_info
"""

EXAMPLES = r"""
- name: Give a container host its values
  memops.linux.tunables:
    profile: container_host
    reason: baseline 2026

- name: Bound the file data that waits for a slow disk, and nothing else
  memops.linux.tunables:
    values:
      vm.dirty_bytes: 64M
      vm.dirty_background_bytes: 32M

- name: See what would not hold, without a change
  memops.linux.tunables:
    profile: database
    values:
      vm.swappiness: 1
      vm.min_free_kbytes: sqrt rule, at least 1% of memory, at most 1G
      thp.enabled: never
  check_mode: true

- name: Take back what the last run changed
  memops.linux.tunables:
    state: rolled_back
"""

RETURN = r"""
changes:
  description: What is changed. A key alone is the running value, V(key@boot) what is kept for the next boot, V(key@/path) a line of another file.
  type: list
  elements: dict
  returned: always
  sample: [{"key": "vm.swappiness", "old": "60", "new": "10"}, {"key": "vm.swappiness@boot", "old": null, "new": "10"}]
drift:
  description: What did not hold when the module came. RV(drift[].face) is V(running), V(boot) or V(procps) (C(sysctl --system)).
  type: list
  elements: dict
  returned: always
  contains:
    key:
      description: The tunable.
      type: str
    face:
      description: Where it did not hold.
      type: str
    wanted:
      description: The value that is wanted.
      type: str
    found:
      description: The value that was found; null where no file sets it.
      type: str
    where:
      description: The file that wins there.
      type: str
    shadowed:
      description: Files that set it too, and lose.
      type: list
      elements: dict
compliant:
  description: Keys that held everywhere.
  type: list
  elements: str
  returned: always
refused:
  description: Keys that would hurt the host, each with V(why), the sum.
  type: list
  elements: dict
  returned: always
left_alone:
  description: Keys that were not rolled back, and why.
  type: list
  elements: dict
  returned: always
unsupported:
  description: Keys that this kernel does not have, and why.
  type: list
  elements: dict
  returned: always
notes:
  description: Sentences, among them how each expression came to its value.
  type: list
  elements: str
  returned: always
faces:
  description: What each wanted key was when the module came. V(running), V(boot) with V(boot_file), V(procps) with V(procps_file), and the V(shadowed) files.
  type: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.changes.change_journal import Run
from ..module_utils.changes.host_files import HostFiles
from ..module_utils.collection.reading import Reader
from ..module_utils.tunables import running
from ..module_utils.tunables.arguments import SPEC
from ..module_utils.tunables.plan import Request
from ..module_utils.tunables.rolling_back import AREA, Wish


def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    given = module.params
    files, reader = HostFiles(), Reader()
    run = Run(given["run"] or running.run_name(), AREA, given["reason"], given["diagnosis"], None)
    try:
        if given["state"] == "rolled_back":
            wish = Wish(given["rollback_run"], given["rollback_keys"], given["force"])
            result, warnings = running.roll_back(files, reader, wish, given["catalogue"], run, module.check_mode)
        else:
            request = Request(given["profile"], given["values"], given["catalogue"], given["force"], given["persist"], given["own_conflicts"])
            result, warnings = running.apply(files, reader, request, run, module.check_mode)
    except running.TunableError as error:
        module.fail_json(msg=str(error), **error.result)
    except (OSError, ValueError) as error:
        module.fail_json(msg="The host could not be read: %s" % error)
    for text in warnings:
        module.warn(text)
    for one in result["unsupported"]:
        module.warn("%s is not set: %s." % (one["key"], one["why"]))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
