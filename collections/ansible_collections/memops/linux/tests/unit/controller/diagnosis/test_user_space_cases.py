# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One death that several sources tell of is one incident; what only looks alike stays apart. Lines written by hand."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose, diagnose_events
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import LogFile
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.reading import read_log

SINCE = "2026-11-15T00:00:00.000Z"
AT = "2026-11-20T10:00:00.000Z"
DOCKER = "/system.slice/docker-" + "a1" * 32 + ".scope"
SEGFAULT = "calc[352]: segfault at 0 ip 000055d0c0ffee00 sp 00007ffd00000000 error 4 in calc[55d0c0fe0000+1000]"
UNIT = {"failed_units": [{"unit": "shop.service", "result": "signal", "exec_main_status": 9, "state_changed_at": AT}], "lines": []}
CONTAINER = {"containers": [{"id": "c" * 64, "name": "shop", "engine": "docker", "state": "exited", "exit_code": 137, "oom_killed": False, "finished_at": AT}]}


def kill(group="/system.slice/shop.service"):
    return [
        f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={group},task_memcg={group},task=worker,pid=7,uid=0",
        "Memory cgroup out of memory: Killed process 7 (worker) total-vm:90000kB, anon-rss:60000kB, file-rss:0kB, shmem-rss:0kB,"
        " UID:0 pgtables:160kB oom_score_adj:0",
    ]


def diagnosed(kernel=(), said=(), left_out=0, log=True, kills=None, **sections):
    """kernel: lines at AT; said: (time, text) of systemd."""
    excerpt = {"path": "/dev/kmsg", "omitted_lines": 0, "repeats": left_out, "lines": [{"time": AT, "text": text} for text in kernel]}
    evidence = {
        "host": "web1",
        "since": SINCE,
        "booted_at": "2026-11-19T00:00:00.000Z",
        "subset": ["kernel_log"],
        "kernel_log": {
            "sources": [{"path": "/dev/kmsg"}] if log else [],
            "window": {"from": SINCE if log else None, "to": None},
            "excerpts": [excerpt] if kernel else [],
        },
        "memory": {"vmstat": {"events": {} if kills is None else {"oom_kill": kills}}},
        "services": {"lines": [{"time": time, "unit": "init.scope", "process": "systemd", "pid": 1, "text": text} for time, text in said]},
    }
    return diagnose({**evidence, **sections})


def kinds(diagnosis):
    return sorted(incident["kind"] for incident in diagnosis["incidents"])


def test_systemds_word_on_the_same_unit_confirms_the_kernels_kill():
    diagnosis = diagnosed(kill(), [("2026-11-20T10:00:30.000Z", "shop.service: A process of this unit has been killed by the OOM killer.")])

    assert kinds(diagnosis) == ["memcg_oom"]
    assert any(step["text"] == "User space saw it too." for step in diagnosis["incidents"][0]["because"])


@pytest.mark.parametrize(("unit", "at"), [("other.service", "2026-11-20T10:00:30.000Z"), ("shop.service", "2026-11-20T12:00:00.000Z")])
def test_another_unit_or_another_hour_is_another_incident(unit, at):
    diagnosis = diagnosed(kill(), [(at, f"{unit}: A process of this unit has been killed by the OOM killer.")])

    assert kinds(diagnosis) == ["memcg_oom", "unknown_oom"]


def test_a_crash_of_the_unit_is_not_taken_for_its_oom_kill():
    diagnosis = diagnosed(kill(), [("2026-11-20T10:00:30.000Z", "shop.service: Main process exited, code=dumped, status=11/SEGV")])

    assert kinds(diagnosis) == ["memcg_oom", "segfault"]


@pytest.mark.parametrize(("at", "expected"), [("2026-11-20T10:00:02.000Z", ["segfault"]), ("2026-11-20T10:01:00.000Z", ["segfault", "segfault"])])
def test_systemds_line_gives_the_kernels_crash_its_unit_only_within_seconds(at, expected):
    diagnosis = diagnosed([SEGFAULT], [(at, "calc.service: Main process exited, code=dumped, status=11/SEGV")])

    assert kinds(diagnosis) == expected
    assert "calc.service" in {incident["unit"] for incident in diagnosis["incidents"]}


def test_a_count_above_the_kills_in_the_log_is_no_news_where_kills_are_in_the_log():
    assert diagnosed(kill(), kills=2)["findings"] == []


def test_a_containers_scope_is_told_as_a_container_and_not_as_a_unit():
    (incident,) = diagnosed(kill(DOCKER))["incidents"]

    assert (incident["unit"], incident["container"]["id"]) == (None, "a1" * 32)


def test_events_that_the_collector_left_out_count_as_repeats():
    (incident,) = diagnosed(kill(), left_out=5)["incidents"]

    assert incident["repeats"] == 6


@pytest.mark.parametrize("sections", [{"services": UNIT}, {"containers": CONTAINER}], ids=["unit", "container"])
def test_sigkill_is_called_not_oom_only_where_a_kernel_log_was_read(sections):
    assert kinds(diagnosed(log=False, **sections)) == ["unknown_death"]
    assert kinds(diagnosed(log=True, **sections)) == ["sigkill_not_oom"]


BARE_KILL = "Out of memory: Killed process 7 (worker) total-vm:90000kB, anon-rss:60000kB, file-rss:0kB"


