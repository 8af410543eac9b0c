# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an allocation asked for: masks of all ages, by the headers of those kernels (include/linux/gfp.h, gfp_types.h)."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.gfp import in_words, read_request


@pytest.mark.parametrize(
    ("given", "mask", "names", "kernel", "names_printed", "kind", "zone"),
    [
        ("a page fault of 2.6.32", "0x201da", "", "2.6.32-431.el6", None, "GFP_HIGHUSER_MOVABLE", "Movable"),
        ("slab of 3.10", "0xd0", "", "3.10.0-693.el7", None, "GFP_KERNEL", "Normal"),
        ("a page table of 3.10, with extra flags", "0x2000d0", "", "3.10.0", None, "GFP_KERNEL", "Normal"),
        ("an interrupt of 3.x", "0x20", "", "3.16.0", None, "GFP_ATOMIC", "Normal"),
        ("a page fault of 4.4", "0x24280ca", "", "4.4.0-21", None, "GFP_HIGHUSER_MOVABLE", "Movable"),
        ("4.4 without its version, whose line goes on after the number", "0x24000c0", "", None, False, "GFP_KERNEL", "Normal"),
        ("3.x without its version, whose line goes on after the number", "0x280da", "", None, False, "GFP_HIGHUSER_MOVABLE", "Movable"),
        ("4.15", "0x14000c0", "", "4.15.0-20", None, "GFP_KERNEL", "Normal"),
        ("4.17", "0x14200ca", "", "4.17.0", None, "GFP_HIGHUSER_MOVABLE", "Movable"),
        ("garbled names, with the number and the version", "0xcc0", "GFP_KERNEL|oo", "5.4.0", None, "GFP_KERNEL", "Normal"),
        ("4.18 of EL8", "0x6200ca", "", "4.18.0-372.el8", None, "GFP_HIGHUSER_MOVABLE", "Movable"),
        ("5.4", "0x100cca", "", "5.4.0", None, "GFP_HIGHUSER_MOVABLE", "Movable"),
        ("6.18", "0x140cca", "", "6.18.1", None, "GFP_HIGHUSER_MOVABLE", "Movable"),
        ("names, whatever the number", "0x0badf00d", "GFP_NOFS|__GFP_ZERO", None, None, "GFP_NOFS", "Normal"),
        ("names that stand for a zone", "0xcc1", "GFP_KERNEL|GFP_DMA", None, None, "GFP_KERNEL", "DMA"),
        ("memory below 4 GiB", "0xcc4", "GFP_KERNEL|GFP_DMA32", None, None, "GFP_KERNEL", "DMA32"),
        ("accounted kernel memory", "0x400cc0", "GFP_KERNEL_ACCOUNT", None, None, "GFP_KERNEL_ACCOUNT", "Normal"),
        ("names of the years when waiting had its own flag", "0x24000d0", "GFP_KERNEL|__GFP_WAIT", None, None, "GFP_KERNEL", "Normal"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_the_kind_and_the_zones_are_read_from(given, mask, names, kernel, names_printed, kind, zone):
    request = read_request(mask, tuple(name for name in names.split("|") if name), kernel, names_printed)

    assert (request.kind, request.highest_zone) == (kind, zone)


@pytest.mark.parametrize(
    ("given", "mask", "names", "kernel"),
    [
        ("a bare number of an unknown kernel", "0xcc0", (), None),
        ("no mask", None, (), None),
        ("a mask of 0, which a page fault's OOM prints", "0x0", (), "5.4.0"),
        ("a kernel older than all known layouts", "0xd0", (), "2.4.20"),
        ("garbled names", "0xcc0", ("GFP_KERNEL", "oops"), None),
    ],
)
def test_nothing_is_guessed_from(given, mask, names, kernel):
    assert read_request(mask, names, kernel) is None


@pytest.mark.parametrize(
    ("names", "sleeps", "io", "filesystems", "reserves"),
    [
        ("GFP_KERNEL", True, True, True, False),
        ("GFP_NOFS", True, True, False, False),
        ("GFP_NOIO", True, False, False, False),
        ("GFP_ATOMIC", False, False, False, True),
        ("GFP_NOWAIT", False, False, False, False),
        ("GFP_ATOMIC|__GFP_NOWARN", False, False, False, True),
    ],
)
def test_what_the_kernel_may_do_for_it(names, sleeps, io, filesystems, reserves):
    request = read_request("0x1", tuple(names.split("|")), None)

    assert (request.may_sleep, request.may_do_io, request.may_enter_fs, request.reserves) == (sleeps, io, filesystems, reserves)


def test_old_atomic_requests_could_not_sleep_and_ordinary_ones_could():
    assert not read_request("0x4020", (), "3.10.0").may_sleep
    assert read_request("0xd0", (), "3.10.0").may_sleep


def test_in_words_a_request_says_for_whom_and_under_which_conditions():
    assert in_words(read_request("0x1", ("GFP_ATOMIC",), None)).endswith("it could not wait for anything to be reclaimed")
    assert in_words(read_request("0x1", ("GFP_HIGHUSER_MOVABLE",), None)).startswith("memory for a program")
    assert "below 4 GiB" in in_words(read_request("0x1", ("GFP_KERNEL", "GFP_DMA32"), None))
