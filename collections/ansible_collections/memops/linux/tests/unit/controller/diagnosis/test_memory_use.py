# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the memory was: uses that add up, each page once, and what no figure explains."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.memory_use import of_cgroup, of_host
from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import CgroupMemory
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import recorded

MIB = 1 << 20


def memory(name):
    return read_kernel(recorded(name))[0].memory


@pytest.mark.parametrize("case", ["5.10-global-no-swap", "6.1-global-hugepages", "6.1-global-slab", "6.1-global-swap-full", "6.1-sysrq", "6.12-global-shmem"])
def test_the_figures_of_recorded_reports_add_up_to_what_is_in_use_within_three_per_cent(case):
    use = of_host(memory(f"linux-{case}"))
    assert 0 <= use.unaccounted_bytes < 0.03 * use.total_bytes


@pytest.mark.parametrize("lost", ["active_anon", "inactive_file", "unevictable", "slab_unreclaimable", "page_tables", "kernel_stack"])
def test_nothing_is_called_unaccounted_while_a_figure_that_could_explain_it_is_missing(lost):
    found = memory("linux-6.1-global-no-swap")
    found.totals.pop(f"{lost}_bytes")
    assert of_host(found).unaccounted_bytes is None


@pytest.mark.parametrize("kept", [0, 1])
def test_huge_pages_that_may_be_missing_make_it_unknown_too(kept):
    found = memory("linux-6.1-global-hugepages")
    assert of_host(dataclasses.replace(found, hugepages=found.hugepages[:kept])).unaccounted_bytes is None


def test_without_the_figure_on_shared_memory_the_programs_own_part_is_not_known():
    found = memory("linux-6.12-global-shmem")
    assert of_host(found).anon_bytes < 200 * MIB
    found.totals.pop("shmem_bytes")
    assert of_host(found).anon_bytes is None


def test_memory_in_a_balloon_is_accounted_for():
    found = memory("linux-6.1-global-no-swap")
    before = of_host(found).unaccounted_bytes
    found.totals["balloon_bytes"] = 5 * MIB
    assert of_host(found).unaccounted_bytes == before - 5 * MIB


@pytest.mark.parametrize(
    ("given", "cgroup", "kernel"),
    [
        ("the kernel's own sum", CgroupMemory(stat={"kernel_bytes": 9, "slab_unreclaimable_bytes": 3}), 9),
        ("its parts, before 5.18", CgroupMemory(stat={"slab_reclaimable_bytes": 1, "slab_unreclaimable_bytes": 3, "kernel_stack_bytes": 2}), 6),
        ("the kmem counter of version 1", CgroupMemory(kmem_usage_bytes=8, stat={"anon_bytes": 1}), 8),
        ("nothing", CgroupMemory(stat={"anon_bytes": 1}), None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_kernels_part_of_a_cgroup_is_read_from(given, cgroup, kernel):
    assert of_cgroup(cgroup).kernel_bytes == kernel


def test_what_a_cgroup_uses_beyond_its_figures():
    cgroup = CgroupMemory(usage_bytes=100, limit_bytes=100, stat={"anon_bytes": 30, "file_bytes": 20, "shmem_bytes": 5, "kernel_bytes": 10, "sock_bytes": 15})
    use = of_cgroup(cgroup)
    assert (use.file_bytes, use.unaccounted_bytes) == (15, 25)


def test_reclaim_can_free_clean_file_pages_and_reclaimable_slab():
    use = of_cgroup(CgroupMemory(stat={"file_bytes": 50, "file_dirty_bytes": 10, "file_writeback_bytes": 5, "slab_reclaimable_bytes": 7}))
    assert use.reclaimable_bytes == 42
