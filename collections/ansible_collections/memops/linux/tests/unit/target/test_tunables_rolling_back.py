# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rollback gives back every former value, live and lasting, and leaves alone what somebody changed since."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.tunables import running
from ansible_collections.memops.linux.tests.unit.target.tunables_host import SYSCTL_FILE, TMPFILES_FILE, TunablesHost

WANTED = {
    "vm.swappiness": 10,
    "vm.dirty_bytes": "64M",
    "vm.dirty_background_bytes": "32M",
    "thp.enabled": "madvise",
    "vm.overcommit_memory": 2,
    "vm.overcommit_kbytes": "4G",
    "vm.panic_on_oom": 1,
    "kernel.panic": 10,
}


@pytest.fixture
def host(tmp_path):
    return TunablesHost(tmp_path)


def test_every_former_value_is_back_and_nothing_is_kept(host):
    before = host.values()
    host.apply(WANTED)
    assert host.values() != before
    result = host.roll_back()
    assert result["changed"]
    assert host.values() == before
    assert (host.text(SYSCTL_FILE), host.text(TMPFILES_FILE), host.text("etc/memops/BASELINE.md")) == (None, None, None)
    assert host.roll_back()["changed"] is False


def test_a_value_that_held_before_too_is_off_the_page_when_nothing_keeps_it_any_more(host):
    host.apply({"vm.swappiness": host.value("vm.swappiness"), "vm.watermark_scale_factor": 50})
    assert "vm.swappiness" in host.text("etc/memops/BASELINE.md")
    host.roll_back()
    assert (host.text(SYSCTL_FILE), host.text("etc/memops/BASELINE.md")) == (None, None)


def test_check_mode_tells_what_a_rollback_does_and_does_nothing(host):
    host.apply(WANTED)
    before = host.values()
    checked = host.roll_back(check=True)
    assert host.values() == before
    assert host.roll_back() == checked


def test_of_two_runs_the_last_goes_back_and_the_first_stands(host):
    host.apply({"vm.swappiness": 10, "vm.dirty_bytes": "64M"})
    host.apply({"vm.swappiness": 20}, run="two")
    host.roll_back()
    assert host.value("vm.swappiness") == "10"
    assert "vm.swappiness = 10" in host.text(SYSCTL_FILE) and "vm.dirty_bytes = 67108864" in host.text(SYSCTL_FILE)
    assert "### `vm.swappiness` = `10`" in host.text("etc/memops/BASELINE.md")
    host.roll_back()
    assert (host.value("vm.swappiness"), host.value("vm.dirty_ratio"), host.text(SYSCTL_FILE)) == ("60", "20", None)


def test_a_key_that_a_later_run_changed_again_is_left_alone(host):
    host.apply({"vm.swappiness": 10, "vm.watermark_scale_factor": 50})
    host.apply({"vm.swappiness": 20}, run="two")
    result = host.roll_back("one")
    assert [one["key"] for one in result["left_alone"]] == ["vm.swappiness"] and "run two" in result["left_alone"][0]["why"]
    assert (host.value("vm.swappiness"), host.value("vm.watermark_scale_factor")) == ("20", "10")


def test_what_somebody_changed_since_goes_back_by_force_alone(host):
    host.apply({"vm.swappiness": 10})
    host.put("proc/sys/vm/swappiness", "33\n")
    result = host.roll_back()
    assert result["changed"] is False
    assert "it is 33 now, which is not what the run one set (10)" in result["left_alone"][0]["why"]
    assert "vm.swappiness = 10" in host.text(SYSCTL_FILE)
    assert host.roll_back(force=True)["changed"]
    assert (host.value("vm.swappiness"), host.text(SYSCTL_FILE)) == ("60", None)


@pytest.mark.parametrize("asked", ["vm.dirty_bytes", "vm.dirty_ratio", "vm.dirty_bytes@boot"])
def test_only_the_keys_that_are_asked_for_go_back_with_all_that_belongs_to_them(host, asked):
    host.apply(WANTED)
    host.roll_back(keys=[asked])
    assert (host.value("vm.dirty_ratio"), host.value("vm.dirty_bytes"), host.value("vm.swappiness")) == ("20", "0", "10")
    assert "vm.dirty_bytes" not in host.text(SYSCTL_FILE) and "vm.swappiness" in host.text(SYSCTL_FILE)


def test_all_runs_go_back_at_once(host):
    before = host.values()
    host.apply({"vm.swappiness": 10})
    host.apply({"vm.swappiness": 20, "vm.dirty_ratio": 15}, run="two")
    host.roll_back("all")
    assert host.values() == before and host.text(SYSCTL_FILE) is None


def test_a_rolled_back_run_does_not_stand_any_more(host):
    host.apply({"vm.swappiness": 10})
    host.roll_back()
    assert host.roll_back()["notes"] == ["No run that still stands changed a tunable here."]


def test_a_run_that_is_not_there_is_told(host):
    assert host.roll_back("nosuch")["notes"] == ["Nothing that the run nosuch changed here still stands."]


def test_a_former_value_that_would_hurt_now_is_left_alone_with_the_sum(host):
    host.put("proc/sys/vm/overcommit_memory", "2\n")
    host.put("proc/sys/vm/overcommit_ratio", "20\n")
    host.apply({"vm.overcommit_memory": 0})
    result = host.roll_back()
    assert result["left_alone"][0]["key"] == "vm.overcommit_memory" and "Committed_AS" in result["left_alone"][0]["why"]
    assert host.value("vm.overcommit_memory") == "0"


def test_a_rollback_that_fails_leaves_all_as_it_was(host):
    host.apply(WANTED)
    before, kept = host.values(), host.text(SYSCTL_FILE)
    host.files.odd["/proc/sys/vm/swappiness"] = OSError(22, "Invalid argument")
    with pytest.raises(running.TunableError, match="All is as it was before"):
        host.roll_back()
    assert (host.values(), host.text(SYSCTL_FILE)) == (before, kept)
    host.files.odd.clear()
    host.roll_back()
    assert host.value("vm.swappiness") == "60"


@pytest.mark.parametrize("after", range(9))
def test_a_rollback_that_is_killed_anywhere_is_completed_by_the_next(host, monkeypatch, after):
    before = host.values()
    host.apply(WANTED)
    calls = []

    def killed_at_last(function):
        def call(*arguments, **named):
            if len(calls) == after:
                raise KeyboardInterrupt()
            calls.append(arguments)
            return function(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        for name in ("append", "write", "remove", "write_in_place"):
            patch.setattr(host.files, name, killed_at_last(getattr(host.files, name)))
        with pytest.raises(KeyboardInterrupt):
            host.roll_back()
    host.roll_back()
    assert host.values() == before
    assert (host.text(SYSCTL_FILE), host.text(TMPFILES_FILE)) == (None, None)


def test_a_line_of_a_foreign_file_that_is_gone_since_is_told(host):
    host.put("etc/sysctl.conf", "vm.swappiness = 30\n")
    host.apply({"vm.swappiness": 10}, own_conflicts=True)
    host.put("etc/sysctl.conf", "# tidied\n")
    assert [note for note in host.roll_back()["notes"] if "gone since" in note]
    assert host.text("etc/sysctl.conf") == "# tidied\n"
