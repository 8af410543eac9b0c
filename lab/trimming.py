"""Evidence that ``lab.score --keep`` saved, cut down to what a diagnosis rests on: fixtures for the unit tests.

    python -m lab.trimming FOLDER [PLATFORM...]

Only cells that are right are taken: a fixture says what a real host said of a
fault that is known, and the test holds the diagnosis to it.
"""

from __future__ import annotations

import json
import pathlib
import sys
import typing

from . import accuracy_page, ansible_on
from .progress import say

FIXTURES = ansible_on.ROOT / "collections/ansible_collections/memops/linux/tests/unit/fixtures/evidence"
OURS = ("memops", "docker")


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    kept, cells = pathlib.Path(sys.argv[1]), accuracy_page.load()
    for name in sys.argv[2:] or cells:
        for fault, cell in sorted(cells.get(name, {}).items()):
            folder = kept / name / fault
            if cell["state"] != "diagnosed" or not cell["got"]["all_right"] or not (folder / "evidence.json").exists():
                continue
            evidence = trimmed(json.loads((folder / "evidence.json").read_text(encoding="utf-8")))
            made = json.loads((folder / "made.json").read_text(encoding="utf-8"))
            target = FIXTURES / name / f"{fault}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"killed": _killed(made), "evidence": evidence}, separators=(",", ":"), ensure_ascii=False)
            target.write_text(text.replace(',"lines":', ',\n"lines":') + "\n", encoding="utf-8")
            say(f"{target.relative_to(FIXTURES)}: {len(text) / 1000:.0f} kB")
    return 0


def _killed(made: typing.Mapping[str, typing.Any]) -> list[int]:
    """Pids of those that were seen to die; of several alike more may have died than were seen, so all of them."""
    died = {one["process"] for one in made.get("killed", [])}
    return sorted({one["pid"] for one in [*made.get("killed", []), *made.get("processes", [])] if one["process"] in died})


def trimmed(evidence: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """The same without what no rule reads of this host: bystanders' cgroups and processes, slab caches, file lists."""
    less = dict(evidence)
    less["cgroups"] = {**evidence["cgroups"], "groups": [one for one in evidence["cgroups"]["groups"] if _is_ours(one["path"])]}
    less["processes"] = {**evidence["processes"], "by_name": [], "largest": [one for one in evidence["processes"]["largest"] if _is_ours(one["name"])]}
    less["memory"] = {key: value for key, value in evidence["memory"].items() if key not in ("slab", "zones", "tmpfs", "sysv_shm")}
    less["tunables"] = {**evidence["tunables"], "files": []}
    return less


def _is_ours(name: str) -> bool:
    return any(word in name for word in OURS) or name.startswith("stress-ng")


if __name__ == "__main__":
    sys.exit(main())
