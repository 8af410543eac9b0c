# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one answer for a host: never a guess, never advice for a healthy host, never an empty success."""

from __future__ import annotations

import json
import pathlib

import jsonschema
import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose

SCHEMA_FILE = pathlib.Path(__file__).parents[4] / "docs/schemas/diagnosis-1.schema.json"
SINCE = "2026-11-15T00:00:00.000Z"
GIB = 1 << 30


def host(log_from="2026-11-01T00:00:00.000Z", kills=0, booted_at="2026-11-01T00:00:00.000Z", **sections):
    log = {"sources": [{"path": "/dev/kmsg"}], "window": {"from": log_from, "to": None}, "excerpts": []}
    events = {} if kills is None else {"oom_kill": kills}
    return {
        "host": "web1",
        "since": SINCE,
        "booted_at": booted_at,
        "subset": ["kernel_log", "memory"],
        "kernel": None,
        "kernel_log": log if log_from else {"sources": [], "window": {"from": None, "to": None}, "excerpts": []},
        "memory": {
            "meminfo": {"mem_total_bytes": 16 * GIB, "mem_available_bytes": 9 * GIB, "swap_total_bytes": 0, "swap_free_bytes": 0},
            "vmstat": {"events": events, "rates_per_second": {}},
        },
        **sections,
    }


def verdict(evidence):
    diagnosis = diagnose(evidence)
    jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(diagnosis)
    return diagnosis["verdict"], diagnosis


def test_a_healthy_host_gets_one_line_and_no_advice():
    answer, diagnosis = verdict(host())

    assert (answer["code"], answer["confidence"]) == ("healthy", "certain")
    assert answer["summary"] == f"no death by memory since {SINCE}, and nothing that points to one"
    assert diagnosis["incidents"] == diagnosis["findings"] == []


def test_logs_that_begin_late_make_a_healthy_host_only_probable_and_say_from_when():
    answer, _diagnosis = verdict(host(log_from="2026-11-20T00:00:00.000Z", kills=None))

    assert (answer["code"], answer["confidence"]) == ("healthy", "probable")
    assert "2026-11-20T00:00:00.000Z" in answer["summary"]


def test_the_kernels_own_counter_replaces_a_log_that_cannot_be_read():
    answer, _diagnosis = verdict(host(log_from=None, kills=0))

    assert (answer["code"], answer["confidence"]) == ("healthy", "certain")


def test_without_log_and_counter_it_cannot_tell_and_names_what_it_could_not_read():
    unreadable = [{"section": "kernel_log", "source": "/dev/kmsg", "why": "Operation not permitted"}]

    answer, _diagnosis = verdict(host(log_from=None, kills=None, unreadable=unreadable))

    assert answer["code"] == "cannot_tell"
    assert "/dev/kmsg: Operation not permitted" in answer["summary"]


def test_kills_that_the_kernel_counted_and_no_log_shows_are_no_healthy_host():
    answer, diagnosis = verdict(host(kills=3, booted_at="2026-11-20T00:00:00.000Z"))

    assert answer["code"] == "cannot_tell"
    assert "3 OOM kills since boot left no trace" in answer["summary"]
    assert diagnosis["findings"][0]["remedies"] == []


ENDED = {"boot_id": None, "last_at": "2026-11-20T10:00:00.000Z", "next_at": "2026-11-20T10:02:00.000Z", "source": "journal", "path": "journalctl"}


def rebooted(shut_down, dump_at=None, source="pstore"):
    """A host that rebooted in the window, with a crash dump or none."""
    evidence = host(log_from="2026-11-20T10:02:00.000Z", booted_at="2026-11-20T10:02:00.000Z")
    evidence["kernel_log"]["ended_boots"] = [{**ENDED, "shut_down": shut_down}]
    evidence["kernel_log"]["sources"] = [{"path": "/dev/kmsg", "source": "kmsg", "last_at": "2026-11-20T10:02:30.000Z"}]
    if dump_at:
        evidence["kernel_log"]["sources"].append({"path": "/sys/fs/pstore/dmesg", "source": source, "last_at": dump_at})
    return evidence


