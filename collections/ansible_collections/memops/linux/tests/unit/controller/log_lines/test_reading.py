# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Logs as people have them: mixed, damaged, of several hosts, and by people who would like to be believed."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.model import OomReport
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines import prefix
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import DamagedLog, LogFile
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.reading import read_log
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.stamps import Clock
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import NAMES
from ansible_collections.memops.linux.tests.unit.controller.log_lines.log_forms import FORMS, messages
from ansible_collections.memops.linux.tests.unit.controller.log_lines.test_forms import WHOLE, WRITTEN_AT, read, said

#: In the kernel's form since 5.0.
KILL = "Out of memory: Killed process 7 (worker) total-vm:9000kB, anon-rss:8000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:48kB oom_score_adj:0"


def killed(text: str | bytes) -> list[int | None]:
    return [victim.pid for event in read(text).events if isinstance(event, OomReport) for victim in event.victims]


@pytest.mark.parametrize(
    "line",
    [
        f"Nov 20 10:00:00 web1 app[7]: {KILL}",
        f"Nov 20 10:00:00 web1 nginx: {KILL}",
        f"2026-11-20T10:00:00Z web1 app 7 - - {KILL}",
        f'{{"log":"{KILL}\\n","stream":"stdout","time":"2026-11-20T10:00:00Z"}}',
        f'{{"MESSAGE":"{KILL}","SYSLOG_IDENTIFIER":"app","_TRANSPORT":"stdout"}}',
        f'Nov 20 10:00:00 web1 app[7]: request "{KILL}" refused',
        f"user wrote '{KILL}'",
        "Nov 20 10:00:00 web1 app[7]: first line of a trace\n    " + KILL,
    ],
)
def test_a_program_that_quotes_the_kernel_kills_nobody(line):
    assert killed(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "kubelet --oom-score-adj=-999 --eviction-hard=memory.available<100Mi",
        "Nov 20 10:00:00 web1 systemd[1]: Started Userspace Out-Of-Memory (OOM) Killer.",
        "Nov 20 10:00:00 web1 kernel: [    1.5] oom_reaper registered",
        "[ 1234.567890] Modules linked in: oom_notifier xfs",
        "root        58     2  0 Nov19 ?        00:00:00 [oom_reaper]",
        "Nov 20 10:00:00 web1 earlyoom[9]: mem avail: 900 of 990 MiB (90.00%), swap free: 0 of 0 MiB ( 0.00%)",
        "I1120 10:00:00.038597       5 oom_linux.go:65] attempting to set \"/proc/self/oom_score_adj\" to \"0\"",
        "vm.panic_on_oom = 0",
        "dockerd: --oom-score-adjust has been set",
    ],
)
def test_a_line_that_only_mentions_oom_is_no_event(line):
    reading = read(line)

    assert (reading.events, reading.services) == ([], [])


@pytest.mark.parametrize("form", ["syslog", "dmesg", "dmesg -T", "journalctl -o json", "syslog, high precision"])
@pytest.mark.parametrize("second", NAMES[::4])
@pytest.mark.parametrize("first", NAMES[1::4])
def test_two_logs_in_one_file_give_the_events_of_both(first, second, form):
    one, other = (FORMS[form](messages(name)) for name in (first, second))

    assert [said(event) for event in read(one + other).events] == WHOLE[first] + WHOLE[second]


def test_the_lines_of_several_hosts_in_one_file_are_kept_apart():
    """A central log server writes the lines in the order in which they arrive."""
    web = FORMS["syslog"](messages("linux-6.1-memcg-docker")).splitlines()
    db = [line.replace(" web1 ", " db1 ") for line in FORMS["syslog"](messages("linux-6.1-global-no-swap")).splitlines()]
    mixed = [line for pair in zip(web, db, strict=False) for line in pair] + web[len(db) :] + db[len(web) :]

    events = read("\n".join(mixed)).events

    assert sorted(map(str, map(said, events))) == sorted(map(str, WHOLE["linux-6.1-memcg-docker"] + WHOLE["linux-6.1-global-no-swap"]))


