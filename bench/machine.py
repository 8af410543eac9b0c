"""The machine that measures, by its properties and never by its name."""

from __future__ import annotations

import os
import pathlib
import platform
import subprocess


def describe(bin_folder: pathlib.Path) -> dict[str, object]:
    """Cores, RAM, kernel, CPU model, Python and ansible-core, and how busy it was when measuring began."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "ram_bytes": int((_field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) * 1024,
        "kernel": platform.release().partition("-")[0],  # a local suffix says nothing to others
        "python": platform.python_version(),
        "ansible_core": ansible_version(bin_folder),
        "load_before": round(os.getloadavg()[0], 1),
        "processes_before": process_count(),
    }


def ansible_version(bin_folder: pathlib.Path) -> str:
    """The version of the ansible-core whose commands stand in this folder."""
    code = "import importlib.metadata as m; print(m.version('ansible-core'))"
    return subprocess.run([str(bin_folder / "python"), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def process_count() -> int:
    """How many processes the machine has now."""
    return sum(name.isdigit() for name in os.listdir("/proc"))


def _field(path: str, name: str) -> str | None:
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return None
