# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with wanted tunables, without asking a host: for a fleet's check before the first host is touched."""

from __future__ import annotations

from ..plugin_utils.tunables.catalogue import catalogue
from ..plugin_utils.tunables.wanted import WantedError, wanted

DOCUMENTATION = r"""
name: tunables_error
short_description: Say what is wrong with wanted tunables
version_added: 1.0.0
description:
  - Checks names, types, ranges and expressions of tunables against the catalogue, as M(memops.linux.tunables) does before it touches a host.
positional: profile
options:
  _input:
    description:
      - The values by key.
    type: dict
    required: true
  profile:
    description:
      - The workload class, or V(none).
    type: str
    default: none
author:
  - The memops developers (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Check
  ansible.builtin.assert:
    that: 'not ({"vm.swappiness": 999} | memops.linux.tunables_error)'
"""

RETURN = r"""
_value:
  description: Each key with its value and what is allowed; empty where nothing is wrong.
  type: str
"""


def tunables_error(values, profile="none"):
    try:
        wanted(profile, values, catalogue())
    except WantedError as error:
        return str(error)
    return ""


class FilterModule:
    """Ansible's way to find filters."""

    def filters(self):
        return {"tunables_error": tunables_error}
