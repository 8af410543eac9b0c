# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet's hosts have in common: causes put together, variables that cover most, kills over time, reasons for missing evidence."""

from __future__ import annotations

import json
import shlex

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.report.view import covering, kills, same_cause
from ansible_collections.memops.linux.plugins.plugin_utils.report.view.occurrences import Occurrence, Option, occurrences
from ansible_collections.memops.linux.plugins.plugin_utils.report.view.unread import Unread
from ansible_collections.memops.linux.tests.unit.controller.report.documents import diagnosis, incident

LIMITS, SWAP, TUNABLES = "docker_memory_container_limits", "swap_devices", "vm_tunables_overrides"


def occurrence(host="web1", variables=(), **changes):
    plain = Occurrence(
        host, "memcg_oom", "working_set_over_limit", "shop:1", None, "java", 512 << 20, "6.1.0", ("2026-11-20T10:00:00.000Z",), 1, "Raise it.", ()
    )
    return plain._replace(options=tuple(Option(name, {"a.b": 1}, "why", "risk") for name in variables), **changes)


def test_the_same_image_with_the_same_cause_is_one_group_with_what_its_hosts_share():
    found = [occurrence(f"web{number}", times=(f"2026-11-2{number}T10:00:00.000Z",), repeats=number) for number in range(1, 5)]

    (group,) = same_cause.groups(found)

    assert same_cause.told(group) == "4 hosts, working_set_over_limit, image shop:1, limit 512 MiB, kernel 6.1.0, since 2026-11-21 10:00:00"
    assert (group["kills"], group["until"]) == (10, "2026-11-24 10:00:00")


@pytest.mark.parametrize(
    ("changes", "groups"),
    [
        ({}, 1),
        ({"cause": "dirty_page_cache"}, 0),
        ({"image": "other:1"}, 0),
        ({"kind": "global_oom"}, 0),
        ({"limit_bytes": 1 << 30, "kernel": "5.10.0"}, 1),
    ],
)
def test_hosts_are_put_together_by_cause_kind_and_image_whatever_their_limit_and_kernel(changes, groups):
    assert len(same_cause.groups([occurrence("a"), occurrence("b", **changes)])) == groups


def test_instances_of_a_unit_are_one_unit_and_one_host_alone_is_no_group():
    units = [occurrence(host, image=None, unit=unit) for host, unit in (("a", "app@1.service"), ("b", "app@2.service"), ("c", "db.service"))]

    (group,) = same_cause.groups(units)

    assert (group["what"], group["name"], group["hosts"]) == ("unit", "app@*.service", ["a", "b"])


def test_a_host_s_incidents_that_are_alike_are_one_occurrence_with_all_their_times():
    first, second = incident(), incident(time="2026-11-20T11:00:00.000Z")

    (found,) = occurrences(diagnosis(incidents=[second, first]))

    assert found.times == ("2026-11-20T11:00:00.000Z", "2026-11-20T10:00:00.000Z")
    assert (found.repeats, found.image, found.unit) == (2, "shop:1", None)


@pytest.mark.parametrize(
    ("confidence", "value", "offered"),
    [
        ("certain", [{"name": "shop", "memory_bytes": 1}], 1),
        ("probable", [{"name": "shop", "memory_bytes": 1}], 1),
        ("possible", [{"name": "shop", "memory_bytes": 1}], 0),
        ("certain", [{"name": "shop"}], 0),
        ("certain", "{{ evil }}", 0),
    ],
)
def test_only_a_remedy_that_the_playbook_would_apply_counts(confidence, value, offered):
    one = incident(confidence=confidence)
    one["remedies"][0]["value"] = value

    assert len(occurrences(diagnosis(incidents=[one]))[0].options) == offered


def test_the_variables_that_cover_most_come_first_and_none_is_named_in_vain():
    found = [
        *(occurrence(f"a{number}", (LIMITS, TUNABLES)) for number in range(3)),
        *(occurrence(f"b{number}", (TUNABLES,)) for number in range(2)),
        occurrence("c", (SWAP, LIMITS)),
        occurrence("d", (SWAP,)),
        occurrence("e"),
    ]

    cover = covering.cover(found)

    assert [(item["variable"], item["incidents"]) for item in cover["variables"]] == [(TUNABLES, 5), (SWAP, 2)]
    assert (cover["covered"], cover["incidents"]) == (7, 8)


def test_of_two_that_cover_as_much_the_one_that_is_to_be_tried_first_is_named():
    assert [item["variable"] for item in covering.cover([occurrence("a", (SWAP, TUNABLES))])["variables"]] == [SWAP]


def test_the_command_is_one_word_for_the_shell_whatever_the_folder_is_called():
    folder = "/tmp/it's $(reboot); reports"

    words = shlex.split(covering.command(folder, [SWAP]))

    assert json.loads(words[words.index("-e") + 1]) == {"enforce_from": folder, "enforce_variables": [SWAP]}
    assert words[-2:] == ["--check", "--diff"]


def test_kills_are_counted_by_host_and_by_time():
    found = [
        occurrence("a", times=("2026-11-20T10:00:00.000Z", "2026-11-20T22:00:00.000Z"), repeats=5),
        occurrence("b", times=("2026-11-21T10:00:00.000Z",)),
        occurrence("c", kind="segfault"),
    ]

    view = kills.kills(found)

    assert [(host["host"], host["kills"], sum(host["bins"])) for host in view["hosts"]] == [("a", 2, 2), ("b", 1, 1)]
    assert (sum(view["all"]), view["all"][0], view["all"][-1], view["untimed"]) == (3, 1, 1, 3)
    assert (view["from"], view["to"]) == ("2026-11-20 10:00:00", "2026-11-21 10:00:00")


def test_kills_of_logs_without_a_clock_are_counted_and_not_drawn():
    assert kills.kills([occurrence(times=())])["untimed"] == 1
    assert kills.kills([occurrence(kind="segfault")]) is None


def test_hosts_that_could_not_be_read_stand_by_their_reason_and_sources_by_theirs():
    unread = Unread()
    gone = {"code": "no_evidence", "summary": "unreachable"}
    for host in ("a", "b"):
        unread.add(host, gone, [{"source": host, "why": "unreachable"}])
    unread.add("c", {"code": "healthy"}, [{"source": "/dev/kmsg", "why": "not root"}])

    view = unread.document()

    assert view["hosts"] == [{"why": "unreachable", "hosts": ["a", "b"], "host_count": 2}]
    assert view["sources"] == [{"source": "/dev/kmsg", "why": "not root", "hosts": ["c"], "host_count": 1}]
