# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose cgroup it is: the unit and the container behind a path."""

from __future__ import annotations

from ...module_utils.host import cgroup_owner
from .case import Case


def is_cut(path: str) -> bool:
    """Whether a viewer shortened the path, so that its end, which names the owner, is missing."""
    return path.endswith(("...", "…"))


def attribute(case: Case) -> Case:
    """Fill in unit and container from the victim's cgroup, else from the limit's."""
    for path in (case.victim_cgroup, case.cgroup):
        if not path or is_cut(path):
            continue
        container_id = cgroup_owner.container_id(path)
        if container_id and case.container is None:
            case.container = case.host.container(container_id) or {"id": container_id, "name": None, "image": None}
        if case.unit is None and not container_id:  # a container's scope is named by its id alone
            case.unit = cgroup_owner.unit(path)
    return case
