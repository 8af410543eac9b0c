# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""daemon.json as text: merged, and what is not asked for keeps its bytes."""

import json

import pytest

from ansible_collections.memops.linux.plugins.module_utils.docker_daemon import daemon_file
from ansible_collections.memops.linux.plugins.module_utils.docker_daemon.daemon_file import DaemonFileError

TEXTS = {
    "compact": '{"debug":false,"labels":["a=b"]}',
    "one line": '{"debug": false, "labels": ["a=b"]}\n',
    "two spaces": '{\n  "debug": false,\n  "labels": ["a=b",  "c=d"]\n}\n',
    "four spaces": '{\n    "labels": [\n        "a=b"\n    ],\n    "debug": false\n}',
    "tabs": '{\n\t"debug": false,\n\t"labels": {"odd" : 1}\n}\n',
    "no indent": '{\n"debug": false\n}\n',
    "carriage returns": '{\r\n  "debug": false\r\n}\r\n',
    "byte order mark": '\ufeff{\n  "debug": false\n}\n',
    "space around": '\n\n {  "debug" :  false  }  \n\n',
    "escapes": '{"registry-mirrors": ["https:\\/\\/m\\u00e4rz"], "debug": false, "mtu": 1.50e3}',
    "bytes that are no UTF-8": '{"labels": ["\udcff"], "debug": false}',
}


@pytest.mark.parametrize("text", list(TEXTS.values()), ids=list(TEXTS))
def test_a_key_that_is_added_and_taken_out_again_leaves_every_byte(text):
    added = daemon_file.changed(text, {"live-restore": True, "log-opts": {"mode": "non-blocking"}})
    assert daemon_file.settings(added) == dict(daemon_file.settings(text), **{"live-restore": True, "log-opts": {"mode": "non-blocking"}})
    assert list(daemon_file.settings(added))[-2:] == ["live-restore", "log-opts"]
    assert daemon_file.changed(added, {"live-restore": None, "log-opts": None}) == text


@pytest.mark.parametrize("text", list(TEXTS.values()), ids=list(TEXTS))
def test_a_value_that_is_changed_and_changed_back_leaves_every_byte(text):
    there = daemon_file.changed(text, {"debug": True})
    assert there == text.replace("false", "true")
    assert daemon_file.changed(there, {"debug": False}) == text


@pytest.mark.parametrize("text", list(TEXTS.values()), ids=list(TEXTS))
def test_what_holds_already_is_not_written_anew(text):
    assert daemon_file.changed(text, dict(daemon_file.settings(text), absent=None)) == text


@pytest.mark.parametrize("key", ["first", "middle", "last"])
def test_a_key_is_taken_out_wherever_it_stands(key):
    text = '{\n  "first": 1,\n  "middle": {"a": [1, 2]},\n  "last": 3\n}\n'
    left = daemon_file.changed(text, {key: None})
    lines = [line for line in text.splitlines() if '"%s"' % key not in line]
    assert left == "\n".join(lines).replace("},\n}", "}\n}") + "\n"
    assert list(daemon_file.settings(left)) == [name for name in ("first", "middle", "last") if name != key]


@pytest.mark.parametrize("text", [None, "", " \n", "{}", "{ }\n", "{\n}\n"])
def test_without_settings_the_new_one_stands_on_a_line_of_its_own(text):
    assert daemon_file.changed(text, {"live-restore": True}).strip() == '{\n  "live-restore": true\n}'


def test_nested_values_are_indented_as_the_file_is():
    text = daemon_file.changed('{\n\t"debug": true\n}\n', {"log-opts": {"mode": "blocking"}})
    assert text == '{\n\t"debug": true,\n\t"log-opts": {\n\t\t"mode": "blocking"\n\t}\n}\n'


def test_true_is_not_one():
    assert daemon_file.changed('{"mtu": 1}', {"mtu": True}) == '{"mtu": true}'


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{\n  "debug": tru\n}', "line 2, column 12"),
        ('{"debug": true,}', "line 1, column 16"),
        ('{"debug" true}', "line 1, column 10"),
        ('{"debug": true "a": 1}', "line 1, column 16"),
        ("{'debug': true}", "line 1, column 2"),
        ('{"debug": true} {}', "line 1, column 17"),
        ('["debug"]', "line 1, column 1"),
        ('{"debug": true', "line 1, column 15"),
        ('{\n\n"a": 1, // why\n"b": 2}', "line 3, column 9"),
        ('{"a": NaN}', "line 1, column 7"),
        ('{"labels": ["a\nb"]}', "line 1, column 15"),
        ("null", "line 1, column 1"),
        ("[" * 100000, "line 1, column 1"),
        ('{"a":' * 100000, "line 1, column"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text, where):
    with pytest.raises(DaemonFileError) as error:
        daemon_file.settings(text)
    assert str(error.value).startswith(where)


def test_a_key_that_stands_there_twice_is_told_with_the_place_of_the_second():
    with pytest.raises(DaemonFileError) as error:
        daemon_file.changed('{"debug": true,\n "debug": false}', {"live-restore": True})
    assert str(error.value) == 'line 2, column 2: "debug" stands there twice, and Docker takes the second; remove one of them'


def test_hostile_values_are_data():
    value = {"labels": ['x="}', "$(reboot)", "{{ x }}", "\x1b[2J", "\u2028"]}
    assert json.loads(daemon_file.changed("{}", value)) == value
