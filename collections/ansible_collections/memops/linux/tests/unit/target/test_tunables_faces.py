# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The faces of a tunable: running, at boot, with sysctl --system; the files that win and lose are named."""

import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.tunables import faces, tmpfiles
from ansible_collections.memops.linux.tests.unit.target.tunables_host import CATALOGUE, SYSCTL_FILE, THP, TMPFILES_FILE, TunablesHost


@pytest.fixture
def host(tmp_path):
    return TunablesHost(tmp_path)


def shown(host, key):
    """{face: (value, the file that wins)}."""
    return {name: (face.value, face.where) for name, face in faces.at_boot(host.reader, CATALOGUE)[key].items()}


def drift(result):
    return [(one["key"], one["face"], one["found"], one["where"]) for one in result["drift"]]


def test_what_was_changed_by_hand_drifts_in_the_running_face_alone(host):
    host.apply({"vm.swappiness": 10})
    host.put("proc/sys/vm/swappiness", "77\n")
    result = host.apply({"vm.swappiness": 10}, run="two", check=True)
    assert drift(result) == [("vm.swappiness", "running", "77", "/proc/sys/vm/swappiness")]
    host.apply({"vm.swappiness": 10}, run="two")
    assert host.value("vm.swappiness") == "10"


def test_sysctl_conf_wins_with_procps_alone_and_is_told_until_it_is_gone(host):
    host.put("etc/sysctl.conf", "# mine\nvm.swappiness = 30\n")
    result = host.apply({"vm.swappiness": 10})
    assert ("vm.swappiness", "procps", "30", "/etc/sysctl.conf") in drift(result)
    second = host.apply({"vm.swappiness": 10}, run="two")
    assert second["changed"] is False
    assert drift(second) == [("vm.swappiness", "procps", "30", "/etc/sysctl.conf")]
    assert second["drift"][0]["shadowed"] == [{"path": "/" + SYSCTL_FILE, "value": "10"}]
    assert "/etc/sysctl.conf still sets it to 30 with sysctl --system" in second["warnings"][0]


def test_a_foreign_line_is_taken_out_of_use_when_that_is_allowed_and_comes_back(host):
    host.put("etc/sysctl.conf", "# mine\nvm/swappiness=30\nvm.dirty_ratio = 9\n")
    checked = host.apply({"vm.swappiness": 10}, own_conflicts=True, check=True)
    assert host.text("etc/sysctl.conf").startswith("# mine\nvm/sw")
    result = host.apply({"vm.swappiness": 10}, own_conflicts=True)
    assert result == checked
    assert host.text("etc/sysctl.conf") == "# mine\n# memops: vm/swappiness=30\nvm.dirty_ratio = 9\n"
    assert {"key": "vm.swappiness@/etc/sysctl.conf", "old": "vm/swappiness=30", "new": None} in result["changes"]
    assert (result["warnings"], host.apply({"vm.swappiness": 10}, run="two", own_conflicts=True)["drift"]) == ([], [])
    host.roll_back()
    assert host.text("etc/sysctl.conf") == "# mine\nvm/swappiness=30\nvm.dirty_ratio = 9\n"


def test_a_foreign_line_for_the_other_one_of_a_pair_is_one_too(host):
    host.put("etc/sysctl.conf", "vm.dirty_ratio = 9\n")
    result = host.apply({"vm.dirty_bytes": "64M"}, check=True)
    assert ("vm.dirty_bytes", "procps", None, None) in drift(result)
    assert "/etc/sysctl.conf still sets it to 0" in result["warnings"][0]
    host.apply({"vm.dirty_bytes": "64M"}, own_conflicts=True)
    assert host.text("etc/sysctl.conf") == "# memops: vm.dirty_ratio = 9\n"


def test_a_file_that_is_read_by_two_names_is_changed_once(host):
    host.put("etc/sysctl.conf", "vm.swappiness = 30\n")
    host.put("etc/sysctl.d/README", "")
    os.symlink("../sysctl.conf", str(host.root / "etc/sysctl.d/zzz.conf"))
    result = host.apply({"vm.swappiness": 10}, own_conflicts=True)
    assert [one["key"] for one in result["changes"] if "@/" in one["key"]] == ["vm.swappiness@/etc/sysctl.d/zzz.conf"]
    assert host.text("etc/sysctl.conf") == "# memops: vm.swappiness = 30\n"
    assert host.roll_back()["notes"] == []
    assert host.text("etc/sysctl.conf") == "vm.swappiness = 30\n"


def test_files_of_the_distribution_are_never_touched(host):
    host.put("usr/lib/sysctl.d/zzz.conf", "vm.swappiness = 30\n")
    result = host.apply({"vm.swappiness": 10}, own_conflicts=True)
    assert host.text("usr/lib/sysctl.d/zzz.conf") == "vm.swappiness = 30\n"
    assert len(result["warnings"]) == 2 and "/usr/lib/sysctl.d/zzz.conf still sets it to 30 at boot" in result["warnings"][0]


