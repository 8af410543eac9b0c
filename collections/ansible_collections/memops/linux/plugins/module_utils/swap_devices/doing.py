# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps on the host. Each notes how it is taken back, so that a failure leaves what was there."""

import errno
import os
import time

from ..changes import host_command
from ..host.swap import parse_swaps
from . import boot, boot_units, file_bytes, fstab, host_state, volumes
from .errors import SwapError
from .room import Room
from .sizes import MIB

#: A host that is short of memory is slow, and what was begun should end.
PATIENCE_SECONDS = 300

#: How long somebody may look at a device before that is an error.
BUSY_SECONDS = 60
SLOWEST_SWAPOFF = 2 * MIB


class Doing:
    """Does steps of judging.Step by their verb. probe: a Probe. margin: bytes that stay free when swap is turned off."""

    def __init__(self, probe, host, plan, margin):
        self.probe = probe
        self.files, self.tools = probe.files, probe.tools
        self.host = host
        self.plan = plan
        self.margin = margin
        self._back = []

    def do(self, judged, step):
        getattr(self, step.verb)(judged.wanted, judged.seen, *step.arguments)

    def take_back(self):
        """Undo what was done, newest first; [why] of what could not be."""
        failed = []
        while self._back:
            what, undo, arguments = self._back.pop()
            try:
                undo(*arguments)
            except (SwapError, host_command.CommandError, OSError) as error:
                failed.append("%s: %s" % (what, error))
        return failed

    def _run(self, words, seconds=PATIENCE_SECONDS):
        self.tools.do(words, seconds)

    def _undone_by(self, what, undo, *arguments):
        self._back.append((what, undo, arguments))

    # Files

    def make_file(self, wanted, seen, copy_on_write_off):
        new = file_bytes.beside(wanted.path, "new")
        self._undone_by("remove %s" % new, self.files.remove, new)
        file_bytes.make(self.files, new, wanted.size_bytes, copy_on_write_off)
        self._mkswap(new, seen.header)

    def place_file(self, wanted, seen):
        self._undone_by("remove %s" % wanted.path, self.files.remove, wanted.path)
        file_bytes.rename(self.files, file_bytes.beside(wanted.path, "new"), wanted.path)

    def replace_file(self, wanted, seen):
        old = file_bytes.beside(wanted.path, "old")
        file_bytes.rename(self.files, wanted.path, old)
        self._undone_by("put %s back" % wanted.path, file_bytes.rename, self.files, old, wanted.path)
        file_bytes.rename(self.files, file_bytes.beside(wanted.path, "new"), wanted.path)

    def shrink_file(self, wanted, seen, size_bytes, old_bytes):
        """The header first: an area that is smaller than its file can be used, one that is larger cannot."""
        self._undone_by("make %s as large as before" % wanted.path, self._grow, wanted.path, seen.header, size_bytes, old_bytes)
        self._mkswap(wanted.path, seen.header, size_bytes)
        file_bytes.cut(self.files, wanted.path, size_bytes)

    def grow_file(self, wanted, seen, size_bytes, old_bytes):
        self._undone_by("make %s as small as before" % wanted.path, self._cut, wanted.path, seen.header, old_bytes)
        self._grow(wanted.path, seen.header, old_bytes, size_bytes)

    def make_header(self, wanted, seen):
        """For a file or device that is larger than its header says."""
        if seen.header:
            self._undone_by("make the header of %s as before" % wanted.path, self._mkswap, wanted.path, seen.header, seen.header.size_bytes)
        self._mkswap(wanted.path, seen.header)

    def protect_file(self, wanted, seen, mode, owner):
        target = self.files.path(wanted.path)
        self._undone_by("the mode of %s" % wanted.path, os.chmod, target, mode)
        os.chmod(target, 0o600)
        if owner != 0 and os.geteuid() == 0:
            self._undone_by("the owner of %s" % wanted.path, os.chown, target, owner, -1)
            os.chown(target, 0, -1)

    def delete_file(self, wanted, seen):
        self.files.remove(wanted.path)

    def sweep(self, wanted, seen):
        """What a replaced file, or a run that was killed, left beside its place."""
        for what in ("new", "old"):
            self.files.remove(file_bytes.beside(wanted.path, what))

    def _grow(self, path, header, old_bytes, size_bytes):
        file_bytes.grow(self.files, path, old_bytes, size_bytes)
        self._mkswap(path, header)

    def _cut(self, path, header, size_bytes):
        self._mkswap(path, header, size_bytes)
        file_bytes.cut(self.files, path, size_bytes)

    def _mkswap(self, path, header, size_bytes=None, uuid=None):
        """The area keeps its UUID and label, by which fstab or a kernel's resume= may know it."""
        words = ["mkswap"]
        uuid = header.uuid if header else uuid
        if uuid:
            words += ["-U", uuid]
        if header and header.label:
            words += ["-L", header.label]
        words.append(self.files.path(path))
        if size_bytes:
            words.append(str(size_bytes // 1024))
        self._run(words)

    # Devices

    def format_device(self, wanted, seen, wipe, empty):
        if wipe:
            self._undone_by("%s was formatted, and what it held cannot be put back" % wanted.path, _fail, "there is no copy of it")
            self._run(["wipefs", "--all", self.files.path(wanted.path)])
        elif empty:
            self._undone_by("make %s empty again" % wanted.path, self._run, ["wipefs", "--all", self.files.path(wanted.path)])
        self._mkswap(wanted.path, None if wipe else seen.header, uuid=seen.new_uuid)

    def create_volume(self, wanted, seen, size_bytes):
        volumes.create(self.tools, wanted, size_bytes)
        self._undone_by("remove %s" % wanted.path, volumes.remove, self.tools, wanted)

    def remove_volume(self, wanted, seen):
        volumes.remove(self.tools, wanted)

    def extend_volume(self, wanted, seen, size_bytes, old_bytes):
        volumes.extend(self.tools, wanted, size_bytes)
        self._undone_by("reduce %s" % wanted.path, volumes.reduce, self.tools, wanted, old_bytes)

    def reduce_volume(self, wanted, seen, size_bytes, old_bytes):
        self._mkswap(wanted.path, seen.header, size_bytes)
        volumes.reduce(self.tools, wanted, size_bytes)
        self._undone_by("extend %s" % wanted.path, self._extended, wanted, seen, old_bytes)

    def _extended(self, wanted, seen, size_bytes):
        volumes.extend(self.tools, wanted, size_bytes)
        self._mkswap(wanted.path, seen.header)

    # On and off

    def on(self, wanted, seen):
        if wanted.kind == "zram":
            self._zram_on(wanted)
            return
        words = ["swapon"]
        priority = wanted.priority
        if priority is None:
            now = seen.running.priority if seen.running else boot.found(wanted, seen, self.host).priority
            priority = now if now is not None and now >= 0 else None
        if priority is not None:
            words += ["--priority", str(priority)]
        if wanted.discard != "none":
            words.append("--discard" if wanted.discard == "both" else "--discard=" + wanted.discard)
        self._run(words + [self.files.path(wanted.path)])
        self._undone_by("turn %s off again" % wanted.path, self._swapoff, wanted.path, 0)

    def off(self, wanted, seen, running):
        """Only if what is in it fits elsewhere at this moment. Raises SwapError with the sum."""
        now = host_state.host(self.probe)
        current = next((area for area in now.running if area.path == running.path), None)
        if current:
            why = Room(now.available_bytes, now.running, self.margin).turn_off(current)
            if why:
                raise SwapError("%s: %s" % (wanted.key, why))
            if wanted.kind == "zram":
                size = seen.size_bytes or running.size_bytes
                self._undone_by("set %s up again" % wanted.path, self._zram_by_hand, wanted.path, size, seen.algorithm, running.priority)
            else:
                again = ["swapon"] + (["--priority", str(running.priority)] if running.priority >= 0 else []) + [self.files.path(running.path)]
                self._undone_by("turn %s on again" % running.path, self._swapon_unless_on, running.path, again)
            self._swapoff(running.path, current.used_bytes)
        if wanted.kind == "zram":
            self._zram_reset(wanted)

    def _swapon_unless_on(self, path, words):
        if not self._is_on(path):
            self._run(words)

    def _swapoff(self, path, used_bytes):
        if self._is_on(path):
            self._run(["swapoff", self.files.path(path)], PATIENCE_SECONDS + used_bytes // SLOWEST_SWAPOFF)

    def _is_on(self, path):
        identity = self.probe.identity(path)
        areas = parse_swaps(self.files.read("/proc/swaps"))["devices"]
        return any(area["path"] == path or (identity and self.probe.identity(area["path"]) == identity) for area in areas)

    # zram

    def _zram_on(self, wanted):
        self._zram_reset(wanted)
        self.write_boot(zram_only=True)
        self._undone_by("turn %s off again" % wanted.path, self._zram_off, wanted)
        self._zram_device(wanted.path)
        if not wanted.at_boot:
            self._zram_by_hand(wanted.path, wanted.size_bytes, wanted.algorithm, -1 if wanted.priority is None else wanted.priority)
            return
        self._run(["systemctl", "start", boot_units.name_of(wanted.path)])

    def reset_zram(self, wanted, seen):
        self._zram_reset(wanted)

    def _zram_off(self, wanted):
        self._swapoff(wanted.path, 0)
        self._zram_reset(wanted)

    def _zram_device(self, path):
        """The device is there, also where somebody removed it from the loaded module."""
        self._run(["modprobe", "zram"])
        if not self.files.exists("/sys/block/%s" % path[len("/dev/") :]):
            self.files.read("/sys/class/zram-control/hot_add")  # to read it adds the lowest number that is free

    def _zram_reset(self, wanted):
        if self.host.systemd:
            for service in (boot_units.setup_service(wanted.key), "systemd-zram-setup@%s.service" % wanted.key):
                self.tools.ask(["systemctl", "stop", service], PATIENCE_SECONDS)
        size = self.files.read("/sys/block/%s/disksize" % wanted.key)
        if size and size.strip() not in ("", "0"):
            self._zram_empty("/sys/block/%s/reset" % wanted.key)

    def _zram_empty(self, path):
        """udev looks into the device after swapoff, and as long as it has it open the kernel resets nothing (zram_drv.c, reset_store)."""
        deadline = time.time() + BUSY_SECONDS
        while True:
            try:
                self.files.write_in_place(path, "1\n")
                return
            except OSError as error:
                if error.errno != errno.EBUSY or time.time() > deadline:
                    raise
            time.sleep(0.2)

    def _zram_by_hand(self, path, size_bytes, algorithm, priority):
        """Without a unit: as it was where somebody had set it up so."""
        if self._is_on(path):
            return
        self._zram_device(path)
        self.tools.ask(boot_units.await_udev(path), PATIENCE_SECONDS)
        self._run(["zramctl"] + (["--algorithm", algorithm] if algorithm else []) + ["--size", str(size_bytes), path])
        self._run(["mkswap", path])
        self._run(["swapon"] + (["--priority", str(priority)] if priority >= 0 else []) + [path])

    # At boot

    def write_boot(self, zram_only=False):
        """fstab, units and zram-generator's file as planned; what is so already stays."""
        changed = False
        if not zram_only and self.plan.fstab is not None and self.plan.fstab != self.host.fstab:
            changed = self._put(fstab.PATH, self.plan.fstab) or changed
        for name in self.plan.disable:
            if not zram_only and self._enabled(name):
                self._undone_by("enable %s" % name, self._run, ["systemctl", "--no-reload", "enable", name])
                self._run(["systemctl", "--no-reload", "disable", name])
                changed = True
        for path, text in sorted(self.plan.files.items()):
            if not zram_only or "zram" in path:
                changed = self._put(path, text) or changed
        for name in self.plan.enable:
            if (not zram_only or "zram" in name) and not self._enabled(name):
                self._undone_by("disable %s" % name, self._run, ["systemctl", "--no-reload", "disable", name])
                self._run(["systemctl", "--no-reload", "enable", name])
                changed = True
        if changed:
            self._reload()

    def _put(self, path, text):
        before = self.files.read(path)
        if before == text:
            return False
        self._undone_by("put %s back" % path, self._put_back, path, before)
        if text is None:
            self.files.remove(path)
        else:
            self.files.write(path, text, 0o644)
        return True

    def _put_back(self, path, text):
        if text is None:
            self.files.remove(path)
        else:
            self.files.write(path, text, 0o644)
        self._reload()

    def _enabled(self, name):
        return any(self.probe.wanted_at_boot(folder, name) for folder in boot_units.FOLDERS)

    def _reload(self):
        if self.host.systemd:
            self._run(["systemctl", "daemon-reload"])


def _fail(why):
    raise SwapError(why)
