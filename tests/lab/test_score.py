"""What the lab's score counts as right, and what its page says of the rest."""

from __future__ import annotations

import pytest

from lab import accuracy_page, judging, score

EXPECT = {"verdict": "memory", "kinds": ["memcg_oom"], "causes": ["mlocked"], "victims": ["memops-locker"], "findings": []}
HEALTHY = {"verdict": "healthy", "kinds": [], "causes": [], "victims": [], "findings": []}
AT_RISK = {**HEALTHY, "verdict": "at_risk", "findings": ["thrashing"]}
MADE = {"killed": [{"pid": 7, "process": "memops-locker", "signal": 9}]}
RIGHT = {"kind": "memcg_oom", "cause": "mlocked", "victim": {"process": "memops-locker", "pid": 7}}


def said(*incidents, code="memory", findings=()):
    """A diagnosis whose first incident leads."""
    return {
        "verdict": {"code": code, "summary": "", "incident": 0 if incidents else None},
        "incidents": [{"victim": None, "trigger": None, "confidence": "certain", **one} for one in incidents],
        "findings": [{"cause": cause, "severity": "risk"} for cause in findings],
    }


@pytest.mark.parametrize(
    ("given", "expect", "diagnosis", "wrong"),
    [
        ("all as it was", EXPECT, said(RIGHT), []),
        ("another cause", EXPECT, said({**RIGHT, "cause": "working_set_over_limit"}), ["cause"]),
        ("another kind", EXPECT, said({**RIGHT, "kind": "global_oom"}), ["kind"]),
        ("another process of that name", EXPECT, said({**RIGHT, "victim": {"process": "memops-locker", "pid": 8}}), ["victim"]),
        ("another name", EXPECT, said({**RIGHT, "victim": {"process": "sshd", "pid": 7}}), ["victim"]),
        ("nothing at all", EXPECT, said(code="healthy"), ["verdict", "kind", "cause", "victim"]),
        ("a healthy host told healthy", HEALTHY, said(code="healthy"), []),
        ("a healthy host told at risk", HEALTHY, said(code="at_risk", findings=["thrashing"]), ["verdict"]),
        ("a healthy host told of a death", HEALTHY, said(RIGHT), ["verdict", "kind"]),
        ("the risk that is there", AT_RISK, said(code="at_risk", findings=["no_swap", "thrashing"]), []),
        ("another risk", AT_RISK, said(code="at_risk", findings=["no_swap"]), ["cause"]),
        ("the one refused, where nobody dies", {**EXPECT, "victims": ["ask"]}, said({**RIGHT, "victim": None, "trigger": {"process": "ask", "pid": None}}), []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_diagnosis_is_right_part_by_part(given, expect, diagnosis, wrong):
    got = judging.judge(expect, diagnosis, MADE)

    assert [part for part, right in got["right"].items() if right is False] == wrong
    assert got["all_right"] is (not wrong)


@pytest.mark.parametrize(("pid", "right"), [(7, True), (8, True), (9, False), (None, True)])
def test_of_several_alike_any_that_was_made_may_be_the_victim(pid, right):
    made = {**MADE, "processes": [{"pid": 7, "process": "memops-locker"}, {"pid": 8, "process": "memops-locker"}, {"pid": 9, "process": "other"}]}

    got = judging.judge(EXPECT, said({**RIGHT, "victim": {"process": "memops-locker", "pid": pid}}), made)

    assert got["right"]["victim"] is right


@pytest.mark.parametrize(
    ("given", "more", "other", "right"),
    [
        ("it may hit others too, and one incident names the victim", {"others_too": True}, RIGHT, True),
        ("it may hit others too, and none names it", {"others_too": True}, {**RIGHT, "victim": {"process": "init", "pid": 1}}, False),
        ("it is told of another cause", {"others_too": True}, {**RIGHT, "cause": None}, False),
        ("it hits nobody else", {}, RIGHT, False),
    ],
)
def test_where_a_fault_may_hit_others_too_any_incident_of_that_kind_and_cause_may_name_the_victim(given, more, other, right):
    diagnosis = said({**RIGHT, "victim": {"process": "bystander", "pid": 3}}, other)

    assert judging.judge({**EXPECT, **more}, diagnosis, MADE)["right"]["victim"] is right, given


@pytest.mark.parametrize(
    ("expect", "diagnosis", "alarm"),
    [
        (HEALTHY, said(code="healthy"), False),
        (HEALTHY, said(code="at_risk"), True),
        (HEALTHY, said(RIGHT), True),
        ({**HEALTHY, "verdict": "not_memory"}, said(RIGHT), True),
        ({**HEALTHY, "verdict": "not_memory"}, said(code="healthy"), False),
        (EXPECT, said(RIGHT), False),
    ],
)
def test_a_false_alarm_is_memory_or_risk_where_nothing_was_wrong(expect, diagnosis, alarm):
    assert judging.judge(expect, diagnosis, {})["false_alarm"] is alarm


def test_what_a_platform_changes_of_the_expectation_counts_there_only():
    fault = {"expect": EXPECT, "expect_on": {"bullseye-5.10-v1": {"causes": []}}}

    assert judging.expected(fault, "bullseye-5.10-v1")["causes"] == []
    assert judging.expected(fault, "bookworm-6.1")["causes"] == ["mlocked"]


def cell(fault, state="diagnosed", diagnosis=None, **more):
    got = judging.judge(EXPECT, diagnosis or said(RIGHT), MADE)
    return {"platform": "bookworm-6.1", "fault": fault, "state": state, "kernel": "6.1", "seconds": 20, "expected": EXPECT, "got": got, **more}


def test_the_page_leaves_nothing_out_in_silence():
    faults = {name: {"expect": EXPECT} for name in ("right", "wrong", "failed")}
    faults["impossible"] = {"expect": EXPECT, "not_on": {"bookworm-6.1": "there is no such thing"}}
    cells = {
        "right": cell("right"),
        "wrong": cell("wrong", diagnosis=said({**RIGHT, "cause": None})),
        "failed": cell("failed", state="not_made", why="no room"),
        "impossible": {"state": "cannot_be", "why": "there is no such thing"},
    }

    text = accuracy_page.page({"bookworm-6.1": cells}, faults, {"all": {"wrong": "The kernel does not say it."}})

    assert "| `bookworm-6.1` | 6.1 | 2 | 1 | 2 of 2 | 2 of 2 | 1 of 2 | 2 of 2 | 0 |" in text
    assert "| `right` | memcg_oom: mlocked | ✓ 20 s |" in text
    assert "- `wrong` on `bookworm-6.1`: cause not right; expected memcg_oom: mlocked, got memcg_oom/None, victim memops-locker. The kernel does not" in text
    assert "- `failed` on `bookworm-6.1`: it could not be made: no room" in text
    assert "- `impossible` on `bookworm-6.1`: there is no such thing." in text


@pytest.mark.parametrize(("load", "processors", "seconds"), [(0.1, 2, 150), (2.0, 2, 150), (5.0, 2, 375), (90.0, 2, 600)])
def test_a_fault_has_more_time_where_the_machine_is_busy(load, processors, seconds):
    assert score._seconds(load, processors) == seconds
