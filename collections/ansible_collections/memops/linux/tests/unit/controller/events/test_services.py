# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""User-space lines: acts and results on memory, and nothing that merely mentions it.

The lines of systemd and earlyoom are recordings (Debian 12), the others are written by hand after the programs' sources.
"""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.model import ServiceEvent
from ansible_collections.memops.linux.plugins.plugin_utils.events.services import read_services

MIB = 1 << 20


def said(process: str, *texts: str, unit: str | None = None, at: str = "2026-11-20T10:00:{:02}Z") -> list[dict]:
    return [{"time": at.format(second), "unit": unit, "process": process, "pid": 1, "text": text} for second, text in enumerate(texts)]


def only(records: list[dict]) -> ServiceEvent:
    (event,) = read_services(records)
    return event


# systemd


def test_all_that_systemd_says_of_one_oom_kill_is_one_event():
    event = only(
        said(
            "systemd",
            "shop-import.service: A process of this unit has been killed by the OOM killer.",
            "shop-import.service: Killing process 351 (sh) with signal SIGKILL.",
            "shop-import.service: A process of this unit has been killed by the OOM killer.",
            "shop-import.service: Main process exited, code=killed, status=9/KILL",
            "shop-import.service: Failed with result 'oom-kill'.",
        )
    )
    assert (event.kind, event.by, event.unit, event.time) == ("unit_oom_kill", "systemd", "shop-import.service", "2026-11-20T10:00:00Z")
    assert len(event.lines) == 4
    assert event.quotes["line"].text.endswith("killed by the OOM killer.")


def test_the_oom_killer_outweighs_the_signal_whatever_comes_first():
    event = only(said("systemd", "a.service: Main process exited, code=killed, status=9/KILL", "a.service: Failed with result 'oom-kill'."))
    assert event.kind == "unit_oom_kill"
    assert event.quotes["line"].text == "a.service: Failed with result 'oom-kill'."


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("a.service: Main process exited, code=killed, status=9/KILL", "unit_killed"),
        ("a.service: Control process exited, code=killed, status=9/KILL", "unit_killed"),
        ("a.service: Main process exited, code=killed, status=11/SEGV", "unit_crashed"),
        ("a.service: Main process exited, code=dumped, status=11/SEGV", "unit_crashed"),
        ("a.service: Main process exited, code=dumped, status=6/ABRT", "unit_crashed"),
        ("a.service: Failed with result 'core-dump'.", "unit_crashed"),
        ("a.service: Failed with result 'oom-kill'.", "unit_oom_kill"),
    ],
)
def test_how_a_unit_ended(line, kind):
    event = only(said("systemd", line))
    assert (event.kind, event.unit, event.detail) == (kind, "a.service", line)


@pytest.mark.parametrize(
    "line",
    [
        "a.service: main process exited, code=killed, status=9/KILL",
        "a.service: Main process exited, code=exited, status=137/n/a",
        "a.service: Main process exited, code=killed, status=9",
    ],
)
def test_a_sigkill_in_the_words_of_other_ages(line):
    assert (only(said("systemd", line)).kind, only([{"text": line}]).unit) == ("unit_killed", "a.service")


@pytest.mark.parametrize(
    "sender",
    [
        "a.service: State 'stop-sigterm' timed out. Killing.",
        "a.service: State stop-sigterm timed out. Killing.",
        "a.service stop-sigterm timed out. Killing.",
        "a.service: Killing process 351 (sh) with signal SIGKILL.",
        "a.service: Sent signal SIGKILL to main process 351 (sh) on client request.",
    ],
)
def test_who_sent_the_sigkill_is_quoted_where_systemd_says_it(sender):
    event = only(said("systemd", sender, "a.service: Main process exited, code=killed, status=9/KILL"))
    assert event.quotes["sender"].text == sender
    other = only(said("systemd", sender, "b.service: Main process exited, code=killed, status=9/KILL"))
    assert "sender" not in other.quotes


def test_a_word_before_a_colon_that_was_taken_for_a_program():
    records = [{"process": "PID", "text": "77, name: my app, badness: 849"}, {"text": "Sending SIGTERM to the victim"}]
    assert (only(records).process, only(records).pid) == ("my app", 77)
    assert only([{"process": "FATAL", "text": " out of memory"}]).kind == "enomem"


def test_a_unit_s_name_that_was_taken_for_a_program():
    assert only([{"process": "a.service", "text": "A process of this unit has been killed by the OOM killer."}]).unit == "a.service"


def test_two_deaths_of_one_unit_are_two_events():
    death = ("a.service: Main process exited, code=killed, status=9/KILL", "a.service: Failed with result 'signal'.")
    assert [event.kind for event in read_services(said("systemd", *death, *death))] == ["unit_killed"] * 2
    hours = said("systemd", death[0]) + said("systemd", "a.service: A process of this unit has been killed by the OOM killer.", at="2026-11-20T13:00:{:02}Z")
    assert [event.kind for event in read_services(hours)] == ["unit_killed", "unit_oom_kill"]


def test_the_slices_above_a_unit_did_not_die():
    text = ": A process of this unit has been killed by the OOM killer."
    event = only(said("systemd", *(unit + text for unit in ("user.slice", "user@1000.service", "run-u820.service", "user-1000.slice"))))
    assert event.unit == "run-u820.service"


def test_slices_one_above_the_other_tell_of_one_kill():
    text = ": A process of this unit has been killed by the OOM killer."
    units = ("user-1021.slice", "system-shop.slice", "user@1021.service", "user.slice", "system.slice")
    assert [event.unit for event in read_services(said("systemd", *(unit + text for unit in units)))] == ["user-1021.slice", "system-shop.slice"]


@pytest.mark.parametrize(
    ("path", "cgroup"),
    [
        ('{"controller": "runtime.OOMController", "cgroup": "/sys/fs/cgroup/kubepods/pod7"}', "/kubepods/pod7"),
        ('{"controller": "runtime.OOMController", "cgroup": "/sys/fs/cgroup/kubepods/ pod7"}', "/kubepods/pod7"),
        (".../kubepods/pod<uid>", None),
    ],
)
def test_the_controller_of_talos_kills_a_cgroup(path, cgroup):
    event = only([{"text": f"[talos] Sending SIGKILL to cgroup {path}"}])
    assert (event.kind, event.by, event.cgroup) == ("oom_daemon_kill", "talos", cgroup)


def test_a_slice_alone_is_all_that_is_known():
    assert only(said("systemd", "user.slice: A process of this unit has been killed by the OOM killer.")).unit == "user.slice"


# Daemons that kill


OOMD = "/user.slice/user-1001.slice/user@1001.service/app.slice/vte-spawn.scope"


@pytest.mark.parametrize(
    "line",
    [
        f"Killed {OOMD} due to memory pressure for /user.slice/user-1001.slice/user@1001.service being 51.07% > 50.00% for > 20s with reclaim activity",
        f"Killed {OOMD} due to memory used (8268914688) / total (8286142464) and swap used (4293918720) / total (4294963200) being more than 90.00%",
        f"Killed {OOMD} due to swap used (4293918720) / total (4294963200) being more than 90.00%",
        f"Marked {OOMD} for killing due to memory pressure for /user.slice being 51.07% > 50.00% for > 20s with reclaim activity",
        # cut by a pager
        f"Killed {OOMD} due to memory p>",
        f"Killed {OOMD} due to swap…",
    ],
)
def test_systemd_oomd(line):
    event = only(said("systemd-oomd", line))
    assert (event.kind, event.by, event.cgroup, event.unit) == ("oom_daemon_kill", "systemd-oomd", OOMD, "vte-spawn.scope")


def test_systemd_s_echo_of_oomd_s_kill_is_no_second_event():
    records = said("systemd-oomd", f"Killed {OOMD} due to memory pressure for /user.slice being 51.07% > 50.00% for > 20s with reclaim activity")
    records += said("systemd", "vte-spawn.scope: systemd-oomd killed 12 process(es) in this unit.")
    assert len(only(records).lines) == 2


@pytest.mark.parametrize(
    ("line", "process", "pid", "rss"),
    [
        ('sending SIGTERM to process 353 uid 0 "shop-import": badness 1153, VmRSS 708 MiB', "shop-import", 353, 708 * MIB),
        ('sending SIGKILL to process 9057 uid 1000 "a": b": oom_score 866, oom_score_adj 300, VmRSS 54 MiB, cmdline "x"', 'a": b', 9057, 54 * MIB),
        ('sending SIGTERM to process … "code": badness 300', "code", None, None),
        ('sending SIGTERM to process 9057 "code": badness 300, VmRSS 54 MiB', "code", 9057, 54 * MIB),
    ],
)
def test_earlyoom(line, process, pid, rss):
    event = only(said("earlyoom", "low memory! at or below SIGTERM limits: mem  5.00%, swap 40.00%", line))
    assert (event.kind, event.by, event.process, event.pid, event.rss_bytes) == ("oom_daemon_kill", "earlyoom", process, pid, rss)


@pytest.mark.parametrize(
    "line",
    [
        "Killing process: a, pid: 7, badness: 9, VmRSS: 5 MiB",
        "Killing process 7 (a)",
        "Killing process 7 (a) with badness 12 time_running=0.1m",
    ],
)
def test_earlyoom_of_old(line):
    event = only(said("earlyoom", line))
    assert (event.by, event.process, event.pid) == ("earlyoom", "a", 7)


def test_earlyoom_of_old_without_a_tag_is_known_by_its_figure():
    assert only([{"text": "Killing process 7 (a) with badness 12 time_running=0.1m"}]).pid == 7
    assert read_services([{"text": "Killing process 7 (a)"}]) == []


def test_the_memory_that_earlyoom_saw_is_quoted():
    seen = "mem avail:   165 of 31880 MiB ( 0.52%), swap free: 19581 of 49151 MiB (39.84%)"
    limits = "low memory! at or below SIGTERM limits: mem  5.00%, swap 40.00%"
    event = only(said("earlyoom", seen, limits, 'sending SIGTERM to process 7 uid 0 "a": badness 9, VmRSS 5 MiB'))
    assert (event.quotes["available"].text, event.quotes["limits"].text, len(event.lines)) == (seen, limits, 1)


def test_nohang_of_old_names_its_victim_on_two_lines():
    event = only(said("nohang-desktop", "Name:    my app", "PID:     77", "Send SIGTERM to the victim; total response time: 2255 ms"))
    assert (event.process, event.pid) == ("my app", 77)
    assert read_services(said("shop", "Name:    my app", "PID:     77", "Run the command: kill -TERM 12297")) == []


def test_lmkd_and_oomd():
    event = only(said("lmkd", "Kill 'com.shop' (7), uid 10123, oom_score_adj 905 to free 51200kB rss, 0kB swap; reason: low watermark is breached"))
    assert (event.by, event.process, event.pid, event.rss_bytes) == ("lmkd", "com.shop", 7, 50 * MIB)
    event = only(said("oomd", "oomd kill: 36.37 17.59 5.23 system.slice/shop.service 2031616 ruleset:[low swap] killer:kill_by_swap_usage"))
    assert (event.by, event.cgroup, event.unit) == ("oomd", "/system.slice/shop.service", "shop.service")


def test_earlyoom_s_second_signal_to_a_process_is_the_same_kill():
    event = only(said("earlyoom", *(f'sending {signal} to process 7 uid 0 "a": badness 9, VmRSS 5 MiB' for signal in ("SIGTERM", "SIGKILL"))))
    assert len(event.lines) == 2


def test_earlyoom_s_self_test_at_its_start_is_no_kill():
    assert read_services(said("earlyoom", 'sending 0 (no-op signal) to process 7 uid 0 "a": badness 9, VmRSS 5 MiB')) == []


def test_nohang():
    event = only(
        said("nohang", "TOP printed in 1ms; process with highest badness:\n  PID: 903309, name: my sqld, badness: 849", "  Sending SIGTERM to the victim")
    )
    assert (event.kind, event.by, event.process, event.pid) == ("oom_daemon_kill", "nohang", "my sqld", 903309)


# Programs that were refused memory


@pytest.mark.parametrize(
    "line",
    [
        "shop-enomem: cannot map the index: Cannot allocate memory",
        "bash: fork: Cannot allocate memory",
        "os::commit_memory(0x7f, 12288, 0) failed; error='Cannot allocate memory' (errno=12)",
        "Can't save in background: fork: Cannot allocate memory",
        "spawn ENOMEM",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "MemoryError",
        "fatal error: runtime: out of memory",
        "FATAL:  out of memory",
        "memory allocation of 1073741824 bytes failed",
    ],
)
def test_a_refusal_of_memory(line):
    event = only(said("shop", line, unit="shop.service"))
    assert (event.kind, event.by, event.process, event.unit) == ("enomem", "shop", "shop", "shop.service")


@pytest.mark.parametrize(
    "line",
    [
        "Started Userspace Out-Of-Memory (OOM) Killer.",
        "Under memory pressure, flushing caches.",
        'attempting to set "/proc/self/oom_score_adj" to "0"',
        "earlyoom 1.7: mem total: 967 MiB, swap total: 0 MiB",
        "mem avail:   165 of 31880 MiB ( 0.52%), swap free: 19581 of 49151 MiB (39.84%)",
        "a.service: Main process exited, code=killed, status=15/TERM",
        "a.service: Main process exited, code=exited, status=1/FAILURE",
        "a.service: Failed with result 'signal'.",
        "a.service: Failed with result 'timeout'.",
        "a.service: Sent signal SIGKILL to main process 12 (a) on client request.",
        "systemd-oomd.service: Deactivated successfully.",
        "Considered 21 cgroups for killing, top candidates were:",
        "oomd dry-run: Would have tried to kill /a.slice and all its descendants",
        'time="2026-11-20T10:00:00Z" level=info msg="shim disconnected" id=0123456789abcdef namespace=moby',
        'msg="TaskExit event container_id:\\"0123456789abcdef\\" pid:7 exit_status:137"',
        'Created container oomkilled-watcher with "OOMKilled": false',
        "PID 1370 exited with code 1370",
        "java.lang.OutOfMemoryError: Java heap space",
        "out of memory is not what this line is about",
        "Killed the old session due to a new login",
    ],
)
def test_a_line_that_only_mentions_memory_is_no_event(line):
    assert read_services(said("shop", line)) == []


def test_records_may_lack_anything():
    assert read_services([{}, {"text": None}, {"text": "", "unit": None}]) == []
    event = only([{"text": "spawn ENOMEM"}])
    assert (event.process, event.unit, event.time) == (None, None, None)


@pytest.mark.parametrize("line", ["a job: Cannot allocate memory", "it failed with ENOMEM", "it throws std::bad_alloc", "MemoryError"])
def test_words_that_also_stand_in_prose_count_only_from_a_program(line):
    assert read_services([{"text": line}]) == []
    assert read_services([{"text": line, "process": "shop"}])[0].kind == "enomem"


def test_a_program_that_goes_on_asking_was_refused_once():
    assert len(only(said("shop", *["fork: Cannot allocate memory"] * 3)).lines) == 3
    asked = said("shop", "spawn ENOMEM") + said("shop", "spawn ENOMEM", at="2026-11-20T13:00:{:02}Z") + said("web", "spawn ENOMEM")
    assert len(read_services(asked)) == 3


def test_heroku_ends_a_dyno_at_twice_its_quota_and_only_warns_before():
    line = "heroku[web.1]: Error R15 (Memory quota vastly exceeded)"
    event = only([{"text": "heroku[web.1]: Error R14 (Memory quota exceeded)"}, {"text": line}, {"text": "heroku[web.1]: Process exited with status 137"}])
    assert (event.kind, event.by, event.detail, len(event.lines)) == ("oom_daemon_kill", "heroku", line, 2)


@pytest.mark.parametrize("line", ["we got Error R15 (Memory quota vastly exceeded)", "Error R15 (Memory quota vastly exceeded) means that", "R15"])
def test_words_on_heroku_s_error_end_no_dyno(line):
    assert read_services([{"text": line}]) == []
