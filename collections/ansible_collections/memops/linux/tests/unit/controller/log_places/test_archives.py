# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tar archives by an honest and by a hostile hand: members stream by, and nothing is followed, written or held."""

from __future__ import annotations

import io
import tarfile

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import DamagedLog
from ansible_collections.memops.linux.plugins.plugin_utils.log_places import archives


def tar(*members, format=tarfile.GNU_FORMAT):
    """An archive of (name, content) or ready TarInfo without content."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=format) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, content = member
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_700_000_000
            archive.addfile(info, io.BytesIO(content))
    return held.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def read(packed, piece=1000):
    return [(member.path, member.why_not or b"".join(member.blocks)) for member in archives.opened(packed[i : i + piece] for i in range(0, len(packed), piece))]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_given_files_then_each_one_streams_by_with_its_path_below_the_top(format):
    long = "deep/" * 25 + "messages"

    assert read(tar(("./var/log//messages", b"one"), (long, b"two" * 5000), format=format)) == [("var/log/messages", b"one"), (long, b"two" * 5000)]


def test_given_members_that_nobody_reads_then_the_next_one_is_still_found():
    packed = tar(("a", b"x" * 5000), ("b", b"y"))

    assert [member.path for member in archives.opened([packed])] == ["a", "b"]


@pytest.mark.parametrize(
    ("member", "why"),
    [
        (("../../etc/cron.d/x", b"* * * * * root x"), "leads out"),
        (("/etc/passwd", b"root::0"), "leads out"),
        (("a/../../b", b""), "leads out"),
        (special("messages", tarfile.SYMTYPE, "/etc/shadow"), "link"),
        (special("messages", tarfile.LNKTYPE, "../../etc/shadow"), "link"),
        (special("sda", tarfile.BLKTYPE), "device"),
        (special("mem", tarfile.CHRTYPE), "device"),
        (special("pipe", tarfile.FIFOTYPE), "device or pipe"),
    ],
    ids=["climbs", "absolute", "climbs within", "symbolic link", "hard link", "block device", "device", "pipe"],
)
def test_given_a_member_that_is_no_file_or_leads_out_then_it_is_named_and_the_others_are_read(member, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    (passed_over, (path, content)) = read(tar(member, ("messages.1", b"log")))

    assert why in passed_over[1]
    assert (path, content) == ("messages.1", b"log")
    assert list(tmp_path.iterdir()) == []


def test_given_a_header_that_claims_gigabytes_of_name_then_it_is_refused_before_it_is_read():
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 5 << 30

    def blocks():
        yield info.tobuf(tarfile.GNU_FORMAT)
        raise AssertionError("read on")

    with pytest.raises(DamagedLog, match="claims 5368709120 bytes"):
        read_all = [member.path for member in archives.members(blocks())]
        assert not read_all


def test_given_more_members_than_anybody_has_then_the_first_are_read_and_the_rest_is_told(monkeypatch):
    monkeypatch.setattr(archives, "MEMBERS", 3)
    seen = []

    with pytest.raises(DamagedLog, match="more than 3 members"):
        for member in archives.opened([tar(*((f"log{number}", b"") for number in range(5)))]):
            seen.append(member.path)

    assert seen == ["log0", "log1", "log2"]


@pytest.mark.parametrize("keep", [512, 700, 1024, 1536, 2048])
def test_given_an_archive_that_was_cut_anywhere_then_that_is_told(keep):
    packed = tar(("a", b"x" * 600), ("b", b"y" * 600))

    with pytest.raises(DamagedLog):
        read(packed[:keep])


def test_given_a_member_that_claims_a_negative_size_then_the_archive_is_refused():
    info = tarfile.TarInfo("x")
    buffer = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    buffer[124:136] = b"\xff" * 12
    buffer[148:156] = b" " * 8
    buffer[148:156] = b"%06o\0 " % sum(buffer)

    with pytest.raises(DamagedLog, match="claims -"):
        read(bytes(buffer) + bytes(1024))


def test_given_bytes_that_are_no_archive_then_that_is_told():
    with pytest.raises(DamagedLog, match="not a tar archive"):
        read(b"no archive\n" * 1000)


def test_given_names_of_no_character_set_then_they_are_text():
    name = b"caf\xe9\n\x1b[31m.log".decode("utf-8", "surrogateescape")

    ((path, _content),) = read(tar((name, b"x"), format=tarfile.GNU_FORMAT))

    assert path == "caf\\xe9\n\x1b[31m.log"
    path.encode()
