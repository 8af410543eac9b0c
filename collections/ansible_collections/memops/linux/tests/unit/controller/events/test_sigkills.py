# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SIGKILLs as shells, build tools and supervisors tell them; lines written by hand after the programs' sources."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.services import read_services
from ansible_collections.memops.linux.tests.unit.controller.events.test_services import only, said


@pytest.mark.parametrize(
    ("line", "process", "pid"),
    [
        ("bash: line 2: 4711 Killed                  ./import --all", "./import", 4711),
        ("/srv/run.sh: line 12:  4711 Killed                  python x.py", "python", 4711),
        ("line 2: 4711 Killed                  ./import", "./import", 4711),
        ("[1]+  Killed                  ./import", "./import", None),
        ("zsh: killed     ./import", "./import", None),
        ("Killed", None, None),
        ("LOG:  server process (PID 4711) was terminated by signal 9: Killed", None, 4711),
        ("[pool www] child 4711 exited on signal 9 (SIGKILL) after 12.3 seconds from start", None, 4711),
        ("DAMN ! worker 1 (pid: 4711) died, killed by signal 9 :( trying respawn ...", None, 4711),
        ("[ERROR] Worker (pid:4711) was sent SIGKILL! Perhaps out of memory?", None, 4711),
        ("Worker exited prematurely: signal 9 (SIGKILL) Job: 5.", None, None),
        ("WARN exited: import (terminated by SIGKILL; not expected)", "import", None),
        ("process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)", None, None),
        ("go: build shop: compile: signal: killed", None, None),
        ("c++: fatal error: Killed signal terminated program cc1plus", "cc1plus", None),
        ("g++: internal compiler error: Killed (program cc1plus)", None, None),
        ("web-1 exited with code 137", "web-1", None),
        ("0123456789ab   web   Exited (137) 5 minutes ago", None, None),
        ("Exit Code:    137", None, None),
        ("+ exit_code=137", None, None),
        ("The command '/bin/sh -c make' returned a non-zero code: 137", None, None),
        ("ERROR: process did not complete successfully: exit code: 137", None, None),
        ("job failed: exit status 137", None, None),
    ],
)
def test_a_sigkill_without_the_kernel_s_word(line, process, pid):
    event = only([{"text": line}])
    assert (event.kind, event.process, event.pid) == ("unit_killed", process, pid)


def test_the_compiler_that_died_and_what_its_shell_says_of_it_are_one_death():
    died = {"text": "c++: fatal error: Killed signal terminated program cc1plus"}
    event = only([{"text": "Killed"}, died])
    assert (event.process, len(event.lines)) == ("cc1plus", 2)
    assert len(read_services([died, died])) == 2


def test_what_a_script_says_of_one_death_is_one_event():
    texts = ("bash: line 2: 4711 Killed                  timeout -s KILL 1800 ./import", "+ exit_code=137", "+ exit 137", "   Exit Code: 137")
    event = only([{"text": text} for text in texts])
    assert (event.pid, len(event.lines), event.quotes["sender"].text) == (4711, 4, texts[0])


@pytest.mark.parametrize("command", ["timeout -s KILL 9 a", "timeout --signal=SIGKILL 9 a", "timeout -k 5 10 a", "sh -c 'kill -9 $$'"])
def test_a_command_that_sends_the_sigkill_itself(command):
    assert "sender" in only([{"text": f"bash: line 1: 7 Killed   {command}"}]).quotes


@pytest.mark.parametrize("command", ["timeout 9 a", "a --kill", "skill -9 a"])
def test_a_command_that_sends_none(command):
    assert "sender" not in only([{"text": f"bash: line 1: 7 Killed   {command}"}]).quotes


def test_docker_stop_and_the_kubelet_say_that_they_end_a_container():
    force = "Container failed to exit within 10s of signal 15 - using the force"
    assert only([{"text": force}, {"text": "web exited with code 137"}]).quotes["sender"].text == force
    assert only([{"text": "web exited with code 137"}, {"text": force}]).quotes["sender"].text == force
    stop = '"Killing container with a grace period" pod="shop/web-0" gracePeriod=30'
    assert only(said("kubelet", stop, "web exited with code 137")).quotes["sender"].text == stop


def test_a_container_that_is_ended_long_before_is_another():
    force = "Container failed to exit within 10s of signal 15 - using the force"
    others = [{"text": "another line"}] * 30
    assert "sender" not in only([{"text": force}, *others, {"text": "web exited with code 137"}]).quotes


def test_lines_that_follow_one_another_are_of_one_death_whatever_their_stamps():
    early, late = "2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z"
    records = [{"text": "bash: line 2: 4711 Killed  ./import", "time": early}, {"text": "Exit Code: 137", "time": late}]
    assert len(only(records).lines) == 2
    others = [{"text": "another line", "time": late}] * 30
    assert len(read_services([records[0], *others, records[1]])) == 2


def test_two_processes_are_two_deaths():
    assert len(read_services({"text": f"a.sh: line 3: {pid} Killed   ./a"} for pid in (7, 8))) == 2
    assert len(read_services({"text": f"{name} exited with code 137"} for name in ("web-1", "web-2"))) == 2


@pytest.mark.parametrize(
    "line",
    [
        "a sent SIGKILL to b",
        "sending signal SIGKILL",
        "exit code 13",
        "exited with code 1370",
        "Killed it",
        "signal 90",
        "status=137",
        "killed by a bug",
        "137 files",
        "[1]  + 4711 killed     ./a",
    ],
)
def test_other_words_are_no_death(line):
    assert read_services([{"text": line}]) == []
