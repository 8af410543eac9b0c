# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The section ``processes``: who holds the memory."""

import collections
import pathlib

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import processes

HOSTS = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hosts"
CONTAINER = "1b40920e2b98b72e37568f0f7862abe4b5badb4e38e21bec2372368734d82e0d"
REQUEST = collections.namedtuple("Request", "now since budget_bytes page_bytes")(0, 0, 1 << 20, 4096)
STAT = "%d (%s) %s %d 1 1 0 -1 %d 1 0 0 0 0 0 0 0 20 0 %d 0 250 4096 %d 18446744073709551615 1 1 0\n"


@pytest.fixture(autouse=True)
def as_root(monkeypatch):
    monkeypatch.setattr(processes.os, "geteuid", lambda: 0)


class Host:
    """A hand-made /proc."""

    def __init__(self, root):
        self.root = root
        self.proc = root / "proc"
        self.proc.mkdir()
        (self.proc / "stat").write_text("cpu  1 2 3\nbtime 1700000000\n")
        self.swap(0, 0)

    def swap(self, total_kb, free_kb):
        (self.proc / "meminfo").write_text("SwapTotal: %12d kB\nSwapFree: %12d kB\n" % (total_kb, free_kb))

    def process(self, pid, name="app", state="S", ppid=1, flags=0, threads=1, pages=0, swap_kb=0, argv=b"", status=True, folder=None):
        folder = self.proc / (folder or str(pid))
        folder.mkdir(parents=True)
        (folder / "stat").write_text(STAT % (pid, name, state, ppid, flags, threads, pages))
        if status:
            (folder / "status").write_text("Name:\tx\nUid:\t7\t0\t0\t0\nRssAnon:\t%d kB\nVmSwap:\t%d kB\n" % (pages * 4, swap_kb))
        (folder / "cmdline").write_bytes(argv)
        (folder / "smaps_rollup").write_text("0-1 ---p 0 00:00 0  [rollup]\nRss:  9 kB\nPss:  2 kB\n")
        return folder

    def collect(self):
        reader = Reader(str(self.root))
        section = processes.collect(reader, REQUEST)
        assert reader.unreadable == []
        return section


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_a_recorded_docker_host_shows_its_largest_process_first_with_unit_and_limits():
    section = processes.collect(Reader(str(HOSTS / "linux-6.1-cgroup-v2-docker")), REQUEST)
    assert (section["count"], section["threads"], section["kernel_threads"], section["swapped"]) == (5, 33, 0, False)
    assert [entry["name"] for entry in section["largest"]] == ["dockerd", "containerd", "containerd-shim", "systemd", "sleep"]
    assert section["largest"][0] == {
        "pid": 362,
        "ppid": 1,
        "name": "dockerd",
        "uid": 0,
        "command_line": "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock",
        "state": "S",
        "started_at": "2026-11-22T22:38:36.059Z",
        "rss_bytes": 83091456,
        "pss_bytes": 82721792,
        "anon_bytes": 32423936,
        "file_bytes": 50667520,
        "shmem_bytes": 0,
        "swap_bytes": 0,
        "peak_rss_bytes": 83091456,
        "locked_bytes": 0,
        "page_tables_bytes": 389120,
        "oom_score": 720,
        "oom_score_adj": 0,
        "cgroup": "/system.slice/docker.service",
        "unit": "docker.service",
        "container_id": None,
        "limits": {"address_space_bytes": "max", "locked_bytes": 8388608},
    }


def test_a_process_in_a_container_carries_the_containers_id():
    section = processes.collect(Reader(str(HOSTS / "linux-6.1-cgroup-v2-docker")), REQUEST)
    sleep = section["largest"][-1]
    assert sleep["container_id"] == CONTAINER
    assert sleep["cgroup"] == "/system.slice/docker-%s.scope" % CONTAINER
    assert sleep["unit"] == "docker-%s.scope" % CONTAINER


@pytest.mark.parametrize(
    ("comm", "name"),
    [
        ("sleep", "sleep"),
        ("tmux: server", "tmux: server"),
        ("a) S 1 (b)", "a) S 1 (b)"),
        ("two\\nlines", "two\nlines"),
        ("back\\\\nslash", "back\\nslash"),
        ("", ""),
    ],
)
def test_a_name_may_hold_anything(comm, name):
    fields = processes.parse_stat((STAT % (9, comm, "R", 4, 0x400000, 3, 5)).encode())
    assert fields == {
        "name": name,
        "state": "R",
        "ppid": 4,
        "kernel_thread": False,
        "threads": 3,
        "start_ticks": 250,
        "rss_pages": 5,
    }


@pytest.mark.parametrize("data", [b"", b"1 (x", b"1 (x) S 1 1", b"x) S (1 " + b"a " * 30, b"\xff" * 50])
def test_a_stat_line_that_is_not_one_gives_nothing(data):
    assert processes.parse_stat(data) is None


def test_kernel_threads_are_counted_apart_and_not_listed(host):
    host.process(2, "kthreadd", flags=0x208040)
    host.process(3, "app", threads=4, pages=10)
    section = host.collect()
    assert (section["count"], section["threads"], section["kernel_threads"]) == (1, 4, 1)
    assert [entry["pid"] for entry in section["largest"]] == [3]
    assert section["by_name"] == [{"name": "app", "count": 1, "rss_bytes": 40960}]


