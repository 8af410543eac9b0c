"""A platform in, QEMU's words out."""

from __future__ import annotations

import pathlib
import re

import pytest

from lab import platforms
from lab.command_line import DirectKernel, qemu_arguments

FOLDER = pathlib.Path("/cache/vms/run/name")
KERNEL = DirectKernel(pathlib.Path("/images/vmlinuz"), pathlib.Path("/images/initrd"))


def words(name="bookworm-6.1", changes=None, folder=FOLDER, accelerator="tcg", kernel=KERNEL) -> list[str]:
    return qemu_arguments(platforms.load(name, changes), folder, "host", accelerator, kernel)


def after(argument: str, given: list[str]) -> list[str]:
    return [given[place + 1] for place, word in enumerate(given) if word == argument]


def test_ssh_is_reached_on_a_port_of_this_machine_alone_that_the_kernel_chooses():
    (network,) = after("-netdev", words())

    assert "hostfwd=tcp:127.0.0.1:0-:22" in network
    assert "restrict=on" in network


@pytest.mark.parametrize(("accelerator", "cpu"), [("kvm", "host"), ("tcg", "max")])
def test_the_processor_fits_the_accelerator(accelerator, cpu):
    given = words(accelerator=accelerator)

    assert after("-accel", given)[0].split(",")[0] == accelerator
    assert after("-cpu", given) == [cpu]


@pytest.mark.parametrize(("memory", "vcpus", "nodes"), [(1024, 2, 2), (1000, 3, 3), (1025, 4, 2)])
def test_numa_nodes_share_out_all_memory_and_all_processors(memory, vcpus, nodes):
    given = words(changes={"memory_mib": memory, "vcpus": vcpus, "numa_nodes": nodes})

    sizes = [int(found[1]) for word in after("-object", given) if (found := re.search(r"memory-backend-ram.*size=(\d+)M", word))]
    ranges = [re.search(r"cpus=(\d+)-(\d+)", word).groups() for word in after("-numa", given)]
    assert sum(sizes) == memory
    assert [cpu for first, last in ranges for cpu in range(int(first), int(last) + 1)] == list(range(vcpus))


def test_one_node_needs_no_word_of_numa():
    assert not after("-numa", words())


def test_each_disk_has_its_own_throttle():
    given = words(changes={"disk_write_bytes_per_second": 8388608, "disks": [{"size_mib": 1}, {"size_mib": 1, "write_bytes_per_second": 5}]})

    throttles = [re.search(r"bps-write=(\d+)", word) for word in after("-drive", given)]
    assert [found and int(found[1]) for found in throttles] == [8388608, None, 5]


def test_the_platform_s_command_line_ends_the_kernel_s():
    (line,) = after("-append", words("bullseye-5.10-v1", {"append": "psi=1"}))

    assert line.endswith("systemd.unified_cgroup_hierarchy=0 psi=1")


def test_a_comma_in_the_cache_s_path_does_not_end_an_option():
    given = words(folder=pathlib.Path("/a,b/vms/run/name"))

    assert any("file=/a,,b/vms/run/name/root.qcow2" in word for word in after("-drive", given))


def test_without_a_kernel_the_disk_boots_and_has_a_seed_beside_it():
    given = words(kernel=None)

    assert "-kernel" not in given
    assert any("vvfat" in word and "CIDATA" in word for word in after("-drive", given))


def test_a_panic_s_last_words_are_kept_in_the_machine_s_folder():
    (memory,) = [word for word in after("-object", words()) if "id=pstore" in word]

    assert f"mem-path={FOLDER}/pstore,share=on" in memory
    assert "acpi-erst,memdev=pstore" in after("-device", words())
