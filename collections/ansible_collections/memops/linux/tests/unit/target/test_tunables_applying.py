# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values are made to hold live and for the next boot, all or nothing, and a second run changes nothing."""

import contextlib
import errno
import json

import pytest

from ansible_collections.memops.linux.plugins.module_utils.tunables import host as hosts
from ansible_collections.memops.linux.plugins.module_utils.tunables import running
from ansible_collections.memops.linux.tests.unit.target.tunables_host import CATALOGUE, SYSCTL_FILE, THP, TMPFILES_FILE, TunablesHost, entry

WANTED = {"vm.swappiness": 10, "vm.dirty_bytes": "64M", "vm.dirty_background_bytes": "32M", "thp.enabled": "madvise"}


@pytest.fixture
def host(tmp_path):
    return TunablesHost(tmp_path)


def test_values_hold_now_and_are_kept_for_the_boot(host):
    assert host.apply(WANTED)["changed"]
    assert (host.value("vm.swappiness"), host.value("vm.dirty_bytes"), host.value("vm.dirty_ratio")) == ("10", "67108864", "0")
    assert host.value("thp.enabled") == "madvise"
    lines = [line for line in host.text(SYSCTL_FILE).splitlines() if not line.startswith("#")]
    assert lines == ["vm.dirty_background_bytes = 33554432", "vm.dirty_bytes = 67108864", "vm.swappiness = 10"]
    assert host.text(TMPFILES_FILE).splitlines()[-1] == "w %s - - - - madvise" % THP


def test_a_second_run_changes_nothing_and_writes_nothing(host):
    host.apply(WANTED)
    journal = host.text("var/lib/memops/changes.jsonl")
    host.files.written = []
    result = host.apply(WANTED, run="two")
    assert (result["changed"], result["diff"], result["changes"], result["drift"]) == (False, {"before": "", "after": ""}, [], [])
    assert sorted(result["compliant"]) == sorted(WANTED)
    assert host.files.written == []
    assert host.text("var/lib/memops/changes.jsonl") == journal


def test_check_mode_tells_exactly_what_a_run_does_and_does_nothing(host):
    before = host.values()
    checked = host.apply(WANTED, check=True)
    assert host.values() == before
    assert host.text(SYSCTL_FILE) is None and host.text("var/lib/memops/lock") is None
    done = host.apply(WANTED)
    assert checked == done


def test_the_diff_names_what_it_shows(host):
    diff = host.apply({"vm.swappiness": 10}, check=True)["diff"]
    assert diff["before"] == "# running\nvm.swappiness = 60\n\n# /etc/sysctl.d/zz-memops.conf\n(no such file)\n"
    assert diff["after"].startswith("# running\nvm.swappiness = 10\n\n# /etc/sysctl.d/zz-memops.conf\n# Kept by memops.")


def test_the_journal_has_both_of_a_pair_and_what_is_kept(host):
    host.apply({"vm.dirty_bytes": "64M"})
    entries = [json.loads(line) for line in host.text("var/lib/memops/changes.jsonl").splitlines()]
    assert [(one["key"], one["old"], one["new"]) for one in entries] == [
        ("vm.dirty_bytes", "0", "67108864"),
        ("vm.dirty_ratio", "20", "0"),
        ("vm.dirty_bytes@boot", None, "67108864"),
    ]
    assert (entries[0]["run"], entries[0]["area"], entries[0]["reason"]) == ("one", "tunables", "because")


@pytest.mark.parametrize(
    "values, before, order",
    [
        ({"vm.dirty_bytes": "2G", "vm.dirty_background_bytes": "1G"}, {}, ["vm.dirty_bytes", "vm.dirty_background_bytes"]),
        ({"vm.dirty_bytes": "64M", "vm.dirty_background_bytes": "32M"}, {}, ["vm.dirty_background_bytes", "vm.dirty_bytes"]),
        ({"vm.overcommit_memory": 2, "vm.overcommit_ratio": 80}, {}, ["vm.overcommit_ratio", "vm.overcommit_memory"]),
        ({"vm.overcommit_memory": 0, "vm.overcommit_ratio": 40}, {"vm.overcommit_memory": "2"}, ["vm.overcommit_memory", "vm.overcommit_ratio"]),
        ({"vm.panic_on_oom": 1, "kernel.panic": 10}, {}, ["kernel.panic", "vm.panic_on_oom"]),
        ({"vm.panic_on_oom": 0, "kernel.panic": 0}, {"vm.panic_on_oom": "1", "kernel.panic": "10"}, ["vm.panic_on_oom", "kernel.panic"]),
        ({"vm.min_free_kbytes": 90000, "thp.enabled": "never"}, {}, [THP, "vm.min_free_kbytes"]),
    ],
)
def test_no_state_on_the_way_would_be_refused(host, values, before, order):
    for name, value in before.items():
        host.put("proc/sys/" + name.replace(".", "/"), value + "\n")
    host.apply(values)
    assert [key for key, _value in host.files.written] == order


