# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""zswap is set up once in a boot, so the write that does it must not be cut short by a kill of the run (mm/zswap.c, zswap_setup)."""

import errno
import os
import signal
import time

import pytest

from ansible_collections.memops.linux.plugins.module_utils.tunables import carrying_out
from ansible_collections.memops.linux.plugins.module_utils.tunables.carrying_out import TunableError
from ansible_collections.memops.linux.plugins.module_utils.tunables.outliving import outliving

ENABLED = "/sys/module/zswap/parameters/enabled"


class Files:
    """Writes take a while, and end in a file; or raise."""

    def __init__(self, root, begins=None, raises=None):
        self.root, self.begins, self.raises = str(root), begins, raises

    def write_in_place(self, path, text):
        if self.raises:
            raise self.raises
        if self.begins is not None:
            os.write(self.begins, b"x")
            time.sleep(0.3)
        with open(self.root + "/written", "w") as stream:
            stream.write("%s %s %d" % (path, text.strip(), os.getpid()))


def written(root, seconds=0.0):
    deadline = time.time() + seconds
    while not os.path.exists(str(root) + "/written") and time.time() < deadline:
        time.sleep(0.05)
    try:
        with open(str(root) + "/written") as stream:
            return stream.read().split()
    except OSError:
        return None


def enable(files, key="zswap.enabled", value="Y"):
    carrying_out._write(files, key, value, {"kind": "module_parameter", "path": ENABLED, "type": "switch"})


@pytest.mark.parametrize("value, key, goes_on", [("Y", "zswap.enabled", True), ("N", "zswap.enabled", False), ("Y", "zswap.shrinker_enabled", False)])
def test_a_run_that_is_killed_in_the_middle_of_setting_zswap_up_lets_that_end(tmp_path, value, key, goes_on):
    begun, begins = os.pipe()
    run = os.fork()
    if run == 0:
        os.setsid()
        enable(Files(tmp_path, begins), key, value)
        os._exit(0)
    os.read(begun, 1)
    os.killpg(run, signal.SIGKILL)  # with all of its group, as the end of a connection does
    os.waitpid(run, 0)
    assert (written(tmp_path, 5 if goes_on else 0.6) is not None) == goes_on


def test_it_is_done_when_the_call_returns(tmp_path):
    enable(Files(tmp_path))
    path, value, pid = written(tmp_path)
    assert (path, value) == (ENABLED, "Y") and int(pid) != os.getpid()


def test_a_kernel_that_gave_zswap_up_is_told_with_the_next_step(tmp_path):
    with pytest.raises(TunableError, match=r"zswap.enabled: this kernel could not set zswap up .* before the next boot; leave it out until then"):
        enable(Files(tmp_path, raises=OSError(errno.ENODEV, "No such device")))


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EPERM])
def test_another_refusal_is_the_kernels_own(tmp_path, number):
    with pytest.raises(TunableError, match=r"the kernel did not take Y .*%s" % os.strerror(number)):
        enable(Files(tmp_path, raises=OSError(number, os.strerror(number))))


def test_a_child_that_is_killed_is_no_success(tmp_path):
    with pytest.raises(OSError, match="ended with status 9"):
        outliving(lambda: os.kill(os.getpid(), signal.SIGKILL))
