# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the module and its controller half take."""

PROFILES = ("general", "container_host", "database", "batch", "latency")
NO_PROFILE = "none"

SPEC = {
    "profile": {"type": "str", "default": NO_PROFILE, "choices": [NO_PROFILE] + list(PROFILES)},
    "values": {"type": "dict", "default": {}},
    "catalogue": {"type": "dict", "default": {}},
    "force": {"type": "bool", "default": False},
    "persist": {"type": "bool", "default": True},
    "own_conflicts": {"type": "bool", "default": False},
    "state": {"type": "str", "default": "applied", "choices": ["applied", "rolled_back"]},
    "run": {"type": "str"},
    "reason": {"type": "str", "default": "baseline"},
    "diagnosis": {"type": "str"},
    "rollback_run": {"type": "str", "default": "last"},
    "rollback_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
}
