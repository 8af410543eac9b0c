"""What the kernel, systemd and the files say of the units of this scenario, as JSON."""

import glob
import json
import os
import subprocess

UNITS = ["memops-precious.service", "memops-batch.service", "memopsbox.slice", "system.slice", "ssh.service"]
PROPERTIES = "OOMScoreAdjust,OOMPolicy,MemoryMax,MemoryHigh,MemoryLow,MemoryMin,TasksMax,ManagedOOMSwap,ManagedOOMMemoryPressure,ManagedOOMPreference"
GROUP_FILES = ["memory.max", "memory.high", "memory.low", "memory.min", "memory.oom.group", "memory.limit_in_bytes", "pids.max"]


def read(path):
    try:
        with open(path) as stream:
            return stream.read().strip()
    except OSError:
        return None


def ask(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()


def unit(name):
    shown = dict(line.split("=", 1) for line in ask("systemctl", "show", "--property=ControlGroup,MainPID," + PROPERTIES, "--", name).splitlines())
    group, pid = shown.pop("ControlGroup"), shown.pop("MainPID", "0")
    folder = next((top + group for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/memory") if group and os.path.exists(top + group + "/cgroup.procs")), None)
    tops = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup"]
    procs = next((text for text in (read(top + group + "/cgroup.procs") for top in tops if group) if text is not None), "")
    return {
        "shown": shown,
        "pid": int(pid),
        "kernel": {name: read(f"{folder}/{name}") for name in GROUP_FILES if folder and os.path.exists(f"{folder}/{name}")},
        "scores": {one: int(read(f"/proc/{one}/oom_score_adj") or 0) for one in procs.split() if name.startswith("memops-precious")},
        "score": int(read(f"/proc/{pid}/oom_score_adj") or 0) if pid != "0" else None,
    }


files = glob.glob("/etc/systemd/system/*.d/*.conf") + glob.glob("/etc/systemd/system/memops*") + ["/etc/default/earlyoom"]
files += glob.glob("/etc/systemd/oomd.conf.d/*") + ["/etc/memops/BASELINE.md"]
daemons = {name: [ask("systemctl", "is-enabled", name), ask("systemctl", "is-active", name)] for name in ("earlyoom.service", "systemd-oomd.service")}
print(
    json.dumps(
        {
            "cgroup": 2 if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else 1,
            "units": {name: unit(name) for name in UNITS},
            "files": {path: read(path) for path in files if os.path.isfile(path)},
            "left": glob.glob("/etc/systemd/system/**/.*.memops-new", recursive=True),
            "daemons": daemons,
        },
        sort_keys=True,
    )
)
