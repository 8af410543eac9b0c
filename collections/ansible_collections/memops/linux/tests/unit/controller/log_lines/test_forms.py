# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever stands before, around or between the kernel's words, they say the same."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Event, OomReport
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import LogFile, LogReading
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.reading import read_log
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import NAMES, recorded
from ansible_collections.memops.linux.tests.unit.controller.log_lines.log_forms import BOOT, FORMS, messages

WRITTEN_AT = BOOT.timestamp() + 86400


def read(text: str | bytes, name: str = "messages") -> LogReading:
    data = text if isinstance(text, bytes) else text.encode()
    return read_log(LogFile(name, lambda: iter([data]), WRITTEN_AT))


def said(event: Event) -> tuple:
    """What an event states, without where and when it stands."""
    if not isinstance(event, OomReport):
        return type(event).__name__, event.process, event.pid
    memory = event.memory.totals if event.memory else None
    cgroup = (event.cgroup.usage_bytes, event.cgroup.limit_bytes, event.cgroup.stat) if event.cgroup else None
    zones = [(zone.zone, zone.free_bytes, zone.free_blocks) for zone in event.memory.zones] if event.memory else None
    return (
        event.constraint,
        event.trigger,
        event.victims,
        event.tasks,
        event.limit_cgroup,
        event.victim_cgroup,
        memory,
        zones,
        cgroup,
        event.panic,
        event.sysrq,
        event.group_kill,
        event.reaped,
        event.missing,
    )


WHOLE = {name: [said(event) for event in read_kernel(recorded(name))] for name in NAMES}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_recording_says_the_same_in_the_form_of(name, form):
    reading = read(FORMS[form](messages(name)))

    assert [said(event) for event in reading.events] == WHOLE[name]
    assert not reading.services
    assert reading.stamped_lines
