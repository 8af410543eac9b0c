# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bounded reads: nothing raises, nothing grows without bound, what is missing is said."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader


@pytest.fixture
def root(tmp_path):
    (tmp_path / "number").write_text("42\n")
    (tmp_path / "max").write_text("max\n")
    (tmp_path / "long").write_bytes(b"x" * 5000)
    (tmp_path / "odd").write_bytes(b"a\xffb")
    (tmp_path / "folder").mkdir()
    return tmp_path


def test_a_number_is_read_and_a_word_is_no_number(root):
    reader = Reader(str(root))

    assert (reader.number("/number"), reader.number("/max")) == (42, None)
    assert reader.unreadable == []


def test_a_file_longer_than_its_limit_is_cut_and_noted(root):
    reader = Reader(str(root))

    assert len(reader.data("/long", limit=100)) == 100
    assert reader.unreadable == [{"source": "/long", "why": "only the first 100 bytes were read"}]


def test_bytes_that_are_no_text_do_not_raise(root):
    assert Reader(str(root)).text("/odd") == u"a\ufffdb"


def test_an_expected_file_that_is_absent_is_noted_once_and_an_optional_one_is_not(root):
    reader = Reader(str(root))

    assert [reader.text("/none"), reader.text("/none"), reader.text("/optional", expected=False)] == [None, None, None]
    assert reader.unreadable == [{"source": "/none", "why": "is not there"}]


def test_a_folder_read_as_a_file_is_noted_with_the_systems_reason(root):
    reader = Reader(str(root))

    assert reader.text("/folder", expected=False) is None
    assert reader.unreadable[0]["source"] == "/folder"


def test_a_path_to_be_left_out_is_not_opened(root):
    opened = []
    reader = Reader(str(root), skip=["/number"], announce=opened.append)

    assert reader.text("/number") is None
    assert opened == []
    assert reader.unreadable == [{"source": "/number", "why": "did not answer in time"}]


def test_a_commands_lines_come_one_by_one_and_no_match_is_no_failure():
    reader = Reader()

    assert list(reader.lines_of(["sh", "-c", "printf 'a\\nb'; exit 1"], 5)) == [b"a", b"b"]
    assert reader.unreadable == []


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["sh", "-c", "exit 3"], "ended with status 3"),
        (["memops-no-such-command", "x"], "could not be started: No such file or directory"),
        (["sh", "-c", "echo a; exec sleep 30"], "stopped after 1 s or 100 bytes; later lines are missing"),
        (["sh", "-c", "while :; do echo aaaaaaaaa; done"], "stopped after 1 s or 100 bytes; later lines are missing"),
    ],
)
def test_a_command_that_fails_hangs_or_floods_is_noted_and_ended(argv, why):
    reader = Reader()

    lines = list(reader.lines_of(argv, 1, limit_bytes=100))

    assert sum(map(len, lines)) <= 100
    assert [note["why"] for note in reader.unreadable] == [why]


def test_a_flood_of_failures_is_noted_up_to_a_bound(root):
    reader = Reader(str(root))
    for number in range(500):
        reader.text("/missing-%d" % number)

    assert len(reader.unreadable) == 50
