# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

import os

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import shared_memory

HOSTS = os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts")


def test_only_file_systems_in_memory_are_found_and_each_only_once():
    text = (
        "23 27 0:21 / /proc rw - proc proc rw\n"
        "40 26 0:24 /sub /var/lib/app/cache rw shared:9 - tmpfs tmpfs rw\n"
        "29 24 0:24 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw\n"
        "30 24 0:25 / /mnt/with\\040blank rw - ramfs none rw\n"
        "41 26 0:24 /other /srv/other rw - tmpfs tmpfs rw\n"
        "31 24 odd:26 / /odd rw - tmpfs tmpfs rw\n"
        "odd line\n"
    )
    assert shared_memory.parse_mountinfo(text) == [("/dev/shm", os.makedev(0, 24)), ("/mnt/with blank", os.makedev(0, 25))]


def test_the_mounts_of_a_recorded_host_are_known_but_their_use_is_not():
    found = shared_memory.tmpfs(Reader(os.path.join(HOSTS, "linux-6.1-swap-full")))
    assert {"mountpoint": "/dev/shm", "size_bytes": None, "used_bytes": None} in found
    assert sorted(mount["mountpoint"] for mount in found) == ["/dev", "/dev/shm", "/run", "/run/lock"]


def test_use_is_null_where_another_mount_covers_the_file_system(tmp_path):
    _mountinfo(tmp_path, "1 0 0:4095 / /covered rw - tmpfs tmpfs rw\n")
    (tmp_path / "covered").mkdir()
    assert shared_memory.tmpfs(Reader(str(tmp_path)))[0]["used_bytes"] is None


def test_use_is_measured_where_the_file_system_is_the_one_that_is_mounted(tmp_path):
    (tmp_path / "here").mkdir()
    device = os.stat(str(tmp_path)).st_dev
    here = "1 0 %d:%d / /here rw - tmpfs tmpfs rw\n" % (os.major(device), os.minor(device))
    _mountinfo(tmp_path, "2 0 0:4095 / /gone rw - tmpfs tmpfs rw\n" + here)
    measured = shared_memory.tmpfs(Reader(str(tmp_path)))[0]
    assert measured["mountpoint"] == "/here"
    assert 0 < measured["used_bytes"] <= measured["size_bytes"]


def test_a_mount_that_hung_before_is_not_touched_again(tmp_path):
    _mountinfo(tmp_path, "1 0 0:4095 / /stuck rw - tmpfs tmpfs rw\n")
    announced = []
    reader = Reader(str(tmp_path), skip={"/stuck"}, announce=announced.append)
    assert shared_memory.tmpfs(reader) == [{"mountpoint": "/stuck", "size_bytes": None, "used_bytes": None}]
    assert "/stuck" not in announced
    assert reader.unreadable == [{"source": "/stuck", "why": "did not answer in time"}]


def test_sysv_segments_are_summed_and_the_largest_in_memory_stands_first():
    assert shared_memory.sysv(Reader(os.path.join(HOSTS, "linux-6.18-memory"))) == {
        "segments": 2,
        "bytes": 14680064,
        "rss_bytes": 3145728,
        "swap_bytes": 0,
        "largest": [
            {"id": 0, "bytes": 10485760, "rss_bytes": 3145728, "attached": 1, "uid": 0},
            {"id": 1, "bytes": 4194304, "rss_bytes": 0, "attached": 0, "uid": 0},
        ],
    }


def test_what_an_old_kernel_does_not_count_for_segments_is_null():
    text = "key shmid perms size cpid lpid nattch uid gid\n0 7 600 4096 1 1 2 1000 1000\ncut 8\n"
    shm = shared_memory.parse_sysvipc_shm(text)
    assert (shm["bytes"], shm["rss_bytes"], shm["swap_bytes"]) == (4096, None, None)


def _mountinfo(root, text):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(text)
