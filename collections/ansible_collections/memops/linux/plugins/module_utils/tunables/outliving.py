# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A write that goes on to its end where the run that wants it is killed."""

import os


def outliving(write):
    """Call ``write`` in a process of its own, and wait for it. Raises the OSError that it raised.

    The child keeps what this process has locked, so that the next run waits for it too.
    """
    child = os.fork()
    if child == 0:
        number = 255
        try:
            os.setsid()  # a signal to the run's session or group is not for the child
            write()
            number = 0
        except OSError as error:
            number = error.errno or 255
        finally:
            os._exit(number)
    _pid, status = os.waitpid(child, 0)
    if status:
        number = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        raise OSError(number, os.strerror(number) if number not in (0, 255) else "the process that wrote it ended with status %d" % status)
