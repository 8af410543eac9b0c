# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What real kernels wrote, from their words to the diagnosis: kind, cause, confidence and victim."""

from __future__ import annotations

import json
import pathlib
import re

import jsonschema
import pytest

from ansible_collections.memops.linux.plugins.module_utils.kernel_log.excerpts import select
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose

COLLECTION = pathlib.Path(__file__).parents[4]
LOGS = COLLECTION / "tests/unit/fixtures/kernel_logs"
SCHEMA = jsonschema.Draft202012Validator(json.loads((COLLECTION / "docs/schemas/diagnosis-1.schema.json").read_text()))


def records(name):
    """(seconds, message) of a recorded dmesg; the further lines of a message stand behind it."""
    found = []
    for line in (LOGS / f"{name}.log").read_text().splitlines():
        stamp = re.match(r"\[ *(\d+\.\d+)\] (.*)", line)
        if stamp:
            found.append((float(stamp[1]), stamp[2]))
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line.strip()}")
    return found


def evidence(name, **sections):
    """The evidence of a host whose kernel log is this recording and nothing else."""
    excerpts = [
        {
            "path": "/dev/kmsg",
            "lines": [{"time": None, "text": line} for _time, line in excerpt.lines],
            "omitted_lines": excerpt.omitted_lines,
            "repeats": excerpt.repeats,
        }
        for excerpt in select(records(name))
    ]
    log = {"sources": [{"path": "/dev/kmsg"}], "window": {"from": "2026-01-01T00:00:00.000Z", "to": None}, "excerpts": excerpts[::-1]}
    return {"host": "web1", "since": "2026-01-01T00:00:00.000Z", "subset": ["kernel_log"], "kernel": None, "kernel_log": log, **sections}


@pytest.mark.parametrize(
    ("recording", "kind", "cause", "confidence", "victim"),
    [
        ("linux-5.10-global-no-swap", "global_oom", "no_swap", "certain", "shop-import"),
        ("linux-5.10-memcg-v1-dirty", "memcg_oom", "dirty_page_cache", "certain", "shop-copy"),
        ("linux-6.1-global-hugepages", "global_oom", "hugepages_reserved", "certain", "shop-api"),
        ("linux-6.1-global-no-swap", "global_oom", "no_swap", "certain", "shop-import"),
        ("linux-6.1-global-slab", "global_oom", "unreclaimable_slab", "certain", "shop-web"),
        ("linux-6.1-global-swap-full", "global_oom", "swap_exhausted", "certain", "shop-import"),
        ("linux-6.1-memcg-docker", "memcg_oom", "working_set_over_limit", "certain", "dd"),
        ("linux-6.1-memcg-fork-storm", "memcg_oom", "fork_storm", "certain", "shop-task"),
        ("linux-6.1-memcg-oom-group", "memcg_oom", "working_set_over_limit", "certain", "shop-grow"),
        ("linux-6.1-segfault", "segfault", "application_fault", "certain", "python3"),
        ("linux-6.1-sysrq", "global_oom", "operator_or_runtime_kill", "certain", "shop-web"),
        ("linux-6.12-global-shmem", "global_oom", "shmem_or_tmpfs", "certain", "shop-session"),
        ("linux-7.2-memcg", "memcg_oom", "working_set_over_limit", "certain", "python3"),
    ],
)
def test_the_recorded_report_leads_to(recording, kind, cause, confidence, victim):
    diagnosis = diagnose(evidence(recording))

    SCHEMA.validate(diagnosis)
    incident = diagnosis["incidents"][diagnosis["verdict"]["incident"]]
    assert (incident["kind"], incident["cause"], incident["confidence"]) == (kind, cause, confidence)
    assert (incident["victim"] or incident["trigger"])["process"] == victim
    assert all(step["quotes"] or step["text"] for step in incident["because"])
    assert diagnosis["verdict"]["code"] == ("not_memory" if kind == "segfault" else "memory")


@pytest.mark.parametrize("recording", sorted(path.stem for path in LOGS.glob("*.log")))
def test_a_report_that_is_cut_never_becomes_surer_than_the_whole_one(recording):
    order = [None, "possible", "probable", "certain"]
    text = [message for _time, message in records(recording)]
    whole = diagnose(evidence(recording))
    surest = max((order.index(item["confidence"]) for item in whole["incidents"]), default=0)
    causes = {item["cause"] for item in whole["incidents"]} | {other["cause"] for item in whole["incidents"] for other in item["contributing"]}

    for cut in range(0, len(text), max(1, len(text) // 25)):
        for part in (text[:cut], text[cut:]):
            document = evidence(recording)
            document["kernel_log"]["excerpts"] = [
                {"path": "x", "lines": [{"time": None, "text": line} for line in part], "omitted_lines": 0, "repeats": 0}
            ]
            for item in diagnose(document)["incidents"]:
                assert order.index(item["confidence"]) <= surest
                assert item["cause"] is None or item["cause"] in causes or order.index(item["confidence"]) < surest


def test_the_dirty_page_cache_is_answered_with_dirty_bytes_of_a_fifth_of_the_limit():
    memory = {"meminfo": {"mem_total_bytes": 6 << 30}, "vmstat": {"dirty_threshold_bytes": 1 << 30}}

    diagnosis = diagnose(evidence("linux-5.10-memcg-v1-dirty", memory=memory))

    incident = diagnosis["incidents"][0]
    assert incident["remedies"][0]["value"] == {"vm.dirty_bytes": 8388608, "vm.dirty_background_bytes": 4194304}
    assert incident["remedies"][0]["command"] == "sysctl -w vm.dirty_bytes=8388608 vm.dirty_background_bytes=4194304"
    assert any("26 times the limit" in step["text"] for step in incident["because"])


def test_a_group_kill_is_one_incident_with_all_its_victims():
    (incident,) = diagnose(evidence("linux-6.1-memcg-oom-group"))["incidents"]

    assert len(incident["also_killed"]) >= 2
    assert any("memory.oom.group" in step["text"] for step in incident["because"])


def test_the_victims_container_has_its_name_where_the_engine_knows_it():
    found = evidence("linux-6.1-memcg-docker")
    container_id = diagnose(found)["incidents"][0]["container"]["id"]
    found["containers"] = {"containers": [{"id": container_id, "name": "shop-worker", "image": "shop:1", "engine": "docker", "state": "exited"}]}

    diagnosis = diagnose(found)

    assert (diagnosis["incidents"][0]["container"]["name"], diagnosis["incidents"][0]["container"]["image"]) == ("shop-worker", "shop:1")
    assert "in container shop-worker" in diagnosis["verdict"]["summary"]
