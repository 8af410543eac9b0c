# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A sosreport: its logs joined so that each event counts once, and what its other files tell of the host.

The files' contents are hand-written in the documented form of each command.
"""

from __future__ import annotations

import io
import tarfile

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import DamagedLog
from ansible_collections.memops.linux.plugins.plugin_utils.log_places import sosreport, sosreport_folder
from ansible_collections.memops.linux.plugins.plugin_utils.log_places.unpacking import UNPACKED_LIMIT_BYTES
from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs import archive_entries
from ansible_collections.memops.linux.plugins.plugin_utils.saved_logs.entry import diagnosis_of_host, read

KILL = "Out of memory: Killed process {pid} (shop) total-vm:{kb}kB, anon-rss:{kb}kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:48kB oom_score_adj:0"
UNAME = "Linux web1 6.1.0-50-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-07-18) x86_64 GNU/Linux\n"
FACTS = {
    "etc/hostname": "web1.example.org\n",
    "sos_commands/kernel/uname_-a": UNAME,
    "proc/meminfo": "MemTotal:        1000000 kB\nMemAvailable:     900000 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n",
    "proc/vmstat": "nr_dirty_threshold 100\noom_kill 1\n",
    "proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n",
    "sos_commands/kernel/sysctl_-a": "vm.swappiness = 60\nvm.lowmem_reserve_ratio = 256\t256\t32\nkernel.panic = 0\nnet.ipv4.ip_forward = 1\n",
}


def kill(pid, kb=8000):
    return KILL.format(pid=pid, kb=kb)


def syslog(*texts, day=20):
    return "".join(f"2026-11-{day:02d}T10:00:{number:02d}.000000+00:00 web1 kernel: {text}\n" for number, text in enumerate(texts))


def dmesg(*texts):
    return "".join(f"[ {number + 100}.000000] {text}\n" for number, text in enumerate(texts))


@pytest.fixture(params=["folder", "tar.xz", "tar"])
def diagnosed(request, tmp_path):
    """Lays {path: text} out as a sosreport, unpacked or as an archive; gives its diagnosis."""

    def laid_out(files):
        top = tmp_path / "sosreport-web1-4711"
        files = {**files, "sos_commands/date/date": "Fri Nov 20 11:00:00 UTC 2026\n"}
        if request.param == "folder":
            for path, text in files.items():
                (top / path).parent.mkdir(parents=True, exist_ok=True)
                (top / path).write_text(text)
            held = sosreport_folder.holding(str(top), UNPACKED_LIMIT_BYTES)
            logs = [read(family, file) for family, file in held.logs]
            return diagnosis_of_host(sosreport_folder.host_of(str(top)) or top.name, logs, held.facts, held.unreadable)
        path = str(tmp_path / f"sosreport.{request.param}")
        with tarfile.open(path, "w:xz" if request.param == "tar.xz" else "w") as archive:
            for name, text in files.items():
                info = tarfile.TarInfo(f"{top.name}/{name}")
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))
        contents = archive_entries.examine(path, UNPACKED_LIMIT_BYTES)
        (entry,) = contents.entries
        ((_name, diagnosis),) = archive_entries.diagnoses(path, [{**entry, "name": entry["wanted"]}], UNPACKED_LIMIT_BYTES)
        return diagnosis

    return laid_out


def victims(diagnosis):
    return sorted(incident["victim"]["pid"] for incident in diagnosis["incidents"])


HEADER = "shop invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"


@pytest.mark.parametrize(
    "files",
    [
        {
            "sos_commands/kernel/dmesg": dmesg(HEADER, kill(7)),
            "sos_commands/logs/journalctl_--no-pager": syslog(kill(7)),
            "var/log/messages": syslog(kill(7)),
        },
        {
            "sos_commands/kernel/dmesg": dmesg(kill(7)),
            "sos_commands/logs/journalctl_--no-pager": syslog(kill(7)),
            "var/log/messages": syslog(HEADER, kill(7)),
        },
    ],
    ids=["the ring buffer has it whole", "the syslog has it whole"],
)
def test_given_the_same_kill_in_several_logs_then_it_is_one_incident_of_the_most_complete_copy_with_the_time_of_any(diagnosed, files):
    (incident,) = diagnosed(files)["incidents"]

    assert incident["victim"]["pid"] == 7
    assert incident["trigger"]["process"] == "shop"
    assert incident["time"].startswith("2026-11-20T10:00:0")


def test_given_kills_that_differ_in_process_or_size_then_each_is_an_incident(diagnosed):
    diagnosis = diagnosed(
        {
            "sos_commands/kernel/dmesg": dmesg(kill(7), kill(8)),
            "var/log/messages": syslog(kill(8), kill(9), kill(9, kb=9000)),
        }
    )

    assert victims(diagnosis) == [7, 8, 9, 9]


def test_given_one_log_in_rotated_files_then_what_is_alike_in_them_is_two_incidents(diagnosed):
    assert victims(diagnosed({"var/log/messages": syslog(kill(7)), "var/log/messages-20261120": syslog(kill(7))})) == [7, 7]


def test_given_alike_kills_days_apart_in_different_logs_then_they_are_two_incidents(diagnosed):
    assert victims(diagnosed({"var/log/messages": syslog(kill(7), day=20), "var/log/kern.log": syslog(kill(7), day=14)})) == [7, 7]


def test_given_the_hosts_facts_then_the_diagnosis_holds_them(diagnosed):
    diagnosis = diagnosed({**FACTS, "var/log/messages": syslog(kill(7))})

    assert diagnosis["host"] == "web1.example.org"
    assert diagnosis["ram_bytes"] == 1_000_000 * 1024
    assert (diagnosis["kernel"]["release"], diagnosis["kernel"]["machine"], diagnosis["kernel"]["page_bytes"]) == ("6.1.0-50-amd64", "x86_64", 4096)


def test_given_a_kernel_that_counted_kills_and_logs_without_one_then_it_cannot_tell(diagnosed):
    verdict = diagnosed({**FACTS, "var/log/messages": syslog("usb 1-1: new device")})["verdict"]

    assert verdict["code"] == "cannot_tell"
    assert "counted 1 OOM kill" in verdict["summary"]


def test_given_logs_without_a_death_then_the_verdict_says_how_far_they_reach_and_is_only_possible(diagnosed):
    verdict = diagnosed({"var/log/messages": syslog("usb 1-1: new device", "usb 1-1: gone")})["verdict"]

    assert (verdict["code"], verdict["confidence"]) == ("healthy", "possible")
    assert "from 2026-11-20T10:00:00" in verdict["summary"]


def test_given_no_log_at_all_then_there_is_no_evidence(diagnosed):
    verdict = diagnosed(FACTS)["verdict"]

    assert verdict["code"] == "no_evidence"
    assert "holds no log" in verdict["summary"]


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("var/log/messages", "messages"),
        ("var/log/messages-20261115.gz", "messages"),
        ("var/log/syslog.1", "syslog"),
        ("var/log/kern.log.2.gz", "kern.log"),
        ("var/log/dmesg", "var/log/dmesg"),
        ("sos_commands/logs/journalctl_--no-pager_--boot", "sos_commands/logs/journalctl_--no-pager_--boot"),
        ("sos_commands/kernel/dmesg_-T", "sos_commands/kernel/dmesg_-T"),
        ("sos_strings/logs/var.log.messages.tailed", "sos_strings/logs/var.log.messages.tailed"),
        ("var/crash/127.0.0.1-2026-11-20/vmcore-dmesg.txt", "var/crash/127.0.0.1-2026-11-20/vmcore-dmesg.txt"),
        ("sys/fs/pstore/dmesg-efi-1", "sys/fs/pstore/dmesg-efi-1"),
        ("sos_commands/logs/journalctl_--disk-usage", None),
        ("sos_commands/logs/journalctl_--list-boots", None),
        ("var/log/messages/x", None),
        ("var/log/secure", None),
        ("etc/var/log/messages", None),
    ],
)
def test_which_files_are_logs_and_which_follow_each_other(path, family):
    assert sosreport.log_family(path) == family


@pytest.mark.parametrize(
    ("uname", "kernel"),
    [
        (UNAME, ("6.1.0-50-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-07-18)", "x86_64")),
        (
            "Linux db 4.18.0-553.el8.x86_64 #1 SMP Fri May 10 2024 x86_64 x86_64 x86_64 GNU/Linux",
            ("4.18.0-553.el8.x86_64", "#1 SMP Fri May 10 2024", "x86_64"),
        ),
        ("sh: uname: not found", None),
        ("", None),
    ],
)
def test_uname_tells_release_version_and_machine(uname, kernel):
    told = sosreport.evidence({"uname": uname}).get("kernel")

    assert (told and (told["release"], told["version"], told["machine"])) == kernel


@pytest.mark.parametrize(
    ("machine", "pages", "page_bytes"),
    [("aarch64", 1000, 65536), ("aarch64", 4000, 16384), ("ppc64le", 16000, 4096), ("aarch64", 7000, None), ("aarch64", 0, None)],
)
def test_the_page_size_of_an_architecture_with_several_is_what_two_counts_agree_on(machine, pages, page_bytes):
    texts = {
        "uname": f"Linux h 6.1.0 #1 SMP {machine} GNU/Linux",
        "vmstat": f"nr_anon_pages {pages}\n",
        "meminfo": "AnonPages:  64000 kB\n",
    }

    assert sosreport.evidence(texts)["kernel"]["page_bytes"] == page_bytes


def test_facts_that_are_not_there_are_not_there():
    assert sosreport.evidence({}) == {}
    assert sosreport.hostname({}) is None
    assert sosreport.hostname({"hostname": "{{ 7*7 }}"}) is None
    assert sosreport.hostname({"uname": UNAME}) == "web1"


def test_free_and_sysctl_stand_in_for_proc():
    free = "              total        used        free      shared  buff/cache   available\nMem:        1000         100         500    0    400   800\n"

    told = sosreport.evidence({"free": free + "Swap:        200           0         150\n", "sysctl": FACTS["sos_commands/kernel/sysctl_-a"]})

    assert told["memory"]["meminfo"] == {
        "mem_total_bytes": 1024000, "mem_free_bytes": 512000, "mem_available_bytes": 819200, "swap_total_bytes": 204800, "swap_free_bytes": 153600
    }  # fmt: skip
    assert told["tunables"]["values"] == {"vm.swappiness": "60", "vm.lowmem_reserve_ratio": "256 256 32", "kernel.panic": "0"}


def test_a_link_that_leads_out_of_the_sosreport_is_named_and_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text(syslog(kill(7)))
    top = tmp_path / "sos"
    (top / "var/log").mkdir(parents=True)
    (top / "sos_commands").mkdir()
    (top / "var/log/messages").symlink_to(outside)
    (top / "var/log/kern.log").symlink_to("/etc/hostname")
    (top / "etc").symlink_to("/etc")

    held = sosreport_folder.holding(str(top), UNPACKED_LIMIT_BYTES)

    assert held.logs == []
    assert {note["source"] for note in held.unreadable} == {"var/log/messages", "var/log/kern.log"}
    assert sosreport_folder.host_of(str(top)) is None


def test_an_archive_with_several_sosreports_gives_one_entry_for_each_host(tmp_path):
    path = str(tmp_path / "all.tar")
    with tarfile.open(path, "w") as archive:
        for host in ("web1", "web2"):
            for name, text in (("etc/hostname", f"{host}\n"), ("sos_commands/kernel/dmesg", dmesg(kill(7)))):
                info = tarfile.TarInfo(f"collected/sosreport-{host}/{name}")
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))

    assert [entry["wanted"] for entry in archive_entries.examine(path, UNPACKED_LIMIT_BYTES).entries] == ["web1", "web2"]


def test_an_archive_of_logs_gives_one_entry_for_each_and_names_what_it_passes_over(tmp_path):
    path = str(tmp_path / "logs.tar.gz")
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (("a/messages", syslog(kill(7)).encode()), ("b.png", b"\x89PNG"), ("c.tar", inner.getvalue()), ("../d", b"x"), ("e", b"")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))

    contents = archive_entries.examine(path, UNPACKED_LIMIT_BYTES)

    assert contents.entries == [{"kind": "log", "path": "a/messages", "wanted": "messages"}]
    assert {item["path"]: item["why"][:15] for item in contents.skipped} == {
        "b.png": "it is a picture", "c.tar": "it is an archiv", "../d": "its name leads ", "e": "it is empty"
    }  # fmt: skip
    ((name, diagnosis),) = archive_entries.diagnoses(path, [{**contents.entries[0], "name": "messages"}], UNPACKED_LIMIT_BYTES)
    assert (name, victims(diagnosis)) == ("messages", [7])


def test_an_archive_that_unpacks_to_more_than_the_limit_gives_what_came_before_it_and_says_so(tmp_path):
    path = str(tmp_path / "bomb.tar.gz")
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (("messages", syslog(kill(7)).encode()), ("zeros", bytes(50 << 20))):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))

    contents = archive_entries.examine(path, 5_000_000)

    assert [entry["wanted"] for entry in contents.entries] == ["messages"]
    assert "only its first 5000000 bytes" in contents.skipped[-1]["why"]


def test_an_archive_that_gives_nothing_says_why(tmp_path):
    path = tmp_path / "cut.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(__file__, "messages")
    path.write_bytes(path.read_bytes()[:40])

    with pytest.raises(DamagedLog):
        archive_entries.examine(str(path), UNPACKED_LIMIT_BYTES)
