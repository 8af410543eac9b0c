# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The section ``cgroups``: limits, their history, and what the groups hold."""

import collections
import pathlib

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import cgroup_v1, cgroup_v2, cgroups

HOSTS = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hosts"
CONTAINER = "1b40920e2b98b72e37568f0f7862abe4b5badb4e38e21bec2372368734d82e0d"
REQUEST = collections.namedtuple("Request", "now since budget_bytes page_bytes")(0, 0, 1 << 20, 4096)
MOUNT = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nsdelegate,memory_recursiveprot 0 0\n"


def collect(root):
    reader = Reader(str(root))
    section = cgroups.collect(reader, REQUEST)
    assert reader.unreadable == []
    return section


class Tree:
    """A hand-made cgroup v2 tree."""

    def __init__(self, root, psi=False):
        self.root = root
        self.top = root / "sys/fs/cgroup"
        self.top.mkdir(parents=True)
        (self.top / "cgroup.controllers").write_text("cpu memory pids\n")
        (root / "proc/self").mkdir(parents=True)
        (root / "proc/self/mounts").write_text(MOUNT)
        if psi:
            (root / "proc/pressure").mkdir()
            (root / "proc/pressure/memory").write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")

    def group(self, path, current=4096, **files):
        folder = self.top / path
        folder.mkdir(parents=True)
        (folder / "memory.current").write_text("%d\n" % current)
        for name, content in files.items():
            (folder / ("memory." + name.replace("_", "."))).write_text(content + "\n")

    def paths(self):
        return [group["path"] for group in collect(self.root)["groups"]]


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_a_recorded_v2_host_shows_the_kill_that_its_slice_remembers_and_then_the_limited_container():
    section = collect(HOSTS / "linux-6.1-cgroup-v2-docker")
    assert (section["version"], section["mount"], section["count"]) == ("v2", "/sys/fs/cgroup", 2)
    system, container = section["groups"]
    assert system["path"] == "/system.slice"
    assert (system["events"]["oom_kill"], system["events_local"]["oom_kill"]) == (1, 0)
    assert system["max_bytes"] == "max"
    pressure = container.pop("pressure")
    stat = container.pop("stat")
    assert pressure["some"]["avg10"] == 0.0
    assert container == {
        "path": "/system.slice/docker-%s.scope" % CONTAINER,
        "unit": "docker-%s.scope" % CONTAINER,
        "container_id": CONTAINER,
        "usage_bytes": 315392,
        "peak_bytes": 6582272,
        "max_bytes": 134217728,
        "high_bytes": "max",
        "low_bytes": 0,
        "min_bytes": 0,
        "swap_usage_bytes": 0,
        "swap_max_bytes": 134217728,
        "memsw_max_bytes": None,
        "events": {"low": 0, "high": 0, "max": 0, "oom": 0, "oom_kill": 0, "oom_group_kill": 0},
        "events_local": {"low": 0, "high": 0, "max": 0, "oom": 0, "oom_kill": 0, "oom_group_kill": 0},
        "failcnt": None,
        "memsw_failcnt": None,
        "oom_kill_disabled": None,
        "under_oom": None,
        "oom_group": False,
        "processes": 1,
    }
    assert (stat["anon_bytes"], stat["kernel_bytes"], stat["page_tables_bytes"]) == (53248, 262144, 20480)
    assert None not in stat.values()


def test_a_recorded_v1_host_shows_its_killed_group_first_with_dirty_cache():
    section = collect(HOSTS / "linux-6.18-cgroup-v1")
    assert (section["version"], section["mount"], section["count"]) == ("hybrid", "/sys/fs/cgroup/memory", 3)
    shop, idle = section["groups"]
    assert (idle["path"], idle["max_bytes"]) == ("/idle.service", "max")
    assert shop == {
        "path": "/shop.service",
        "unit": "shop.service",
        "container_id": None,
        "usage_bytes": 60506112,
        "peak_bytes": 67108864,
        "max_bytes": 67108864,
        "high_bytes": None,
        "low_bytes": None,
        "min_bytes": None,
        "swap_usage_bytes": 0,
        "swap_max_bytes": None,
        "memsw_max_bytes": "max",
        "events": {"low": None, "high": None, "max": None, "oom": None, "oom_kill": 1, "oom_group_kill": None},
        "events_local": None,
        "failcnt": 117,
        "memsw_failcnt": 0,
        "oom_kill_disabled": False,
        "under_oom": False,
        "oom_group": None,
        "stat": {
            "anon_bytes": 38494208,
            "file_bytes": 21209088,
            "shmem_bytes": 0,
            "file_dirty_bytes": 20971520,
            "file_writeback_bytes": 0,
            "slab_bytes": None,
            "slab_unreclaimable_bytes": None,
            "slab_reclaimable_bytes": None,
            "kernel_stack_bytes": None,
            "page_tables_bytes": None,
            "sock_bytes": None,
            "unevictable_bytes": 0,
            "kernel_bytes": 753664,
        },
        "pressure": None,
        "processes": None,
    }


def test_a_recorded_v1_host_remembers_kills_and_failed_charges_when_the_groups_are_empty_again():
    section = collect(HOSTS / "linux-5.10-cgroup-v1-dirty")
    assert (section["version"], section["mount"]) == ("hybrid", "/sys/fs/cgroup/memory")
    seen = [(group["path"], group["events"]["oom_kill"], group["failcnt"], group["max_bytes"]) for group in section["groups"]]
    assert sorted(seen) == [("/shop-copy1", 1, 3046, 41943040), ("/shop-copy2", 1, 2027, 41943040)]


