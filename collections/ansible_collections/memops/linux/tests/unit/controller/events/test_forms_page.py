# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/kernel-log-forms.md: each example is read as the page says, and each form that is read has an example."""

from __future__ import annotations

import pathlib
import re
from typing import NamedTuple

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events import kernel, kill, mem_info, services, trigger
from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import KernelReader, read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import AllocationFailure, Event, Line, OomReport, ProcessFault
from ansible_collections.memops.linux.plugins.plugin_utils.events.services import read_services
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import recorded

PAGE = pathlib.Path(__file__).parents[4] / "docs" / "kernel-log-forms.md"
_BLOCK = re.compile(r"^```(kernel|service) (.+?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RECORDED = "# recorded: "
TRIGGER = Line("x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0")


class Example(NamedTuple):
    """A line of the page. reader, says: of its block; recording: which holds the line, if any."""

    reader: str
    says: str
    text: str
    recording: str | None


def blocks() -> list[list[Example]]:
    found = []
    for reader, says, body in _BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        recording, examples = None, []
        for line in body.splitlines():
            if line.startswith("# "):
                recording = line.removeprefix(_RECORDED) if line.startswith(_RECORDED) else None
            else:
                examples.append(Example(reader, says, line, recording))
        found.append(examples)
    return found


BLOCKS = blocks()
EXAMPLES = [example for block in BLOCKS for example in block]


def kind(event: Event) -> str:
    if isinstance(event, OomReport):
        return "oom"
    return "failure" if isinstance(event, AllocationFailure) else event.kind if isinstance(event, ProcessFault) else type(event).__name__


def test_the_page_has_examples():
    assert len(EXAMPLES) > 200


@pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.reader == "kernel" and example.says != "part"], ids=lambda example: example.text[:60]
)
def test_a_line_of_the_kernel_is_the_event_that_the_page_says(example):
    found = [kind(event) for event in read_kernel([Line(example.text)])]
    assert found == ([] if example.says == "nothing" else [example.says])


@pytest.mark.parametrize("block", [block for block in BLOCKS if block[0].says == "part"], ids=lambda block: block[0].text[:60])
def test_a_part_of_a_report_is_taken_into_it(block):
    for example in block:
        reader = KernelReader()
        reader.feed(TRIGGER)
        for before in block[: block.index(example)]:
            reader.feed(Line(before.text))
        assert reader.feed(Line(example.text)), example.text
        assert [kind(event) for event in reader.finish()] == ["oom"]


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.reader == "service"], ids=lambda example: example.text[:60])
def test_a_line_of_a_program_is_the_event_that_the_page_says(example):
    process, says = example.says.split()
    found = read_services([{"process": "" if process == "-" else process, "text": example.text}])
    assert [event.kind for event in found] == ([] if says == "nothing" else [says])


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.recording], ids=lambda example: example.text[:60])
def test_what_the_page_calls_recorded_is_in_the_recording(example):
    assert example.text in [line.text.strip() for line in recorded(example.recording)]


def forms() -> list[tuple[str, str, object]]:
    grouped = [("kernel", forms) for groups in (kernel._FORMS, kernel._REFUSALS_AND_FAULTS) for _word, forms in groups]
    grouped += [("kernel", trigger.STACK_FORMS)] + [("service", forms) for _word, forms in services._FORMS]
    found = [(reader, form.key, form.pattern) for reader, forms in grouped for form in forms]
    return [*found, *(("kernel", key, pattern) for key, pattern, _take in mem_info._FORMS), ("kernel", "oom_reaper: ", kill.REAPER_LINE)]


@pytest.mark.parametrize(("reader", "key", "pattern"), forms())
def test_each_form_that_is_read_has_an_example(reader, key, pattern):
    match = pattern.match if reader == "kernel" else pattern.search
    assert any(example.reader == reader and key in example.text and match(example.text) for example in EXAMPLES)
