# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A form of message: how its line is known, and what it puts into an event."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .pattern import Pattern

# The parts of a report, in the order in which the kernel prints them.
REQUEST, TRIGGER, STACK, MEMORY, TASKS, CONSTRAINT, KILL = range(7)


def never(_draft: Any, _match: re.Match[str]) -> bool:
    return False


def always(_match: re.Match[str]) -> bool:
    return True


class Form(NamedTuple):
    """One kind of line of an OOM report.

    key: a word that every such line holds. Looking for it first costs a tenth of
        trying the pattern, and most lines hold no key at all.
    pattern: matched from the line's start.
    part: where in a report the line stands.
    fill: puts what the match says into a draft.
    role: under which name the line is quoted.
    another: the line cannot belong to this draft, so that it begins another.
    unmistakable: nothing else than the OOM killer writes such a line, so that it
        counts even alone.
    """

    key: str
    pattern: Pattern
    part: int
    fill: Callable[[Any, re.Match[str]], None]
    role: str | None = None
    another: Callable[[Any, re.Match[str]], bool] = never
    unmistakable: Callable[[re.Match[str]], bool] = always


#: Words that several keys hold. One search for such a word spares the search for all of these keys.
_SHARED = (" process ", "oom", "OOM", "emory", "allocation ", "fault", "unhandled ")


def by_shared_word(forms: Iterable[Any]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """(word, forms): each line of these forms holds the word. A form is anything with a ``key``."""
    groups: dict[str, list[Any]] = {}
    for form in forms:
        word = next((word for word in _SHARED if word in form.key), form.key)
        groups.setdefault(word, []).append(form)
    return tuple((word, tuple(members)) for word, members in groups.items())
