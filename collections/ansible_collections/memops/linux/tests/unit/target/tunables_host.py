# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host for tests of tunables: files in a folder, and a kernel that answers writes as the real one does."""

import errno
import os

from ansible_collections.memops.linux.plugins.module_utils.changes.change_journal import Run
from ansible_collections.memops.linux.plugins.module_utils.changes.host_files import HostFiles
from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.tunables import running
from ansible_collections.memops.linux.plugins.module_utils.tunables.plan import Request
from ansible_collections.memops.linux.plugins.module_utils.tunables.rolling_back import Wish

#: 8 GiB, all in one zone.
MEMINFO = """MemTotal: 8388608 kB
MemFree: 4194304 kB
MemAvailable: 6291456 kB
Active(file): 1048576 kB
Inactive(file): 1048576 kB
SwapTotal: 1048576 kB
Committed_AS: 3145728 kB
HugePages_Total: 0
Hugepagesize: 2048 kB
Hugetlb: 0 kB
"""
ZONEINFO = """Node 0, zone   Normal
  pages free     1048576
        min      16896
        low      21120
        high     25344
        present  2097152
        managed  2097152
"""
SYSCTLS = {
    "kernel.panic": "0",
    "kernel.panic_on_oops": "0",
    "vm.admin_reserve_kbytes": "8192",
    "vm.dirty_background_bytes": "0",
    "vm.dirty_background_ratio": "10",
    "vm.dirty_bytes": "0",
    "vm.dirty_ratio": "20",
    "vm.max_map_count": "65530",
    "vm.min_free_kbytes": "67584",
    "vm.nr_hugepages": "0",
    "vm.overcommit_kbytes": "0",
    "vm.overcommit_memory": "0",
    "vm.overcommit_ratio": "50",
    "vm.panic_on_oom": "0",
    "vm.swappiness": "60",
    "vm.vfs_cache_pressure": "100",
    "vm.watermark_scale_factor": "10",
}
PAIRS = {
    "vm.dirty_bytes": "vm.dirty_ratio",
    "vm.dirty_background_bytes": "vm.dirty_background_ratio",
    "vm.overcommit_kbytes": "vm.overcommit_ratio",
}
PAIRS.update({second: first for first, second in list(PAIRS.items())})
UNITS = {"vm.min_free_kbytes": "kB", "vm.overcommit_kbytes": "kB", "vm.admin_reserve_kbytes": "kB", "vm.nr_hugepages": "huge_pages"}
UNITS.update({"vm.dirty_bytes": "bytes", "vm.dirty_background_bytes": "bytes"})
THP = "/sys/kernel/mm/transparent_hugepage/enabled"
SYSCTL_FILE = "etc/sysctl.d/zz-memops.conf"
TMPFILES_FILE = "etc/tmpfiles.d/00-memops.conf"


def entry(key, **more):
    """An entry of the catalogue, as the module gets it."""
    told = {"key": key, "kind": "sysctl", "type": "integer", "unit": UNITS.get(key, "number"), "range": [0, 1 << 62]}
    told.update(default="d", meaning="m", danger="x", reference="r")
    if key in PAIRS:
        told["pair"] = PAIRS[key]
    if key == "kernel.panic":
        told["range"] = [-1, 1 << 31]
    if key == "thp.enabled":
        told.update(kind="sys", type="choice", path=THP, values=["always", "madvise", "never"])
    told.update(more)
    return told


CATALOGUE = {key: entry(key) for key in list(SYSCTLS) + ["thp.enabled"]}


class Kernel(HostFiles):
    """HostFiles whose kernel zeroes the other one of a pair, refuses 0 for it, and shows choices in brackets."""

    def __init__(self, root):
        HostFiles.__init__(self, root)
        #: {path: what is raised, or a function of the text that gives what is stored instead}.
        self.odd = {}
        self.written = []

    def write_in_place(self, path, text):
        value = text.strip()
        odd = self.odd.get(path)
        if isinstance(odd, BaseException):
            raise odd
        key = path[len("/proc/sys/") :].replace("/", ".")
        self.written.append((key if path.startswith("/proc/") else path, value))
        if key in PAIRS and value == "0":
            raise OSError(errno.EINVAL, "Invalid argument")
        if path == THP:
            value = " ".join("[%s]" % word if word == value else word for word in ("always", "madvise", "never"))
        if odd:
            value = odd(value)
        HostFiles.write_in_place(self, path, value + "\n")
        if key in PAIRS:
            HostFiles.write_in_place(self, "/proc/sys/" + PAIRS[key].replace(".", "/"), "0\n")


class TunablesHost:
    """root: the folder. files: a Kernel. reader: a Reader."""

    def __init__(self, root, **meminfo):
        self.root = root
        self.files = Kernel(str(root))
        self.reader = Reader(str(root))
        text = MEMINFO
        for name, kib in meminfo.items():
            old = next(line for line in MEMINFO.splitlines() if line.startswith(name + ":"))
            text = text.replace(old, "%s: %d kB" % (name, kib))
        self.put("proc/meminfo", text)
        self.put("proc/zoneinfo", ZONEINFO)
        self.put("proc/cmdline", "root=/dev/vda1 ro\n")
        self.put("proc/sys/kernel/osrelease", "6.1.0-1-amd64\n")
        for key, value in SYSCTLS.items():
            self.put("proc/sys/" + key.replace(".", "/"), value + "\n")
        self.put(THP[1:], "[always] madvise never\n")

    def put(self, path, text):
        target = os.path.join(str(self.root), path)
        if not os.path.isdir(os.path.dirname(target)):
            os.makedirs(os.path.dirname(target))
        with open(target, "w") as stream:
            stream.write(text)

    def text(self, path):
        return self.files.read("/" + path)

    def value(self, key):
        if key == "thp.enabled":
            return self.files.read(THP).split("[")[1].split("]")[0]
        return self.files.read("/proc/sys/" + key.replace(".", "/")).strip()

    def values(self):
        """All that the module may change of the running kernel."""
        return {key: self.value(key) for key in list(SYSCTLS) + ["thp.enabled"]}

    def apply(self, values, run="one", check=False, profile="none", force=False, persist=True, own_conflicts=False, catalogue=None, reason="because"):
        """The module's result; the warnings are in it."""
        request = Request(profile, values, catalogue or CATALOGUE, force, persist, own_conflicts)
        result, warnings = running.apply(self.files, self.reader, request, Run(run, "tunables", reason, None, None), check)
        return dict(result, warnings=warnings)

    def roll_back(self, run="last", keys=(), force=False, check=False, name="back"):
        wish = Wish(run, list(keys), force)
        result, warnings = running.roll_back(self.files, self.reader, wish, CATALOGUE, Run(name, "tunables", "because", None, None), check)
        return dict(result, warnings=warnings)