def test_other_services_between_the_lines_of_a_report_change_nothing():
    lines = FORMS["syslog"](messages("linux-6.1-global-no-swap")).splitlines()
    noise = [f"Nov 20 09:01:{number % 60:02} web1 sshd[{number}]: Connection closed by 192.0.2.7 port {number}" for number in range(len(lines))]

    events = read("\n".join(line for pair in zip(lines, noise, strict=True) for line in pair)).events

    assert [said(event) for event in events] == WHOLE["linux-6.1-global-no-swap"]


def test_each_line_twice_is_one_report():
    """rsyslog that reads both the journal and /proc/kmsg."""
    lines = FORMS["syslog with uptime"](messages("linux-6.1-memcg-docker")).splitlines()

    assert [said(event) for event in read("\n".join(line for line in lines for _twice in "ab")).events] == WHOLE["linux-6.1-memcg-docker"]


def test_a_repeated_message_says_what_it_repeats():
    line = f"Nov 20 10:00:00 web1 kernel: message repeated 2 times: [ {KILL}]"

    assert killed(line) == [7]


def test_a_quote_says_in_which_line_it_stands():
    reading = read("Nov 20 10:00:00 web1 sshd[1]: hello\nNov 20 10:00:01 web1 kernel: " + KILL + "\n", "messages.1")

    assert [event.quotes["kill"].where for event in reading.events] == ["messages.1:2"]


def test_a_stamp_without_a_year_means_the_last_such_day_and_is_noted():
    reading = read(f"Dec 31 23:59:59 web1 kernel: {KILL}\n")

    assert [event.time for event in reading.events] == ["2025-12-31T23:59:59Z"]
    assert any("no year" in note for note in reading.notes)


def test_a_stamp_with_an_offset_is_told_in_utc_and_nothing_is_noted():
    reading = read(f"2026-11-20T10:00:00.5+02:00 web1 kernel: {KILL}\n")

    assert [event.time for event in reading.events] == ["2026-11-20T08:00:00.500000Z"]
    assert reading.notes == []


def test_a_log_without_stamps_has_no_times():
    assert [event.time for event in read(KILL).events] == [None]


def test_a_damaged_log_gives_what_it_holds_and_says_so():
    def blocks():
        yield f"Nov 20 10:00:00 web1 kernel: {KILL}\n".encode()
        raise DamagedLog("the file ends in the middle")

    reading = read_log(LogFile("messages.gz", blocks, WRITTEN_AT))

    assert [victim.pid for victim in reading.events[0].victims] == [7]
    assert "the file ends in the middle" in reading.notes


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\x00\xff\xfe\x01" * 500, b"not a log\n" * 50, bytes(range(256)) * 20])
def test_what_is_no_log_holds_no_line_of_one(data):
    reading = read(data)

    assert (reading.events, reading.services, reading.stamped_lines) == ([], [], 0)


def test_invalid_utf_8_around_a_report_does_no_harm():
    data = b"\xff\xfe\xfd\n" + FORMS["syslog"](messages("linux-6.1-memcg-docker")).encode() + b"\xc3\x28\n"

    assert [said(event) for event in read(b"#" + data).events] == WHOLE["linux-6.1-memcg-docker"]


def test_a_newest_first_log_behind_another_one_is_turned_alone():
    forward = FORMS["syslog with uptime"](messages("linux-6.1-memcg-docker"))
    backward = FORMS["newest first"](messages("linux-6.1-global-no-swap"))

    events = read(forward + backward).events

    assert [said(event) for event in events] == WHOLE["linux-6.1-memcg-docker"] + WHOLE["linux-6.1-global-no-swap"]


def test_a_newest_first_log_that_is_too_large_to_turn_says_so():
    lines = [f"Nov 20 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} web1 sshd[{number}]: session opened" for number in range(86400)]

    backwards, forwards = (read("\n".join(ordered) + "\n") for ordered in (lines[::-1], lines))

    assert [any("newest line" in note for note in reading.notes) for reading in (backwards, forwards)] == [True, False]


def test_a_small_disorder_of_stamps_does_not_turn_a_log():
    lines = FORMS["syslog with uptime"](messages("linux-6.1-memcg-docker")).splitlines()
    lines[3], lines[4] = lines[4], lines[3]

    assert killed("\n".join(lines)) == [victim.pid for victim in WHOLE["linux-6.1-memcg-docker"][0][2]]


