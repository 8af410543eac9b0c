"""Diagnoses as short as the tests need them."""

from __future__ import annotations

from typing import Any


def remedy(variable: str | None = None, value: Any = None, why: str = "because", risk: str = "some") -> dict[str, Any]:
    return {"action": "Change it.", "command": None, "role": "r", "variable": variable, "value": value, "why": why, "risk": risk, "reference": "x"}


def incident(cause: str | None, *remedies: dict[str, Any], confidence: str = "certain") -> dict[str, Any]:
    return {"cause": cause, "confidence": confidence, "remedies": list(remedies)}


def finding(cause: str, *remedies: dict[str, Any], severity: str = "risk") -> dict[str, Any]:
    return {"cause": cause, "severity": severity, "remedies": list(remedies)}


def diagnosis(*incidents: dict[str, Any], host: str = "web1", findings: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"schema": "memops.diagnosis/1", "host": host, "incidents": list(incidents), "findings": list(findings)}


def dirty(size: int, background: int | None = None) -> dict[str, Any]:
    """A cgroup's limit was full of dirty pages; this is what would help."""
    return incident("dirty_page_cache", remedy("vm_tunables_overrides", {"vm.dirty_bytes": size, "vm.dirty_background_bytes": background or size // 2}))


def limit(name: str, size: int) -> dict[str, Any]:
    return incident("working_set_over_limit", remedy("docker_memory_container_limits", [{"name": name, "memory_bytes": size}]))
