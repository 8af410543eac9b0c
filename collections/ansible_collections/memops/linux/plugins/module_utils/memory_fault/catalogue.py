# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every fault that can be reproduced, what it takes, and what a diagnosis must then say. Plain data.

The module runs ``steps`` (verbs: see actions.py), documentation and tests read
the rest, the lab compares ``expect`` with what was diagnosed. A size in steps is
a number of MiB or a pair: ("of_ram", 0.5) is half the RAM, ("below_available",
48) is 48 MiB less than what is available when the fault starts.

Keys of a fault:
    does: one sentence.
    scope: cgroup or container (a limit of its own bounds it) or host.
    may_kill: who can die.
    needs: what the host must have, by name; requirements.py knows each.
    steps: what is done, in order.
    until: what ends it (killed, ended, refused, settled, rebooted).
    expect: {verdict, kinds, causes, victims, findings}; an empty list of causes
        means that none can be told. Several values are alternatives. With
        others_too it may hit others in the same moment, each an incident of
        its own: one of them must name the expected victim.
    expect_on: {platform of the lab: what differs there}.
    not_on: {platform of the lab: why the fault cannot exist there}.
    machine: how the lab's machine differs, as `python -m lab up --set`.
    balloon_mib: what the lab's balloon leaves the guest, for this fault.
