"""What is kept of an alert, and from when on logs are read for it."""

from __future__ import annotations

import base64
import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.memops.linux.plugins.plugin_utils.respond.alert import ENTRIES, VALUE_CHARACTERS, is_name, read_event, since

NOW = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)


def packed(event) -> str:
    return base64.b64encode(json.dumps(event).encode()).decode()


def test_without_an_event_there_is_nothing_and_no_problem():
    assert read_event(None, NOW) == {"labels": {}, "annotations": {}, "started_at": None, "fingerprint": None, "generator_url": None, "problems": []}


def test_the_texts_of_an_alert_are_kept_as_they_are():
    labels = {"alertname": "HostOomKill", "cgroup": "{{ 1 }} \x1b\n\u202e"}

    kept = read_event(packed({"labels": labels, "annotations": {"a": "b"}, "fingerprint": "f", "generatorURL": "g"}), NOW)

    assert (kept["labels"], kept["annotations"], kept["fingerprint"], kept["generator_url"], kept["problems"]) == (labels, {"a": "b"}, "f", "g", [])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-11-25T11:30:00Z", "2026-11-25T11:30:00Z"),
        ("2026-11-25T11:30:00.123456789Z", "2026-11-25T11:30:00Z"),
        ("2026-11-25T12:30:00+01:00", "2026-11-25T11:30:00Z"),
        ("2026-11-25T11:30:00", None),
        ("0001-01-01T00:00:00Z", None),
        ("2027-01-01T00:00:00Z", None),
        ("yesterday", None),
        (7, None),
        (["x"], None),
    ],
)
def test_the_time_at_which_an_alert_began_is_a_time_or_nothing(text, kept):
    event = read_event(packed({"startsAt": text}), NOW)

    assert event["started_at"] == kept
    assert bool(event["problems"]) == (kept is None)


def test_too_many_and_too_long_texts_are_cut_and_told():
    event = read_event(packed({"labels": {f"l{number}": "x" * 5000 for number in range(20)} | {str(number): "" for number in range(100)}}), NOW)

    assert len(event["labels"]) == ENTRIES
    assert {len(text) for text in event["labels"].values()} == {0, VALUE_CHARACTERS}
    assert event["problems"]


@pytest.mark.parametrize("junk", ["%%%", "bm8gSlNPTg==", base64.b64encode(b"[" * 100000).decode(), packed([1]), packed(7), "\u00e4", "\ud800"])
def test_junk_is_a_problem_and_no_error(junk):
    event = read_event(junk, NOW)

    assert len(event["problems"]) == 1
    assert event["labels"] == {}


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_whatever_json_comes_in_only_texts_come_out(event):
    kept = read_event(packed(event), NOW)

    for name in ("labels", "annotations"):
        assert all(isinstance(text, str) for entry in kept[name].items() for text in entry)


@pytest.mark.parametrize(
    ("window", "began", "age"),
    [
        ("1h", None, "60m"),
        ("1h", "2026-11-25T11:50:00Z", "60m"),
        ("1h", "2026-11-25T11:00:00Z", "70m"),
        ("20m", "2026-11-25T11:45:00Z", "25m"),
        ("24h", "2026-11-25T11:00:00Z", "1440m"),
        ("1h", "2026-01-01T00:00:00Z", "43200m"),
        ("1h", "2026-11-25T12:03:00Z", "60m"),
        ("2026-11-25T09:00", None, "180m"),
    ],
)
def test_logs_are_read_over_the_window_and_from_before_the_alert_began(window, began, age):
    assert since(window, began, NOW) == age


@pytest.mark.parametrize("name", ["", "../x", "a b", "x\n", "1x", "x" * 65, "Ä", "a.b", "all:!x"])
def test_what_could_be_a_path_or_a_pattern_is_no_name(name):
    assert not is_name(name)
