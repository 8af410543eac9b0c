"""Before and after, by the host's own journal and /proc."""

from __future__ import annotations

import json
import os
import pathlib
import re

import pytest

MIB = 1024 * 1024
WRITERS = 8
LIMIT_BYTES = 40 * MIB


@pytest.fixture(scope="module")
def diagnosis() -> dict:
    reports = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "reports"
    return json.loads((reports / "latest/hosts/copier/diagnosis.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def incident(diagnosis) -> dict:
    return diagnosis["incidents"][diagnosis["verdict"]["incident"]]


@pytest.fixture(scope="module")
def remedy(incident) -> dict:
    return next(remedy["value"] for remedy in incident["remedies"] if remedy["variable"] == "vm_tunables_overrides")


@pytest.fixture(scope="module")
def journal(host) -> str:
    return host.check_output("journalctl --output=cat")


def killed(journal: str, when: str) -> set[str]:
    """Units of that round out of which the kernel killed a task."""
    return set(re.findall(rf"^oom-kill:.*,task_memcg=/system\.slice/(writer-{when}-\d)\.service,", journal, re.MULTILINE))


def finished(host, when: str) -> set[str]:
    shown = host.check_output(f"systemctl show --property=Id --property=Result --property=ExecMainCode --property=ExecMainStatus 'writer-{when}-*.service'")
    units = [dict(line.split("=", 1) for line in block.splitlines()) for block in shown.split("\n\n")]
    assert len(units) == WRITERS
    return {unit["Id"].removesuffix(".service") for unit in units if unit["Result"] == "success" and unit["ExecMainStatus"] == "0"}


def test_before_most_writers_are_killed(host, journal):
    assert len(killed(journal, "before")) > WRITERS / 2
    assert killed(journal, "before").isdisjoint(finished(host, "before"))


def test_the_kernel_had_a_limit_full_of_dirty_pages_not_of_the_programs_memory(journal):
    figures = {name: [int(value) for value in re.findall(rf"^(?:total_)?{name} (\d+)$", journal, re.MULTILINE)] for name in ("anon", "file_dirty", "file")}
    assert max(figures["anon"]) < LIMIT_BYTES * 0.7
    assert max(figures["file_dirty"]) > LIMIT_BYTES * 0.25


def test_the_verdict_is_dirty_page_cache_with_the_dirty_bytes_quoted(diagnosis, incident):
    assert diagnosis["verdict"]["code"] == "memory"
    assert (incident["kind"], incident["cause"]) == ("memcg_oom", "dirty_page_cache")
    assert incident["memory"]["total_bytes"] == LIMIT_BYTES
    dirty = incident["memory"]["file_dirty_bytes"]
    assert dirty > 0
    assert any(re.search(rf"file_dirty {dirty}\b", quote["text"]) for quote in incident["quotes"])


def test_every_incident_is_one_of_the_writers_and_has_that_cause(diagnosis, journal):
    assert {incident["cause"] for incident in diagnosis["incidents"]} == {"dirty_page_cache"}
    assert {incident["unit"].removesuffix(".service") for incident in diagnosis["incidents"]} == killed(journal, "before")


def test_the_host_runs_with_what_the_diagnosis_proposed(host, remedy):
    assert set(remedy) == {"vm.dirty_bytes", "vm.dirty_background_bytes"}
    for name, value in remedy.items():
        assert host.check_output(f"cat /proc/sys/{name.replace('.', '/')}") == str(value)


def test_it_is_set_for_the_next_boot_too_and_the_journal_of_changes_names_the_diagnosis(host, remedy):
    lasting = host.check_output("grep -rhs ^vm.dirty /etc/sysctl.d")
    changes = [json.loads(line) for line in host.file("/var/lib/memops/changes.jsonl").content_string.splitlines()]
    page = host.file("/etc/memops/BASELINE.md").content_string
    for name, value in remedy.items():
        assert re.search(rf"^{re.escape(name)} *= *{value}$", lasting, re.MULTILINE)
        (change,) = (change for change in changes if change["key"] == name)
        assert str(change["new"]) == str(value)
        assert change["reason"].startswith("remedy for dirty_page_cache")
        assert change["diagnosis"].endswith("hosts/copier/diagnosis.json")
        assert name in page


def test_the_comparison_names_the_change_and_counts_no_kill_after_it(remedy):
    comparison = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "compare/latest/compare.json"
    (row,) = json.loads(comparison.read_text(encoding="utf-8"))["hosts"]
    changed = {change["key"]: change["after"] for change in row["changed"] if change["area"] == "tunable"}
    assert remedy.items() <= {name: int(value) for name, value in changed.items() if value.isdigit()}.items()
    (kills,) = (measure for measure in row["measures"] if measure["measure"] == "oom_kills")
    assert kills["before"] > kills["after"] == 0
    assert kills["verdict"] in ("better", "cannot_tell")  # three kills and then none can be chance, seven cannot


def test_after_all_writers_finish(host, journal):
    assert killed(journal, "after") == set()
    assert len(finished(host, "after")) == WRITERS
    for number in range(WRITERS):
        assert host.file(f"/var/tmp/after-{number}").size == 60 * MIB


def test_the_three_numbers(host, journal, incident, remedy, capsys):
    before, after = len(killed(journal, "before")), len(killed(journal, "after"))
    dirty = incident["memory"]["file_dirty_bytes"]
    with capsys.disabled():
        print(
            f"\n  before: {before} of {WRITERS} writers killed"
            f"\n  dirty:  {dirty / MIB:.1f} MiB of the limit of {LIMIT_BYTES // MIB} MiB, in the kernel's report"
            f"\n  after:  {after} of {WRITERS} writers killed, with {', '.join(f'{name}={value}' for name, value in remedy.items())}"
        )
    assert before > after == 0
