# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Metrics for node_exporter: the text format, what each metric says, and the program on the host."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.memory_metrics import exposition, families, packing, panics, program, reading

HOSTS = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hosts"
NOW = 1795000000


def shown(samples, name="memops_x", kind="gauge"):
    text, left_out = exposition.text([exposition.Family(name, kind, "Told.", samples)])
    return [line for line in text.splitlines() if not line.startswith("#")], left_out


@pytest.mark.parametrize(
    "value, written",
    [
        ('say "hi"', r"say \"hi\""),
        ("back\\slash", r"back\\slash"),
        ("two\nlines", r"two\nlines"),
        ("bell\x07 and \x1b[31m", "bell\ufffd and \ufffd[31m"),
        ("\u2028", "\ufffd"),
        ("ümlaut", "ümlaut"),
        ('"} 1\nmemops_x{cgroup="', r"\"} 1\nmemops_x{cgroup=\""),
    ],
)
def test_a_name_with_anything_in_it_stays_one_label_of_one_line(value, written):
    assert shown([({"cgroup": value}, 1)]) == (['memops_x{cgroup="%s"} 1' % written], 0)


def test_a_long_name_is_cut_and_two_that_differ_in_the_middle_stay_two():
    names = ["/a" + "x" * 500 + middle + "y" * 500 + "/z" for middle in "12"]
    lines, left_out = shown([({"cgroup": name}, 1) for name in names])
    assert len(set(lines)) == 2
    assert left_out == 0
    assert all(len(line) < exposition.LABEL_CHARACTERS + 40 and line.endswith('/z"} 1') for line in lines)


def test_a_sample_that_is_there_already_is_left_out_and_counted():
    assert shown([({"cgroup": "/a\x01"}, 1), ({"cgroup": "/a\x02"}, 2)]) == (['memops_x{cgroup="/a\ufffd"} 1'], 1)


def test_what_is_not_known_is_not_there():
    assert exposition.text([exposition.Family("memops_x", "gauge", "Told.", [({}, None)])]) == ("", 0)
    assert shown([({"unit": None, "cgroup": "/"}, True)])[0] == ['memops_x{cgroup="/"} 1']


@pytest.mark.parametrize("value, written", [(0, "0"), (1 << 62, "4611686018427387904"), (0.25, "0.25"), (False, "0")])
def test_numbers_are_written_whole(value, written):
    assert shown([({}, value)])[0] == ["memops_x " + written]


def group(path="/a", stat=None, **more):
    made = {"path": path, "unit": None, "container_id": None, "usage_bytes": 100, "max_bytes": "max", "high_bytes": None, "swap_usage_bytes": None}
    made.update({"swap_max_bytes": None, "events": {}, "failcnt": None, "under_oom": None, "pressure": None, "stat": stat or {}})
    return dict(made, **more)


def samples(found):
    """{name with labels: value} of families."""
    return dict(line.rsplit(" ", 1) for line in exposition.text(found)[0].splitlines() if not line.startswith("#"))


@pytest.mark.parametrize(
    "stat, held",
    [
        ({"file_bytes": 60}, 40),
        ({"file_bytes": 60, "shmem_bytes": 20}, 60),
        ({"file_bytes": 60, "file_dirty_bytes": 10, "file_writeback_bytes": 5}, 55),
        ({"file_bytes": 30, "slab_reclaimable_bytes": 30}, 40),
        ({"file_bytes": 200}, 0),
        ({"file_bytes": 10, "shmem_bytes": 20}, 100),
        ({}, None),
    ],
)
def test_held_is_what_cannot_be_dropped(stat, held):
    assert families.held_bytes(group(stat=stat)) == held


def test_a_group_without_a_limit_has_no_metric_of_one():
    found = samples(families.of_cgroups({"groups": [group(), group("/b", max_bytes=4096)], "count": 9}))
    assert 'memops_cgroup_memory_limit_bytes{cgroup="/a"}' not in found
    assert found['memops_cgroup_memory_limit_bytes{cgroup="/b"}'] == "4096"
    assert (found["memops_cgroups"], found["memops_cgroups_shown"]) == ("9", "2")


