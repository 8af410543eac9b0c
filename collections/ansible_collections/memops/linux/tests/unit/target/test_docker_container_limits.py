# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits of containers: which change, which are refused with the sum, which are probably not meant."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes.host_files import HostFiles
from ansible_collections.memops.linux.plugins.module_utils.docker_daemon import container_limits, container_reading
from ansible_collections.memops.linux.plugins.module_utils.docker_daemon.container_limits import Container, Host

MIB = 1 << 20
ID = "5c3325f1da51" + "0" * 52
SHOP = Container(ID, "shop", True, 654, "t", 64 * MIB, 64 * MIB, None, 64 * MIB, 20 * MIB, None, None, "/system.slice/docker-%s.scope" % ID)
FREE = SHOP._replace(memory_bytes=None, memory_swap_bytes=None, live_bytes=None)
HOST = Host(1024 * MIB, 512 * MIB, True)


def decided(limits, container=SHOP, host=HOST, **more):
    return container_limits.decide([dict({"name": "shop"}, **limits)], [container], host, **more)


def test_a_limit_that_holds_is_no_change():
    plan = decided({"memory_bytes": 64 * MIB})
    assert plan.updates == [] and plan.compliant == ["container:shop"]


def test_a_container_can_be_named_by_the_beginning_of_its_id():
    plan = decided({"name": ID[:12], "memory_bytes": 128 * MIB})
    assert plan.updates[0].container.name == "shop" and plan.held == {"shop": 128 * MIB}
    assert decided({"name": ID[:11], "memory_bytes": 128 * MIB}).refused


def test_without_a_swap_limit_it_may_not_swap():
    plan = decided({"memory_bytes": 128 * MIB})
    assert container_limits.body(plan.updates[0].new, plan.updates[0].old) == {"Memory": 128 * MIB, "MemorySwap": 128 * MIB}


def test_a_limit_that_somebody_wrote_into_the_cgroup_is_drift_and_is_mended():
    plan = decided({"memory_bytes": 64 * MIB}, SHOP._replace(live_bytes=900 * MIB))
    assert [(face["face"], face["found"]) for face in plan.drift] == [("running", {"memory_bytes": 900 * MIB})]
    assert len(plan.updates) == 1


@pytest.mark.parametrize(
    ("limits", "container", "why"),
    [
        ({"memory_bytes": 5 * MIB}, SHOP, "the least that Docker takes is 6291456"),
        ({"memory_bytes": 64 * MIB, "memory_swap_bytes": 32 * MIB}, SHOP, "memory and swap together"),
        ({"memory_bytes": 64 * MIB, "memory_reservation_bytes": 65 * MIB}, SHOP, "memory_reservation_bytes"),
        ({"memory_bytes": 16 * MIB}, SHOP, "it holds 20971520 bytes (20 MiB) that reclaim cannot take, more than the limit of 16777216 (16 MiB)"),
        ({"memory_bytes": 2048 * MIB}, SHOP, "above the host's RAM of 1073741824"),
        ({"name": "db", "memory_bytes": 64 * MIB}, SHOP, "there is no container db on this host; running are: shop"),
    ],
)
def test_what_would_hurt_is_refused_with_the_sum(limits, container, why):
    plan = decided(limits, container)
    assert why in plan.refused[0]["why"] and plan.updates == []


def test_force_sets_a_limit_below_what_the_container_holds_and_says_so():
    plan = decided({"memory_bytes": 16 * MIB}, force=True)
    assert len(plan.updates) == 1 and "It was forced" in plan.notes[0]


def test_force_makes_no_sense_of_a_limit_that_docker_cannot_take():
    assert decided({"memory_bytes": 5 * MIB}, force=True).refused


def test_a_kernel_that_cannot_limit_swap_is_told_and_memory_alone_counts():
    host = HOST._replace(swap_limits=False)
    plan = decided({"memory_bytes": 64 * MIB}, SHOP._replace(memory_swap_bytes=-1), host)
    assert plan.compliant == ["container:shop"] and "swapaccount=1" in plan.unsupported[0]["why"]


def test_a_limit_is_taken_away_by_one_that_is_as_good_as_none_and_leaves_swap():
    plan = decided({"memory_bytes": None, "exact": True})
    sent = container_limits.body(plan.updates[0].new, plan.updates[0].old)
    assert sent["Memory"] > 1 << 60 and sent["MemorySwap"] - sent["Memory"] > 1 << 60
    assert decided({"memory_bytes": None, "exact": True}, FREE).updates == []


