# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host is not trusted: whatever it sends as evidence becomes a row or a clear error, never a traceback."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.memops.linux.plugins.action import evidence_info
from ansible_collections.memops.linux.plugins.plugin_utils.report.fleet import read_diagnosis


def packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


@pytest.mark.parametrize(
    "sent",
    ["", "no base64!", base64.b64encode(b"no zlib").decode(), packed(b"no JSON"), packed(b"[1]"), packed(b'{"schema": "other/1"}')],
)
def test_an_answer_that_is_no_evidence_is_refused_with_the_reason(sent):
    with pytest.raises(ValueError, match="the host's answer is no evidence"):
        evidence_info._unpacked(sent)


def test_an_answer_that_unpacks_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(evidence_info, "EVIDENCE_LIMIT_BYTES", 1000)

    with pytest.raises(ValueError, match="larger than 1000 bytes"):
        evidence_info._unpacked(packed(json.dumps({"schema": "memops.evidence/1", "x": "y" * 100000}).encode()))


@pytest.mark.parametrize(
    "odd",
    [
        {"kernel_log": {"excerpts": [{}], "sources": [1]}},
        {"kernel_log": {"excerpts": "text"}},
        {"containers": {"containers": [7]}},
        {"services": {"failed_units": [None], "lines": []}},
        {"memory": {"meminfo": {"mem_total_bytes": "much"}}, "kernel_log": {"sources": [1]}},
    ],
)
def test_evidence_of_an_odd_shape_costs_only_its_own_host(tmp_path, odd):
    evidence = {"schema": "memops.evidence/1", "host": "web1", **odd}

    try:
        evidence_info._diagnosed(evidence, "evidence.json", str(tmp_path), "web1")
    except AnsibleActionFail as error:
        assert "could not be diagnosed" in str(error)
        assert read_diagnosis(str(tmp_path), "web1")["verdict"]["code"] == "no_evidence"