def test_times_at_the_limit_are_the_same_event_on_both_versions_of_cgroups():
    v1 = group("/v1", failcnt=7, events={"oom_kill": 1})
    v2 = group("/v2", events={"oom_kill": 1, "max": 7, "high": 0, "oom": 2})
    found = samples(families.of_cgroups({"groups": [v1, v2], "count": 2}))
    for path in ("/v1", "/v2"):
        assert found['memops_cgroup_memory_events_total{cgroup="%s",event="max"}' % path] == "7"
        assert found['memops_cgroup_oom_kills_total{cgroup="%s"}' % path] == "1"
    assert 'memops_cgroup_memory_events_total{cgroup="/v1",event="oom"}' not in found


@pytest.mark.parametrize("host", sorted(path.name for path in HOSTS.iterdir()))
def test_recorded_hosts_give_metrics_that_are_told_and_named_once(host):
    text = program.metrics(Reader(str(HOSTS / host)), 100)
    helps = re.findall(r"(?m)^# HELP (\w+) \S.*\.$", text)
    types = dict(re.findall(r"(?m)^# TYPE (\w+) (counter|gauge)$", text))
    names = [re.match(r"\w+", line).group() for line in text.splitlines() if not line.startswith("#")]
    assert sorted(helps) == sorted(types) == sorted(set(names))
    assert all(name.endswith("_total") == (types[name] == "counter") for name in types)
    assert "memops_metrics_last_run_timestamp_seconds" in names


def test_a_kill_in_a_recorded_container_is_a_metric_of_its_slice():
    found = samples(families.of_host(reading.collect(Reader(str(HOSTS / "linux-6.1-cgroup-v2-docker")), NOW, 100)))
    assert found['memops_cgroup_oom_kills_total{cgroup="/system.slice",unit="system.slice"}'] == "1"


def test_of_the_kernel_there_is_what_node_exporter_leaves_out():
    found = samples(families.of_kernel({"vmstat": {"allocstall": 3, "oom_kill": 1, "pswpin": 2}, "overcommit_memory": 2}))
    assert found == {"memops_vmstat_allocstall_total": "3", "memops_overcommit_memory": "2"}


def test_the_largest_come_first_and_the_rest_is_counted():
    found = reading.collect(Reader(str(HOSTS / "linux-6.1-cgroup-v2-docker")), NOW, 1)
    assert [each["path"] for each in found["cgroups"]["groups"]] == ["/system.slice"]
    assert found["cgroups"]["count"] == 2


PANIC = "Panic#1 Part1\n<0>[  812.1] Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled\n"
OOPS = "Oops#1 Part1\n<4>[  12.5] BUG: kernel NULL pointer dereference\n"


def left(root, path, text, at):
    full = pathlib.Path(str(root) + path)
    full.parent.mkdir(parents=True, exist_ok=True)
    full.write_text(text)
    os.utime(str(full), (at, at))


@pytest.mark.parametrize(
    "path, text, reason",
    [
        ("/sys/fs/pstore/dmesg-efi_pstore-1", PANIC, "out_of_memory"),
        ("/var/lib/systemd/pstore/1795/dmesg.txt", PANIC, "out_of_memory"),
        ("/var/lib/systemd/pstore/1795/001/dmesg.txt", "Panic#2 Part1\n<4>[ 9.0] Call Trace:\n", "other"),
        ("/var/crash/127.0.0.1-2026/vmcore-dmesg.txt", "[ 9.0] Kernel panic - not syncing: sysrq triggered crash\n", "other"),
        ("/var/crash/202611181600/dmesg.202611181600", "[ 9.0] Kernel panic - not syncing: System is deadlocked on memory\n", "out_of_memory"),
    ],
)
def test_a_panic_is_seen_by_what_it_left(tmp_path, path, text, reason):
    left(tmp_path, path, text, NOW)
    assert panics.newest(Reader(str(tmp_path))) == {"at": NOW, "reason": reason}