def saved(text: str) -> list[str]:
    """The kinds of incidents in a pasted log."""
    reading = read_log(LogFile("paste", lambda: iter([text.encode()]), None))
    host = HostFacts({"host": "paste", "kernel_log": {"sources": [{"path": "paste"}], "window": {"from": None}}})
    return kinds(diagnose_events(host, reading.events, reading.services))


@pytest.mark.parametrize(
    "said",
    [
        "sh: line 1:    7 Killed                  ./worker --all",
        "zsh: killed     ./worker --all",
        "Killed",
        "exit code 137",
        "shop.service: A process of this unit has been killed by the OOM killer.",
        "shop.service: Main process exited, code=killed, status=9/KILL",
    ],
)
def test_what_a_shell_or_systemd_says_next_to_a_pasted_kill_is_that_kill(said):
    assert saved(f"$ ./worker --all\n{said}\n$ dmesg | tail -1\n{BARE_KILL}\n") == ["global_oom"]


@pytest.mark.parametrize(
    "said",
    [
        "sh: line 1:    8 Killed                  ./worker --all",
        "sh: line 1:    7 Killed                  ./other",
        "zsh: killed     ./other",
        "Killed" + "\n" * 40,
    ],
)
def test_another_pid_another_name_or_far_away_is_another_death(said):
    assert saved(f"{said}\n{BARE_KILL}\n") == ["global_oom", "sigkill_not_oom"]


def test_systemds_word_on_a_kill_whose_cgroup_the_kernel_did_not_print_is_of_that_kill():
    unit = "shop.service: main process exited, code=killed, status=9/KILL"
    log = f"Nov 20 10:00:00 web1 kernel: {BARE_KILL}\nNov 20 10:00:0{{}} web1 systemd: {unit}\n"

    assert saved(log.format(4)) == ["global_oom"]
    assert saved(log.format(9)) == ["global_oom", "sigkill_not_oom"]


@pytest.mark.parametrize(
    ("line", "process", "adj"),
    [
        ("11-20 10:00:00.342   710   710 I lowmemorykiller: Kill 'com.shop' (7), uid 10446, oom_score_adj 905 to free 8kB rss", "com.shop", 905),
        ("11-20 10:00:00.342   710   710 I lowmemorykiller: Killing 'com.shop' (7), uid 10446, adj 906", "com.shop", 906),
        ('earlyoom[9]: sending SIGTERM to process 7 uid 991 "shop": oom_score 1331, oom_score_adj 500, VmRSS 3287 MiB, cmdline "shop"', "shop", 500),
        ('earlyoom[9]: sending SIGTERM to process 7 uid 991 "shop": badness 1331, VmRSS 3287 MiB', "shop", None),
    ],
)
def test_a_daemon_may_tell_the_victims_oom_score_adj(line, process, adj):
    reading = read_log(LogFile("paste", lambda: iter([line.encode()]), None))
    (incident,) = diagnose_events(HostFacts({"host": "paste"}), reading.events, reading.services)["incidents"]

    assert (incident["kind"], incident["victim"]["process"], incident["victim"]["oom_score_adj"]) == ("userspace_oom_daemon", process, adj)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Warning  SystemOOM  5m  kubelet  System OOM encountered, victim process: shop, pid: 7", "global_oom"),
        ("Warning  SystemOOM  5m  kubelet  System OOM encountered", "global_oom"),
        ("slurmstepd: error: Detected 1 oom-kill event(s) in step 7.batch cgroup. Some of your processes may have been killed.", "memcg_oom"),
        ("slurmstepd: error: Detected 2 oom-kill event(s) in StepId=7.batch cgroup.", "memcg_oom"),
        ("error: Detected 1 oom_kill event in StepId=7.batch.", "memcg_oom"),
        ("error: Detected 1 oom_kill event in StepId=7.0. Some of the step tasks have been OOM Killed.", "memcg_oom"),
        ("job.sh: line 3: 43 Killed   ./fit\nslurmstepd: error: Detected 1 oom_kill event in StepId=7.batch. Some of the step tasks have been.", "memcg_oom"),
    ],
)
def test_whoever_reports_the_kernels_kill_may_say_its_scope(line, kind):
    assert saved(line) == [kind]


def test_cadvisors_word_on_a_cgroup_is_of_the_kernels_kill_at_its_limit():
    cadvisor = 'cadvisor: manager.go:1178] Created an OOM event in container "{}" at 2026-11-20 10:00:01 +0000 UTC'
    kernel = "".join(f"Nov 20 10:00:00 web1 kernel: {line}\n" for line in kill("/kubepods/pod7"))

    assert saved(kernel + "Nov 20 10:00:01 web1 " + cadvisor.format("/kubepods/pod7")) == ["memcg_oom"]
    assert saved(kernel + "Nov 20 10:00:01 web1 " + cadvisor.format("/kubepods/pod8")) == ["memcg_oom"] * 2


def test_nothing_killable_below_a_limit_is_an_incident_without_a_victim():
    log = "systemd invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=100\n mem_cgroup_out_of_memory+0xc2/0xd0\n"

    assert saved(log + "Out of memory and no killable processes...\n") == ["memcg_oom"]
    assert saved("Memory cgroup out of memory: OOM victim 7 (x) is already exiting. Skip killing the task\n") == []