@pytest.mark.parametrize("name", ["99-sysctl.conf", "99-zz.conf", "k8s.conf", "kubernetes.conf", "local.conf"])
def test_our_file_wins_over_the_names_that_are_in_use(host, name):
    host.put("etc/sysctl.d/" + name, "vm.swappiness = 30\n")
    host.apply({"vm.swappiness": 10})
    assert shown(host, "vm.swappiness") == {"boot": ("10", "/" + SYSCTL_FILE), "procps": ("10", "/" + SYSCTL_FILE)}


def test_of_a_pair_the_one_that_is_applied_last_counts(host):
    host.put("etc/sysctl.d/10-a.conf", "vm.dirty_bytes = 67108864\n")
    host.put("etc/sysctl.d/20-b.conf", "vm.dirty_ratio = 9\n")
    host.put("etc/sysctl.conf", "vm.dirty_bytes = 33554432\n")
    assert shown(host, "vm.dirty_ratio")["boot"] == ("9", "/etc/sysctl.d/20-b.conf")
    assert shown(host, "vm.dirty_bytes") == {"boot": ("0", "/etc/sysctl.d/20-b.conf"), "procps": ("33554432", "/etc/sysctl.conf")}
    assert shown(host, "vm.dirty_ratio")["procps"] == ("0", "/etc/sysctl.conf")


def test_a_credential_of_the_machine_wins_at_boot_and_is_told(host):
    host.put("run/credentials/@system/sysctl.extra", "vm.swappiness = 30\n")
    result = host.apply({"vm.swappiness": 10}, own_conflicts=True)
    assert "/run/credentials/@system/sysctl.extra still sets it to 30 at boot" in result["warnings"][0]


def test_values_of_sys_have_a_face_at_boot_from_tmpfiles(host):
    host.put("etc/tmpfiles.d/thp.conf", "w %s - - - - always\n" % THP)
    assert shown(host, "thp.enabled") == {"boot": ("always", "/etc/tmpfiles.d/thp.conf")}
    host.apply({"thp.enabled": "never"})
    assert shown(host, "thp.enabled") == {"boot": ("never", "/" + TMPFILES_FILE)}


LINE = "w /sys/x - - - - %s\n"


@pytest.mark.parametrize(
    "files, value, winner",
    [
        ({"etc/tmpfiles.d/b.conf": LINE % "1", "usr/lib/tmpfiles.d/a.conf": LINE % "2"}, "2", "/usr/lib/tmpfiles.d/a.conf"),
        ({"etc/tmpfiles.d/a.conf": LINE % "1", "usr/lib/tmpfiles.d/a.conf": LINE % "2"}, "1", "/etc/tmpfiles.d/a.conf"),
        ({"etc/tmpfiles.d/a.conf": LINE % "1" + LINE % "2"}, "1", "/etc/tmpfiles.d/a.conf"),
        ({"etc/tmpfiles.d/a.conf": "w+" + LINE[1:] % "1" + "w+" + LINE[1:] % "2"}, "2", "/etc/tmpfiles.d/a.conf"),
        ({"etc/tmpfiles.d/a.conf": LINE % "1" + "w+" + LINE[1:] % "2"}, "1", "/etc/tmpfiles.d/a.conf"),
        ({"etc/tmpfiles.d/a.conf": "w+" + LINE[1:] % "1" + LINE % "2"}, "1", "/etc/tmpfiles.d/a.conf"),
        ({"etc/tmpfiles.d/a.conf": LINE % "1", "etc/tmpfiles.d/b.conf": "w /sys/* - - - - 2\n"}, "2", "/etc/tmpfiles.d/b.conf"),
        ({"etc/tmpfiles.d/a.conf": "w! /sys/x - - - - 1\n"}, "1", "/etc/tmpfiles.d/a.conf"),
        ({"etc/tmpfiles.d/a.conf": "f /sys/x - - - - 1\nw /sys/y - - - - 1\n# w /sys/x - - - - 1\nw /sys/x\n"}, None, None),
        ({"etc/tmpfiles.d/a": LINE % "1"}, None, None),
    ],
)
def test_which_line_of_tmpfiles_wins(host, files, value, winner):
    for path, text in files.items():
        host.put(path, text)
    assert tmpfiles.decide(tmpfiles.read(host.reader), ["/sys/x"])["/sys/x"][:2] == (value, winner)


def test_all_faces_are_returned_with_what_loses(host):
    host.put("etc/sysctl.d/10-a.conf", "vm.swappiness = 20\n")
    host.put("etc/sysctl.conf", "vm.swappiness = 30\n")
    host.apply({"vm.swappiness": 10})
    assert host.apply({"vm.swappiness": 10}, check=True)["faces"]["vm.swappiness"] == {
        "running": "10",
        "boot": "10",
        "boot_file": "/" + SYSCTL_FILE,
        "procps": "30",
        "procps_file": "/etc/sysctl.conf",
        "shadowed": [{"path": "/etc/sysctl.d/10-a.conf", "value": "20"}],
    }