@pytest.mark.parametrize(
    "line",
    [
        "[Fri'Nov 20 10:00:00 2026] " + KILL,
        "99:99:99 kernel: " + KILL,
    ],
)
def test_a_damaged_stamp_costs_only_the_time(line):
    reading = read("10:00:00 kernel: x\n" + line)

    assert killed(line) == [7]
    assert [event.time for event in reading.events] == [None]


def test_a_colon_behind_the_stamp_is_no_part_of_the_message():
    reading = read(f'Nov 20 10:00:00: {KILL}\nNov 20 10:01:00: sending SIGTERM to process 8 uid 1 "shop": badness 7, VmRSS 6 MiB\n')

    assert (reading.events[0].victims[0].pid, reading.services[0].pid) == (7, 8)


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("avril 16 21:08:50", "2026-04-16T21:08:50Z"),
        ("апр 28 01:23:30", "2026-04-28T01:23:30Z"),
        ("Okt 03 01:23:30", "2026-10-03T01:23:30Z"),
        ("juil. 03 01:23:30", "2026-07-03T01:23:30Z"),
        ("juin 03 01:23:30", "2026-06-03T01:23:30Z"),
        ("xyz 03 01:23:30", None),
    ],
)
def test_months_in_other_languages(stamp, time):
    (event,) = read(f"{stamp} web1 kernel: {KILL}\n").events

    assert (event.time, event.victims[0].pid) == (time, 7)


@pytest.mark.parametrize("prefix", ["[ 9000.000001] ", "[Fri Nov 20 10:00:00 2026] ", "2026-11-20T10:00:00,000001+00:00 ", "Nov 20 10:00:00 web1 kernel: ", ""])
def test_info_in_the_kernels_own_words_is_no_level_of_a_log(prefix):
    reading = read(f"{prefix}INFO: task kworker/u:8:65 blocked for more than 120 seconds.\n")

    assert [(event.kind, event.process, event.pid) for event in reading.events] == [("hung_task", "kworker/u:8", 65)]


@pytest.mark.parametrize(
    ("broken", "read_as"),
    [
        ("[ 9000.1] Out of memory: Killed process 7 (worker) total-\nvm:9000kB, anon-rss:8000kB", (7, 9000 << 10, 8000 << 10)),
        ("[ 9000.1] Killed process 7 (worker)\n    total-vm:9000kB, anon-rss:8000kB", (7, 9000 << 10, 8000 << 10)),
        ("[ 9000.1] Out of memory: Killed process 7 (worker) total-vm:\n> 9000kB, anon-rss:8000kB", (7, 9000 << 10, 8000 << 10)),
        ("[ 9000.1] Out of memory in UB 5: OOM\nkilled process 7 (worker) score 0 vm:9000kB, rss:8000kB", (7, 9000 << 10, None)),
        ("noted: Out of memory: Killed process 7 (worker)\ntotal-vm:9000kB, anon-rss:8000kB", (7, 9000 << 10, 8000 << 10)),
        ("[ 9000.1] Killed process 7 (worker)\nworker: page allocation failure. order:0, mode:0xd2", (7, None, None)),
    ],
)
def test_a_kill_line_is_mended_wherever_it_was_broken(broken, read_as):
    victim = read(broken).events[0].victims[0]

    assert (victim.pid, victim.total_vm_bytes, victim.anon_rss_bytes) == read_as


@pytest.mark.parametrize("field", ['    "message": "{}",', "message: '{}'", "Message: {}"])
def test_an_event_of_kubernetes_carries_the_kernels_words(field):
    kill = "Memory cgroup out of memory: Killed process 7 (worker) total-vm:9000kB, anon-rss:8000kB oom_score_adj:999"

    (event,) = read(field.format(kill) + "\n").events

    assert (event.victims[0].pid, event.victims[0].oom_score_adj) == (7, 999)


@pytest.mark.parametrize("title", ["Subject: Re: ", "> Subject: ", "Re: ", "title: "])
def test_a_mails_title_is_no_line_of_a_log(title):
    assert read(f"{title}worker: page allocation failure: order:0,\n mode:0x820(GFP_ATOMIC)\n").events == []


def test_a_path_broken_behind_a_slash_is_one_path():
    identity = "ab" * 32

    (event,) = read(f"[ 9000.1] Task in /docker/{identity} killed as a result of limit of /docker/\n{identity}\n").events

    assert event.limit_cgroup == f"/docker/{identity}"