@pytest.mark.parametrize("path", ["/proc/sys/vm/swappiness", THP])
def test_a_write_that_the_kernel_refuses_leaves_all_as_it_was(host, path):
    before = host.values()
    host.files.odd[path] = OSError(errno.EINVAL, "Invalid argument")
    key = "thp.enabled" if path == THP else "vm.swappiness"
    with pytest.raises(running.TunableError, match=r"%s: the kernel did not take .* All is as it was before" % key):
        host.apply(WANTED)
    assert host.values() == before
    assert host.text(SYSCTL_FILE) is None and host.text(TMPFILES_FILE) is None
    assert host.roll_back()["notes"] == ["No run that still stands changed a tunable here."]


def test_a_file_that_cannot_be_written_leaves_all_as_it_was(host, monkeypatch):
    before = host.values()
    write = host.files.write

    def full(path, text, mode=0o644):
        if path == "/" + TMPFILES_FILE:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, text, mode)

    monkeypatch.setattr(host.files, "write", full)
    with pytest.raises(running.TunableError, match=r"00-memops.conf could not be written: No space left on device. All is as it was before"):
        host.apply(WANTED)
    assert host.values() == before
    assert host.text(SYSCTL_FILE) is None


def test_a_journal_that_cannot_be_written_means_that_nothing_is_changed(host, monkeypatch):
    before = host.values()

    def full(path, line, mode=0o600):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(host.files, "append", full)
    with pytest.raises(running.TunableError, match=r"changes.jsonl could not be written .* nothing was changed"):
        host.apply(WANTED)
    assert host.values() == before


def test_huge_pages_that_come_only_in_part_are_given_back_and_counted(host):
    host.files.odd["/proc/sys/vm/nr_hugepages"] = lambda text: str(min(int(text), 37))
    with pytest.raises(running.TunableError, match=r"only 37 of 100 pages"):
        host.apply({"vm.nr_hugepages": 100})
    assert host.value("vm.nr_hugepages") == "0"
    result = host.apply({"vm.nr_hugepages": 100}, force=True)
    assert host.value("vm.nr_hugepages") == "37"
    assert [text for text in result["warnings"] if "only 37 of 100" in text]


def test_what_did_not_stay_after_it_was_written_is_an_error(host):
    host.files.odd["/proc/sys/vm/swappiness"] = lambda text: "60"
    with pytest.raises(running.TunableError, match=r"vm.swappiness: it is 60 after 10 was written"):
        host.apply(WANTED)


class Killed(BaseException):
    """kill -9: nothing behind it runs."""


