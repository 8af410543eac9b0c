# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kubernetes and container engines on evictions and OOM kills; lines written by hand after the programs' sources."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.events.services import read_services
from ansible_collections.memops.linux.tests.unit.controller.events.test_services import only, said

ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("texts", "pod"),
    [
        (
            (
                'eviction_manager.go:369] "Eviction manager: attempting to reclaim" resourceName="memory"',
                'eviction_manager.go:380] "Eviction manager: must evict pod(s) to reclaim" resourceName="memory"',
                'eviction_manager.go:398] "Eviction manager: pods ranked for eviction" pods=["shop/web-0"]',
                'eviction_manager.go:609] "Eviction manager: pod is evicted successfully" pod="shop/web-0"',
                "The node was low on resource: memory.",
            ),
            "shop/web-0",
        ),
        (
            (
                "eviction_manager.go:338] eviction manager: attempting to reclaim memory",
                "eviction_manager.go:349] eviction manager: must evict pod(s) to reclaim memory",
                "eviction_manager.go:560] eviction manager: pod web-0_shop(1234) is evicted successfully",
            ),
            "web-0_shop(1234)",
        ),
        (("The node was low on resource: memory. Threshold quantity: 100Mi, available: 9Mi.",), None),
        (("Warning  EvictionThresholdMet  85s (x4 over 27m)  kubelet  Attempting to reclaim memory",), None),
        (("The node had condition: [MemoryPressure].",), None),
        (("web-0   0/1   Evicted   0   5m", "The node was low on resource: memory."), "web-0"),
    ],
)
def test_an_eviction_for_memory_is_one_event(texts, pod):
    event = only(said("kubelet", *texts))
    assert (event.kind, event.by, event.process, event.resource) == ("kubelet_eviction", "kubelet", pod, "memory")


@pytest.mark.parametrize(
    ("line", "resource"),
    [
        ('"Eviction manager: attempting to reclaim" resourceName="ephemeral-storage"', "ephemeral-storage"),
        ("eviction manager: attempting to reclaim nodefs", "nodefs"),
        ("The node was low on resource: imagefs.", "imagefs"),
        ("The node was low on resource: [DiskPressure].", "ephemeral-storage"),
        ("Warning  EvictionThresholdMet  1s  kubelet  Attempting to reclaim inodes", "inodes"),
        ("The node had condition: [PIDPressure].", "pids"),
        ("Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.", "ephemeral-storage"),
        ('Container web exceeded its local ephemeral storage limit "1Gi".', "ephemeral-storage"),
        ('Usage of EmptyDir volume "cache" exceeds the limit "1Gi".', "ephemeral-storage"),
        ("web-0   0/1   Evicted   0   5m", None),
        ("The node was low on compute resources.", None),
    ],
)
def test_an_eviction_says_what_was_short(line, resource):
    event = only(said("kubelet", line))
    assert (event.kind, event.resource) == ("kubelet_eviction", resource)


def test_two_shortages_are_two_evictions():
    texts = ("eviction manager: attempting to reclaim memory", "eviction manager: attempting to reclaim nodefs")
    assert [event.resource for event in read_services(said("kubelet", *texts))] == ["memory", "nodefs"]


def test_a_listing_without_times_is_of_another_log_than_lines_with_them():
    low = "The node was low on resource: memory."
    assert len(read_services([{"text": low}, {"text": low + " ", "time": "2026-11-20T10:00:00Z"}])) == 2


def test_the_next_attempt_after_an_eviction_is_the_next_event():
    round_ = ("eviction manager: attempting to reclaim memory", "eviction manager: pod {} is evicted successfully")
    texts = [text.format(pod) for pod in ("a", "b") for text in round_]
    assert [event.process for event in read_services(said("kubelet", *texts))] == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "by", "process", "pid"),
    [
        ("Warning  SystemOOM  5m  kubelet  System OOM encountered, victim process: my app, pid: 7", "kubelet", "my app", 7),
        ('oom_watcher_linux.go:75] "Got sys oom event" event={"Pid":7}', None, None, None),
        ('"Got sys oom event" event=&{Pid:7 DeathTime:2026-11-20 ContainerName:/ ProcessName:app}', "kubelet", "app", 7),
        (
            "Warning  OOMKilling  5m  kernel-monitor  Memory cgroup out of memory: Killed process 7 (my app) total-vm:8kB, anon-rss:4kB",
            "node-problem-detector",
            "my app",
            7,
        ),
    ],
)
def test_a_node_that_repeats_what_its_kernel_said(line, by, process, pid):
    found = read_services(said("kubelet", line))
    assert [(event.kind, event.by, event.process, event.pid) for event in found] == ([("unit_oom_kill", by, process, pid)] if by else [])


def test_two_that_repeat_one_kill_are_one_event():
    texts = ("SystemOOM System OOM encountered, victim process: app, pid: 7", "OOMKilling Out of memory: Killed process 7 (app) total-vm:8kB")
    assert len(only(said("kubelet", *texts)).lines) == 2


@pytest.mark.parametrize(
    ("line", "by"),
    [
        (f'level=info msg="TaskOOM event container_id:\\"{ID}\\""', "containerd"),
        (f'level=info msg="TaskOOM event &TaskOOM{{ContainerID:{ID},XXX_unrecognized:[],}}"', "containerd"),
        (f"2026-11-20T10:00:00Z container oom {ID} (image=web, name=web)", "docker"),
        (f"conmon {ID} <ninfo>: OOM received", "conmon"),
    ],
)
def test_an_engine_s_word_on_an_oom_kill_names_the_container(line, by):
    event = only(said("engine", line))
    assert (event.kind, event.by, event.container) == ("unit_oom_kill", by, ID)


@pytest.mark.parametrize(("name", "scope", "cgroup"), [("/kubepods/pod7", "memcg", "/kubepods/pod7"), ("/", "none", None)])
def test_cadvisor_names_the_limit_that_the_kernel_named(name, scope, cgroup):
    event = only([{"text": f'manager.go:1178] Created an OOM event in container "{name}" at 2026-11-20 10:00:00 +0000 UTC'}])
    assert (event.kind, event.by, event.scope, event.cgroup) == ("unit_oom_kill", "cadvisor", scope, cgroup)


def test_dockers_own_event_is_of_the_containers_limit():
    assert only([{"text": f"2026-11-20T10:00:00Z container oom {ID} (image=web, name=web)"}]).scope == "memcg"


def test_containerd_and_systemd_speak_of_one_container():
    records = said("containerd", f'msg="TaskOOM event container_id:\\"{ID}\\""')
    records += said("systemd", f"cri-containerd-{ID}.scope: A process of this unit has been killed by the OOM killer.")
    assert len(only(records).lines) == 2


@pytest.mark.parametrize(
    "line", ["      Reason:       OOMKilled", '"OOMKilled": true,', "reason: OOMKilled", "web-0   0/1   OOMKilled   3   5m", "OOMKilled=true"]
)
def test_the_state_oomkilled(line):
    assert only([{"text": line}]).kind == "unit_oom_kill"


def test_the_exit_code_below_the_state_is_of_the_same_death():
    assert len(only([{"text": "Reason:       OOMKilled"}, {"text": "Exit Code:    137"}]).lines) == 2


@pytest.mark.parametrize(
    "line", ["Created pod oomkilled-test", 'pod "oomkill-nodeallocatable-pod" created', "OOMKilled is what you see", '"OOMKilled": false,']
)
def test_a_name_is_no_state(line):
    assert read_services([{"text": line}]) == []
