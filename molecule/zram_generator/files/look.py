"""What the host has of zram, as JSON; no part of the collection is used."""

import glob
import json
import os
import subprocess

CONFIGURATION = [
    path for top in ("/etc", "/usr/lib") for name in ("zram-generator.conf", "zram-generator.conf.d/*") for path in glob.glob(f"{top}/systemd/{name}")
]


def read(path):
    try:
        with open(path) as stream:
            return stream.read().strip()
    except OSError:
        return None


swaps = {}
for line in read("/proc/swaps").splitlines()[1:]:
    path, _kind, size, _used, priority = line.split()
    swaps[path] = {"bytes": int(size) * 1024, "priority": int(priority)}
units = subprocess.run(["systemctl", "list-units", "--failed", "--plain", "--no-legend"], stdout=subprocess.PIPE, text=True, check=False)
print(
    json.dumps(
        {
            "swaps": swaps,
            "disk_bytes": int(read("/sys/block/zram0/disksize") or 0),
            "algorithm": (read("/sys/block/zram0/comp_algorithm") or "[]").split("[")[1].split("]")[0],
            "generated": os.path.exists("/run/systemd/generator/dev-zram0.swap"),
            "files": {path: read(path) for path in CONFIGURATION if os.path.isfile(path)},
            "failed": units.stdout.strip(),
            "boot": read("/proc/sys/kernel/random/boot_id"),
            "page": read("/etc/memops/BASELINE.md"),
        }
    )
)
