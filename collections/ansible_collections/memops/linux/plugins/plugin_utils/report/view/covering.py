# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The smallest set of role variables whose remedies cover most incidents, and the command that applies them.

Greedy: the variable that covers most of what is left, again and again. A
smallest set is as hard to find as any in computing; this one is at most a
little larger, and there are few variables.
"""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ...enforcement.remedies import VARIABLES
from .occurrences import Occurrence

VALUES_SHOWN = 5
VALUE_CHARACTERS = 160


def cover(found: Iterable[Occurrence]) -> dict[str, Any]:
    """{incidents, covered, variables: [{role, variable, incidents, hosts, values: [{value, hosts}], more_values, why, risk}]}.

    incidents: sorts of incidents over all hosts; covered: those for which one of the variables has a remedy.
    """
    found = list(found)
    left = [each for each in found if each.options]
    covered = len(left)
    chosen = []
    while left:
        reach: Counter[str] = Counter(variable for each in left for variable in {option.variable for option in each.options})
        first: Counter[str] = Counter(each.options[0].variable for each in left)
        order = list(VARIABLES)
        best = min(reach, key=lambda variable: (-reach[variable], -first[variable], order.index(variable)))
        chosen.append(_variable(best, [each for each in left if any(option.variable == best for option in each.options)]))
        left = [each for each in left if all(option.variable != best for option in each.options)]
    return {"incidents": len(found), "covered": covered, "variables": chosen}


def command(run_folder: str, variables: Iterable[str]) -> str:
    """What shows the change (without --check it makes it). The values come from the diagnoses themselves and are never templated."""
    extra = json.dumps({"enforce_from": run_folder, "enforce_variables": list(variables)})
    return f"ansible-playbook memops.linux.enforce -i INVENTORY -e {shlex.quote(extra)} --check --diff"


def _variable(name: str, members: list[Occurrence]) -> dict[str, Any]:
    options = [(each.host, next(option for option in each.options if option.variable == name)) for each in members]
    hosts_of: dict[str, set[str]] = {}
    for host, option in options:
        hosts_of.setdefault(json.dumps(option.value, ensure_ascii=False), set()).add(host)
    ordered = sorted(hosts_of.items(), key=lambda item: (-len(item[1]), item[0]))
    return {
        "role": VARIABLES[name].role,
        "variable": name,
        "incidents": len(members),
        "hosts": len({each.host for each in members}),
        "values": [
            {"value": value if len(value) <= VALUE_CHARACTERS else value[: VALUE_CHARACTERS - 3] + "...", "hosts": len(hosts)}
            for value, hosts in ordered[:VALUES_SHOWN]
        ],
        "more_values": max(0, len(ordered) - VALUES_SHOWN),
        "why": options[0][1].why,
        "risk": options[0][1].risk,
    }
