# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of the host that is changed: whole or not at all."""

import contextlib
import errno
import fcntl
import os
import stat
import time

READ_LIMIT_BYTES = 4 << 20


class HostFiles:
    """Reads and writes below ``root``, a folder that stands for ``/`` (tests give one of their own)."""

    def __init__(self, root="/"):
        self.root = root.rstrip("/")

    def path(self, path):
        """The path below the root, for calls that need one (statvfs, a command's argument)."""
        return self.root + path

    def exists(self, path):
        return os.path.lexists(self.root + path)

    def read(self, path):
        """The file's text, or None where there is none. Raises OSError for any other reason, and ValueError beyond READ_LIMIT_BYTES."""
        try:
            with open(self.root + path, "rb") as stream:
                data = _bounded(stream)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return None
            raise
        if len(data) > READ_LIMIT_BYTES:
            raise ValueError("%s is larger than %d bytes" % (path, READ_LIMIT_BYTES))
        return data.decode("utf-8", "surrogateescape")

    def write(self, path, text, mode=0o644):
        """Replace the file as a whole; a reader sees the old text or the new one, also after a power cut.

        mode: of a new file; one that is there keeps its own mode and owner. An
        administrator's link is followed. What a run that was killed left
        beside it is overwritten. Raises OSError.
        """
        target = os.path.realpath(self.root + path)
        folder = os.path.dirname(target)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        temporary = "%s/.%s.memops-new" % (folder, os.path.basename(target))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text.encode("utf-8", "surrogateescape"))
                _take_over(stream.fileno(), target, mode)
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(folder)

    def write_in_place(self, path, text):
        """Write into a file of the kernel's (/proc, /sys, cgroups), where nothing can be renamed. Raises OSError as the kernel answers."""
        descriptor = os.open(self.root + path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    def remove(self, path):
        """Remove the file; True if it was there. Raises OSError where it cannot be."""
        try:
            os.unlink(self.root + path)
        except FileNotFoundError:
            return False
        _sync_folder(os.path.dirname(self.root + path))
        return True

    def append(self, path, line, mode=0o600):
        """Add one line, on disk when this returns; a line that was cut off before is ended first. Raises OSError."""
        self.private_folder(os.path.dirname(path))
        descriptor = os.open(self.root + path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        try:
            size = os.fstat(descriptor).st_size
            cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, ("\n" if cut else "").encode() + line.encode("utf-8", "surrogateescape") + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def private_folder(self, path):
        """Make the folder, for root alone."""
        os.makedirs(self.root + path, mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def locked(self, path, seconds=60):
        """Hold the lock file, so that two runs on one host go one after the other. Raises TimeoutError after ``seconds``."""
        self.private_folder(os.path.dirname(path))
        descriptor = os.open(self.root + path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + seconds
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if error.errno not in (errno.EAGAIN, errno.EACCES):
                        raise
                    if time.monotonic() > deadline:
                        raise TimeoutError("another run has changed this host for more than %d s (it holds %s)" % (seconds, path)) from None
                    time.sleep(0.1)
            yield
        finally:
            os.close(descriptor)


def _bounded(stream):
    data = b""
    # In pieces: the kernel refuses to read a sysctl into 4 MiB at once (proc_sys_call_handler, ENOMEM).
    while len(data) <= READ_LIMIT_BYTES:
        piece = stream.read(65536)
        if not piece:
            break
        data += piece
    return data


def _take_over(descriptor, target, mode):
    try:
        former = os.stat(target)
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    os.fchmod(descriptor, stat.S_IMODE(former.st_mode))
    if (former.st_uid, former.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, former.st_uid, former.st_gid)


def _sync_folder(folder):
    descriptor = os.open(folder or "/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
