# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rule is, what it may conclude, and how several conclusions are ranked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..events.model import Line
from .case import Case

REQUESTED = "requested"

#: What the steps of an incident's story tell: what happened, what was asked for, what room was left, why, whom it struck, what else holds.
PARTS = ("happened", "request", "room", "cause", "choice", "confirmed", "note")

CONFIDENCES = ("certain", "probable", "possible")

#: What a cause can speak of, in words: some tell why another one came about.
SPEAKS_OF = {
    "decision": "who or what decided it",
    "request": "what was asked for and from where",
    "choice": "why this process had to die for another's memory",
    "holder": "what held the memory",
    "sharing": "how those on the host share it",
    "room": "which room was missing",
}


@dataclasses.dataclass(frozen=True)
class Fact:
    """A value of the evidence document that a step rests on."""

    where: str
    text: str


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a reasoning, with the lines and facts that it rests on.

    part: of an incident's story, one of ``PARTS``; empty elsewhere.
    """

    text: str
    quotes: tuple[Line | Fact, ...] = ()
    part: str = ""


@dataclasses.dataclass(frozen=True)
class Remedy:
    """A change that removes the cause.

    role, variable, value: as the role takes it; None where no role can do it.
    action: the same as a sentence; command: what does it by hand, now, if one does.
    """

    action: str
    why: str
    risk: str
    reference: str
    command: str | None = None
    role: str | None = None
    variable: str | None = None
    value: Any = None


@dataclasses.dataclass(frozen=True)
class Conclusion:
    """A rule's answer: this is why, so sure, because of these steps."""

    confidence: str
    because: tuple[Step, ...]
    remedies: tuple[Remedy, ...] = ()


@dataclasses.dataclass(frozen=True)
class Lacking:
    """A rule's answer where the evidence it needs is not there."""

    evidence: str


Judgement = Conclusion | Lacking | None


@dataclasses.dataclass(frozen=True)
class Rule:
    """One cause.

    kinds: the kinds of incident it can explain; REQUESTED for OOM kills that
        somebody asked for, which no shortage explains.
    needs: the evidence it asks for, and from where on it concludes, in words.
    reference: the kernel file, document, bug or article it rests on.
    speaks_of: of ``SPEAKS_OF``; the reason why it leads, or is behind, another
        that is as sure.
    """

    cause: str
    kinds: frozenset[str]
    needs: str
    reference: str
    judge: Callable[[Case], Judgement]
    speaks_of: str = "holder"


@dataclasses.dataclass(frozen=True)
class Ranked:
    """A cause that holds for a case, in its place among the others; reason: why the leading one comes before it."""

    cause: str
    conclusion: Conclusion
    reference: str
    speaks_of: str
    reason: str = ""


def judge(case: Case, rules: tuple[Rule, ...]) -> tuple[list[Ranked], list[Lacking]]:
    """All causes that hold, the leading one first, and what the silent rules lack.

    The surer conclusion leads; of two that are equally sure, the one whose rule
    stands first in ``rules``, which go from the specific to the general: a
    specific cause explains the general one (a protected hog explains why RAM
    ran out), not the other way round.
    """
    held: list[Ranked] = []
    lacking: list[Lacking] = []
    kind = REQUESTED if case.requested else case.kind
    for rule in rules:
        if kind not in rule.kinds:
            continue
        answer = rule.judge(case)
        if isinstance(answer, Conclusion):
            held.append(Ranked(rule.cause, _bounded(case, answer), rule.reference, rule.speaks_of))
        elif isinstance(answer, Lacking) and answer not in lacking:
            lacking.append(answer)
    held.sort(key=lambda ranked: CONFIDENCES.index(ranked.conclusion.confidence))
    return [dataclasses.replace(ranked, reason=_reason(held[0], ranked)) for ranked in held], lacking


def _bounded(case: Case, answer: Conclusion) -> Conclusion:
    """No surer than the text allows: where it hides for which scope the killer acted, or whether it was asked to."""
    if case.kind == "unknown_oom":
        return dataclasses.replace(answer, confidence="possible")
    if answer.confidence == "certain" and _may_have_been_requested(case):
        return dataclasses.replace(answer, confidence="probable")
    return answer


def _reason(lead: Ranked, other: Ranked) -> str:
    if other is lead:
        return ""
    sure, less_sure = lead.conclusion.confidence, other.conclusion.confidence
    if sure != less_sure:
        return f"{lead.cause} is {sure}, {other.cause} only {less_sure}"
    if lead.speaks_of == other.speaks_of:
        return f"both are {sure} and tell {SPEAKS_OF[lead.speaks_of]}; {lead.cause} is the more specific"
    return f"both are {sure}; {lead.cause} tells {SPEAKS_OF[lead.speaks_of]}, {other.cause} only {SPEAKS_OF[other.speaks_of]}"


def _may_have_been_requested(case: Case) -> bool:
    """Only the trigger line tells a shortage from a kill by SysRq-F (order -1), which bounds no cgroup."""
    return case.report is not None and case.trigger is None and case.kind not in ("memcg_oom", "cpuset_oom", "mempolicy_oom")
