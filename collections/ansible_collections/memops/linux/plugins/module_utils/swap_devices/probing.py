# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the host says of a device or file: what it is, what it holds, who uses it."""

import errno
import os
import shutil
import stat

from ..changes import host_command
from .errors import SwapError
from .swap_header import READ_BYTES, parse


class Probe:
    """Looks, and never changes. files: a HostFiles; tools: what has ``ask`` and ``do`` of host_command."""

    def __init__(self, files, tools=host_command):
        self.files = files
        self.tools = tools

    def page_bytes(self):
        return os.sysconf("SC_PAGE_SIZE")

    def kernel(self):
        return os.uname().release

    def program(self, name):
        """The program's path; /sbin where it is not found."""
        return shutil.which(name, path=host_command.ENVIRONMENT["PATH"]) or "/sbin/" + name

    def kind(self, path):
        """None, "file", "block", "link" (only at the last part, of no device) or "other"."""
        try:
            mode = os.lstat(self.files.path(path)).st_mode
            if stat.S_ISLNK(mode):
                if stat.S_ISBLK(os.stat(self.files.path(path)).st_mode):
                    return "block"
                return "link"
        except (FileNotFoundError, NotADirectoryError):
            return None
        return "file" if stat.S_ISREG(mode) else "block" if stat.S_ISBLK(mode) else "other"

    def identity(self, path):
        """What two paths of one area have in common, or None where there is nothing."""
        try:
            status = os.stat(self.files.path(path))
        except OSError:
            return None
        return ("block", status.st_rdev) if stat.S_ISBLK(status.st_mode) else ("file", status.st_dev, status.st_ino)

    def block_bytes(self, path):
        with open(self.files.path(path), "rb") as stream:
            return stream.seek(0, os.SEEK_END)

    def header(self, path):
        try:
            with open(self.files.path(path), "rb") as stream:
                return parse(stream.read(READ_BYTES))
        except OSError:
            return None

    def holds(self, path):
        """What a device's signatures say that it holds: None for nothing known, "swap", or words for people.

        blkid(8) -p looks at the device itself, not at what was remembered of it.
        """
        answer = self.tools.ask(["blkid", "-p", "-o", "export", self.files.path(path)])
        if answer.status == 2 and not answer.output.strip():
            return None
        if answer.status == 8:
            return "more than one signature"
        if answer.status:
            raise SwapError("%s: what it holds cannot be told, so it is not touched: blkid -p answered %d %s" % (path, answer.status, answer.errors.strip()))
        found = dict(line.split("=", 1) for line in answer.output.splitlines() if "=" in line)
        if found.get("PTTYPE") or found.get("PTUUID"):
            return "a partition table (%s)" % found.get("PTTYPE", "of unknown kind")
        if found.get("TYPE"):
            return "swap" if found["TYPE"] in ("swap", "swsuspend") else found["TYPE"]
        return None if not found.get("USAGE") else found["USAGE"]

    def busy(self, path):
        """Who uses the block device, in words, or None. In use as swap counts too."""
        real = os.path.realpath(self.files.path(path))
        try:
            os.close(os.open(real, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return "it is in use (mounted, or part of RAID, LVM or another device)"
        try:
            parts = os.listdir("/sys/class/block/%s" % os.path.basename(real))
        except OSError:
            return None
        if any(part.startswith(os.path.basename(real)) for part in parts):
            return "it has partitions"
        return None

    def file_status(self, path):
        """(size in bytes, whether it has holes, mode, owner)."""
        status = os.lstat(self.files.path(path))
        return status.st_size, status.st_blocks * 512 < status.st_size, stat.S_IMODE(status.st_mode), status.st_uid

    def folder(self, path):
        """(file system type, free bytes, all bytes, what is wrong or None) of the folder that the file is in."""
        folder = os.path.dirname(path)
        real = os.path.realpath(self.files.path(folder))
        try:
            status = os.stat(real)
            space = os.statvfs(real)
        except OSError:
            return None, 0, 0, "there is no folder %s" % folder
        wrong = None
        if not stat.S_ISDIR(status.st_mode):
            wrong = "%s is no folder" % folder
        elif status.st_mode & stat.S_IWOTH or status.st_uid not in (0, os.geteuid()):
            wrong = "others than root can write into %s, and could put a file of theirs in its place" % folder
        inside = real[len(os.path.realpath(self.files.root or "/").rstrip("/")) :] or "/"
        return self._file_system(inside), space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize, wrong

    def _file_system(self, folder):
        best, kind = -1, None
        for line in (self.files.read("/proc/self/mountinfo") or "").splitlines():
            left, _separator, right = line.partition(" - ")
            fields = left.split(" ")
            if len(fields) < 5 or not right:
                continue
            mountpoint = fields[4].rstrip("/")
            if (folder + "/").startswith(mountpoint + "/") and len(mountpoint) >= best:
                best, kind = len(mountpoint), right.split(" ")[0]
        return kind

    def names(self, folder, ending):
        """Names in the folder that end so, such as .swap; none where there is no such folder."""
        try:
            return sorted(name for name in os.listdir(self.files.path(folder)) if name.endswith(ending))
        except OSError:
            return []

    def wanted_at_boot(self, folder, unit):
        """Whether a .wants or .requires below the folder has the unit."""
        try:
            parts = os.listdir(self.files.path(folder))
        except OSError:
            return False
        return any(self.files.exists("%s/%s/%s" % (folder, part, unit)) for part in parts if part.endswith((".wants", ".requires")))
