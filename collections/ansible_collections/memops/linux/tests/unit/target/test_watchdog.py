# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The watched worker: a stuck file, a killed worker or a late section costs one section at most."""

import json
import os
import signal
import time

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.collection.watchdog import run_sections


def sections(work, names=("one", "two", "three"), seconds=20, stall_seconds=0.3):
    return list(run_sections(names, work, seconds, stall_seconds))


def test_each_section_arrives_in_order_as_json_with_its_notes():
    def work(name, skip, announce):
        return json.dumps({"name": name}), {"unreadable": [], "dropped": [{"what": name}]}

    result = sections(work)

    assert [(name, json.loads(data.decode()), notes["dropped"]) for name, data, notes in result] == [
        (name, {"name": name}, [{"what": name}]) for name in ("one", "two", "three")
    ]


def test_a_file_that_never_answers_is_named_and_the_rest_of_its_section_is_kept(tmp_path):
    os.mkfifo(str(tmp_path / "hung"))  # opening a pipe that nobody writes blocks for ever
    (tmp_path / "fine").write_text("1")

    def work(name, skip, announce):
        reader = Reader(str(tmp_path), skip, announce)
        return json.dumps({"hung": reader.text("/hung"), "fine": reader.number("/fine")}), {"unreadable": reader.unreadable}

    (_name, data, notes), = sections(work, ["one"])

    assert json.loads(data.decode()) == {"hung": None, "fine": 1}
    assert notes["unreadable"] == [{"source": "/hung", "why": "did not answer in time"}]


def test_a_worker_that_is_killed_costs_its_section_only_and_the_reason_is_told():
    def work(name, skip, announce):
        announce("/proc/" + name)
        if name == "two":
            os.kill(os.getpid(), signal.SIGKILL)
        return json.dumps(name), {"unreadable": []}

    result = sections(work)

    assert [data for _name, data, _notes in result] == [b'"one"', None, b'"three"']
    assert result[1][2]["unreadable"] == [{"source": "/proc/two", "why": "the collector was killed by signal 9 while reading it"}]


def test_a_defect_in_one_section_leaves_the_others_whole():
    def work(name, skip, announce):
        announce("/sys/" + name)
        return str(1 // (name != "one")), {"unreadable": []}

    result = sections(work)

    assert [data is None for _name, data, _notes in result] == [True, False, False]
    assert "failed" in result[0][2]["unreadable"][0]["why"]


def test_sections_that_are_not_reached_in_time_say_so():
    def work(name, skip, announce):
        end = time.time() + 5
        while name == "two" and time.time() < end:
            announce("/slow")
            time.sleep(0.01)
        return json.dumps(name), {"unreadable": []}

    result = sections(work, seconds=0.8)

    assert [data for _name, data, _notes in result] == [b'"one"', None, None]
    assert result[1][2]["unreadable"][0]["why"] == "did not finish in the time allowed"
    assert result[2][2]["unreadable"] == [{"source": "three", "why": "no time was left to read it"}]


def test_a_large_section_arrives_whole():
    def work(name, skip, announce):
        return json.dumps("x" * 3000000), {"unreadable": []}

    (_name, data, _notes), = sections(work, ["one"])

    assert len(data) == 3000002


def test_no_worker_is_left_behind():
    pids = []

    def work(name, skip, announce):
        return str(os.getpid()), {"unreadable": []}

    for _name, data, _notes in sections(work):
        pids.append(int(data))

    assert not [pid for pid in pids if os.path.exists("/proc/%d" % pid)]
