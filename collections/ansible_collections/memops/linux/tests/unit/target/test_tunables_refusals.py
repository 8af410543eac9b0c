# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What would hurt the host is refused with the sum, and the host stays as it was."""

import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.tunables import running
from ansible_collections.memops.linux.tests.unit.target.tunables_host import CATALOGUE, TunablesHost, entry

NO_SWAPPINESS_OVER_100 = dict(CATALOGUE, **{"vm.swappiness": entry("vm.swappiness", range=[0, 200], range_before={"5.8": [0, 100]})})


@pytest.fixture
def host(tmp_path):
    return TunablesHost(tmp_path)


def tree(root):
    """Every file below the root with what it says."""
    found = {}
    for folder, _folders, names in os.walk(str(root)):
        for name in names:
            with open(os.path.join(folder, name)) as stream:
                found[os.path.join(folder, name)] = stream.read()
    return found


REFUSED = [
    (
        {"vm.overcommit_memory": 2, "vm.overcommit_ratio": 20},
        {},
        "vm.overcommit_memory",
        r"\(8388608 kB of memory - 0 kB of huge pages\) \* 20 % \+ 1048576 kB of swap - 8192 kB for root .* = 2718105 kB, but 3145728 kB .* is 3460300 kB",
    ),
    ({"vm.overcommit_memory": 2, "vm.overcommit_kbytes": "2G"}, {}, "vm.overcommit_memory", r"2097152 kB \(vm.overcommit_kbytes\) \+ 1048576 kB of swap"),
    ({"vm.overcommit_ratio": 20}, {"vm.overcommit_memory": "2"}, "vm.overcommit_ratio", "forks would fail"),
    ({"vm.nr_hugepages": 2400}, {"vm.overcommit_memory": "2", "vm.overcommit_ratio": "60"}, "vm.nr_hugepages", r"- 4915200 kB of huge pages\) \* 60 %"),
    ({"vm.min_free_kbytes": 1023}, {}, "vm.min_free_kbytes", "less than the 1024 kB"),
    ({"vm.min_free_kbytes": 419431}, {}, "vm.min_free_kbytes", r"419431 kB are more than 5 % of the memory \(8388608 kB \* 5 % = 419430 kB\)"),
    ({"vm.dirty_bytes": 8191}, {}, "vm.dirty_bytes", r"less than two pages \(2 \* 4096 bytes = 8192 bytes\)"),
    ({"vm.dirty_bytes": "64M", "vm.dirty_background_bytes": "64M"}, {}, "vm.dirty_bytes", r"67108864 bytes\) is not above vm.dirty_background_bytes"),
    ({"vm.dirty_bytes": "64M"}, {"vm.dirty_background_ratio": "0", "vm.dirty_background_bytes": "67108864"}, "vm.dirty_bytes", "Set both"),
    ({"vm.dirty_bytes": "64M", "vm.dirty_background_ratio": 5}, {}, "vm.dirty_bytes", r"5 % of 6291456 kB free or cache = 314572 kB"),
    ({"vm.dirty_background_ratio": 20}, {}, "vm.dirty_background_ratio", "not above"),
    ({"vm.vfs_cache_pressure": 0}, {}, "vm.vfs_cache_pressure", "never drops"),
    ({"vm.panic_on_oom": 1}, {}, "vm.panic_on_oom", "kernel.panic=0"),
    ({"kernel.panic": 0}, {"vm.panic_on_oom": "1", "kernel.panic": "10"}, "kernel.panic", "kernel.panic=0"),
    ({"vm.nr_hugepages": 3000}, {}, "vm.nr_hugepages", "3000 more pages of 2048 kB are 6144000 kB, but of the 6291456 kB that are available only 5872025 kB"),
]


