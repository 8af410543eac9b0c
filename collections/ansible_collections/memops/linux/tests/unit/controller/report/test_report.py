# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report: a row for every host that was asked, private files, and text of hosts that stays text."""

from __future__ import annotations

import html
import json
import pathlib
import re
import stat

import pytest
from markdown_it import MarkdownIt

from ansible_collections.memops.linux.plugins.plugin_utils.report.fleet import collect_rows, gather, read_diagnosis, report_document
from ansible_collections.memops.linux.plugins.plugin_utils.report.host_files import folder_name, unread_host, write_diagnosis, write_evidence, write_file
from ansible_collections.memops.linux.plugins.plugin_utils.report.markdown import code, escaped, markdown
from ansible_collections.memops.linux.plugins.plugin_utils.report.run_folder import open_run
from ansible_collections.memops.linux.plugins.plugin_utils.report.terminal import printable, reasoning, table
from ansible_collections.memops.linux.tests.unit.controller.report.documents import HOSTILE, diagnosis


@pytest.fixture
def run(tmp_path):
    return open_run(str(tmp_path / "reports"))


def test_a_run_is_private_and_latest_points_to_it(tmp_path, run):
    write_evidence(run, "web1", {"host": "web1"})
    path = write_diagnosis(run, "web1", diagnosis())

    assert (tmp_path / "reports" / "latest").resolve() == pathlib.Path(run).resolve()
    folders = [pathlib.Path(run), *(item for item in pathlib.Path(run).rglob("*") if item.is_dir())]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert {stat.S_IMODE(item.stat().st_mode) for item in pathlib.Path(path).parent.iterdir()} == {0o600}


def test_two_runs_in_one_second_have_two_folders(tmp_path):
    assert open_run(str(tmp_path)) != open_run(str(tmp_path))


@pytest.mark.parametrize("host", ["../../etc/passwd", "..", ".", "a/b", "a\x00b", "-rf", HOSTILE])
def test_a_hostile_host_name_stays_below_the_run(run, host):
    path = pathlib.Path(unread_host(run, host, "unreachable")).resolve()

    assert path.parent.parent == (pathlib.Path(run) / "hosts").resolve()
    assert read_diagnosis(run, host)["host"] == host


def test_names_of_ordinary_hosts_are_folder_names_as_they_are():
    assert [folder_name(name) for name in ("web1.example.org", "10.0.0.7", "fe80::1", "user@x")] == ["web1.example.org", "10.0.0.7", "fe80::1", "user@x"]


def test_two_hosts_never_share_a_folder():
    assert len({folder_name(name) for name in ("a/b", "a%2Fb", "a_b", "A/b")}) == 4


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "report.json"
    write_file(path, "old")

    with pytest.raises(TypeError):
        write_file(path, 7)

    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["report.json"]


def test_every_host_that_was_asked_has_a_row_and_the_gravest_comes_first(run):
    write_diagnosis(run, "calm", diagnosis("calm", "healthy"))
    write_diagnosis(run, "dead", diagnosis("dead"))
    unread_host(run, "gone", "unreachable: timed out")

    report = report_document(gather(run, ["calm", "gone", "dead", "silent"]))

    assert [(row["host"], row["verdict"]["code"]) for row in report["hosts"]] == [
        ("dead", "memory"),
        ("calm", "healthy"),
        ("gone", "no_evidence"),
        ("silent", "no_evidence"),
    ]
    assert (report["asked"], report["answered"]) == (4, 2)
    assert report["hosts"][2]["verdict"]["summary"] == "unreachable: timed out"


def test_the_table_shows_host_verdict_time_victim_cause_and_first_remedy(run):
    write_diagnosis(run, "dead", diagnosis("dead"))

    head, row = (line for line, _colour in table(collect_rows(run, ["dead"]), 160))

    assert head.split() == ["HOST", "VERDICT", "WHEN", "VICTIM", "CAUSE", "FIRST", "REMEDY"]
    assert re.split(r"  +", row) == ["dead", "memory", "2026-11-20 10:00:00", "dd", "working_set_over_limit", "Raise the limit."]


