# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which runs a host remembers, and what a rollback of one would be about."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes.journal_runs import chosen, summary


def entry(run, area, key, undoes=None):
    entry = {"time": "2026-11-25T10:00:00Z", "run": run, "area": area, "key": key, "old": 1, "new": 2, "reason": "baseline", "diagnosis": None}
    if undoes:
        entry["undoes"] = undoes
    return entry


JOURNAL = [
    entry("first", "tunables", "vm.swappiness"),
    entry("first", "tunables", "vm.swappiness@boot"),
    entry("first", "swap", "/swapfile"),
    entry("second", "unit_memory", "a.service:MemoryMax"),
    entry("second", "docker_daemon", "container:x"),
]


@pytest.mark.parametrize(
    "run, keys, name, areas, unknown",
    [
        ("last", [], "second", {"unit_memory": [], "docker_daemon": []}, []),
        ("first", [], "first", {"tunables": [], "swap": []}, []),
        ("all", [], "all", {"tunables": [], "swap": [], "unit_memory": [], "docker_daemon": []}, []),
        ("nobody", [], "nobody", {}, []),
        ("first", ["vm.swappiness"], "first", {"tunables": ["vm.swappiness"]}, []),
        ("all", ["vm.swappiness", "container:x", "vm.x"], "all", {"tunables": ["vm.swappiness"], "docker_daemon": ["container:x"]}, ["vm.x"]),
        ("last", ["/swapfile"], "second", {}, ["/swapfile"]),
    ],
)
def test_a_rollback_is_about_the_areas_that_the_run_changed_and_each_area_gets_its_own_keys(run, keys, name, areas, unknown):
    found = chosen(JOURNAL, run, keys)
    assert (found["run"], dict(found["areas"]), found["unknown_keys"]) == (name, areas, unknown)


def test_what_was_taken_back_in_one_area_leaves_the_rest_of_the_run_the_last_one():
    journal = JOURNAL + [entry("back", "docker_daemon", "container:x", undoes="second")]
    assert dict(chosen(journal, "last")["areas"]) == {"unit_memory": []}
    journal.append(entry("back", "unit_memory", "a.service:MemoryMax", undoes="second"))
    assert chosen(journal, "last")["run"] == "first"


def test_an_empty_journal_names_no_run():
    assert chosen([], "last") == {"run": None, "areas": {}, "unknown_keys": []}
    assert summary([]) == []


def test_runs_are_told_newest_first_with_what_still_stands():
    journal = JOURNAL + [entry("back", "swap", "/swapfile", undoes="first")]
    told = [(run["run"], run["changes"], run["standing"], run["undoes"]) for run in summary(journal)]
    assert told == [("back", 1, 0, "first"), ("second", 2, 2, None), ("first", 3, 2, None)]
    assert [run["run"] for run in summary(journal, most=1)] == ["back"]
