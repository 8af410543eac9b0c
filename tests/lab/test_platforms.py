"""The catalogue: what a name stands for, and what of it can be changed."""

from __future__ import annotations

import pytest

from lab import platforms
from lab.errors import LabError


@pytest.mark.parametrize("name", platforms.names())
def test_every_platform_says_its_kernel_and_cgroup_version_by_its_name(name):
    platform = platforms.load(name)

    suite, kernel = name.split("-")[:2]
    assert platform.image.suite == suite
    assert platform.image.kernel_version == kernel
    assert platform.cgroup == (1 if name.endswith("-v1") else 2)


def test_platforms_that_differ_in_their_kernel_command_line_share_one_image():
    first, second = platforms.load("bullseye-5.10-v1"), platforms.load("bullseye-5.10-v2")

    assert first.image == second.image
    assert first.append != second.append


def test_an_added_command_line_comes_after_the_platform_s_own():
    platform = platforms.load("bullseye-5.10-v1", {"append": "psi=1"})

    assert platform.append == "systemd.unified_cgroup_hierarchy=0 psi=1"


def test_changes_hold_for_that_load_alone():
    changed = platforms.load("bookworm-6.1", {"memory_mib": 6144, "disks": [{"size_mib": 512, "write_bytes_per_second": 1000}]})

    assert (changed.memory_mib, changed.disks) == (6144, (platforms.Disk(512, 1000),))
    assert platforms.load("bookworm-6.1").memory_mib == 1024


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("wheezy", {}, "There are: bullseye-5.10-v1"),
        ("bookworm-6.1", {"memory": 1}, "no key 'memory'"),
        ("bookworm-6.1", {"cgroup": 1}, "no key 'cgroup'"),
        ("bookworm-6.1", {"memory_mib": "1G"}, "memory_mib must be a whole number"),
        ("bookworm-6.1", {"memory_mib": 0}, "memory_mib must be a whole number"),
        ("bookworm-6.1", {"numa_nodes": 3}, "3 NUMA nodes"),
        ("bookworm-6.1", {"disks": [{"size": 3}]}, "size_mib"),
    ],
)
def test_what_the_catalogue_does_not_know_is_said(name, changes, said):
    with pytest.raises(LabError, match=said):
        platforms.load(name, changes)
