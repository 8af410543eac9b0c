"""What the role memory_metrics writes, as Prometheus reads it."""

from __future__ import annotations

import pathlib

import pytest
from alerts.promtool import promtool
from checkout import COLLECTION

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.memory_metrics import program

HOSTS = COLLECTION / "tests/unit/fixtures/hosts"
HOSTILE = ['"} 1', "a\\", "new\nline", "bell\x07", "{}", "#", "ünï", "x" * 255]


@pytest.mark.parametrize("host", sorted(path.name for path in HOSTS.iterdir()))
def test_prometheus_reads_the_metrics_of_a_recorded_host_and_finds_their_names_proper(host):
    promtool("check", "metrics", stdin=program.metrics(Reader(str(HOSTS / host)), 100))


def test_prometheus_reads_the_metrics_of_a_host_whose_cgroups_have_hostile_names(tmp_path):
    _cgroups(tmp_path, HOSTILE)

    text = program.metrics(Reader(str(tmp_path)), 100)

    promtool("check", "metrics", stdin=text)
    assert text.count("\nmemops_cgroup_memory_limit_bytes{") == len(HOSTILE)


def test_names_that_are_not_text_are_counted_where_they_look_the_same(tmp_path):
    _cgroups(tmp_path, [b"\xff".decode("utf-8", "surrogateescape"), b"\xfe".decode("utf-8", "surrogateescape")])

    text = program.metrics(Reader(str(tmp_path)), 100)

    promtool("check", "metrics", stdin=text)
    assert text.count("\nmemops_cgroup_memory_limit_bytes{") == 1
    assert "memops_metrics_left_out_samples 0" not in text


def _cgroups(root: pathlib.Path, names: list[str]) -> None:
    top = root / "sys/fs/cgroup"
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mounts").write_text("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")
    top.mkdir(parents=True)
    (top / "cgroup.controllers").write_text("memory\n")
    for name in names:
        (top / name).mkdir()
        for file, text in (("current", "4096"), ("max", "8192"), ("events", "oom_kill 1")):
            (top / name / f"memory.{file}").write_text(text + "\n")
