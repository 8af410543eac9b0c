# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The change that a diagnosis asks for, as variables that a person can put into the inventory, and the command that makes it now."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from typing import Any

import yaml

from ..enforcement.plan_text import value
from ..report.terminal import printable

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,\-]+")
_TEMPLATE_SIGNS = ("{{", "{%", "{#")


class _Dumper(yaml.SafeDumper):
    """Strings out of a diagnosis are data: what looks like a template is marked so that Ansible leaves it alone."""


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    if any(sign in text for sign in _TEMPLATE_SIGNS):
        return dumper.represent_scalar("!unsafe", text)
    return yaml.SafeDumper.represent_str(dumper, text)


_Dumper.add_representer(str, _string)


def command(inventories: Iterable[str], run_folder: str, host: str) -> str:
    """The command that makes the change, to be pasted into a shell."""
    return _playbook("enforce", inventories, {"enforce_from": run_folder}, host)


def undo(inventories: Iterable[str], run: str, host: str) -> str:
    """The command that takes a run's changes back."""
    return _playbook("rollback", inventories, {"rollback_run": run}, host)


def _playbook(name: str, inventories: Iterable[str], variable: dict[str, str], host: str) -> str:
    ((key, text),) = variable.items()
    extra = f"{key}={text}" if _PLAIN.fullmatch(text) else json.dumps(variable)  # key=value is split where there is a blank
    words = ["ansible-playbook", f"memops.linux.{name}"]
    for inventory in inventories:
        words += ["-i", inventory]
    return shlex.join([*words, "-e", extra, "--limit", host])


def variables_file(plan: dict[str, Any], how: str) -> str:
    """The variables as YAML, with why, risk and the command as comments. plan: as enforcement.plan has it."""
    lines = [
        f"# What the diagnosis of {printable(plan['host'])} asks for. To make the change now, and see it first with --check --diff:",
        f"#   {printable(how)}",
    ]
    for row in plan["rows"]:
        lines.append(f"# {printable(row['variable'])} {printable(row['key'])}: {printable(value(row['value']))}")
        lines += [f"#   why:  {printable(row['why'])}", f"#   risk: {printable(row['risk'])}"]
    return "\n".join(lines) + "\n" + yaml.dump(plan["variables"], Dumper=_Dumper, sort_keys=True, default_flow_style=False, width=150)