@pytest.mark.parametrize("values, before, key, why", REFUSED)
def test_a_value_that_would_hurt_now_is_refused_with_the_sum(host, values, before, key, why):
    for name, value in before.items():
        host.put("proc/sys/" + name.replace(".", "/"), value + "\n")
    untouched = tree(host.root)
    for check in (True, False):
        with pytest.raises(running.Refused, match=why) as error:
            host.apply(dict(values, **{"vm.swappiness": 10}), check=check)
        assert [one["key"] for one in error.value.result["refused"]] == [key]
        assert error.value.result["changed"] is False
    assert tree(host.root) == untouched


@pytest.mark.parametrize("values, before, key, why", [case for case in REFUSED if case[0] != {"vm.dirty_bytes": 8191}])
def test_force_does_it_with_a_warning(host, values, before, key, why):
    for name, value in before.items():
        host.put("proc/sys/" + name.replace(".", "/"), value + "\n")
    result = host.apply(values, force=True)
    assert result["changed"]
    assert [text for text in result["warnings"] if text.startswith(key + ": done by force, although ")]


ALLOWED = [
    ({"vm.overcommit_memory": 2, "vm.overcommit_ratio": 50}, {}),
    ({"vm.overcommit_memory": 2, "vm.overcommit_kbytes": "4G"}, {}),
    ({"vm.swappiness": 10}, {"vm.overcommit_memory": "2", "vm.overcommit_ratio": "1"}),
    ({"vm.min_free_kbytes": 419430}, {}),
    ({"vm.min_free_kbytes": 500000}, {"vm.min_free_kbytes": "600000"}),
    ({"vm.dirty_bytes": "64M", "vm.dirty_background_bytes": "32M"}, {"vm.dirty_background_bytes": "67108864", "vm.dirty_background_ratio": "0"}),
    ({"vm.dirty_ratio": 9, "vm.dirty_background_ratio": 5}, {}),
    ({"vm.panic_on_oom": 1, "kernel.panic": 10}, {}),
    ({"vm.panic_on_oom": 2, "kernel.panic": -1}, {}),
    ({"vm.panic_on_oom": 0, "kernel.panic": 0}, {"vm.panic_on_oom": "1", "kernel.panic": "10"}),
    ({"vm.nr_hugepages": 2800}, {}),
    ({"vm.nr_hugepages": 0}, {"vm.nr_hugepages": "3000"}),
]


@pytest.mark.parametrize("values, before", ALLOWED)
def test_the_state_after_all_changes_together_is_what_is_judged(host, values, before):
    for name, value in before.items():
        host.put("proc/sys/" + name.replace(".", "/"), value + "\n")
    assert host.apply(values)["changed"]


@pytest.mark.parametrize("profile, socket", [("container_host", None), ("none", "run/docker.sock")])
def test_a_container_host_never_panics_for_one_container(host, profile, socket):
    if socket:
        host.put(socket, "")
    with pytest.raises(running.Refused, match=r"container host"):
        host.apply({"vm.panic_on_oom": 2, "kernel.panic": 10}, profile=profile)


@pytest.mark.parametrize("release, taken", [("5.7.0", False), ("4.19.0-27-amd64", False), ("5.8.0", True), ("5.10.0-35-cloud-amd64", True), ("6.1.0", True)])
def test_swappiness_over_100_is_for_kernels_that_know_it(host, release, taken):
    host.put("proc/sys/kernel/osrelease", release + "\n")
    if taken:
        assert host.apply({"vm.swappiness": 150}, catalogue=NO_SWAPPINESS_OVER_100)["changed"]
        return
    with pytest.raises(running.Refused, match=r"150 is out of range for this kernel \(%s\): before 5.8 it may be 0 to 100" % release):
        host.apply({"vm.swappiness": 150}, catalogue=NO_SWAPPINESS_OVER_100)


def test_a_limit_in_bytes_below_an_unmanaged_share_is_told_and_not_refused(host):
    result = host.apply({"vm.dirty_bytes": 8388608})
    assert [note for note in result["notes"] if "vm.dirty_background_ratio (10 % of 6291456 kB" in note and "half" in note]
