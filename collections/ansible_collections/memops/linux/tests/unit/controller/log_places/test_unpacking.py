# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packed logs: known by their bytes, read to the last byte that is there, never further than allowed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import time

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import DamagedLog
from ansible_collections.memops.linux.plugins.plugin_utils.log_places.unpacking import BLOCK_BYTES, Allowance, unpacked

TEXT = b"".join(b"[%d.000000] a line of a kernel's log\n" % number for number in range(50_000))
NOISE = os.urandom(300_000)


def outcome(packed, limit_bytes=1 << 30, piece=70_001):
    """(what came out, the damage that was told)."""
    given = []
    try:
        for block in unpacked((packed[start : start + piece] for start in range(0, len(packed), piece)), Allowance(limit_bytes)):
            assert len(block) <= BLOCK_BYTES
            given.append(block)
    except DamagedLog as damage:
        return b"".join(given), str(damage)
    return b"".join(given), None


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress], ids=["plain", "gzip", "xz", "bzip2"])
@pytest.mark.parametrize("piece", [1 << 20, 4096, 7])
def test_given_a_packed_log_then_its_text_comes_out_whatever_the_pieces(pack, piece):
    assert outcome(pack(TEXT[:200_000]), piece=piece) == (TEXT[:200_000], None)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress], ids=["gzip", "xz", "bzip2"])
def test_given_several_packed_streams_in_a_row_then_all_are_read_and_padding_and_what_follows_are_not(pack):
    assert outcome(pack(b"one\n") + pack(b"two\n") + b"\0" * 512) == (b"one\ntwo\n", None)
    assert outcome(pack(b"one\n") + b"garbage") == (b"one\n", None)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress], ids=["gzip", "xz", "bzip2"])
def test_given_a_packed_log_that_was_cut_then_its_start_comes_out_and_the_cut_is_told(pack):
    packed = pack(NOISE + TEXT)

    given, told = outcome(packed[: len(packed) * 9 // 10])

    assert (NOISE + TEXT).startswith(given)
    assert "ends too early" in told
    assert pack is bz2.compress or len(given) > 100_000  # bzip2 gives blocks of 900 kB or nothing


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_given_damage_in_the_middle_then_what_stands_before_it_comes_out_and_the_damage_is_told(pack):
    packed = bytearray(pack(NOISE))
    packed[200_000:200_100] = b"\xff" * 100

    given, told = outcome(bytes(packed))

    assert "damaged" in told
    assert NOISE.startswith(given[:100_000])
    assert len(given) >= 100_000 or pack is lzma.compress  # xz checks a block as a whole


def test_given_a_bomb_then_no_more_than_the_limit_is_unpacked_and_the_ratio_is_told():
    packed = gzip.compress(bytes(200 << 20))
    began = time.monotonic()

    given, told = outcome(packed, limit_bytes=5_000_000)

    assert len(given) == 5_000_000
    assert "only its first 5000000 bytes" in told
    assert " to 1)" in told
    assert time.monotonic() - began < 5


def test_given_files_that_share_an_allowance_then_the_limit_counts_them_together():
    allowance = Allowance(1500)
    packed = gzip.compress(bytes(1000))

    assert len(b"".join(unpacked([packed], allowance))) == 1000
    with pytest.raises(DamagedLog, match="only its first 500 bytes"):
        list(unpacked([packed], allowance))


def test_given_a_log_that_is_packed_twice_then_it_is_read_and_one_packed_without_end_is_not():
    twice = gzip.compress(lzma.compress(TEXT))
    assert outcome(twice) == (TEXT, None)

    assert outcome(gzip.compress(gzip.compress(twice))) == (b"", "it is packed more than 2 times over")


def test_given_zstd_then_it_is_read_or_the_way_to_unpack_it_is_told():
    try:
        from compression import zstd
    except ImportError:
        assert "zstd -d" in outcome(b"\x28\xb5\x2f\xfd" + bytes(20))[1]
    else:
        assert outcome(zstd.compress(TEXT)) == (TEXT, None)


@pytest.mark.parametrize("bytes_", [b"", b"\x1f", b"\x1f\x8b\x08", b"BZh", b"BZh9" + bytes(90), b"\xfd7zXZ\x00" + bytes(90)])
def test_given_a_start_of_a_packed_file_and_nothing_more_then_nothing_comes_out_and_nothing_breaks(bytes_):
    given, told = outcome(bytes_)

    assert given == (bytes_ if len(bytes_) < 3 else b"")
    assert (told is None) == (len(bytes_) < 3)
