# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an evidence document says about the host, under short typed names.

Rules ask here and not in the document, so that "not gathered", "not readable"
and "not there" all arrive as None in one place.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any


def limit(value: int | str | None) -> float | None:
    """A limit of the evidence as a number: "max" is infinity, unknown is None."""
    return math.inf if value == "max" else value


@dataclasses.dataclass
class HostFacts:
    """Typed access to one evidence document (``memops.evidence/1``)."""

    evidence: dict[str, Any]

    def section(self, name: str) -> dict[str, Any]:
        """The section, or an empty one where it was not gathered."""
        return self.evidence.get(name) or {}

    def meminfo(self, name: str) -> int | None:
        """A value of /proc/meminfo now, e.g. ``meminfo("mem_total_bytes")``."""
        return (self.section("memory").get("meminfo") or {}).get(name)

    @property
    def page_bytes(self) -> int | None:
        return (self.evidence.get("kernel") or {}).get("page_bytes")

    @property
    def ram_bytes(self) -> int | None:
        return self.meminfo("mem_total_bytes")

    @property
    def swap_total_bytes(self) -> int | None:
        """0 means that there is no swap; None that nothing says."""
        total = self.section("swap").get("total_bytes")
        return self.meminfo("swap_total_bytes") if total is None else total

    @property
    def dirty_threshold_bytes(self) -> int | None:
        """How much dirty page cache the host allows before a writer waits."""
        return (self.section("memory").get("vmstat") or {}).get("dirty_threshold_bytes")

    def tunable(self, key: str) -> str | None:
        """The running value of a sysctl."""
        return (self.section("tunables").get("values") or {}).get(key)

    def kernel_kills_since_boot(self) -> int | None:
        """The kernel's own count of OOM kills (``oom_kill`` of /proc/vmstat, since 4.13)."""
        return ((self.section("memory").get("vmstat") or {}).get("events") or {}).get("oom_kill")

    @property
    def containers(self) -> list[dict[str, Any]]:
        return self.section("containers").get("containers") or []

    @functools.cached_property
    def _containers_by_id(self) -> dict[str, dict[str, Any]]:
        return {container["id"]: container for container in self.containers}

    def container(self, container_id: str | None) -> dict[str, Any] | None:
        """The container with this id; a short id matches the start of a long one."""
        if not container_id:
            return None
        exact = self._containers_by_id.get(container_id)
        if exact or len(container_id) >= 64:
            return exact
        return next((item for key, item in self._containers_by_id.items() if key.startswith(container_id)), None)

    @functools.cached_property
    def _cgroups_by_path(self) -> dict[str, dict[str, Any]]:
        return {group["path"]: group for group in self.section("cgroups").get("groups") or []}

    def cgroup(self, path: str | None) -> dict[str, Any] | None:
        """The memory cgroup at this path as it is now, if it still exists."""
        return self._cgroups_by_path.get(path) if path else None

    def unreadable(self, section: str) -> list[dict[str, str]]:
        """What of a section could not be read, and why."""
        return [note for note in self.evidence.get("unreadable") or [] if note.get("section") == section]

    def has_kernel_log(self) -> bool:
        """Whether any source of kernel messages could be read at all."""
        return bool(self.section("kernel_log").get("sources"))

    def log_reaches_back_to(self) -> str | None:
        """The time from which on some source of kernel messages is whole."""
        return (self.section("kernel_log").get("window") or {}).get("from")