@pytest.mark.parametrize(
    ("lines", "version", "memory"),
    [
        ("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", "v2", None),
        ("cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0", "v1", "/sys/fs/cgroup/memory"),
        ("cgroup /cg/cpu,memory cgroup rw,cpu,memory 0 0\ncgroup2 /cg/unified cgroup2 rw 0 0", "hybrid", "/cg/cpu,memory"),
        ("cgroup /with\\040blank cgroup rw,memory 0 0", "v1", "/with blank"),
        ("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0", None, None),
        ("tmpfs /memory tmpfs rw,memory 0 0\n\nshort", None, None),
        ("", None, None),
    ],
)
def test_version_and_place_come_from_the_mounts(lines, version, memory):
    mounts = cgroups.parse_mounts(lines)
    assert (mounts["version"], mounts["memory"]) == (version, memory)


def test_kills_come_first_then_trouble_then_near_a_limit_then_large(tree, monkeypatch):
    monkeypatch.setattr(cgroups, "LARGEST", 1)
    tree.group("large", 900 << 20, max="max")
    tree.group("roomy", 1 << 20, max=str(100 << 20))
    tree.group("fuller", 500 << 10, max=str(1 << 20))
    tree.group("full", 95 << 20, max=str(100 << 20))
    tree.group("throttled", 2 << 20, max="max", events="low 0\nhigh 7\nmax 0\noom 0\noom_kill 0")
    tree.group("killed", 1 << 20, max="max", events="oom 1\noom_kill 1")
    assert tree.paths() == ["/killed", "/throttled", "/full", "/large", "/fuller", "/roomy"]


@pytest.mark.parametrize("bound", ["max", "high", "low", "min", "swap_max"])
def test_a_small_group_with_any_bound_is_kept_and_one_without_is_not(tree, bound):
    for number in range(cgroups.LARGEST):
        tree.group("large-%d" % number, 1 << 20)
    tree.group("bound", 4096, **{bound: "1048576"})
    tree.group("unbound", 4096, max="max", high="max", low="0", min="0", swap_max="max")
    paths = tree.paths()
    assert "/bound" in paths
    assert "/unbound" not in paths


def test_a_group_in_which_work_waits_for_memory_is_kept(tmp_path):
    tree = Tree(tmp_path, psi=True)
    for number in range(cgroups.LARGEST):
        tree.group("large-%d" % number, 1 << 20)
    tree.group("stalled", 4096, pressure="some avg10=0.00 avg60=1.50 avg300=0.10 total=9\nfull avg10=0.00 avg60=1.00 avg300=0.10 total=5")
    group = collect(tmp_path)["groups"][0]
    assert group["path"] == "/stalled"
    assert group["pressure"]["some"]["avg60"] == 1.5


def test_groups_without_the_memory_controller_are_not_counted_nor_entered(tree):
    tree.group("slice/inner", 4096)
    (tree.top / "slice/memory.current").write_text("8192\n")
    tree.group("without/deeper", 4096)
    assert tree.paths() == ["/slice", "/slice/inner"]
    assert collect(tree.root)["count"] == 2


def test_too_many_groups_are_cut_from_the_least_important_end_and_that_is_said(tree, monkeypatch):
    monkeypatch.setattr(cgroups, "KEPT", 2)
    for number in range(4):
        tree.group("g%d" % number, number << 20, max=str(100 << 20))
    reader = Reader(str(tree.root))
    section = cgroups.collect(reader, REQUEST)
    assert section["count"] == 4
    assert [group["path"] for group in section["groups"]] == ["/g3", "/g2"]
    assert reader.unreadable == [{"source": "/sys/fs/cgroup", "why": "4 memory cgroups matter, only the first 2 were described"}]


def test_without_a_memory_controller_nothing_is_claimed(tree):
    (tree.top / "cgroup.controllers").write_text("cpu pids\n")
    reader = Reader(str(tree.root))
    assert cgroups.collect(reader, REQUEST) == {"version": None, "mount": None, "count": None, "groups": []}
    assert [note["source"] for note in reader.unreadable] == ["memory cgroups"]


def test_an_old_kernels_missing_files_are_null(tree):
    tree.group("old", 4096, max="1048576", events="low 0\nhigh 0\nmax 3\noom 1\noom_kill 1", stat="anon 4096\nfile 0")
    (group,) = collect(tree.root)["groups"]
    assert group["events"]["oom_group_kill"] is None
    assert group["events_local"] is None
    assert group["peak_bytes"] is None
    assert group["stat"]["anon_bytes"] == 4096
    assert group["stat"]["shmem_bytes"] is None


@pytest.mark.parametrize(
    ("parse", "text", "limit"),
    [
        (cgroup_v1.parse_limit, "9223372036854771712\n", "max"),
        (cgroup_v1.parse_limit, "9223372036854710272\n", "max"),
        (cgroup_v1.parse_limit, "9223372036854775807\n", "max"),
        (cgroup_v1.parse_limit, "-1\n", "max"),
        (cgroup_v1.parse_limit, "67108864\n", 67108864),
        (cgroup_v1.parse_limit, "0\n", 0),
        (cgroup_v1.parse_limit, "", None),
        (cgroup_v1.parse_limit, None, None),
        (cgroup_v2.parse_limit, "max\n", "max"),
        (cgroup_v2.parse_limit, "0\n", 0),
        (cgroup_v2.parse_limit, "12x\n", None),
        (cgroup_v2.parse_limit, None, None),
    ],
)
def test_a_limit_is_bytes_or_max_or_unknown(parse, text, limit):
    assert parse(text) == limit