@pytest.mark.parametrize(
    ("given", "evidence", "code"),
    [
        ("it was shut down", rebooted(True), "healthy"),
        ("it was cut off and left no dump", rebooted(False), "cannot_tell"),
        ("it was cut off and left a dump of its end", rebooted(False, "2026-11-20T10:01:10.000Z"), "healthy"),
        ("it was cut off and kdump saved its end before the next boot", rebooted(False, "2026-11-20T09:59:30.000Z", "vmcore"), "healthy"),
        ("it was cut off and the dump is of another crash", rebooted(False, "2026-11-19T10:01:10.000Z"), "cannot_tell"),
    ],
)
def test_of_a_boot_that_ended_in_the_window(given, evidence, code):
    answer, diagnosis = verdict(evidence)

    assert answer["code"] == code, given
    assert len(diagnosis["findings"]) == (code == "cannot_tell")
    if diagnosis["findings"]:
        assert answer["summary"].startswith("The host went down without a shutdown between 2026-11-20T10:00:00.000Z and 2026-11-20T10:02:00.000Z")
        assert "kdump" in diagnosis["findings"][0]["remedies"][0]["action"]


def test_a_kernel_log_that_was_not_asked_for_is_said_so():
    answer, _diagnosis = verdict({**host(log_from=None, kills=None), "subset": ["memory"]})

    assert "not asked for" in answer["summary"]


def test_thrashing_without_a_death_puts_the_host_at_risk():
    pressure = {"memory": {"some": {"avg10": 80.0}, "full": {"avg10": 62.5}}}
    evidence = host(pressure=pressure)
    evidence["memory"]["vmstat"]["rates_per_second"] = {"pswpin": 4000.0, "workingset_refault_anon": 4100.0}

    answer, diagnosis = verdict(evidence)

    assert answer["code"] == "at_risk"
    assert diagnosis["findings"][0]["cause"] == "thrashing"


def test_pages_that_go_round_through_swap_are_thrashing_even_at_little_pressure():
    evidence = host(pressure={"memory": {"some": {"avg10": 4.0}, "full": {"avg10": 2.0}}})
    evidence["memory"]["vmstat"]["rates_per_second"] = {"pswpin": 900.0, "pswpout": 850.0, "workingset_refault_anon": 880.0}

    assert verdict(evidence)[1]["findings"][0]["cause"] == "thrashing"


def test_pages_that_only_go_out_to_swap_are_not_thrashing():
    evidence = host()
    evidence["memory"]["vmstat"]["rates_per_second"] = {"pswpin": 5.0, "pswpout": 5000.0}

    assert verdict(evidence)[0]["code"] == "healthy"


@pytest.mark.parametrize("rates", [{}, {"pswpin": 3.0}])
def test_pressure_without_memory_going_round_is_not_called_thrashing(rates):
    evidence = host(pressure={"memory": {"some": {"avg10": 80.0}, "full": {"avg10": 62.5}}})
    evidence["memory"]["vmstat"]["rates_per_second"] = rates

    assert verdict(evidence)[0]["code"] == "healthy"


def test_containers_without_limits_are_no_risk_on_a_host_with_room():
    containers = {"containers": [{"id": "c" * 64, "name": "a", "state": "running", "memory_limit_bytes": "max"}]}

    assert verdict(host(containers=containers))[0]["code"] == "healthy"


def test_containers_without_limits_on_a_host_short_of_memory_are_a_risk():
    evidence = host(containers={"containers": [{"id": "c" * 64, "name": "a", "state": "running", "memory_limit_bytes": "max"}]})
    evidence["memory"]["meminfo"]["mem_available_bytes"] = GIB

    answer, diagnosis = verdict(evidence)

    assert (answer["code"], diagnosis["findings"][0]["cause"]) == ("at_risk", "no_container_limits")


def exited(**changes):
    container = {
        "id": "c" * 64,
        "name": "shop",
        "engine": "docker",
        "state": "exited",
        "exit_code": 137,
        "oom_killed": False,
        "finished_at": "2026-11-20T10:00:00.000Z",
        "memory_limit_bytes": GIB,
    }
    return {"containers": [{**container, **changes}]}


