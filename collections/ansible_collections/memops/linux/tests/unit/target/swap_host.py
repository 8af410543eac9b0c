# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host with swap, in a folder: /proc, /etc, devices as files, and programs that do to them what the real ones do."""

import configparser
import errno
import glob
import os
import re
import struct
import uuid

from ansible_collections.memops.linux.plugins.module_utils.changes import host_command
from ansible_collections.memops.linux.plugins.module_utils.changes.change_journal import Run
from ansible_collections.memops.linux.plugins.module_utils.changes.host_files import HostFiles
from ansible_collections.memops.linux.plugins.module_utils.swap_devices import applying, going_back, wanted
from ansible_collections.memops.linux.plugins.module_utils.swap_devices.deciding import Request
from ansible_collections.memops.linux.plugins.module_utils.swap_devices.probing import Probe

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
PAGE = 4096
SWAPS_HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
FSTAB = "# <file system> <mount point> <type> <options>\nUUID=0815 /    ext4  errors=remount-ro 0 1\n"


class Killed(BaseException):
    """kill -9 at this step: nothing of the run comes after it."""


def header(pages, identifier=None, label=b""):
    page = bytearray(PAGE)
    struct.pack_into("=II", page, 1024, 1, pages - 1)
    page[1036:1052] = uuid.UUID(identifier).bytes if identifier else uuid.uuid4().bytes
    page[1052 : 1052 + len(label)] = label
    page[PAGE - 10 :] = b"SWAPSPACE2"
    return bytes(page)


