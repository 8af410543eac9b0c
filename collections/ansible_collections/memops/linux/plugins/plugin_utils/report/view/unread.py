# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts that could not be read, and sources that could not be read on several hosts, by reason."""

from __future__ import annotations

from typing import Any

HOSTS_NAMED = 100
REASONS_SHOWN = 50


class Unread:
    """Counts reasons while the hosts are read, one after the other."""

    def __init__(self) -> None:
        self._hosts: dict[str, list[str]] = {}
        self._sources: dict[tuple[str, str], list[str]] = {}

    def add(self, host: str, verdict: dict[str, Any], notes: list[dict[str, Any]]) -> None:
        """verdict and notes (``unreadable``) of one host."""
        if verdict["code"] == "no_evidence":
            self._hosts.setdefault(verdict["summary"], []).append(host)
            return
        for note in notes:
            self._sources.setdefault((note["source"], note["why"]), []).append(host)

    def document(self) -> dict[str, Any]:
        """{hosts: [{why, hosts: [name], host_count}], sources: [{source, why, hosts, host_count}], more_sources}."""
        hosts = sorted(self._hosts.items(), key=lambda item: (-len(item[1]), item[0]))
        sources = sorted(self._sources.items(), key=lambda item: (-len(item[1]), item[0]))
        return {
            "hosts": [{"why": why, "hosts": names[:HOSTS_NAMED], "host_count": len(names)} for why, names in hosts[:REASONS_SHOWN]],
            "more_hosts": sum(len(names) for _why, names in hosts[REASONS_SHOWN:]),
            "sources": [
                {"source": source, "why": why, "hosts": names[:HOSTS_NAMED], "host_count": len(names)} for (source, why), names in sources[:REASONS_SHOWN]
            ],
            "more_sources": max(0, len(sources) - REASONS_SHOWN),
        }
