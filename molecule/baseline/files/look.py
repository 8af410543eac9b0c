"""What the host has of everything that the baseline sets, as JSON; no part of the collection is used."""

import json
import os
import subprocess

# Without user_reserve_kbytes: the kernel works it out at each boot from what is free then.
TUNABLES = (
    "admin_reserve_kbytes compaction_proactiveness dirty_background_bytes dirty_background_ratio dirty_bytes dirty_ratio max_map_count min_free_kbytes"
    " oom_dump_tasks oom_kill_allocating_task overcommit_kbytes overcommit_memory overcommit_ratio page-cluster panic_on_oom swappiness"
    " vfs_cache_pressure watermark_boost_factor watermark_scale_factor zone_reclaim_mode"
)
FOLDERS = ("/etc/sysctl.d", "/etc/tmpfiles.d", "/etc/systemd/system", "/etc/docker")
#: What people or the scenario itself put there, and what remembers.
ELSE = ("zzz-package.conf", "batch.service", "precious.service", "daemon.json.memops-backup")


def read(path):
    try:
        with open(path) as stream:
            return stream.read().strip()
    except OSError:
        return None


def ask(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()


def score(unit):
    return int(read(f"/proc/{ask('systemctl', 'show', '--value', '--property=MainPID', unit)}/oom_score_adj") or 0)


def group(path):
    for folder, name in (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
        if os.path.exists(f"{folder}{path}/{name}"):
            return read(f"{folder}{path}/{name}")
    return None


files = {}
for top in FOLDERS:
    for folder, _folders, names in os.walk(top):
        files.update({f"{folder}/{name}": read(f"{folder}/{name}") for name in names if name not in ELSE and not os.path.islink(f"{folder}/{name}")})
thp = (read("/sys/kernel/mm/transparent_hugepage/enabled") or "[]").split("[")[1].split("]")[0]
print(
    json.dumps(
        {
            "tunables": {**{name: read("/proc/sys/vm/" + name) for name in TUNABLES.split()}, "panic": read("/proc/sys/kernel/panic"), "thp": thp},
            "swaps": [line.split()[0] for line in read("/proc/swaps").splitlines()[1:]],
            "fstab": read("/etc/fstab"),
            "swapfile": os.path.exists("/swapfile"),
            "files": files,
            "scores": {unit: score(unit) for unit in ("precious.service", "batch.service", "docker.service", "containerd.service")},
            "limits": {"batch": group("/system.slice/batch.service"), "containers": group("/containers.slice")},
            "live_restore": json.loads(ask("docker", "info", "--format", "{{json .LiveRestoreEnabled}}") or "null"),
            "container": ask("docker", "inspect", "--format", "{{.State.Running}} {{.RestartCount}}", "shop"),
            "page": read("/etc/memops/BASELINE.md"),
            "journal": [json.loads(line) for line in (read("/var/lib/memops/changes.jsonl") or "").splitlines()],
        },
        sort_keys=True,
    )
)