class SwapHost:
    """The host's state is its files; ``used`` says what is in each area."""

    def __init__(self, root, memory_total=GIB, available=512 * MIB, file_system="ext4", fstab=FSTAB):
        self.root = str(root)
        self.files = TrippingFiles(self)
        self.probe = FakeProbe(self.files, self)
        self.used = {}
        self.free_disk, self.whole_disk = 100 * GIB, 200 * GIB
        self.busy, self.volumes = {}, {}
        self.group_free = 0
        self.steps = []
        self.looked_at = 0  # so many times zram cannot be reset, because somebody has it open
        self.trip_at = None
        self.put("/proc/meminfo", "MemTotal: %d kB\nMemAvailable: %d kB\n" % (memory_total // KIB, available // KIB))
        self.put("/proc/swaps", SWAPS_HEAD)
        self.put("/proc/self/mountinfo", "22 1 8:1 / / rw - %s /dev/sda1 rw\n" % file_system)
        self.put("/run/systemd/system/keep", "")
        self.put("/dev/null", "")
        os.makedirs(self.path("/var/lib"), exist_ok=True)
        if fstab is not None:
            self.put("/etc/fstab", fstab)

    def path(self, path):
        return self.root + path

    def put(self, path, text, mode="w"):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), mode) as stream:
            stream.write(text)

    def read(self, path):
        try:
            with open(self.path(path)) as stream:
                return stream.read()
        except OSError:
            return None

    def disk(self, path, size=16 * MIB, holds=b""):
        self.put(path, holds + bytes(size - len(holds)), "wb")

    def swap_file(self, path, size=4 * MIB, on=False, priority=-2, used=0, label=b""):
        self.put(path, header(size // PAGE, label=label) + bytes(size - PAGE), "wb")
        os.chmod(self.path(path), 0o600)
        if on:
            self.swaps_add(path, size, priority)
            self.used[path] = used

    def available(self, size):
        total = re.search(r"MemTotal: (\d+)", self.read("/proc/meminfo")).group(1)
        self.put("/proc/meminfo", "MemTotal: %s kB\nMemAvailable: %d kB\n" % (total, size // KIB))

    # /proc/swaps

    def running(self):
        """{path: (size with its header, priority)}."""
        found = {}
        for line in self.read("/proc/swaps").splitlines()[1:]:
            path, _kind, size, _used, priority = line.split()
            found[path] = (int(size) * KIB + PAGE, int(priority))
        return found

    def swaps_add(self, path, size, priority):
        areas = self.running()
        if path in areas:
            raise host_command.CommandError("swapon failed (255): Device or resource busy")
        areas[path] = (size, priority)
        self._swaps(areas)

    def swaps_remove(self, path):
        areas = self.running()
        if path not in areas:
            raise host_command.CommandError("swapoff failed (4): Invalid argument")
        del areas[path]
        self.used.pop(path, None)
        self._swaps(areas)

    def _swaps(self, areas):
        lines = ["%s file %d %d %d\n" % (path, (size - PAGE) // KIB, self.used.get(path, 0) // KIB, prio) for path, (size, prio) in areas.items()]
        self.put("/proc/swaps", SWAPS_HEAD + "".join(lines))

    def use(self, path, size):
        self.used[path] = size
        self._swaps(self.running())

    def reboot(self):
        """What comes up again: fstab, enabled units, zram's service."""
        self._swaps({})
        for line in (self.read("/etc/fstab") or "").splitlines():
            fields = line.split()
            if len(fields) > 2 and not line.startswith("#") and fields[2] == "swap":
                priority = re.search(r"pri=(\d+)", fields[3])
                self.swapon(self._of_source(fields[0]), int(priority.group(1)) if priority else -2)
        folder = self.path("/etc/systemd/system/swap.target.wants")
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            self.start(name)
        for zram in self.generated():
            self.start("dev-%s.swap" % zram)

    def install_generator(self, text=None):
        """zram-generator, and the distribution's file of it."""
        self.put("/usr/lib/systemd/system-generators/zram-generator", "")
        if text is not None:
            self.put("/etc/systemd/zram-generator.conf", text)

    def generated(self):
        """{zram: (size, algorithm, priority)} as zram-generator reads one main file and drop-ins of /etc."""
        if not self.files.exists("/usr/lib/systemd/system-generators/zram-generator"):
            return {}
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        drop_ins = glob.glob(self.path("/etc/systemd/zram-generator.conf.d/*.conf"))
        parser.read([self.path("/etc/systemd/zram-generator.conf")] + sorted(drop_ins, key=os.path.basename))
        found = {}
        for zram in parser.sections():
            keys = dict(parser[zram])
            size = int(keys.get("zram-size", 16)) * MIB
            if "max-zram-size" in keys:
                size = min(int(float(keys.get("zram-fraction", 0.5)) * GIB), int(keys["max-zram-size"]) * MIB)
            if size:
                found[zram] = (size, keys.get("compression-algorithm"), int(keys.get("swap-priority", 100)))
        return found

    def _of_source(self, source):
        if not source.startswith("UUID="):
            return source
        for name in os.listdir(self.path("/dev")):
            found = self.probe.header("/dev/" + name)
            if found and found.uuid == source[5:]:
                return "/dev/" + name
        raise AssertionError("nothing has " + source)

    # Programs

    def ask(self, argv, timeout_seconds=60):
        try:
            return host_command.Answer(0, self._run(argv) or "", "")
        except host_command.CommandError as error:
            return host_command.Answer(getattr(error, "status", 1), "", str(error))

    def do(self, argv, timeout_seconds=60):
        self.step(" ".join(argv).replace(self.root, ""))
        return self._run(argv) or ""

    def step(self, what):
        self.steps.append(what)
        if self.trip_at is not None and len(self.steps) == self.trip_at:
            raise self.trip(what)

    def trip(self, what):
        return Killed(what)

    def _run(self, argv):
        words = [word.replace(self.root, "") if word.startswith(self.root) else word for word in argv]
        return getattr(self, "_" + words[0])(words[1:])

    def _swapon(self, words):
        priority = int(words[words.index("--priority") + 1]) if "--priority" in words else -2
        self.swapon(words[-1], priority)

    def swapon(self, path, priority):
        found = self.probe.header(path)
        if not found or found.size_bytes > os.path.getsize(self.path(path)):
            raise host_command.CommandError("swapon: %s: read swap header failed" % path)
        if os.stat(self.path(path)).st_blocks * 512 < PAGE:
            raise host_command.CommandError("swapon: %s: has holes" % path)
        self.swaps_add(path, found.size_bytes, priority)

    def _swapoff(self, words):
        self.swaps_remove(words[-1])

    def _mkswap(self, words):
        options = _options(words)
        at = next(number for number, word in enumerate(words) if word.startswith("/"))
        path = words[at]
        size = int(words[at + 1]) * KIB if len(words) > at + 1 else os.path.getsize(self.path(path))
        assert path not in self.running(), "mkswap on swap in use"
        with open(self.path(path), "r+b") as stream:
            stream.write(header(size // PAGE, options.get("-U"), (options.get("-L") or "").encode()))

    def _blkid(self, words):
        with open(self.path(words[-1]), "rb") as stream:
            start = stream.read(65536)
        if self.probe.header(words[-1]):
            return "TYPE=swap\n"
        if not any(start):
            error = host_command.CommandError("")
            error.status = 2
            raise error
        return "PTTYPE=gpt\n" if start.startswith(b"GPT") else "TYPE=%s\n" % start[:8].split(b"\0")[0].decode()

    def _wipefs(self, words):
        with open(self.path(words[-1]), "r+b") as stream:
            stream.write(bytes(65536))

    def _modprobe(self, words):
        if "--dry-run" not in words:
            self.put("/sys/block/zram0/disksize", self.read("/sys/block/zram0/disksize") or "0\n")
            self.put("/sys/block/zram0/comp_algorithm", self.read("/sys/block/zram0/comp_algorithm") or "[lzo-rle] lz4 zstd\n")
            if not os.path.exists(self.path("/dev/zram0")):
                self.disk("/dev/zram0", MIB)

    def _systemctl(self, words):
        words = [word for word in words if word != "--no-reload"]
        if words[0] in ("enable", "disable"):
            link = self.path("/etc/systemd/system/swap.target.wants/" + words[1])
            os.makedirs(os.path.dirname(link), exist_ok=True)
            if words[0] == "disable":
                if os.path.lexists(link):
                    os.unlink(link)
            elif not os.path.lexists(link):
                os.symlink("../" + words[1], link)
        elif words[0] == "start":
            self.start(words[1])

    def start(self, name):
        text = self.read("/etc/systemd/system/" + name)
        zram = name[len("dev-") : -len(".swap")]
        if text is None and zram in self.generated():
            self.start_by_hand(zram, *self.generated()[zram])
            return
        if text is None:
            raise host_command.CommandError("Unit %s not found" % name)
        what = re.search(r"^What=(.*)$", text, re.MULTILINE).group(1)
        priority = re.search(r"^Priority=(.*)$", text, re.MULTILINE)
        service = re.search(r"^Requires=(.*)$", text, re.MULTILINE)
        if service:
            self._modprobe([])
            setup = self.read("/etc/systemd/system/" + service.group(1))
            self._zramctl(re.search(r"^ExecStart=\S*zramctl (.*--size.*)$", setup, re.MULTILINE).group(1).split())
            self._mkswap([what])
        self.swapon(what, int(priority.group(1)) if priority else -2)

    def start_by_hand(self, zram, size, algorithm=None, priority=100):
        self._modprobe([])
        self._zramctl((["--algorithm", algorithm] if algorithm else []) + ["--size", str(size), "/dev/" + zram])
        self._mkswap(["/dev/" + zram])
        self.swapon("/dev/" + zram, priority)

    def _zramctl(self, words):
        options = _options(words)
        size = int(options["--size"])
        self.put("/sys/block/zram0/disksize", "%d\n" % size)
        chosen = options.get("--algorithm", "lzo-rle")
        self.put("/sys/block/zram0/comp_algorithm", " ".join("[%s]" % name if name == chosen else name for name in ("lzo-rle", "lz4", "zstd")) + "\n")
        self.disk("/dev/zram0", size)

    def _udevadm(self, words):
        return ""

    def _vgs(self, words):
        return "  %d|4194304\n" % self.group_free

    def _lvs(self, words):
        if words[-1] not in self.volumes:
            raise host_command.CommandError("Failed to find logical volume")
        return "  %d\n" % self.volumes[words[-1]]

    def _lvcreate(self, words):
        self._volume("%s/%s" % (words[-1], words[words.index("--name") + 1]), words)

    def _lvextend(self, words):
        self._volume(words[-1], words)

    _lvreduce = _lvextend

    def _lvremove(self, words):
        self.group_free += self.volumes.pop(words[-1])
        os.unlink(self.path("/dev/" + words[-1]))

    def _volume(self, name, words):
        size = int(words[words.index("--size") + 1][:-1])
        self.group_free -= size - self.volumes.get(name, 0)
        self.volumes[name] = size
        os.makedirs(os.path.dirname(self.path("/dev/" + name)), exist_ok=True)
        with open(self.path("/dev/" + name), "ab") as stream:
            stream.truncate(size)

    # The module

    def request(self, devices, exclusive=False, margin=None, format_devices=(), persist_with="auto", workload="general"):
        return Request(wanted.resolve(devices, workload, GIB), exclusive, margin, format_devices, persist_with)

    def apply(self, devices, run="one", only_look=False, **more):
        return applying.apply(self.probe, self.request(devices, **more), Run(run, "swap", "baseline", None, None), only_look)

    def roll_back(self, which="last", keys=(), force=False, run="back"):
        back = going_back.back(self.probe, which, keys, force)
        request = Request(back.wanted, False, None, (), "auto")
        done = applying.apply(self.probe, request, Run(run, "swap", "baseline", None, back.undoes), False, {area.key for area in back.wanted})
        return done, back.left_alone


def _options(words):
    return {word: words[at + 1] for at, word in enumerate(words[:-1]) if word.startswith("-")}


class TrippingFiles(HostFiles):
    """HostFiles of which each change counts as a step."""

    def __init__(self, host):
        HostFiles.__init__(self, host.root)
        self.host = host

    def write(self, path, text, mode=0o644):
        self.host.step("write " + path)
        HostFiles.write(self, path, text, mode)

    def remove(self, path):
        self.host.step("remove " + path)
        return HostFiles.remove(self, path)

    def append(self, path, line, mode=0o600):
        self.host.step("append " + path)
        HostFiles.append(self, path, line, mode)

    def write_in_place(self, path, text):
        self.host.step("write in place " + path)
        if path.endswith("/reset"):
            if self.host.looked_at:
                self.host.looked_at -= 1
                raise OSError(errno.EBUSY, "Device or resource busy")
            self.host.put("/sys/block/zram0/disksize", "0\n")
            self.host.disk("/dev/zram0", MIB)


class FakeProbe(Probe):
    """Everything below /dev is a block device; the disk's space and the files' owner are told."""

    def __init__(self, files, host):
        Probe.__init__(self, files, host)
        self.host = host

    def page_bytes(self):
        return PAGE

    def kernel(self):
        return "6.1.0-test"

    def program(self, name):
        return "/sbin/" + name

    def kind(self, path):
        kind = Probe.kind(self, path)
        return "block" if path.startswith("/dev/") and kind in ("file", "link") else kind

    def identity(self, path):
        real = os.path.realpath(self.files.path(path))
        return ("block", real) if path.startswith("/dev/") and os.path.exists(real) else Probe.identity(self, path)

    def block_bytes(self, path):
        return os.path.getsize(self.files.path(path))

    def busy(self, path):
        return self.host.busy.get(path)

    def file_status(self, path):
        size, sparse, mode, _owner = Probe.file_status(self, path)
        return size, sparse, mode, 0

    def folder(self, path):
        kind, _free, _whole, wrong = Probe.folder(self, path)
        return kind, self.host.free_disk, self.host.whole_disk, wrong
