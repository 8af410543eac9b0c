"""KVM where it really works, else emulation. Decided by trying: /dev/kvm can be there, open, and still run nothing."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import time

from . import cache
from .emulator import Emulator
from .progress import say

#: Set to kvm or tcg to decide it by hand.
CHOICE = "MEMOPS_LAB_ACCELERATOR"
#: A kernel says this when it has come far enough to start user space; with KVM that takes a second or two.
PROOF = b"Run /init as init process"
LIMIT_SECONDS = 20


def choose(emulator: Emulator, vmlinuz: pathlib.Path | None, initrd: pathlib.Path | None) -> str:
    """``kvm`` or ``tcg``. What was found out holds until this machine boots again."""
    if os.environ.get(CHOICE) in ("kvm", "tcg"):
        return os.environ[CHOICE]
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    known = cache.home() / "kvm.json"
    with cache.locked("kvm"):
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(known.read_text(encoding="utf-8"))
            if found.get("boot") == boot:
                return "kvm" if found["works"] else "tcg"
        if not vmlinuz or not initrd:
            return "tcg"  # nothing here to try it with
        works = _boots(emulator, vmlinuz, initrd)
        say("KVM works" if works else "/dev/kvm is there and does not boot a kernel: emulating, which is slower")
        partial = known.with_suffix(".new")
        partial.write_text(json.dumps({"boot": boot, "works": works}), encoding="utf-8")
        partial.replace(known)
    return "kvm" if works else "tcg"


def _boots(emulator: Emulator, vmlinuz: pathlib.Path, initrd: pathlib.Path) -> bool:
    words = ["-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256M", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    words += ["-serial", "stdio", "-kernel", str(vmlinuz), "-initrd", str(initrd), "-append", "console=ttyS0 panic=-1"]
    environment = {**os.environ, **emulator.environment}
    with subprocess.Popen([*emulator.machine, *words], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            os.set_blocking(process.stdout.fileno(), False)
            said, deadline = b"", time.monotonic() + LIMIT_SECONDS
            while time.monotonic() < deadline:
                chunk = process.stdout.read()
                if chunk == b"":
                    return False
                said = (said + (chunk or b""))[-100_000:]
                if PROOF in said:
                    return True
                time.sleep(0.2)
            return False
        finally:
            process.kill()
