# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""report.html: every link has its end, what is hostile stays text, and what the evidence lacks is said and never drawn as zero."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import pathlib
import re
import stat

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.report.fleet import gather, read_diagnosis, report_document
from ansible_collections.memops.linux.plugins.plugin_utils.report.host_files import write_diagnosis, write_evidence
from ansible_collections.memops.linux.plugins.plugin_utils.report.markdown import markdown
from ansible_collections.memops.linux.plugins.plugin_utils.report.page import rendering
from ansible_collections.memops.linux.plugins.plugin_utils.report.page.escaping import data_block
from ansible_collections.memops.linux.plugins.plugin_utils.report.page.packing import Packer, unpacked
from ansible_collections.memops.linux.plugins.plugin_utils.report.run_folder import open_run
from ansible_collections.memops.linux.plugins.plugin_utils.report.terminal import printable
from ansible_collections.memops.linux.plugins.plugin_utils.report.writing import write_report
from ansible_collections.memops.linux.tests.unit.controller.report.documents import HOSTILE, diagnosis, incident, recorded, recordings


class Page(html.parser.HTMLParser):
    """What a browser makes of a page: its elements with their attributes, and its text outside of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.scripts: list[tuple[dict, str]] = []
        self._in: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._in = tag
        if tag in ("script", "style"):
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        self._in = None

    def handle_data(self, data):
        if self._in in ("script", "style"):
            attributes, so_far = self.scripts[-1]
            self.scripts[-1] = (attributes, so_far + data)
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def ids(self) -> list[str]:
        return [attributes["id"] for _tag, attributes in self.elements if "id" in attributes]


def page_of(folder, diagnoses, evidence=None) -> Page:
    run = open_run(str(folder))
    for document in diagnoses:
        write_diagnosis(run, document["host"], document)
        if evidence:
            write_evidence(run, document["host"], evidence)
    write_report(run, [document["host"] for document in diagnoses])
    path = pathlib.Path(run) / "report.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return Page(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", recordings())
def test_each_recorded_host_has_a_page_whose_links_lead_somewhere_and_whose_anchors_are_there_once(tmp_path, name):
    found, evidence = recorded(name)

    page = page_of(tmp_path, [found], evidence)

    ids = page.ids()
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for tag, attributes in page.elements if tag == "a"}
    assert targets <= set(ids)
    assert found["verdict"]["summary"] in page.text


def test_a_fleet_s_links_and_anchors_are_whole_too(tmp_path):
    page = page_of(tmp_path, [recorded(name, name.replace("/", "."))[0] for name in recordings()[:40]])

    ids = page.ids()
    assert len(ids) == len(set(ids))
    assert {attributes["href"][1:] for tag, attributes in page.elements if tag == "a"} <= set(ids)


def test_the_policy_allows_exactly_the_page_s_own_script_and_style(tmp_path):
    page = page_of(tmp_path, [diagnosis()])

    policy = next(attributes["content"] for tag, attributes in page.elements if attributes.get("http-equiv") == "Content-Security-Policy")
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    assert allowed.keys() == {"default-src", "style-src", "script-src", "base-uri", "form-action"}
    assert allowed["default-src"] == "'none'"
    (style,) = [text for attributes, text in page.scripts if not attributes][:1]
    script = page.scripts[-1][1]
    for kind, text in (("style-src", style), ("script-src", script)):
        assert allowed[kind] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_a_page_has_nothing_that_the_policy_would_forbid_and_asks_the_network_for_nothing(tmp_path):
    found, evidence = recorded("bookworm-6.1/host_anon_swap_full")

    page = page_of(tmp_path, [found], evidence)

    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset", "action")], (tag, attributes)
        assert tag not in ("img", "link", "iframe", "object", "embed", "base")
        assert all(value.startswith("#") for name, value in attributes.items() if name == "href")
    (style,) = [text for attributes, text in page.scripts if not attributes][:1]
    assert "@import" not in style
    assert re.findall(r"url\(([^)]*)\)", style) == re.findall(r"url\((#[a-z-]+)\)", style)


def test_hostile_names_and_lines_are_text_and_nothing_but_text(tmp_path):
    evil = incident(HOSTILE, unit=HOSTILE, cgroup=HOSTILE, victim_cgroup="/" + HOSTILE)
    evil["container"].update(name=HOSTILE, image=HOSTILE)
    evil["because"][0]["text"] = evil["quotes"][0]["text"] = evil["quotes"][0]["where"] = HOSTILE
    evil["remedies"][0].update(action=HOSTILE, command=HOSTILE, why=HOSTILE, risk=HOSTILE, reference=HOSTILE, value=[{"name": HOSTILE, "memory_bytes": 1}])
    document = diagnosis(HOSTILE, victim=HOSTILE, unreadable=[{"section": HOSTILE, "source": HOSTILE, "why": HOSTILE}])
    document["incidents"] = [evil]
    plain = page_of(tmp_path / "plain", [diagnosis(), diagnosis("other")])

    page = page_of(tmp_path / "evil", [document, {**document, "host": HOSTILE + "2"}])

    known = {tag for tag, _attributes in plain.elements} | {"ul", "li", "pre", "code", "details", "summary", "nav", "ol"}
    assert {tag for tag, _attributes in page.elements} <= known
    assert len(page.scripts) == len(plain.scripts)
    assert printable(HOSTILE) in page.text
    assert not re.search("[\x00-\x08\x0e-\x1f\u202a-\u202e]", page.text)
    assert "49" not in {text.strip() for text in page.texts}
    assert all(attributes["href"].startswith("#") for tag, attributes in page.elements if tag == "a")


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028", "&lt;", '"'])
def test_a_data_block_cannot_be_left(text):
    block = str(data_block({"host": text}))

    assert not re.search("[<>&\u2028]", block)
    assert json.loads(block) == {"host": text}


def test_what_a_log_lacks_is_said_and_not_drawn_as_zero(tmp_path):
    bare = incident(kind="global_oom", constraint="none", container=None, cgroup=None, victim_cgroup=None)
    bare["because"] = []

    text = page_of(tmp_path, [diagnosis(incidents=[bare])]).text

    for sentence in (
        "The log does not show where the memory was.",
        "The log does not show a table of the processes.",
        "The log does not show the zones.",
        "The log does not show free blocks by order.",
        "The log does not show who asked for memory.",
        "The log does not show who held the memory.",
    ):
        assert sentence in text
    assert "0 B" not in text


def test_a_table_without_swap_shows_no_swap_rather_than_none_used(tmp_path):
    found, evidence = recorded("bookworm-6.1/host_anon_swap_full")
    for task in found["incidents"][0]["tasks"]:
        task["swap_bytes"] = None

    text = page_of(tmp_path, [found], evidence).text

    assert "This kernel's table does not show what was in swap." in text


def test_an_incident_of_a_crash_speaks_of_no_memory(tmp_path):
    found, evidence = recorded("bookworm-6.1/segfault")

    text = page_of(tmp_path, [found], evidence).text

    for word in ("Who asked for memory", "Where the memory was", "Free blocks"):
        assert word not in text.partition("Words")[0]


def test_page_and_markdown_tell_the_same_story(tmp_path):
    found, _evidence = recorded("bookworm-6.1/host_anon_swap_full")
    page = page_of(tmp_path, [found])
    run = str(next(tmp_path.glob("2*")))

    text = markdown(report_document(gather(run, ["web1"])), iter([read_diagnosis(run, "web1")]), run)

    plain = text.replace("\\", "")
    for step in found["incidents"][0]["because"]:
        assert step["text"] in plain
        assert step["text"] in page.text
    assert "The largest use was programs' own memory: 880 MiB of 1023 MiB RAM (86 %)." in plain
    assert "The largest use was programs' own memory: 880 MiB of 1023 MiB RAM (86 %)." in page.text


def test_evidence_that_is_nonsense_costs_a_host_its_drawings_and_not_the_report(tmp_path):
    found, _evidence = recorded("bookworm-6.1/memcg_anon")

    page = page_of(tmp_path, [found], {"host": "web1", "pressure": 7, "memory": [], "cgroups": {"groups": "x"}})

    assert found["verdict"]["summary"] in page.text


def test_a_run_from_before_figures_were_kept_can_still_be_shown(tmp_path):
    found, _evidence = recorded("bookworm-6.1/host_anon_swap_full")
    for name in ("figures", "zones"):
        del found["incidents"][0][name]
    for step in found["incidents"][0]["because"]:
        del step["part"]

    text = page_of(tmp_path, [found]).text

    assert "This run was made before zones were kept" in text
    assert found["incidents"][0]["because"][2]["text"] in text


def test_packed_views_come_out_as_they_went_in_each_by_itself():
    texts = [f"<section id='h-'>host {number} of the fleet, größer \U0001f600 than {number * 7}</section>" * 30 for number in range(50)]
    packer = Packer(texts[:3])

    packed = [packer.pack(text) for text in texts]

    assert [unpacked(packer.start, rest) for rest in packed] == texts
    assert max(map(len, packed)) < len(texts[0]) / 5


def test_a_large_fleet_s_views_are_packed_and_hold_what_a_small_one_s_show(tmp_path):
    found, _evidence = recorded("bookworm-6.1/memcg_anon")
    names = [f"host{number:03d}" for number in range(rendering.HOSTS_AS_THEY_ARE + 1)]

    page = page_of(tmp_path, [{**found, "host": name} for name in names])

    packed = json.loads(next(text for attributes, text in page.scripts if attributes.get("id") == "packed"))
    assert len(packed["views"]) == len(names)
    view = unpacked(packed["start"], packed["views"]["h7"])
    assert "host007" in view
    assert found["verdict"]["summary"] in Page(view).text
    assert not any(attributes.get("class") == "host" for _tag, attributes in page.elements)
