"""What the hosts themselves hold, and what was seen on the way."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

NOTES = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
WANTED = {
    "vm.swappiness": "20",
    "vm.watermark_boost_factor": "0",
    "vm.watermark_scale_factor": "50",
    "vm.overcommit_memory": "0",
    "vm.panic_on_oom": "0",
    "vm.oom_dump_tasks": "1",
    "kernel.panic": "10",
}


@pytest.fixture
def seen(host):
    """What was seen at a stage of the run, of this host."""
    name = host.backend.get_hostname()

    def at(stage: str) -> dict:
        return json.loads((NOTES / f"{name}-{stage}.json").read_text(encoding="utf-8"))

    return at


def value(host, key: str) -> str:
    return host.file("/proc/sys/" + key.replace(".", "/")).content_string.strip()


@pytest.mark.parametrize("key", WANTED)
def test_the_kernel_has_the_wanted_value(host, key):
    assert value(host, key) == WANTED[key]


def test_dirty_limits_are_in_bytes_and_their_ratios_zero(host):
    assert int(value(host, "vm.dirty_background_bytes")) < int(value(host, "vm.dirty_bytes")) <= 512 << 20
    assert value(host, "vm.dirty_ratio") == value(host, "vm.dirty_background_ratio") == "0"


def test_sys_has_the_wanted_values(host):
    assert "[madvise]" in host.file("/sys/kernel/mm/transparent_hugepage/enabled").content_string
    assert "[madvise]" in host.file("/sys/kernel/mm/transparent_hugepage/defrag").content_string
    assert host.file("/sys/kernel/mm/ksm/pages_to_scan").content_string.strip() == "200"


def test_zswap_is_as_wanted_where_the_kernel_has_it(host):
    names = ("max_pool_percent", "enabled")
    has = "CONFIG_ZSWAP=y" in host.check_output("cat /boot/config-$(uname -r)").splitlines()
    found = [host.file(f"/sys/module/zswap/parameters/{name}").content_string.strip() for name in names if host.file("/sys/module/zswap").exists]
    assert found == (["15", "Y"] if has else [])
    assert has or host.backend.get_hostname() != "generic"


def test_both_loaders_give_them_again(host):
    for loader in ("/lib/systemd/systemd-sysctl", "sysctl --system", "systemd-tmpfiles --create --boot --prefix=/sys/kernel/mm"):
        host.check_output("sysctl -w vm.swappiness=90 vm.dirty_ratio=30 vm.overcommit_memory=1 > /dev/null && " + loader)
        if "tmpfiles" not in loader:
            assert (value(host, "vm.swappiness"), value(host, "vm.overcommit_memory"), value(host, "vm.dirty_ratio")) == ("20", "0", "0"), loader
    assert "[madvise]" in host.file("/sys/kernel/mm/transparent_hugepage/enabled").content_string
    host.check_output("/lib/systemd/systemd-sysctl")


def test_the_conflicting_lines_of_sysctl_conf_are_out_of_use_and_the_rest_is_there(host):
    assert host.file("/etc/sysctl.conf").content_string == "# local\n# memops: vm.swappiness = 33\n# memops: vm.dirty_ratio = 15\n"
    assert host.file("/etc/sysctl.d/k8s.conf").content_string == "vm.overcommit_memory = 1\nvm.max_map_count=100000\n"


def test_the_page_and_the_journal_tell_of_it(host):
    page = host.file("/etc/memops/BASELINE.md")
    assert page.mode == 0o644 and "### `vm.swappiness` = `20`" in page.content_string and "Reason given: molecule." in page.content_string
    journal = host.file("/var/lib/memops/changes.jsonl")
    assert journal.mode == 0o600
    entries = [json.loads(line) for line in journal.content_string.splitlines()]
    assert {"killed-early", "killed-late", "completed", "role"} <= {entry["run"] for entry in entries}


def test_refused_values_left_the_host_untouched(seen):
    assert seen("refused") == seen("former")


def test_the_check_told_of_every_face_and_named_the_files(seen):
    found = {(one["key"], one["face"]): (one["found"], one["where"]) for one in seen("checked")["drift"]}
    assert found["vm.swappiness", "running"] == ("77", "/proc/sys/vm/swappiness")
    assert found["vm.swappiness", "procps"] == ("33", "/etc/sysctl.conf")
    boot = {path: value for value, path in [found["vm.swappiness", "boot"]]}
    assert boot in ({"/etc/sysctl.d/99-sysctl.conf": "33"}, {"/etc/sysctl.d/10-old.conf": "44"})
    assert found["vm.overcommit_memory", "boot"] == ("1", "/etc/sysctl.d/k8s.conf")
    assert found["thp.enabled", "boot"] == ("always", "/etc/tmpfiles.d/thp.conf")


def test_a_run_that_was_killed_early_changed_nothing_and_one_killed_late_was_half_done(seen):
    assert seen("killed-early")["values"] == seen("former")["values"]
    late = seen("killed-late")
    assert late["values"]["vm.swappiness"] == "20"
    assert late["files"]["/etc/memops/BASELINE.md"] is None


def test_the_next_run_completed_it(seen):
    whole = seen("completed")
    assert {key: whole["values"][key] for key in WANTED} == WANTED
    assert whole["left"] == []


def test_the_rollback_gave_back_every_former_value_and_file(seen):
    former, back = seen("former"), seen("rolled-back")
    assert back["values"] == former["values"]
    assert back["files"] == former["files"]