@pytest.mark.parametrize("after", range(12))
def test_a_run_that_is_killed_anywhere_is_completed_by_the_next_and_nothing_is_lost(host, monkeypatch, after):
    before = host.values()
    calls = []

    def counted(function):
        def call(*arguments, **named):
            if len(calls) == after:
                raise Killed()
            calls.append(arguments)
            return function(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        for name in ("append", "write", "write_in_place"):
            patch.setattr(host.files, name, counted(getattr(host.files, name)))
        with contextlib.suppress(Killed):
            host.apply(WANTED, run="killed")
    host.apply(WANTED, run="second")
    assert host.apply(WANTED, run="third")["changed"] is False
    assert host.value("vm.swappiness") == "10"
    host.roll_back("all")
    assert host.values() == before
    assert host.text(SYSCTL_FILE) is None and host.text(TMPFILES_FILE) is None


def test_what_earlier_runs_keep_stays_and_is_told(host):
    host.apply({"vm.swappiness": 10})
    result = host.apply({"vm.watermark_scale_factor": 50}, run="two")
    assert "vm.swappiness = 10" in host.text(SYSCTL_FILE)
    assert [note for note in result["notes"] if "values of earlier runs" in note and "vm.swappiness" in note]


def test_the_other_one_of_a_pair_leaves_the_file(host):
    host.apply({"vm.dirty_bytes": "64M"})
    result = host.apply({"vm.dirty_ratio": 15}, run="two")
    assert "vm.dirty_bytes" not in host.text(SYSCTL_FILE)
    assert (host.value("vm.dirty_ratio"), host.value("vm.dirty_bytes")) == ("15", "0")
    assert {"key": "vm.dirty_bytes@boot", "old": "67108864", "new": None} in result["changes"]


def test_without_persist_only_the_running_value_is_set_and_looked_at(host):
    result = host.apply({"vm.swappiness": 10}, persist=False)
    assert host.value("vm.swappiness") == "10" and host.text(SYSCTL_FILE) is None
    assert [one["face"] for one in result["drift"]] == ["running"]
    assert host.apply({"vm.swappiness": 10}, run="two", persist=False)["changed"] is False


def test_a_run_that_knows_nothing_of_an_earlier_ones_keys_keeps_them_on_the_page(host):
    host.apply({"vm.swappiness": 10, "thp.enabled": "madvise"})
    few = {key: CATALOGUE[key] for key in CATALOGUE if key not in ("thp.enabled", "vm.swappiness")}
    host.apply({"vm.watermark_scale_factor": 50}, run="two", catalogue=few)
    page = host.text("etc/memops/BASELINE.md")
    assert all("### `%s`" % key in page for key in ("thp.enabled", "vm.swappiness", "vm.watermark_scale_factor"))


def test_a_key_that_the_kernel_lacks_is_unsupported_and_the_rest_is_done(host):
    catalogue = dict(CATALOGUE, **{"vm.new": entry("vm.new", since="6.16")})
    result = host.apply({"vm.new": 1, "vm.swappiness": 10}, catalogue=catalogue)
    assert result["unsupported"] == [{"key": "vm.new", "why": "kernel 6.1.0-1-amd64 has no /proc/sys/vm/new; it came with 6.16"}]
    assert host.value("vm.swappiness") == "10"
    assert "vm.new" not in host.text(SYSCTL_FILE)


def test_a_read_only_proc_is_told_before_anything_is_done(host, monkeypatch):
    monkeypatch.setattr(running.os, "access", lambda path, mode: not path.endswith("swappiness"))
    with pytest.raises(running.TunableError, match=r"vm.swappiness: /proc/sys/vm/swappiness cannot be written"):
        host.apply(WANTED)
    assert host.values()["vm.dirty_ratio"] == "20"


def test_the_page_says_why_and_keeps_its_reason_while_the_value_stays(host):
    host.apply({"vm.swappiness": 10})
    page = host.text("etc/memops/BASELINE.md")
    assert "### `vm.swappiness` = `10`" in page and "Reason given: because." in page and SYSCTL_FILE in page
    assert host.apply({"vm.swappiness": 10}, run="two", reason="another")["changed"] is False
    host.apply({"vm.swappiness": 20}, run="three", reason="another")
    assert "Reason given: another." in host.text("etc/memops/BASELINE.md")


def test_a_page_that_was_lost_is_made_again(host):
    host.apply({"vm.swappiness": 10})
    host.files.remove("/etc/memops/BASELINE.md")
    assert host.apply({"vm.swappiness": 10}, run="two")["changed"]
    assert "vm.swappiness" in host.text("etc/memops/BASELINE.md")


def test_the_command_line_is_left_alone_and_told(host):
    host.put("proc/cmdline", "root=/dev/vda1 transparent_hugepage=always sysctl.vm.swappiness=5\n")
    notes = host.apply(WANTED)["notes"]
    assert [note for note in notes if note.startswith("thp.enabled") and "transparent_hugepage=always" in note]
    assert [note for note in notes if note.startswith("vm.swappiness") and "sysctl.vm.swappiness=5" in note]


@pytest.mark.parametrize("release, version", [("6.1.0-56-cloud-amd64", (6, 1)), ("4.18.0-553.el8_10.x86_64", (4, 18)), ("odd", (0, 0))])
def test_the_kernel_is_known_by_its_release(release, version):
    assert hosts.kernel_version(release) == version