@pytest.mark.parametrize(
    "summary",
    [
        "constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/x,mems_allowed=0,global_oom,task_memcg=/y,task=worker,pid=7,uid=0",
        "constraint=CONSTRAINT_NONE, nodemask=(null), cpuset=/x, mems_allowed=0, global_oom, task_memcg=/y, task=worker, pid=7, uid=0",
        "constraint=CONSTRAINT_NONE,nodemask=(null),\n    cpuset=/x,mems_allowed=0,\nglobal_oom,\ntask_memcg=/y,\ntask=worker,pid=7,\nuid=0",
        "constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/x,mems_allowed=0,global_oom,task_memcg=/y,\ntask=worker,\npid=7,uid=0",
    ],
)
def test_a_summary_line_with_blanks_or_breaks_behind_its_commas_says_the_same(summary):
    (event,) = read(f"[ 9000.1] oom-kill:{summary}\n").events

    assert (event.constraint, event.cpuset, event.mems_allowed, event.victim_cgroup) == ("none", "/x", "0", "/y")
    assert (event.victims[0].process, event.victims[0].pid, event.victims[0].uid) == ("worker", 7, 0)


def test_the_line_after_no_killable_processes_is_a_line_of_its_own():
    (event,) = read("> Out of memory and no killable processes...\n> Kernel panic - not syncing: System is deadlocked on memory\n").events

    assert event.panic


@pytest.mark.parametrize("line", ["x=3D1", "a=\n" * 5, "=" * 200, "dGVzdA=\n" * 3, "=ZZ =3D\n=\n"])
def test_what_only_looks_like_encoded_mail_changes_no_other_line(line):
    assert killed(f"{line}\nNov 20 10:00:00 web1 kernel: {KILL}\n") == [7]


def test_soft_breaks_without_end_are_bounded():
    assert killed("=3D\n" + "x=\n" * 200_000 + "\n" + KILL) == [7]


QUICK = [
    "[ 9000.000001] Node 0 DMA free:15360kB boost:0kB min:4kB",
    "[ 9000.000001] [    855]     0   855     2312     1089    45056        0             0 ba|sh",
    "[ 9000.000001][    7] [    855]     0   855     2312     1089    45056        0             0 bash",
    "[ 9000.000001]  dump_stack+0x41/0x60",
    "active_anon:1 inactive_anon:2",
    "messages-20:Node 0",
    "kern.warn Node 0",
    "notice it",
    "stdout F it",
    "Nov 20 10:00:00 web1 Node 0",
    "web1 kernel: [ 9000.000001] x",
    "web1 kernel:",
    "Nov 20 10:00:00 web1 kernel: [ 9000.000001] <4>x",
    "Nov 20 10:00:00 web1 kernel: [ 9000.000001][  T7] x",
    "Nov 20 10:00:00 kern.warn kernel: [ 9000.000001] x",
    "> x",
    "*x",
    "",
]


@pytest.mark.parametrize("line", QUICK)
def test_the_quick_way_says_the_same_as_peeling(line):
    clock = Clock(WRITTEN_AT)

    assert prefix.message(line, clock) == prefix._Peeling(line.lstrip(), clock).result()


@pytest.mark.parametrize("name", [name for name in NAMES if "segfault" not in name])
def test_a_recording_says_the_same_where_the_kernels_tag_is_lost(name):
    """But not a segfault: "web1 calc[352]: " is a program's tag."""
    lines = FORMS["syslog"](messages(name)).replace(" kernel: ", " ")

    assert [said(event) for event in read(lines).events] == WHOLE[name]


def test_the_first_word_of_lines_without_a_tag_is_a_host_only_where_many_share_it():
    said_by_kernel = (KILL, "Free swap = 0kB", "Mem-Info:", "DMA free:4kB min:4kB low:4kB high:4kB", "init invoked oom-killer: gfp_mask=0xd0")
    words = [f"Nov 20 10:00:00 web1 {text}" for text in said_by_kernel]

    assert [event.trigger.process for event in read("\n".join(words)).events if event.trigger] == ["init"]
    assert [event.trigger.process for event in read(words[-1]).events] == ["web1 init"]
    assert killed("\n".join(f"Nov 20 10:00:0{second} {KILL.replace(' 7 ', f' {second} ')}" for second in range(5))) == [0, 1, 2, 3, 4]


