"""``make accuracy LABELS=FOLDER``: diagnose labelled logs and count what is right.

FOLDER holds labels.json and the logs that it names. A label is {id, file,
events}; an event is {kind, trigger_process, trigger_pid, victim_process,
victim_pid, victim_anon_rss_kb, victim_total_vm_kb, memcg, task_memcg,
oom_score_adj, trigger_oom_score_adj, gfp_mask_hex, order, also_killed}, where
null means that the log does not say. The logs take the same path as in the
playbook; exit status 1 if anything is missed, invented or wrong.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections import Counter
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose_events  # noqa: E402
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts  # noqa: E402
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import LogFile  # noqa: E402
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.reading import read_log  # noqa: E402
from ansible_collections.memops.linux.plugins.plugin_utils.log_places.disk import raw_blocks  # noqa: E402

#: Kinds that say that memory killed nobody; a label calls them all not_oom, and no incident at all says so too.
NOT_OOM = frozenset(("not_oom", "sigkill_not_oom", "unknown_death"))


def kilobytes(value: int | None) -> int | None:
    return None if value is None else value // 1024


def fields(incident: dict[str, Any]) -> dict[str, Any]:
    """An incident under the labels' names."""
    trigger, victim = incident["trigger"] or {}, incident["victim"] or {}
    concerned = incident["kind"] in ("page_allocation_failure", "segfault", "hung_task")
    asked = {**victim, **trigger} if concerned else trigger
    killed = {} if concerned else victim
    return {
        "kind": "not_oom" if incident["kind"] in NOT_OOM else incident["kind"],
        "trigger_process": asked.get("process"),
        "trigger_pid": asked.get("pid"),
        "victim_process": killed.get("process"),
        "victim_pid": killed.get("pid"),
        "victim_anon_rss_kb": kilobytes(killed.get("anon_rss_bytes")),
        "victim_total_vm_kb": kilobytes(killed.get("total_vm_bytes")),
        "memcg": incident["cgroup"],
        "task_memcg": incident["victim_cgroup"],
        "oom_score_adj": killed.get("oom_score_adj"),
        "trigger_oom_score_adj": asked.get("oom_score_adj"),
        "gfp_mask_hex": asked.get("gfp_mask"),
        "order": asked.get("order"),
        "also_killed": sorted((each["process"], each["pid"]) for each in incident["also_killed"]),
    }


def wanted(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "also_killed": sorted((each["process"], each["pid"]) for each in event.get("also_killed") or [])}


def alike(found: dict[str, Any], event: dict[str, Any]) -> int:
    """How well an incident fits a label: who died decides, then who asked, then the kind."""
    weights = {"victim_pid": 8, "victim_process": 4, "trigger_pid": 4, "trigger_process": 2, "kind": 2, "memcg": 1, "gfp_mask_hex": 1, "victim_anon_rss_kb": 1}
    return sum(weight if found[name] == event.get(name) else -weight for name, weight in weights.items() if event.get(name) is not None)


def paired(found: list[dict[str, Any]], events: list[dict[str, Any]]) -> tuple[list[tuple], list[dict], list[dict]]:
    """(pairs, missed labels, invented incidents), the best fitting first."""
    pairs, free, open_events = [], list(found), list(events)
    scored = sorted(((alike(one, event), -found.index(one), number) for one in found for number, event in enumerate(events)), reverse=True)
    taken: set[int] = set()
    for score, index, number in scored:
        one = found[-index]
        if score > 0 and number not in taken and one in free:
            taken.add(number)
            free.remove(one)
            pairs.append((one, events[number]))
    open_events = [event for number, event in enumerate(events) if number not in taken]
    return pairs, open_events, free


def diagnosed(path: pathlib.Path) -> list[dict[str, Any]]:
    """The incidents of one log."""
    reading = read_log(LogFile(path.name, lambda: raw_blocks(str(path)), path.stat().st_mtime))
    host = HostFacts({"host": path.stem, "kernel_log": {"sources": [{"path": path.name}], "window": {"from": reading.first_at}}})
    return diagnose_events(host, reading.events, reading.services)["incidents"]


class Score:
    def __init__(self) -> None:
        self.found = self.missed = self.invented = 0
        self.right: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()

    def log(self, folder: pathlib.Path, case: dict[str, Any]) -> list[str]:
        """Score one log; what is wrong with it, in lines."""
        incidents = [fields(incident) for incident in diagnosed(folder / case["file"])]
        pairs, missed, invented = paired(incidents, [wanted(event) for event in case["events"]])
        nothing_died = [event for event in missed if event["kind"] == "not_oom"]
        missed = [event for event in missed if event["kind"] != "not_oom"]
        lines = [f"missed: {_short(event)}" for event in missed] + [f"invented: {_short(one)}" for one in invented]
        self.found += len(pairs) + len(nothing_died)
        self.missed += len(missed)
        self.invented += len(invented)
        self.right["kind"] += len(nothing_died)
        for one, event in pairs:
            for name, value in event.items():
                if name not in one:
                    continue
                if one[name] == value:
                    self.right[name] += 1
                else:
                    self.wrong[name] += 1
                    lines.append(f"{name}: {one[name]!r} should be {value!r}")
        return lines


def _short(event: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in event.items() if value not in (None, []))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=pathlib.Path, help="folder with labels.json")
    folder = parser.parse_args().labels
    try:
        cases = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"accuracy: {folder / 'labels.json'} cannot be read: {error}", file=sys.stderr)
        return 2
    score = Score()
    for case in cases:
        for line in score.log(folder, case):
            print(f"{case['id']}: {line}")
    print(f"logs {len(cases)}, events found {score.found}, missed {score.missed}, invented {score.invented}")
    for name in sorted(score.right | score.wrong, key=lambda name: (-score.wrong[name], name)):
        print(f"{name:22} right {score.right[name]:4}  wrong {score.wrong[name]:4}")
    return 1 if score.missed or score.invented or score.wrong.total() else 0


if __name__ == "__main__":
    sys.exit(main())