def test_a_reservation_is_taken_away_by_the_least_one_and_never_by_minus_one():
    held = SHOP._replace(memory_reservation_bytes=32 * MIB)
    plan = decided({"memory_bytes": 64 * MIB, "memory_swap_bytes": 64 * MIB, "exact": True}, held)
    assert container_limits.body(plan.updates[0].new, plan.updates[0].old)["MemoryReservation"] == 6 * MIB


def test_unlimited_swap_is_sent_as_a_number_since_minus_one_leaves_the_cgroup_as_it_is():
    plan = decided({"memory_bytes": 64 * MIB, "memory_swap_bytes": -1})
    assert container_limits.body(plan.updates[0].new, plan.updates[0].old)["MemorySwap"] == (1 << 63) - 4096


@pytest.mark.parametrize(
    ("change", "host", "findings"),
    [
        ({}, HOST, ["no_swap"]),
        ({}, HOST._replace(swap_bytes=0), []),
        ({"memory_bytes": None, "memory_swap_bytes": None}, HOST, ["no_limit"]),
        ({"memory_swap_bytes": 128 * MIB}, HOST, ["as_much_swap_again"]),
        ({"memory_swap_bytes": None}, HOST, ["as_much_swap_again"]),
        ({"memory_swap_bytes": -1}, HOST, ["unlimited_swap"]),
        ({"memory_swap_bytes": -1}, HOST._replace(swap_limits=False), []),
        ({"memory_swap_bytes": 96 * MIB}, HOST, []),
        ({"bound_bytes": 32 * MIB, "bound_by": "/containers.slice", "memory_swap_bytes": 96 * MIB}, HOST, ["limit_above_slice"]),
        ({"running": False, "memory_bytes": None}, HOST, []),
    ],
)
def test_limits_that_are_probably_not_meant_are_reported(change, host, findings):
    assert [one["finding"] for one in container_limits.findings([SHOP._replace(**change)], host, None)] == findings


@pytest.mark.parametrize(
    ("cgroup", "found"),
    [("/system.slice/docker-x.scope", ["outside_slice"]), ("/containers.slice/docker-x.scope", []), ("/containers.slice/x", []), (None, [])],
)
def test_a_container_outside_the_slice_is_reported(cgroup, found):
    container = SHOP._replace(cgroup=cgroup, memory_swap_bytes=96 * MIB)
    assert [one["finding"] for one in container_limits.findings([container], HOST, "containers.slice")] == found


def put(tmp_path, path, text):
    target = tmp_path / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def test_on_cgroup_v2_a_containers_limit_use_and_bound_are_read_from_its_own_cgroup(tmp_path):
    own = "/containers.slice/docker-%s.scope" % ID
    put(tmp_path, "/proc/654/cgroup", "0::%s/init.scope\n" % own)
    put(tmp_path, "/sys/fs/cgroup/cgroup.controllers", "memory\n")
    put(tmp_path, "/sys/fs/cgroup%s/memory.max" % own, "67108864\n")
    put(tmp_path, "/sys/fs/cgroup%s/memory.current" % own, "50000000\n")
    put(tmp_path, "/sys/fs/cgroup%s/memory.stat" % own, "anon 1\ninactive_file 10000000\nactive_file 5000000\nslab_reclaimable 1000000\n")
    put(tmp_path, "/sys/fs/cgroup/containers.slice/memory.max", "500000000\n")
    found = container_reading.cgroup_memory(HostFiles(str(tmp_path)), 654, ID)
    assert found == (own, 67108864, 34000000, 500000000, "/containers.slice")


def test_on_cgroup_v1_they_are_read_from_the_memory_hierarchy(tmp_path):
    put(tmp_path, "/proc/654/cgroup", "12:cpu,cpuacct:/docker/x\n4:memory:/docker/%s\n1:name=systemd:/docker/x\n" % ID)
    put(tmp_path, "/sys/fs/cgroup/memory/docker/%s/memory.limit_in_bytes" % ID, "9223372036854771712\n")
    put(tmp_path, "/sys/fs/cgroup/memory/docker/%s/memory.usage_in_bytes" % ID, "300\n")
    put(tmp_path, "/sys/fs/cgroup/memory/docker/%s/memory.stat" % ID, "inactive_file 9\ntotal_inactive_file 100\ntotal_active_file 50\n")
    put(tmp_path, "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "9223372036854771712\n")
    assert container_reading.cgroup_memory(HostFiles(str(tmp_path)), 654, ID) == ("/docker/" + ID, None, 150, None, None)


def test_a_cgroup_that_is_gone_is_not_known_rather_than_unlimited(tmp_path):
    assert container_reading.cgroup_memory(HostFiles(str(tmp_path)), 654, ID) == (None, "", None, None, None)