def test_exit_137_with_a_silent_kernel_log_is_not_memory():
    answer, diagnosis = verdict(host(containers=exited()))

    assert answer["code"] == "not_memory"
    assert (diagnosis["incidents"][0]["kind"], diagnosis["incidents"][0]["cause"]) == ("sigkill_not_oom", "operator_or_runtime_kill")


def test_exit_137_without_a_kernel_log_cannot_be_told():
    answer, diagnosis = verdict(host(log_from=None, kills=None, containers=exited()))

    assert answer["code"] == "cannot_tell"
    assert diagnosis["incidents"][0]["cause"] is None


def test_oomkilled_by_the_engine_alone_is_memory_without_a_cause():
    answer, diagnosis = verdict(host(kills=None, containers=exited(oom_killed=True)))

    assert (answer["code"], diagnosis["incidents"][0]["kind"], diagnosis["incidents"][0]["cause"]) == ("memory", "unknown_oom", None)
    assert diagnosis["incidents"][0]["cannot_tell"]


def test_a_container_that_ended_before_the_window_is_no_incident():
    assert verdict(host(containers=exited(finished_at="2026-11-01T00:00:00.000Z")))[0]["code"] == "healthy"


def test_a_unit_that_systemd_saw_oom_killed_is_an_incident_even_if_the_kernels_words_are_lost():
    units = {"failed_units": [{"unit": "shop.service", "result": "oom-kill", "exec_main_status": 9, "state_changed_at": "2026-11-20T10:00:00.000Z"}]}

    answer, diagnosis = verdict(host(kills=None, services={"failed_units": units["failed_units"], "lines": []}))

    assert (answer["code"], diagnosis["incidents"][0]["kind"], diagnosis["incidents"][0]["unit"]) == ("memory", "unknown_oom", "shop.service")


def test_evidence_that_holds_nothing_is_no_healthy_host():
    assert verdict({"host": "web1"})[0]["code"] == "cannot_tell"


def failed_unit(result, status, at="2026-11-20T10:00:00.000Z"):
    unit = {"unit": "shop.service", "result": result, "exec_main_status": status, "state_changed_at": at}
    return {"failed_units": [unit], "lines": []}


@pytest.mark.parametrize(
    ("result", "status", "kind"),
    [("signal", 9, "sigkill_not_oom"), ("exit-code", 137, "sigkill_not_oom"), ("signal", 11, "segfault"), ("core-dump", 11, "segfault")],
)
def test_a_units_violent_end_without_an_oom_kill_is_not_memory(result, status, kind):
    answer, diagnosis = verdict(host(services=failed_unit(result, status)))

    assert (answer["code"], diagnosis["incidents"][0]["kind"]) == ("not_memory", kind)


@pytest.mark.parametrize("services", [failed_unit("core-dump", 6), failed_unit("exit-code", 1), failed_unit("signal", 9, "2026-11-01T00:00:00.000Z")])
def test_a_unit_that_aborted_failed_by_itself_or_long_ago_is_no_incident(services):
    assert verdict(host(services=services))[0]["code"] == "healthy"


def group(usage=64, high=64, hits=900, waited=40.0):
    """A cgroup of version 2, sizes in MiB; waited: the share of 10 s in which all its tasks stood still."""
    pressure = None if waited is None else {"full": {"avg10": waited}}
    high_bytes = high << 20 if isinstance(high, int) else high
    sizes = {"usage_bytes": usage << 20, "high_bytes": high_bytes}
    return {"path": "/a.slice/x.service", "unit": "x.service", **sizes, "events": {"high": hits}, "pressure": pressure}


@pytest.mark.parametrize(
    ("given", "one", "code"),
    [
        ("it is at memory.high and all its tasks wait", group(), "at_risk"),
        ("it is below", group(usage=40), "healthy"),
        ("it has no memory.high", group(high="max"), "healthy"),
        ("the brake was never applied", group(hits=0), "healthy"),
        ("its tasks hardly wait", group(waited=2.0), "healthy"),
        ("nothing tells how long they wait", group(waited=None), "healthy"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_cgroup_is_slowed_down_by_memory_high_where(given, one, code):
    answer, diagnosis = verdict(host(cgroups={"groups": [one]}))

    assert answer["code"] == code
    assert [finding["cause"] for finding in diagnosis["findings"]] == (["memory_high"] if code == "at_risk" else [])
