# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Diagnoses for the tests: small ones written here, and those of recorded evidence."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose

RECORDED = pathlib.Path(__file__).parents[2] / "fixtures/evidence"
#: What a process, a container or a line may be called by somebody who means harm.
HOSTILE = "\x1b[31m|<script>alert(1)</script>\"'><img src=x onerror=alert(1)>`x`{{ 7*7 }}{% for %}javascript:alert(1)\n# head\u202e\x00]]>--></style>&lt;"


def incident(victim: str = "dd", **changes: Any) -> dict[str, Any]:
    """A kill at a cgroup's limit, of whose report only the kill line was there."""
    made = {
        "time": "2026-11-20T10:00:00.000Z",
        "kind": "memcg_oom",
        "cause": "working_set_over_limit",
        "confidence": "certain",
        "cannot_tell": None,
        "constraint": "memcg",
        "trigger": None,
        "concerned": {"process": victim, "pid": 7},
        "victim": {
            **dict.fromkeys(("total_vm_bytes", "file_rss_bytes", "shmem_rss_bytes", "page_tables_bytes", "score"), None),
            "process": victim,
            "pid": 7,
            "uid": 0,
            "anon_rss_bytes": 5 << 20,
            "oom_score_adj": 0,
        },
        "also_killed": [],
        "cgroup": "/x",
        "victim_cgroup": "/x",
        "unit": None,
        "container": {
            **dict.fromkeys(("engine", "exit_code", "oom_killed", "memory_limit_bytes"), None),
            "id": "c" * 64,
            "name": "shop",
            "image": "shop:1",
        },
        "repeats": 1,
        "complete": False,
        "missing": ["tasks"],
        "memory": None,
        "allocation": None,
        "choice": None,
        "tasks": [],
        "zones": [],
        "because": [{"text": f"The kernel killed {victim}.", "quotes": [0], "part": "happened"}],
        "contributing": [],
        "remedies": [
            {
                "action": "Raise the limit.",
                "command": "docker update x",
                "why": "w",
                "risk": "r",
                "reference": "docs",
                "role": "memops.linux.docker_memory",
                "variable": "docker_memory_container_limits",
                "value": [{"name": "shop", "memory_bytes": 1 << 20}],
            }
        ],
        "reference": "docs",
        "figures": {"victim": 0},
        "quotes": [{"text": f"Killed process 7 ({victim})", "where": "/dev/kmsg", "time": None}],
    }
    return {**made, **changes}


def diagnosis(host: str = "web1", code: str = "memory", victim: str = "dd", **changes: Any) -> dict[str, Any]:
    """A host's diagnosis with one incident where its verdict is memory, else with none."""
    lost = code == "memory"
    made = {
        "schema": "memops.diagnosis/1",
        "host": host,
        "collected_at": "2026-11-20T11:00:00.000Z",
        "since": "2026-11-20T00:00:00.000Z",
        "log_from": "2026-11-20T00:00:00.000Z",
        "kernel": {"release": "6.1.0"},
        "ram_bytes": 1 << 30,
        "verdict": {"code": code, "confidence": "certain", "summary": f"{victim} was OOM-killed" if lost else "calm", "incident": 0 if lost else None},
        "incidents": [incident(victim)] if lost else [],
        "findings": [],
        "unreadable": [],
        "dropped": [],
    }
    return {**made, **changes}


def recorded(name: str, host: str = "web1") -> tuple[dict[str, Any], dict[str, Any]]:
    """(diagnosis, evidence) of a recording such as ``bookworm-6.1/memcg_anon``."""
    evidence = {**json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))["evidence"], "host": host}
    return diagnose(evidence), evidence


def recordings() -> list[str]:
    """The names of all recordings."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in RECORDED.glob("*/*.json"))
