# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many remedies made one value for each variable, whatever order they come in.

Where two incidents ask for different values of one setting, the safer one is
taken if SAFER says which that is; otherwise neither is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from .remedies import VARIABLES, Proposal

#: Which of two values is the safer, by variable and setting, and why.
SAFER: dict[tuple[str, str], tuple[Callable[..., Any], str]] = {
    ("vm_tunables_overrides", "vm.dirty_bytes"): (min, "the smaller one, for it holds in the smaller cgroup too"),
    ("vm_tunables_overrides", "vm.dirty_background_bytes"): (min, "the smaller one, for it holds in the smaller cgroup too"),
    ("vm_tunables_overrides", "vm.nr_hugepages"): (min, "the smaller one, which leaves more to everything else"),
    ("vm_tunables_overrides", "vm.min_free_kbytes"): (max, "the larger one, for both bursts have to fit"),
    ("swap_devices", "size_bytes"): (max, "the larger one, for both shortages have to fit"),
    ("docker_memory_container_limits", "memory_bytes"): (max, "the larger one, for below it the other incident would come again"),
    ("docker_memory_slice_max_bytes", ""): (min, "the smaller one, which leaves more to the host"),
    ("oom_protection_units", "memory_max_bytes"): (max, "the larger one, for below it the other incident would come again"),
}


class Setting(NamedTuple):
    """One setting of one variable, with all the proposals that ask for it.

    item: the names of its entry, ((name, value), ...); empty for tunables and numbers.
    name: the setting's own; "" for a number. value: None with ``refused`` where no value is the safer.
    """

    variable: str
    item: tuple[tuple[str, Any], ...]
    name: str
    value: Any
    asked_by: tuple[Proposal, ...]
    chosen: str | None = None
    refused: str | None = None

    @property
    def key(self) -> str:
        """What it is about, for people: ``vm.dirty_bytes``, ``shop-worker: memory_bytes``."""
        if not self.item:
            return self.name or self.variable
        return f"{self.item[0][1]}: {self.name}"


def merged(proposals: Iterable[Proposal]) -> list[Setting]:
    """The settings of all proposals, in the order of variable, item and name."""
    asked: dict[tuple[str, str, str], list[tuple[tuple[tuple[str, Any], ...], Any, Proposal]]] = {}
    for proposal in proposals:
        for item, name, value in _settings(proposal):
            asked.setdefault((proposal.variable, json.dumps(item), name), []).append((item, value, proposal))
    order = list(VARIABLES)
    settings = []
    for (variable, _item, name), wishes in sorted(asked.items(), key=lambda one: (order.index(one[0][0]), one[0])):
        values = {json.dumps(value): value for _named, value, _proposal in wishes}
        by = tuple(sorted((proposal for _named, _value, proposal in wishes), key=lambda proposal: _number(proposal.where)))
        settings.append(_decided(Setting(variable, wishes[0][0], name, None, by), list(values.values())))
    return settings


def variables(settings: Iterable[Setting]) -> dict[str, Any]:
    """The variables as the roles take them; what was refused is not in them."""
    made: dict[str, Any] = {}
    for setting in settings:
        if setting.refused:
            continue
        items = VARIABLES[setting.variable].items
        if items == "bytes":
            made[setting.variable] = setting.value
        elif items == "tunables":
            made.setdefault(setting.variable, {})[setting.name] = setting.value
        else:
            entries = made.setdefault(setting.variable, [])
            names = dict(setting.item)
            entry = next((one for one in entries if names.items() <= one.items()), None)
            if entry is None:
                entry = dict(names)
                entries.append(entry)
            entry[setting.name] = setting.value
    return made


def _settings(proposal: Proposal) -> Iterator[tuple[tuple[tuple[str, Any], ...], str, Any]]:
    variable = VARIABLES[proposal.variable]
    if variable.items == "bytes":
        yield (), "", proposal.value
    elif variable.items == "tunables":
        for name, value in proposal.value.items():
            yield (), name, value
    else:
        for entry in proposal.value:
            item = tuple((name, entry[name]) for name in variable.names if name in entry)
            for name, value in entry.items():
                if name not in variable.names:
                    yield item, name, value


def _decided(setting: Setting, values: list[Any]) -> Setting:
    if len(values) == 1:
        return setting._replace(value=values[0])
    told = " and ".join(sorted(str(value) for value in values))
    rule = SAFER.get((setting.variable, setting.name))
    if rule is None or not all(isinstance(value, int) for value in values):
        return setting._replace(refused=f"incidents ask for {told}, and neither is known to be the safer; set it yourself")
    choose, why = rule
    return setting._replace(value=choose(values), chosen=f"of {told} {why}")


def _number(where: str) -> tuple[str, int]:
    kind, _bracket, number = where.partition("[")
    return kind, int(number.rstrip("]"))