@pytest.mark.parametrize(("free_kb", "swapped", "first"), [(500, True, 11), (995, False, 12)])
def test_with_swap_in_use_the_largest_hold_most_ram_and_swap_together(host, free_kb, swapped, first):
    host.swap(1000, free_kb)
    host.process(11, pages=1, swap_kb=400)
    host.process(12, pages=50)
    section = host.collect()
    assert section["swapped"] is swapped
    assert section["largest"][0]["pid"] == first


def test_the_list_holds_the_largest_thirty(host):
    for pid in range(100, 150):
        host.process(pid, pages=pid)
    assert [entry["pid"] for entry in host.collect()["largest"]] == list(range(149, 119, -1))


def test_a_fork_storm_of_small_processes_shows_among_the_names(host):
    for pid in range(100, 160):
        host.process(pid, "worker", pages=0)
    for pid in range(200, 240):
        host.process(pid, "big-%d" % pid, pages=pid)
    names = host.collect()["by_name"]
    assert len(names) == 25
    assert names[0] == {"name": "big-239", "count": 1, "rss_bytes": 239 * 4096}
    assert names[-1] == {"name": "worker", "count": 60, "rss_bytes": 0}


def test_a_process_that_vanishes_meanwhile_is_left_out_without_a_note(host):
    (host.proc / "50").mkdir()
    host.process(51, pages=9, status=False)
    host.process(52, pages=8)
    assert [entry["pid"] for entry in host.collect()["largest"]] == [52]


def test_memory_of_a_process_whose_main_thread_ended_is_found_in_another_thread(host):
    host.process(60, "leader", state="Z", threads=3)
    host.process(60, "leader", state="Z", threads=3, folder="60/task/60")
    host.process(61, "pool-1", threads=3, pages=7, folder="60/task/61")
    (entry,) = host.collect()["largest"]
    assert (entry["pid"], entry["name"], entry["rss_bytes"], entry["anon_bytes"]) == (60, "leader", 28672, 28672)


def test_a_command_line_is_redacted_and_short(host):
    host.process(70, pages=2, argv=b"app\0--password\0hunter2\0" + b"x" * 5000)
    host.process(71, pages=1)
    first, second = host.collect()["largest"]
    assert first["command_line"].startswith("app --password [redacted] xxx")
    assert len(first["command_line"]) == 300
    assert second["command_line"] is None


def test_what_the_files_do_not_say_is_null(host):
    folder = host.process(80, pages=1)
    (folder / "status").write_text("Name:\tx\n")
    (folder / "smaps_rollup").unlink()
    (host.proc / "stat").unlink()
    (host.proc / "meminfo").unlink()
    section = processes.collect(Reader(str(host.root)), REQUEST)
    (entry,) = section["largest"]
    assert section["swapped"] is None
    known = {"pid", "ppid", "name", "state", "rss_bytes", "limits"}
    assert {key for key, value in entry.items() if value is not None} == known
    assert entry["limits"] == {"address_space_bytes": None, "locked_bytes": None}


def test_without_a_proc_there_are_no_numbers(tmp_path):
    section = processes.collect(Reader(str(tmp_path)), REQUEST)
    assert section == {"count": None, "threads": None, "kernel_threads": None, "swapped": None, "largest": [], "by_name": []}


def test_pss_is_read_for_the_largest_five_within_the_walk_budget_and_not_of_a_blocked_process(host):
    gigabyte = (1 << 30) // 4096
    host.process(1, pages=3 * gigabyte)
    host.process(2, pages=gigabyte, state="D")
    for pid in (3, 4, 5):
        host.process(pid, pages=gigabyte - pid)
    host.process(6, pages=1)
    assert [entry["pss_bytes"] for entry in host.collect()["largest"]] == [None, None, 2048, 2048, None, None]


def test_pss_is_not_asked_for_without_root(host, monkeypatch):
    monkeypatch.setattr(processes.os, "geteuid", lambda: 1000)
    (host.proc / "self").mkdir()
    (host.proc / "self/mounts").write_text("proc /proc proc rw,relatime,hidepid=0 0 0\n")
    host.process(1, pages=1)
    assert host.collect()["largest"][0]["pss_bytes"] is None


@pytest.mark.parametrize("value", ["2", "invisible"])
def test_it_is_said_when_other_users_processes_are_hidden(host, monkeypatch, value):
    monkeypatch.setattr(processes.os, "geteuid", lambda: 1000)
    (host.proc / "self").mkdir()
    (host.proc / "self/mounts").write_text("proc /proc proc rw,relatime,hidepid=%s 0 0\n" % value)
    reader = Reader(str(host.root))
    processes.collect(reader, REQUEST)
    assert reader.unreadable == [{"source": "/proc", "why": "mounted with hidepid: processes of other users do not show"}]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("0::/system.slice/a.service\n", ("/system.slice/a.service", "/system.slice/a.service")),
        ("4:memory:/docker/x\n1:name=systemd:/system.slice/a.service\n0::/\n", ("/docker/x", "/system.slice/a.service")),
        ("3:cpu,memory:/a:b\n0::/c\n", ("/a:b", "/c")),
        ("0::/gone.scope (deleted)\n", ("/gone.scope", "/gone.scope")),
        ("", (None, None)),
        ("garbage\n::\n", (None, None)),
    ],
)
def test_the_memory_cgroup_is_found_beside_the_one_of_systemd(text, paths):
    assert processes.parse_cgroup(text) == paths