def test_a_daemons_line_behind_a_prefix_of_no_known_form():
    line = "| build | lost (2026-11-20T10:00:00+00:00 web1 earlyoom[9]: sending SIGTERM to process 7 uid 1 \"shop\": badness 7, VmRSS 6 MiB) |"

    assert [event.pid for event in read(line).services] == [7]
    assert read(line.replace("earlyoom", "user wrote \"earlyoom")).services == []


def test_two_lines_of_the_kernel_run_together():
    (event,) = read("kernel: Memory cgroup out of memory: Kill process 7 (x) kernel: Killed process 7 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB").events

    assert (event.constraint, event.victims[0].anon_rss_bytes) == ("memcg", 4096)


@pytest.mark.parametrize(
    ("first", "following"),
    [
        (KILL.partition(", file-rss")[0], "* Out of memory: something else"),
        (KILL.partition(", file-rss")[0], "shop.service: Main process exited, code=exited, status=1/FAILURE"),
        ("Killed process 7 (worker)...", "process 8 (other) total-vm:1kB"),
        ("Killed process 7 (worker) total-vm:9000kB, …", "shop: page allocation failure: order:1"),
    ],
)
def test_a_cut_line_takes_nothing_in_that_is_not_of_it(first, following):
    (event, *_others) = read(f"[ 9000.1] {first}\n{following}\n").events

    assert event.quotes["kill"].text == first


def test_a_talos_log_names_facility_and_level_apart():
    (event,) = read(f"[ 9000.1] x\nkern:     err: [2026-11-20T10:00:00.000000001Z]: {KILL}").events

    assert event.time == "2026-11-20T10:00:00Z"


def test_a_tagless_line_of_a_daemon_has_not_the_time_of_the_kernels_line_above():
    reading = read(f"Nov 20 10:00:00 web1 kernel: {KILL}\nshop.service: Main process exited, code=killed, status=9/KILL\n")

    assert [event.time for event in reading.services] == [None]


@pytest.mark.parametrize("mark", ["# ", "#   ", "// "])
def test_the_kernels_words_in_a_scripts_comment(mark):
    (event,) = read(f"{mark}Out of memory and no killable processes...\n{mark}Kernel panic - not syncing: System is deadlocked on memory").events

    assert event.panic
    assert killed(f"{mark}{KILL}") == [7]


@pytest.mark.parametrize(("said", "process"), [("c2 sh invoked", "sh"), ("c2 invoked", "c2"), ("c11 sh invoked", "sh"), ("c2 d invoked", "d")])
def test_a_vendors_mark_of_the_cpu_is_no_part_of_the_name(said, process):
    (event,) = read(f"<4>[ 1304.482941] {said} oom-killer: gfp_mask=0xd0, order=2, oom_adj=0, oom_score_adj=0").events

    assert event.trigger.process == process


def test_kill_lines_run_together_without_anything_between():
    log = "Killed process 6 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kBOut of memory: kill process 7 (b) score 9 or a childKilled process 7 (b)"

    assert killed(log) == killed(f"kernel: {log}") == [6, 7]
    assert killed(f"Nov 20 10:00:00 web1 app[7]: {log}") == []


def test_a_kill_line_of_old_counts_where_the_log_names_the_kernel():
    assert killed("Nov 20 10:00:00 web1 kernel: Killed process 7 (worker)") == killed("kernel: Killed process 7 (worker)") == [7]
    assert killed("Killed process 7 (worker)") == []


def test_a_command_that_looks_for_the_killers_words_asks_for_no_memory():
    assert read("`dmesg -T | grep -i \"invoked oom-killer: gfp_mask\"`").events == []


@pytest.mark.parametrize("node", ["10.1.1.2: ", "node-1.example: ", ""])
def test_talosctl_names_the_node_before_facility_and_level(node):
    line = f"{node}kern: warning: [2026-11-20T10:00:00.000000001Z]: my app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
    (event,) = read(line).events

    assert (event.trigger.process, event.time) == ("my app", "2026-11-20T10:00:00Z")
