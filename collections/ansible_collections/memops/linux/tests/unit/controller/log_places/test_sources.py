# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What lies at a path: each log an entry with a name of its own, everything else named with the reason."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import socket
import tarfile

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.log_places import sources
from ansible_collections.memops.linux.plugins.plugin_utils.log_places.naming import distinct, stem
from ansible_collections.memops.linux.plugins.plugin_utils.log_places.sources import NothingThere, find
from ansible_collections.memops.linux.plugins.plugin_utils.report.host_files import folder_name

LOG = b"[1.000000] a log\n"
EVIDENCE = json.dumps({"host": "web1", "schema": "memops.evidence/1"}).encode()


@pytest.fixture
def folder(tmp_path):
    """Makes files of {path: content}; gives the folder."""

    def made(files):
        for path, content in files.items():
            full = tmp_path / path
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_bytes(content)
        return tmp_path

    return made


def places(*paths):
    """{path below the first: (kind, wanted name)}, {name: why} of what is passed over."""
    found = find([str(path) for path in paths])
    return (
        {os.path.basename(place.path): (place.kind, place.wanted) for place in found.places},
        {os.path.basename(item["path"]): item["why"] for item in found.skipped},
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/messages-20240101.gz", "messages-20240101"),
        ("case.log", "case"),
        ("case.log.gz", "case"),
        ("case.txt.xz", "case"),
        ("messages.1", "messages.1"),
        ("web1.example.org", "web1.example.org"),
        ("sosreport-web1.tar.xz", "sosreport-web1"),
        ("bundle.tgz", "bundle"),
        (".log", ".log"),
        ("log", "log"),
        ("{{ 7*7 }}.log", "{{ 7*7 }}"),
    ],
)
def test_a_log_is_named_by_its_file_without_packing_and_kind(path, name):
    assert stem(path) == name


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["x/a.log", "x/b.log"], ["a", "b"]),
        (["x/web1/messages", "x/web2/messages"], ["web1:messages", "web2:messages"]),
        (["x/case.log", "x/case.log.gz", "x/case.txt"], ["case.log", "case.log.gz", "case.txt"]),
        (["x/web1/case.log", "x/web2/case.log", "x/web2/case.log.gz"], ["web1:case.log", "web2:case.log", "case.log.gz"]),
        (["a/b/messages", "b/messages", "c/a/b/messages"], None),
        (["x/web1:messages", "y/web1/messages", "y/web2/messages"], None),
        (["x/" + "a" * 240 + "1", "x/" + "a" * 240 + "2", "x/" + "\n" * 200], None),
        (["x/A.log", "x/a.log"], ["A", "a"]),
    ],
)
def test_logs_of_one_name_are_told_apart_by_as_much_of_their_paths_as_it_takes(paths, names):
    given = distinct([(stem(path), path) for path in paths])

    assert names is None or given == names
    assert len({folder_name(name) for name in given}) == len(paths)
    assert given == distinct([(stem(path), path) for path in paths])
    assert all(len(folder_name(name)) < 200 for name in given)


def test_a_folder_gives_an_entry_for_each_log_below_it_rotated_ones_too(folder):
    top = folder({"messages": LOG, "messages.1": LOG, "old/messages-20240101.gz": gzip.compress(LOG), "old/a/b/c/kern.log": LOG})

    assert places(top) == (
        {
            "messages": ("log", "messages"),
            "messages.1": ("log", "messages.1"),
            "messages-20240101.gz": ("log", "messages-20240101"),
            "kern.log": ("log", "kern"),
        },
        {},
    )


def test_a_file_a_glob_and_a_list_that_overlap_give_each_log_once_in_a_stable_order(folder):
    top = folder({"a.log": LOG, "b.log": LOG, "c.txt": LOG})

    found = find([f"{top}/b.log", f"{top}/*.log", str(top), f"{top}/**"])

    assert [os.path.basename(place.path) for place in found.places] == ["b.log", "a.log", "c.txt"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(folder):
    top = folder({"app[1].log": LOG, "app1.log": LOG})

    assert list(places(top / "app[1].log")[0]) == ["app[1].log"]


def test_what_a_file_is_shows_in_its_bytes_and_not_in_its_name(folder, tmp_path):
    top = folder({"packed.log": gzip.compress(LOG), "plain.gz": LOG, "evidence.json": EVIDENCE, "web2.json": EVIDENCE, "bundle.log": b""})
    with tarfile.open(top / "bundle.log", "w:xz") as archive:
        archive.add(top / "plain.gz", "x")

    found, _passed_over = places(top)

    assert found == {
        "packed.log": ("log", "packed"),
        "plain.gz": ("log", "plain"),
        "evidence.json": ("evidence", "web1"),
        "web2.json": ("evidence", "web2"),
        "bundle.log": ("archive", "bundle"),
    }


def test_the_report_folder_of_an_earlier_run_gives_its_evidence_once_and_not_its_reports(folder):
    top = folder(
        {
            "1/hosts/web1/evidence.json": EVIDENCE,
            "1/hosts/web1/diagnosis.json": b'{\n "schema": "memops.diagnosis/1",',
            "1/report.json": b'{\n "schema": "memops.report/1"',
            "1/report.md": b"# Memory diagnosis\n",
        }
    )
    (top / "latest").symlink_to("1")

    found, passed_over = places(top)

    assert found == {"evidence.json": ("evidence", "web1")}
    assert set(passed_over) == {"diagnosis.json", "report.json", "report.md", "latest"}
    assert places(top / "latest")[0] == found


def test_evidence_that_another_tool_has_sorted_is_still_evidence(folder):
    top = folder({"evidence.json": json.dumps({"boot_id": "x", "cgroups": ["x" * 100_000], "host": "web1", "schema": "memops.evidence/1"}).encode()})

    assert places(top / "evidence.json")[0]["evidence.json"][0] == "evidence"


@pytest.mark.parametrize("below", ["", "deeper/", "deeper/sosreport-x/"])
def test_a_sosreport_is_one_entry_wherever_it_lies_in_the_folder(folder, below):
    top = folder({f"{below}sos_commands/logs/journalctl_--no-pager": LOG, f"{below}var/log/messages": LOG, f"{below}etc/hostname": b"web1\n"})

    assert [(place.kind, os.path.relpath(place.path, top)) for place in find([str(top)]).places] == [("sosreport", below.rstrip("/") or ".")]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (".hidden.log", LOG, "hidden"),
        ("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
        ("system.journal", b"LPKSHHRH" + bytes(100), "journalctl --file"),
        ("core", b"\x7fELF" + bytes(100), "program or a core dump"),
        ("logs.zip", b"PK\x03\x04" + bytes(100), "unpack it first"),
        ("noise", bytes(range(256)) * 300, "binary data"),
        ("zeros", bytes(5000), "binary data"),
        ("noise.gz", gzip.compress(bytes(range(256)) * 300), "binary data, not text (after unpacking)"),
    ],
)
def test_in_a_folder_what_is_no_log_is_passed_over_and_named_with_the_reason(folder, name, content, why):
    found, passed_over = places(folder({"a.log": LOG, name: content}))

    assert set(found) == {"a.log"}
    assert why in passed_over[name]