@pytest.mark.parametrize(
    "path, text",
    [
        ("/sys/fs/pstore/dmesg-efi_pstore-1", OOPS),
        ("/sys/fs/pstore/console-ramoops-0", PANIC),
        ("/sys/fs/pstore/dmesg-ramoops-0.enc.z", PANIC),
        ("/var/crash/_usr_bin_shop.1000.crash", PANIC),
    ],
)
def test_an_oops_that_was_survived_and_other_records_are_no_panic(tmp_path, path, text):
    left(tmp_path, path, text, NOW)
    assert panics.newest(Reader(str(tmp_path))) is None


def test_the_reason_may_stand_in_another_record_of_the_same_panic(tmp_path):
    left(tmp_path, "/sys/fs/pstore/dmesg-erst-1", "Panic#1 Part1\n<4>[ 812.3] Rebooting in 10 seconds\n", NOW)
    left(tmp_path, "/sys/fs/pstore/dmesg-erst-2", PANIC.replace("Part1", "Part2"), NOW - 1)
    left(tmp_path, "/sys/fs/pstore/dmesg-erst-3", PANIC, NOW - 86400)
    assert panics.newest(Reader(str(tmp_path))) == {"at": NOW, "reason": "out_of_memory"}


@pytest.mark.parametrize("before_boot, ended", [(30, True), (3000, True), (-20, True), (7200, False)])
def test_a_panic_belongs_to_the_boot_that_followed_it(before_boot, ended):
    assert panics.ended_the_boot_before({"at": NOW - before_boot, "reason": "other"}, NOW) is ended
    assert panics.ended_the_boot_before(None, NOW) is False


VERDICT = {
    "schema": "memops.verdict/1",
    "diagnosed_at": "2026-11-18T16:26:40.000Z",
    "code": "memory",
    "confidence": "certain",
    "kind": "memcg_oom",
    "cause": "dirty_page_cache",
    "incidents": 3,
}


def test_the_last_verdict_is_a_metric():
    found = samples(families.of_verdict(reading.verdict(json.dumps(VERDICT))))
    assert found == {
        'memops_last_verdict_info{cause="dirty_page_cache",code="memory",confidence="certain",kind="memcg_oom"}': "1",
        "memops_last_verdict_timestamp_seconds": "1795019200",
        "memops_last_verdict_incidents": "3",
    }


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[]",
        "7",
        "{}",
        "[" * 100000,
        json.dumps(dict(VERDICT, schema="memops.verdict/2")),
        json.dumps(dict(VERDICT, code='x"} 1')),
        json.dumps(dict(VERDICT, code="memory\n")),
        json.dumps(dict(VERDICT, incidents="3")),
        json.dumps(dict(VERDICT, diagnosed_at="yesterday")),
        json.dumps(dict(VERDICT, diagnosed_at=5)),
    ],
)
def test_what_is_no_verdict_is_none(text):
    assert reading.verdict(text) is None


def test_the_installed_program_needs_nothing_but_itself_and_replaces_the_file(tmp_path):
    archive, folder = tmp_path / "metrics.pyz", tmp_path / "textfiles"
    archive.write_bytes(packing.archive())
    folder.mkdir()
    elsewhere = tmp_path / "shadow"
    elsewhere.write_text("kept")
    (folder / "memops.prom").symlink_to(elsewhere)
    (folder / ".memops.prom.new").write_text("left by a run that was killed")
    words = [sys.executable, "-I", "-S", str(archive), "--directory", str(folder), "--root", str(HOSTS / "linux-6.1-cgroup-v2-docker")]
    assert subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout == b""
    assert os.listdir(str(folder)) == ["memops.prom"]
    assert not (folder / "memops.prom").is_symlink()
    assert os.stat(str(folder / "memops.prom")).st_mode & 0o777 == 0o644
    assert "memops_cgroup_oom_kills_total" in (folder / "memops.prom").read_text()
    assert elsewhere.read_text() == "kept"


def test_a_folder_that_is_gone_is_named(tmp_path):
    told = program.main(["--directory", str(tmp_path / "gone"), "--root", str(tmp_path)])
    assert "gone/memops.prom could not be written: No such file" in told


def test_equal_sources_make_equal_archives():
    assert packing.archive() == packing.archive()