"""

_SAFE = "only the processes that it starts, inside its own limit"
_WHOLE = "its own process first; any other process of the host, if that is not enough"
_SLOWED = "with cgroup v2 this kernel slows the writers down in time, by their cgroups' own share of dirty pages: tried, and all of them finish"
_NO_V1 = "cgroup v1 has no memory.high"
_NO_OOMD = "Debian 11 has no package of systemd-oomd"
_OOMD_V1 = "systemd-oomd needs cgroup v2, and " + _NO_OOMD


def _expect(verdict, kinds=(), causes=(), victims=(), findings=()):
    return {"verdict": verdict, "kinds": list(kinds), "causes": list(causes), "victims": list(victims), "findings": list(findings)}


def _memory(kind, causes, victims=("memops-hog",)):
    return _expect("memory", [kind], [causes] if isinstance(causes, str) else causes, victims)


_HEALTHY = _expect("healthy")

FAULTS = {
    "memcg_anon": {
        "does": "A program's own memory grows over its cgroup's limit.",
        "scope": "cgroup",
        "may_kill": _SAFE,
        "needs": ["memory_cgroup"],
        "steps": [
            (
                "run",
                {
                    "program": "hog",
                    "name": "memops-hog",
                    "limit_mib": 96,
                    "args": {"mib": 256},
                    "stress_ng": ["--vm", "1", "--vm-bytes", "256m", "--vm-keep", "--oomable"],
                },
            )
        ],
        "until": "killed",
        "expect": _memory("memcg_oom", "working_set_over_limit", ["memops-hog", "stress-ng-vm", "stress-ng"]),
    },
    "container_anon": {
        "does": "A program in a Docker container grows over the container's limit.",
        "scope": "container",
        "may_kill": _SAFE,
        "needs": ["docker"],
        "steps": [("container", {"program": "hog", "name": "memops-hog", "limit_mib": 64, "args": {"mib": 256}})],
        "until": "killed",
        "expect": _memory("memcg_oom", "working_set_over_limit"),
    },
    "memcg_dirty_page_cache": {
        "does": "Writers fill their cgroups' limits with file pages that wait for a slow disk.",
        "scope": "cgroup",
        "may_kill": _SAFE,
        "needs": ["memory_cgroup", "no_swap", "disk_space"],
        "steps": [
            ("run", {"program": "writer", "name": "memops-writer", "count": 8, "limit_mib": 40, "args": {"own_mib": 16, "mib": 60, "path": "FOLDER"}}),
        ],
        "until": "ended",
        "expect": _memory("memcg_oom", "dirty_page_cache", ["memops-writer"]),
        "not_on": {"bullseye-5.10-v2": _SLOWED, "bookworm-6.1": _SLOWED},
        "machine": {"memory_mib": 6144, "disk_write_bytes_per_second": 8388608},
    },
    "memcg_tmpfs": {
        "does": "A program writes files to a tmpfs, which its cgroup's limit has to hold.",
        "scope": "cgroup",
        "may_kill": _SAFE,
        "needs": ["memory_cgroup", "no_swap"],
        "steps": [
            ("tmpfs", {"mib": 256}),
            ("run", {"program": "filler", "name": "memops-filler", "limit_mib": 64, "args": {"mib": 192, "path": "TMPFS"}}),
        ],
        "until": "killed",
        "expect": _memory("memcg_oom", "shmem_or_tmpfs", ["memops-filler"]),
    },
    "host_shm": {
        "does": "Files in /dev/shm take most of the host's memory, then a program asks for more than is left.",
        "scope": "host",
        "may_kill": _WHOLE,
        "needs": ["no_swap"],
        "steps": [
            ("remount", {"path": "/dev/shm", "option": "size=90%", "undo": "size"}),
            ("run", {"program": "filler", "name": "memops-filler", "args": {"mib": ("below_available", 96), "path": "/dev/shm"}, "wait": "settled"}),
            ("run", {"program": "hog", "name": "memops-hog", "oom_score_adj": 500, "args": {"mib": ("of_ram", 1)}}),
        ],
        "until": "killed",
        "expect": _memory("global_oom", "shmem_or_tmpfs"),
    },
    "fork_storm": {
        "does": "A program forks one small process after another until its cgroup's limit is full.",
        "scope": "cgroup",
        "may_kill": _SAFE,
        "needs": ["memory_cgroup", "no_swap"],
        "steps": [("run", {"program": "forker", "name": "memops-forker", "limit_mib": 256, "args": {"mib": 4}})],
        "until": "killed",
        "expect": _memory("memcg_oom", "fork_storm", ["memops-forker"]),
    },
    "memcg_page_tables": {
        "does": "A program maps far more than it uses: the page tables alone fill its cgroup's limit.",
        "scope": "cgroup",
        "may_kill": _SAFE,
        "needs": ["memory_cgroup"],
        "steps": [("run", {"program": "page_tables", "name": "memops-mapper", "limit_mib": 64, "args": {"mib": 256}})],
        "until": "killed",
        "expect": _memory("memcg_oom", "page_tables", ["memops-mapper"]),
    },
    "memcg_sockets": {
        "does": "A program leaves data unread in sockets: the kernel's buffers fill its cgroup's limit.",
        "scope": "cgroup",
        "may_kill": _SAFE,
        "needs": ["memory_cgroup"],
        "steps": [("run", {"program": "sockets", "name": "memops-sockets", "limit_mib": 64, "args": {"mib": 256}})],
        "until": "killed",
        "expect": _memory("memcg_oom", "kernel_memory", ["memops-sockets"]),
    },
    "memcg_pipes": {
        "does": "A program leaves data unread in pipes: the kernel's buffers fill its cgroup's limit.",
        "scope": "cgroup",
        "may_kill": _SAFE,
        "needs": ["memory_cgroup"],
        "steps": [("run", {"program": "pipes", "name": "memops-pipes", "limit_mib": 64, "args": {"mib": 256}})],
        "until": "killed",
        "expect": _memory("memcg_oom", "kernel_memory", ["memops-pipes"]),
    },
    "memcg_dentries": {
        "does": "A program makes so many empty files on a tmpfs that their names and inodes fill its cgroup's limit.",
        "scope": "cgroup",
        "may_kill": _SAFE,
        "needs": ["memory_cgroup"],
        "steps": [
            ("tmpfs", {"mib": 256}),
            ("run", {"program": "dentries", "name": "memops-namer", "limit_mib": 48, "args": {"files": 400000, "path": "TMPFS"}}),
        ],
        "until": "killed",
        "expect": _memory("memcg_oom", "kernel_memory", ["memops-namer"]),
    },
    "memcg_mlocked": {
        "does": "A program locks its memory, which then can be neither swapped nor dropped, until its cgroup's limit is full.",
        "scope": "cgroup",
        "may_kill": _SAFE,
        "needs": ["memory_cgroup"],
        "steps": [("run", {"program": "hog", "name": "memops-locker", "limit_mib": 96, "args": {"mib": 256, "lock": 1}})],
        "until": "killed",
        "expect": _memory("memcg_oom", "mlocked", ["memops-locker"]),
    },
    "host_hugepages": {
        "does": "Half of the RAM is reserved for huge pages that nobody uses, then a program asks for more than is left.",
        "scope": "host",
        "may_kill": _WHOLE,
        "needs": ["no_swap"],
        "steps": [
            ("sysctl", {"name": "vm.nr_hugepages", "value": ("hugepages_of_ram", 0.5)}),
            ("run", {"program": "hog", "name": "memops-hog", "args": {"mib": ("of_ram", 1)}}),
        ],
        "until": "killed",
        "expect": _memory("global_oom", "hugepages_reserved"),
    },
    "host_anon_no_swap": {
        "does": "A program without any limit grows until the host is out of memory; there is no swap.",
        "scope": "host",
        "may_kill": _WHOLE,
        "needs": ["no_swap"],
        "steps": [("run", {"program": "hog", "name": "memops-hog", "args": {"mib": ("of_ram", 1.5)}})],
        "until": "killed",
        "expect": _memory("global_oom", "no_swap"),
    },
    "host_anon_swap_full": {
        "does": "A program without any limit grows until RAM and a small swap file are full.",
        "scope": "host",
        "may_kill": _WHOLE,
        "needs": ["no_swap", "disk_space"],
        "steps": [
            ("swap_file", {"mib": 128}),
            ("run", {"program": "hog", "name": "memops-hog", "args": {"mib": ("of_ram", 2)}}),
        ],
        "until": "killed",
        "expect": _memory("global_oom", "swap_exhausted"),
    },
    "host_thrash": {
        "does": "A program uses more memory than the host has, over and over; swap is large enough, so nothing is killed.",
        "scope": "host",
        "may_kill": "nothing as a rule, but the host hardly gets on with its work",
        "needs": ["disk_space"],
        "steps": [
            ("swap_file", {"mib": ("of_ram", 0.75)}),
            (
                "run",
                {
                    "program": "hog",
                    "name": "memops-thrash",
                    "count": 2,
                    "oom_score_adj": 500,
                    "args": {"mib": ("half_available_and", 80), "again": 1},
                    "wait": "pressure",
                },
            ),
        ],
        "until": "settled",
        "expect": _expect("at_risk", findings=["thrashing"]),
        "machine": {"disk_write_bytes_per_second": 16777216},
    },
    "host_below_low_watermark": {
        "does": "Programs leave so little free that the kernel reclaims all the time; there is no swap, and nothing is killed yet.",
        "scope": "host",
        "may_kill": "nothing as a rule; any process of the host, if another asks for more meanwhile",
        "needs": ["no_swap"],
        "steps": [
            # The kernel then starts to reclaim with a tenth of the RAM free: far from where it has to kill.
            ("sysctl", {"name": "vm.watermark_scale_factor", "value": 1000}),
            ("run", {"program": "hog", "name": "memops-hog", "args": {"mib": ("of_ram", 1), "below_low": 1}, "wait": "settled"}),
        ],
        "until": "settled",
        "expect": _expect("at_risk", findings=["no_swap"]),
    },
    "host_hog_protected": {
        "does": "A program that oom_score_adj protects grows until the host is out of memory, and a small one dies for it.",
        "scope": "host",
        "may_kill": "the small program that it starts for this; any other process of the host, if that is not enough",
        "needs": ["no_swap"],
        "steps": [
            ("run", {"program": "hog", "name": "memops-bystand", "oom_score_adj": 200, "args": {"mib": 48}, "wait": "settled"}),
            ("run", {"program": "hog", "name": "memops-hog", "oom_score_adj": -1000, "args": {"mib": ("of_ram", 1), "until_kill": 1}}),
        ],
        "until": "killed",
        "expect": _memory("global_oom", "hog_protected", ["memops-bystand"]),
    },
    "host_kill_allocating": {
        "does": "With vm.oom_kill_allocating_task a small program that happens to ask last dies, and the large one that took the memory does not.",
        "scope": "host",
        "may_kill": "whichever process asks for memory at that moment",
        "needs": ["no_swap"],
        "steps": [
            ("run", {"program": "hog", "name": "memops-holder", "args": {"mib": ("below_available", 140)}, "wait": "settled"}),
            ("sysctl", {"name": "vm.oom_kill_allocating_task", "value": 1}),
            ("run", {"program": "hog", "name": "memops-asker", "args": {"mib": ("of_ram", 1)}}),
        ],
        "until": "killed",
        # Whoever else asks before the asker's memory is free dies too: seen of systemd-journald on 7.2.
        "expect": dict(_memory("global_oom", "bystander_killed", ["memops-asker"]), others_too=True),
    },
    "overcommit_refused": {
        "does": "With vm.overcommit_memory=2 nearly all that may be promised is promised, and a program is refused.",
        "scope": "host",
        "may_kill": "nothing; while it lasts other programs can be refused memory too",
        "needs": [],
        "steps": [
            # Mappings that nobody uses take up the promises; what is left of them lets others still log in.
            ("run", {"program": "promise", "name": "memops-promise", "args": {"mib": 4096}, "wait": "settled"}),
            ("sysctl", {"name": "vm.overcommit_kbytes", "value": ("committed_kib_and", 4224)}),
            ("sysctl", {"name": "vm.overcommit_memory", "value": 2}),
            ("run", {"program": "ask", "name": "memops-asker", "args": {"mib": ("of_ram", 1)}}),
        ],
        "until": "refused",
        # Whoever asks for as much meanwhile is refused too: seen of runc, which dockerd starts when it is asked for its version.
        "expect": dict(_memory("enomem", "commit_limit", ["memops-asker"]), others_too=True),
    },
    "rlimit_as_refused": {
        "does": "A program is refused memory by its own limit on address space (ulimit -v), whatever is free.",
        "scope": "cgroup",
        "may_kill": "nothing",
        "needs": [],
        "steps": [("run", {"program": "ask", "name": "memops-asker", "args": {"mib": 512, "address_space_mib": 256}})],
        "until": "refused",
        "expect": _memory("enomem", ["address_space_limit"], ["memops-asker"]),
    },
    "cpuset_oom": {
        "does": "A program that a cpuset binds to one NUMA node fills it, while the other has room.",
        "scope": "host",
        "may_kill": _WHOLE,
        "needs": ["numa", "cpuset", "no_swap"],
        "steps": [("run", {"program": "hog", "name": "memops-hog", "node": 1, "args": {"mib": ("of_ram", 1)}})],
        "until": "killed",
        "expect": _memory("cpuset_oom", "numa_binding"),
        "machine": {"numa_nodes": 2},
    },
    "mempolicy_oom": {
        "does": "A program that binds its memory to one NUMA node fills it, while the other has room.",
        "scope": "host",
        "may_kill": _WHOLE,
        "needs": ["numa", "no_swap"],
        "steps": [("run", {"program": "hog", "name": "memops-hog", "args": {"mib": ("of_ram", 1), "node": 1}})],
        "until": "killed",
        "expect": _memory("mempolicy_oom", "numa_binding"),
        "machine": {"numa_nodes": 2},
    },
    "panic_on_oom": {
        "does": "With vm.panic_on_oom a shortage of memory makes the kernel panic, and the host reboots.",
        "scope": "host",
        "may_kill": "the whole host: it reboots without shutting down",
        "needs": ["no_swap", "reboots_after_panic", "pstore"],
        "steps": [
            ("delay", {"seconds": 20}),
            ("sysctl", {"name": "vm.panic_on_oom", "value": 1}),
            ("run", {"program": "hog", "name": "memops-hog", "args": {"mib": ("of_ram", 1.5)}}),
        ],
        "until": "rebooted",
        "expect": _memory("panic_on_oom", ["no_swap", "panic_policy"], []),
        "machine": {"append": "memmap=1M$0x30000000 ramoops.mem_address=0x30000000 ramoops.mem_size=0x100000 ramoops.record_size=0x20000 ramoops.ecc=1"},
        "modprobe": "ramoops",
    },
    "panic_without_trace": {
        "does": "A shortage of memory makes the kernel panic, and nothing keeps its last words over the reboot.",
        "scope": "host",
        "may_kill": "the whole host: it reboots without shutting down",
        "needs": ["no_swap", "reboots_after_panic"],
        "steps": [
            ("delay", {"seconds": 60}),  # until what the journal holds of this boot is on the disk
            ("sysctl", {"name": "vm.panic_on_oom", "value": 1}),
            ("run", {"program": "hog", "name": "memops-hog", "args": {"mib": ("of_ram", 1.5)}}),
        ],
        "until": "rebooted",
        "expect": _expect("cannot_tell", findings=["unknown"]),
        "machine": {"append": "erst_disable"},
    },
    "memory_high": {
        "does": "A program above memory.high is slowed down and reclaimed from; nothing is killed.",
        "scope": "cgroup",
        "may_kill": "nothing",
        "needs": ["memory_cgroup", "cgroup_v2"],
        "steps": [("run", {"program": "hog", "name": "memops-throttle", "high_mib": 64, "limit_mib": 512, "args": {"mib": 256}, "wait": "throttled"})],
        "until": "settled",
        "expect": _expect("at_risk", findings=["memory_high"]),
        "not_on": {"bullseye-5.10-v1": _NO_V1},
    },
    "earlyoom_kill": {
        "does": "earlyoom ends a program that has taken nearly all of the host's memory, before the kernel has to.",
        "scope": "host",
        "may_kill": "whatever earlyoom chooses, by its own configuration",
        "needs": ["no_swap", "earlyoom"],
        "steps": [
            ("unit", {"unit": "earlyoom.service"}),
            ("run", {"program": "hog", "name": "memops-hog", "args": {"mib": ("of_ram", 1), "slow_below_available_percent": 16}}),
        ],
        "until": "killed",
        "expect": _memory("userspace_oom_daemon", "no_swap"),
    },
    "systemd_oomd_kill": {
        "does": "systemd-oomd ends a cgroup that waits for memory most of the time.",
        "scope": "host",
        "may_kill": "the cgroup that it starts for this; systemd-oomd runs meanwhile and acts on other cgroups that are set to be watched",
        "needs": ["memory_cgroup", "cgroup_v2", "systemd", "systemd_oomd", "disk_space"],
        "steps": [
            ("swap_file", {"mib": 512}),  # systemd-oomd acts only where the kernel reclaims, and there is nothing to reclaim without swap
            ("unit", {"unit": "systemd-oomd.service"}),
            (
                "run",
                {
                    "program": "hog",
                    "name": "memops-thrash",
                    "high_mib": 64,
                    "properties": ["ManagedOOMMemoryPressure=kill", "ManagedOOMMemoryPressureLimit=5%"],
                    "args": {"mib": 256, "again": 1},
                },
            ),
        ],
        "until": "killed",
        "seconds": 150,
        "expect": _memory("userspace_oom_daemon", "thrashing", []),
        "not_on": {"bullseye-5.10-v1": _OOMD_V1, "bullseye-5.10-v2": _NO_OOMD},
    },
    "docker_kill": {
        "does": "A container is ended by `docker kill` and leaves exit code 137, as an OOM kill does.",
        "scope": "container",
        "may_kill": "the container that it starts for this",
        "needs": ["docker"],
        "steps": [
            ("container", {"program": "sleeper", "name": "memops-sleeper", "limit_mib": 64, "args": {}, "wait": "settled"}),
            ("docker", {"command": ["kill", "CONTAINER"]}),
        ],
        "until": "ended",
        "expect": _expect("not_memory", ["sigkill_not_oom"], ["operator_or_runtime_kill"]),
    },
    "docker_stop": {
        "does": "A container that ignores SIGTERM is ended by `docker stop` and leaves exit code 137, as an OOM kill does.",
        "scope": "container",
        "may_kill": "the container that it starts for this",
        "needs": ["docker"],
        "steps": [
            ("container", {"program": "sleeper", "name": "memops-sleeper", "limit_mib": 64, "args": {}, "wait": "settled"}),
            ("docker", {"command": ["stop", "--time", "1", "CONTAINER"]}),
        ],
        "until": "ended",
        "expect": _expect("not_memory", ["sigkill_not_oom"], ["operator_or_runtime_kill"]),
    },
    "segfault": {
        "does": "A program crashes by an invalid memory access.",
        "scope": "cgroup",
        "may_kill": "the program that it starts for this",
        "needs": [],
        "steps": [("run", {"program": "segfault", "name": "memops-crash", "limit_mib": 128, "args": {}})],
        "until": "ended",
        "expect": _expect("not_memory", ["segfault"], ["application_fault"], ["memops-crash"]),
    },
    "balloon": {
        "does": "The hypervisor has taken back most of the guest's memory, then a program asks for more than is left.",
        "scope": "host",
        "may_kill": _WHOLE,
        "needs": ["no_swap", "inflated_balloon"],
        "steps": [("run", {"program": "hog", "name": "memops-hog", "args": {"mib": ("of_ram", 1)}})],
        "until": "killed",
        "expect": _memory("global_oom", "balloon"),
        "balloon_mib": 512,
    },
    "containers_no_limits": {
        "does": "Containers without limits together take more memory than the host has.",
        "scope": "host",
        "may_kill": _WHOLE,
        "needs": ["docker", "no_swap"],
        "steps": [("container", {"program": "hog", "name": "memops-hog", "count": 3, "args": {"mib": ("of_ram", 0.45)}})],
        "until": "killed",
        "expect": _memory("global_oom", "no_container_limits"),
    },
    "healthy_idle": {
        "does": "Nothing: a host at rest.",
        "scope": "cgroup",
        "may_kill": "nothing",
        "needs": [],
        "steps": [],
        "until": "settled",
        "expect": _HEALTHY,
    },
    "healthy_page_cache": {
        "does": "A program writes and reads files larger than RAM, so that the page cache fills whatever is free.",
        "scope": "cgroup",
        "may_kill": "nothing",
        "needs": ["disk_space"],
        "steps": [("run", {"program": "reader", "name": "memops-reader", "args": {"mib": ("of_ram", 1), "path": "FOLDER"}, "wait": "settled"})],
        "until": "settled",
        "expect": _HEALTHY,
    },
    "healthy_full": {
        "does": "Programs use most of the memory, and leave as much as a host needs.",
        "scope": "host",
        "may_kill": "nothing as a rule: a fifth of the RAM stays available",
        "needs": [],
        "steps": [("run", {"program": "hog", "name": "memops-worker", "count": 2, "args": {"mib": ("half_available_and", -80)}, "wait": "settled"})],
        "until": "settled",
        "expect": _HEALTHY,
    },
    "healthy_after_reboot": {
        "does": "The host is rebooted in good order.",
        "scope": "host",
        "may_kill": "every process of the host, in the order of a shutdown",
        "needs": ["systemd"],
        "steps": [("delay", {"seconds": 20}), ("reboot", {})],
        "until": "rebooted",
        "expect": _HEALTHY,
    },
}
