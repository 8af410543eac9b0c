# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which messages count: real ones do, what merely contains the words does not."""

import json
import pathlib
import re

import pytest

from ansible_collections.memops.linux.plugins.module_utils.host import journal_services, memory_lines

JOURNAL = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hosts" / "linux-6.1-journal"

# earlyoom 1.7's and systemd-oomd 262's are recorded; of nohang 0.2.0 and systemd-oomd 252 the texts are those of their sources; of kubelet,
# containerd and the applications they are as users quote them in public reports.
SAID = [
    ("systemd-oomd", "Killed /user.slice/shop.scope due to memory pressure for /user.slice being 61.88% > 50.00% for > 20s with reclaim activity"),
    ("systemd-oomd", "Killed /shop.slice due to memory used (950) / total (999) and swap used (901) / total (999) being more than 90.00%"),
    ("systemd-oomd", "Marked /shop.slice/a.scope for killing due to memory pressure for /shop.slice being 45.99% > 5.00% for > 20s with reclaim activity"),
    ("earlyoom", "low memory! at or below SIGTERM limits: mem 10.00%, swap 10.00%"),
    ("earlyoom", 'sending SIGTERM to process 843 uid 0 "shop-import": badness 1277, VmRSS 801 MiB'),
    ("nohang", "  Sending SIGTERM to the victim"),
    ("nohang", "  PID:       843, name: shop-import, state: R (running), EUID: 0, SID: 843 (shop-import), lifetime: 3s"),
    ("kubelet", 'I0712 15:49:58.4 5711 eviction_manager.go:369] "Eviction manager: must evict pod(s) to reclaim" resourceName="memory"'),
    ("kubelet", 'I0712 15:49:58.4 5711 kuberuntime_container.go:808] "Killing container with a grace period" pod="shop/web" gracePeriod=0'),
    ("containerd", 'time="2023-09-01T19:12:33Z" level=info msg="TaskOOM event container_id:\\"4bcba7fc4369\\""'),
    ("java", 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space'),
    ("python3", "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 3.20 GiB for an array"),
    ("python3", "MemoryError"),
    ("shop", "terminate called after throwing an instance of 'std::bad_alloc'"),
    ("shop", "fatal error: runtime: out of memory"),
    ("node", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
    ("bash", "-bash: fork: retry: Resource temporarily unavailable"),
    ("postgres", "ERROR:  out of memory"),
    ("postgres", "LOG:  server process (PID 843) was terminated by signal 9: Killed"),
    ("nginx", "fork() failed while spawning worker process (12: Cannot allocate memory)"),
    ("redis", "# Out Of Memory allocating 1073741824 bytes!"),
    ("shop", "write failed: ENOMEM"),
    ("gunicorn", "Worker (pid:843) was sent SIGKILL! Perhaps out of memory?"),
]
NOT_SAID = [
    ("systemd", "Starting systemd-oomd.service - Userspace Out-Of-Memory (OOM) Killer..."),
    ("systemd", "Started earlyoom.service - Early OOM Daemon."),
    ("systemd", "shop.service: Main process exited, code=killed, status=15/TERM"),
    ("systemd", "shop.service: Failed with result 'exit-code'."),
    ("earlyoom", "sending SIGTERM when mem <= 10.00% and swap <= 10.00%,"),
    ("earlyoom", "mem avail:   812 of   972 MiB (83.55%), swap free:    0 of    0 MiB ( 0.00%)"),
    ("kubelet", "I0712 15:40:00.1 5711 flags.go:64] FLAG: --oom-score-adj=\"-999\""),
    ("kubelet", 'E0712 15:40:00.1 5711 eviction_manager.go:256] "Eviction manager: failed to get summary stats" err="failed to get node info"'),
    ("dockerd", 'time="2026-11-22T22:38:39Z" level=warning msg="Your kernel does not support OomKillDisable. OomKillDisable discarded."'),
    ("java", "starting with -XX:+HeapDumpOnOutOfMemoryError -XX:+ExitOnOutOfMemoryError"),
    ("python3", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"),
    ("shop", "the room is on zoom, boom"),
    ("shop", "recv: Resource temporarily unavailable"),
    ("shop", "IP Allocation failed for the tenant"),
    ("kernel", "Out of memory: Killed process 843 (shop-import)"),
    ("sudo", "    root : TTY=pts/0 ; COMMAND=/usr/bin/grep Cannot allocate memory /var/log/syslog"),
    ("python3", "ansible-command Invoked with _raw_params=journalctl --grep 'out of memory'"),
]


@pytest.mark.parametrize("process, text", SAID)
def test_a_message_about_memory_is_kept_and_passes_the_sieve_that_journalctl_is_given(process, text):
    assert memory_lines.kind(process, False, text)
    assert re.search(memory_lines.SIEVE, text)


@pytest.mark.parametrize("process, text", NOT_SAID)
def test_a_message_that_only_contains_the_words_is_not_kept(process, text):
    assert memory_lines.kind(process, process == "systemd", text) is None


def kept(name):
    found = [journal_services.entry(line) for line in (JOURNAL / name).read_bytes().splitlines()]
    return [(item["unit"], item["text"]) for item, is_manager in filter(None, found) if memory_lines.kind(item["process"], is_manager, item["text"])]


def test_of_a_real_oom_kill_of_a_service_systemds_three_messages_are_kept_and_nothing_else():
    assert kept("service-oom.json") == [
        ("shop-report.service", "shop-report.service: Failed with result 'oom-kill'."),
        ("shop-report.service", "shop-report.service: Main process exited, code=killed, status=9/KILL"),
        ("shop-report.service", "shop-report.service: A process of this unit has been killed by the OOM killer."),
    ]


def test_of_real_deaths_without_oom_the_crash_the_kill_and_the_refused_allocation_are_kept():
    assert kept("deaths.json") == [
        ("shop-enomem.service", "shop-enomem: cannot map the index: Cannot allocate memory"),
        ("shop-stop.service", "shop-stop.service: Failed with result 'signal'."),
        ("shop-stop.service", "shop-stop.service: Main process exited, code=killed, status=9/KILL"),
        ("shop-calc.service", "shop-calc.service: Failed with result 'signal'."),
        ("shop-calc.service", "shop-calc.service: Main process exited, code=killed, status=11/SEGV"),
    ]


def test_of_130_real_messages_of_docker_only_the_killed_scope_is_kept():
    scope = "docker-1a2cf321dfbb9cf13bef24fc9230696d1712630dd1686d34da942a2caaa9b9f9.scope"
    assert kept("docker.json") == [(scope, scope + ": A process of this unit has been killed by the OOM killer.")]


@pytest.mark.parametrize(
    "text",
    [
        "shop.scope: A process of this unit has been killed by the OOM killer.",  # systemd 243 to 257
        "shop.scope: The kernel OOM killer killed some processes in this unit.",  # recorded of Debian forky
        "shop.scope: systemd-oomd killed 3 process(es) in this unit.",
        "shop.service: main process exited, code=killed, status=9/KILL",  # systemd 219
        "shop.service: Main process exited, code=dumped, status=6/ABRT",
        "shop.service: Killing process 843 (shop) with signal SIGKILL.",
    ],
)
def test_systemds_words_of_every_version_count(text):
    assert memory_lines.kind("systemd", True, text) == "act"
    assert re.search(memory_lines.SIEVE, text)


def test_systemds_words_from_anyone_but_a_manager_do_not_count():
    forged = {"MESSAGE": "ssh.service: Failed with result 'oom-kill'.", "SYSLOG_IDENTIFIER": "systemd", "UNIT": "ssh.service"}
    forged.update(_PID="4711", _SYSTEMD_UNIT="shop.service", __REALTIME_TIMESTAMP="1795388213000000")
    item, is_manager = journal_services.entry(json.dumps(forged).encode())
    assert item["unit"] == "shop.service"
    assert memory_lines.kind(item["process"], is_manager, item["text"]) is None
    forged["_SYSTEMD_UNIT"] = "user@1000.service"
    item, is_manager = journal_services.entry(json.dumps(forged).encode())
    assert memory_lines.kind(item["process"], is_manager, item["text"]) == "act"


def test_a_long_message_is_cut_to_begin_with_its_telling_words_so_that_no_secret_is_torn_from_its_name():
    text = "password=" + "x" * 3000 + " java.lang.OutOfMemoryError: Java heap space " + "y" * 3000
    cut = memory_lines.excerpt(text)
    assert cut.startswith("OutOfMemoryError") and len(cut) == 2000
    assert memory_lines.excerpt("short ENOMEM\n") == "short ENOMEM"


def test_a_forged_endless_message_of_near_matches_costs_no_more_than_its_length():
    memory_lines.kind("kubelet", False, "eviction manager " * 60000)
    memory_lines.excerpt("Memory Out SIG fork: Killed " * 40000)
