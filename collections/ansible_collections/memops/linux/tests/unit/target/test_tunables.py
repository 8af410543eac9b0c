# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

import os

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import tunables

HOST = os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts", "linux-6.1-swap-full")


def test_values_are_the_words_that_sysctl_prints():
    values = tunables.collect(Reader(HOST), None)["values"]
    assert values["vm.swappiness"] == "60"
    assert values["vm.page-cluster"] == "3"
    assert values["vm.lowmem_reserve_ratio"] == "256 256 32 0 0"
    assert values["kernel.threads-max"] == "7600"
    assert "kernel.shmmax" not in values


def test_files_that_act_when_touched_are_not_opened(tmp_path):
    vm = tmp_path / "proc/sys/vm"
    vm.mkdir(parents=True)
    for name in tunables.ACTIONS + ("swappiness",):
        (vm / name).write_text("1\n")
    opened = []
    reader = Reader(str(tmp_path), announce=opened.append)
    assert tunables.collect(reader, None) == {"values": {"vm.swappiness": "1"}, "files": []}
    assert reader.unreadable == []
    assert not [path for path in opened if path.endswith(tunables.ACTIONS)]


def test_only_memory_keys_of_the_sysctl_files_are_kept_even_those_that_the_kernel_lacks(tmp_path):
    (tmp_path / "etc/sysctl.d").mkdir(parents=True)
    (tmp_path / "etc/sysctl.d/50-a.conf").write_text(
        "vm.swappiness=10\nvm.not_in_this_kernel=1\nkernel.panic=10\nkernel.sysrq=1\nnet.ipv4.tcp_mem=1\n"
    )
    files = tunables.collect(Reader(str(tmp_path)), None)["files"]
    assert [entry["key"] for entry in files] == ["kernel.panic", "vm.not_in_this_kernel", "vm.swappiness"]