def test_a_large_fleet_shows_the_troubled_and_counts_the_rest(run):
    for number in range(60):
        write_diagnosis(run, f"h{number}", diagnosis(f"h{number}", "memory" if number == 3 else "healthy"))

    lines = [line for line, _colour in table(collect_rows(run, [f"h{number}" for number in range(60)]), 120)]

    assert "h3" in lines[1]
    assert "59 more" in lines[-1]
    assert len(lines) == 3


def test_one_hosts_reasoning_shows_the_quote_and_a_command_that_can_be_pasted():
    lines = [line for line, _colour in reasoning(diagnosis(), 100)]

    assert any("> Killed process 7 (dd) [/dev/kmsg]" in line for line in lines)
    assert "     docker update x" in lines


def test_hostile_text_cannot_leave_its_line_on_the_terminal(run):
    write_diagnosis(run, HOSTILE, diagnosis(HOSTILE, victim=HOSTILE))

    lines = [*table(collect_rows(run, [HOSTILE]), 120), *reasoning(diagnosis(HOSTILE, victim=HOSTILE), 120)]

    assert all(line.isprintable() for line, _colour in lines)


def test_printable_text_is_left_alone():
    assert printable("Größe 5 MiB (java)") == "Größe 5 MiB (java)"


def test_hostile_text_is_only_text_in_the_markdown(run):
    write_diagnosis(run, "h", diagnosis("h", victim=HOSTILE))
    report = report_document(gather(run, ["h"]))

    text = markdown(report, iter([read_diagnosis(run, "h")]), run)

    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "<script>" not in page
    assert "<h1>head" not in page
    assert "{{ 7*7 }}" in page
    cells = re.findall(r"<td>(.*?)</td>", page, re.S)
    assert (cells[0], html.unescape(cells[3])) == ("h", printable(HOSTILE))
    assert "<img" not in page


def test_code_with_backquotes_keeps_them_inside():
    assert code("a`b") == "`` a`b ``"
    assert escaped("a_b*c _d_") == "a_b\\*c \\_d\\_"


def test_the_markdown_tells_the_story_the_remedy_and_the_role_variable(run):
    write_diagnosis(run, "h", diagnosis("h"))
    text = markdown(report_document(gather(run, ["h"])), iter([read_diagnosis(run, "h")]), run)

    for part in ("1 of 1 hosts answered", "memcg_oom", "Killed process 7 (dd)", "`docker update x`", "docker_memory_container_limits: "):
        assert part in text


def test_report_json_is_json_for_any_text(run):
    write_diagnosis(run, "h", diagnosis("h", victim="\udcff" + HOSTILE))

    assert json.loads(json.dumps(report_document(gather(run, ["h"]))))["hosts"][0]["victim"] == "\udcff" + HOSTILE


def test_incidents_that_are_alike_are_told_once_and_the_verdicts_own_comes_first(run):
    document = diagnosis("h")
    other = {**document["incidents"][0], "concerned": {"process": "java", "pid": 9}, "kind": "segfault"}
    document["incidents"] = [other, *({**document["incidents"][0], "repeats": 40} for _number in range(40))]
    document["verdict"]["incident"] = 5
    write_diagnosis(run, "h", document)

    text = markdown(report_document(gather(run, ["h"])), iter([document]), run)

    assert re.findall(r"^### (.*)$", text, re.M) == [
        "memcg_oom: working_set_over_limit at 2026-11-20T10:00:00.000Z (40 times)",
        "segfault: working_set_over_limit at 2026-11-20T10:00:00.000Z",
    ]
    assert "39 more are in diagnosis.json" in text


def test_each_quote_stands_on_its_own_line_and_word_for_word(run):
    document = diagnosis("h")
    document["incidents"][0]["quotes"][0]["text"] = "gfp_mask=0x101cca(GFP_HIGHUSER_MOVABLE|__GFP_WRITE), order=0"
    write_diagnosis(run, "h", document)
    report = report_document(gather(run, ["h"]))

    page = MarkdownIt("commonmark").enable("table").render(markdown(report, iter([document]), "/r"))

    assert "<li><code>gfp_mask=0x101cca(GFP_HIGHUSER_MOVABLE|__GFP_WRITE), order=0</code> (/dev/kmsg)</li>" in page
    assert "<li>Now: <code>docker update x</code></li>" in page