@pytest.mark.parametrize(
    "content",
    [
        bytes(4096) + LOG,
        LOG + bytes(4096),
        "Nov 20 10:00:00 хост ядро: память\n".encode() * 10,
        LOG * 5 + b"\xff\xfe caf\xe9\n",
        b"\x1b[31m[1.000000] a log\x1b[0m\r\n",
    ],
    ids=["a crash left zeros", "zeros at the end", "another alphabet", "a few bytes of no character set", "console colours"],
)
def test_a_log_with_odd_bytes_is_a_log(folder, content):
    assert places(folder({"a.log": content}))[0] == {"a.log": ("log", "a")}


def test_pipes_sockets_and_devices_are_never_opened(folder, monkeypatch):
    top = folder({"a.log": LOG})
    os.mkfifo(top / "pipe")
    monkeypatch.chdir(top)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        (top / "device").symlink_to("/dev/zero")

        found, passed_over = places(top)

    assert set(found) == {"a.log"}
    assert "named pipe" in passed_over["pipe"]
    assert "socket" in passed_over["socket"]
    assert "device" in passed_over["device"]


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/kmsg", "pipe"])
def test_a_pipe_or_device_that_is_asked_for_by_name_is_an_entry_that_says_why_not(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    if not os.path.exists(path):
        pytest.skip(f"{path} is not there")

    (place,) = find([path]).places

    assert place.kind == "unread"
    assert "not a file" in place.why_not


def test_links_that_go_round_or_nowhere_end_and_are_named(folder):
    top = folder({"a/a.log": LOG})
    (top / "a/up").symlink_to("..")
    (top / "self").symlink_to("self")
    (top / "gone").symlink_to("nowhere")
    (top / "file").symlink_to("a/a.log")

    found, passed_over = places(top)

    assert found == {"a.log": ("log", "a"), "file": ("log", "file")}
    assert "link to a folder" in passed_over["up"]
    assert "leads back to itself" in passed_over["self"]
    assert "not there" in passed_over["gone"]


def test_folders_are_walked_to_a_bounded_depth(folder):
    deep = "d/" * (sources.DEPTH + 3)
    found, passed_over = places(folder({"a.log": LOG, f"{deep}b.log": LOG}))

    assert set(found) == {"a.log"}
    assert "folders deep" in passed_over["d"]


def test_a_folder_with_more_files_than_anybody_means_is_refused(folder, monkeypatch):
    monkeypatch.setattr(sources, "FILES", 3)

    with pytest.raises(NothingThere, match="more than 3 files"):
        find([str(folder({f"{number}.log": LOG for number in range(5)}))])


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("nowhere.log", "there is no file or folder .*/nowhere.log"),
        ("no*.log", "nothing matches .*/no\\*.log"),
        ("", "empty name"),
        ("a\0b", "no file or folder"),
        ("\ud800", "no file or folder"),
        (".", "it is an empty folder"),
    ],
)
def test_a_path_with_nothing_there_is_told_with_the_path(tmp_path, monkeypatch, path, told):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NothingThere, match=told):
        find([path])


def test_a_folder_that_holds_only_what_is_no_log_is_told_with_the_reasons(folder):
    with pytest.raises(NothingThere, match=r"photo.png: it is a picture"):
        find([str(folder({"photo.png": b"\x89PNG", ".x": b""}))])


def test_an_empty_file_and_one_that_may_not_be_read_are_entries_that_say_so(folder, monkeypatch):
    top = folder({"empty.log": b"", "secret.log": LOG})
    real = os.open

    def refuse(path, *arguments, **options):
        if str(path).endswith("secret.log"):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)

    found = {os.path.basename(place.path): (place.kind, place.why_not) for place in find([str(top)]).places}

    assert found == {"empty.log": ("unread", "it is empty"), "secret.log": ("unread", "it cannot be read: permission denied")}


@pytest.mark.parametrize("name", [b"caf\xe9.log", b"a\nb\x1b[31m.log", b"-rf.log", b"{{ 7*7 }}.log", "\u202egol.exe".encode()])
def test_names_of_files_are_text_that_can_be_written_whatever_they_are(tmp_path, name):
    pathlib.Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(LOG)

    (place,) = find([str(tmp_path)]).places

    place.wanted.encode()
    assert "/" not in folder_name(distinct([(place.wanted, place.path)])[0])
