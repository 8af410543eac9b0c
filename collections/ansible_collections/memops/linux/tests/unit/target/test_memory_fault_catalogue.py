# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The catalogue of faults is whole, and a plan says all that will be done with its sizes filled in."""

import inspect

import pytest

from ansible_collections.memops.linux.plugins.module_utils.memory_fault import plan, requirements, supervising, workload
from ansible_collections.memops.linux.plugins.module_utils.memory_fault.catalogue import FAULTS

MIB = 1 << 20
MEMINFO = {"MemTotal": 1000 * MIB, "MemAvailable": 800 * MIB, "Committed_AS": 200 * MIB, "SwapTotal": 100 * MIB, "Hugepagesize": 2 * MIB}

PROGRAMS = {program.__name__: program for program in workload.PROGRAMS}


@pytest.mark.parametrize("name", list(FAULTS))
def test_each_fault_says_what_it_does_needs_and_may_kill_in_known_words(name):
    fault = FAULTS[name]

    assert fault["does"].endswith(".")
    assert fault["scope"] in ("cgroup", "container", "host")
    assert fault["may_kill"]
    assert fault["until"] in ("killed", "ended", "refused", "settled", "rebooted")
    assert set(fault["needs"]) <= set(requirements._CHECKS) | {"disk_space"}
    assert fault["expect"]["verdict"] in ("memory", "not_memory", "at_risk", "healthy", "cannot_tell")


@pytest.mark.parametrize("name", list(FAULTS))
def test_each_step_of_a_fault_can_be_carried_out_and_told(name):
    for verb, what in plan.resolve(FAULTS[name], MEMINFO):
        inspect.signature(getattr(supervising.Supervisor, "do_" + verb)).bind(None, **what)
        if verb in ("run", "container"):
            inspect.signature(PROGRAMS[what["program"]]).bind(**what["args"])
            assert len(what["name"]) <= 15, "the kernel cuts a longer name"
        assert plan._told(verb, what)


@pytest.mark.parametrize("name", [name for name in FAULTS if FAULTS[name]["scope"] == "cgroup"])
def test_what_is_bounded_by_a_cgroup_takes_no_memory_without_a_limit(name):
    bounded = ("ask", "reader", "promise")  # is refused, and page cache that the host can take back

    runs = [what for verb, what in FAULTS[name]["steps"] if verb == "run"]

    assert all(what.get("limit_mib") or what.get("high_mib") or what["program"] in bounded for what in runs)
    assert not [verb for verb, _what in FAULTS[name]["steps"] if verb in ("sysctl", "swap_file", "remount", "reboot")]


@pytest.mark.parametrize(
    "size, expected",
    [
        (("of_ram", 0.5), 500),
        (("below_available", 96), 704),
        (("half_available_and", 80), 480),
        (("hugepages_of_ram", 0.5), 250),
        (("committed_kib_and", 24), (200 - 100 + 24) * 1024),
        (("below_available", 799), plan.LEAST_MIB),
        (64, 64),
    ],
)
def test_a_size_that_depends_on_the_host_becomes_a_number(size, expected):
    steps = plan.resolve({"steps": [("run", {"args": {"mib": size}})]}, MEMINFO)

    assert steps == [("run", {"args": {"mib": expected}})]


def test_the_statement_tells_sizes_limits_victims_and_the_end():
    fault = FAULTS["host_hugepages"]

    told = plan.statement("host_hugepages", fault, plan.resolve(fault, MEMINFO), 60, 0)

    assert told[1:] == [
        "It will set vm.nr_hugepages=250.",
        "It will start memops-hog (hog; mib=1000) in a cgroup of its own, without a limit.",
        "It may kill: its own process first; any other process of the host, if that is not enough.",
        "After 60 s at the latest it ends, and all that was changed is as it was before.",
    ]


def test_what_is_written_to_disk_is_summed_over_swap_and_files():
    steps = [("swap_file", {"mib": 128}), ("run", {"count": 8, "args": {"mib": 60, "path": "FOLDER"}}), ("run", {"args": {"mib": 9, "path": "TMPFS"}})]

    assert plan.disk_bytes(steps) == (128 + 480) * MIB
