"""What the kernel's tunables and our files are now, as JSON."""

import json
import os

KEYS = [
    "kernel.panic",
    "kernel.panic_on_oops",
    "vm.admin_reserve_kbytes",
    "vm.compaction_proactiveness",
    "vm.dirty_background_bytes",
    "vm.dirty_background_ratio",
    "vm.dirty_bytes",
    "vm.dirty_ratio",
    "vm.max_map_count",
    "vm.min_free_kbytes",
    "vm.nr_hugepages",
    "vm.oom_dump_tasks",
    "vm.oom_kill_allocating_task",
    "vm.overcommit_kbytes",
    "vm.overcommit_memory",
    "vm.overcommit_ratio",
    "vm.page-cluster",
    "vm.panic_on_oom",
    "vm.swappiness",
    "vm.user_reserve_kbytes",
    "vm.vfs_cache_pressure",
    "vm.watermark_boost_factor",
    "vm.watermark_scale_factor",
    "vm.zone_reclaim_mode",
]
FILES = ("/etc/sysctl.conf", "/etc/sysctl.d/zz-memops.conf", "/etc/tmpfiles.d/00-memops.conf", "/etc/memops/BASELINE.md")


def read(path):
    try:
        with open(path) as stream:
            return stream.read()
    except OSError:
        return None


def chosen(path):
    return (read(path) or "[]").split("[")[1].split("]")[0]


values = {key: (read("/proc/sys/" + key.replace(".", "/")) or "").strip() for key in KEYS}
for name in ("enabled", "defrag"):
    values["thp." + name] = chosen("/sys/kernel/mm/transparent_hugepage/" + name)
for name in ("run", "pages_to_scan"):
    values["ksm." + name] = (read("/sys/kernel/mm/ksm/" + name) or "").strip()
for name in ("enabled", "max_pool_percent"):
    values["zswap." + name] = (read("/sys/module/zswap/parameters/" + name) or "").strip()
left = [path for folder in ("/etc/sysctl.d", "/etc/tmpfiles.d", "/etc") for path in os.listdir(folder) if "memops-new" in path]
print(json.dumps({"values": values, "files": {path: read(path) for path in FILES}, "left": left}, sort_keys=True))
