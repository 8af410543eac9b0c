# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which sections, how far back, how many bytes: the module's words as plain values."""

import json

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.budget import fit
from ansible_collections.memops.linux.plugins.module_utils.collection.window import chosen, seconds_back

NAMES = ["memory", "swap", "kernel_log"]
NOON = 1763812800.0  # 2025-11-22T12:00:00Z


@pytest.mark.parametrize(
    ("subset", "sections"),
    [
        (["all"], NAMES),
        (["swap", "memory"], ["memory", "swap"]),
        (["!swap"], ["memory", "kernel_log"]),
        (["all", "!memory", "!swap"], ["kernel_log"]),
    ],
)
def test_the_subset_is_read_as_setup_reads_it(subset, sections):
    assert chosen(subset, NAMES) == sections


@pytest.mark.parametrize("subset", [["disk"], ["!disk"], ["!all"], ["memory", "!memory"]])
def test_a_subset_that_is_unknown_or_leaves_nothing_is_refused(subset):
    with pytest.raises(ValueError):
        chosen(subset, NAMES)


@pytest.mark.parametrize(
    ("since", "seconds"),
    [("90m", 5400), ("7d", 604800), (" 2w ", 1209600), ("2025-11-22", 43200), ("2025-11-22T11:00", 3600), ("2025-11-22 11:59:30Z", 30)],
)
def test_since_is_an_age_or_a_time(since, seconds):
    assert seconds_back(since, NOON) == seconds


@pytest.mark.parametrize("since", ["", "yesterday", "-3d", "7", "2025-11-23", "2025-13-01", "1d; reboot"])
def test_since_that_is_neither_or_lies_ahead_is_refused(since):
    with pytest.raises(ValueError):
        seconds_back(since, NOON)


def test_what_fits_is_left_alone():
    data = {"groups": ["a", "b"], "count": 2}

    text, dropped = fit(data, ("groups",), 1000)

    assert (json.loads(text), dropped) == (data, [])
    assert data["groups"] == ["a", "b"]


def test_what_does_not_fit_is_dropped_from_the_end_and_counted():
    data = {"groups": ["x" * 100, "y" * 100, "z" * 100], "names": ["n" * 100]}

    text, dropped = fit(data, ("names", "groups"), 250)

    assert json.loads(text) == data
    assert data == {"groups": ["x" * 100, "y" * 100], "names": []}
    assert [(item["what"], item["count"]) for item in dropped] == [("names", 1), ("groups", 1)]
