# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which metrics there are, and what each says: pure, from what was read to Families."""

from .exposition import Family

#: Counters of /proc/vmstat that node_exporter leaves out by default (--collector.vmstat.fields).
VMSTAT = {
    "allocstall": "Times a task that asked for memory had to reclaim some itself.",
    "pgscan_direct": "Pages looked at by tasks that reclaim for themselves.",
    "pgsteal_direct": "Pages freed by tasks that reclaim for themselves.",
    "pgscan_kswapd": "Pages looked at by background reclaim.",
    "pgsteal_kswapd": "Pages freed by background reclaim.",
    "compact_stall": "Times a task that asked for contiguous memory had to compact it itself.",
    "compact_fail": "Compactions that did not find enough contiguous memory.",
    "workingset_refault_anon": "Pages read back from swap that had gone there shortly before.",
    "workingset_refault_file": "File pages read again that had been dropped shortly before.",
}

EVENTS = ("high", "max", "oom")


def of_host(found):
    """[Family] of what reading.collect found."""
    return of_cgroups(found["cgroups"]) + of_kernel(found) + of_panic(found["panic"], found["booted_after_panic"]) + of_verdict(found["verdict"])


def of_cgroups(section):
    """section: as the evidence has it (host/cgroups.collect)."""
    groups = [(_labels(group), group) for group in section["groups"]]

    def family(name, kind, told, value):
        return Family("memops_cgroup_" + name, kind, told, [(labels, value(group)) for labels, group in groups])

    def stall(kind):
        return lambda group: ((group["pressure"] or {}).get(kind) or {}).get("total_seconds")

    return [
        family("memory_usage_bytes", "gauge", "Memory that is charged to the cgroup, file cache included.", lambda group: group["usage_bytes"]),
        family("memory_held_bytes", "gauge", "Of it, what cannot be dropped: all but clean file cache and reclaimable slab.", held_bytes),
        family("memory_dirty_bytes", "gauge", "File data that the disk has not taken yet.", dirty_bytes),
        family("memory_limit_bytes", "gauge", "Limit at which the kernel kills (memory.max, memory.limit_in_bytes).", lambda group: _limit(group["max_bytes"])),
        family("memory_high_bytes", "gauge", "Limit above which the cgroup is slowed (memory.high).", lambda group: _limit(group["high_bytes"])),
        family("swap_usage_bytes", "gauge", "Swap that is charged to the cgroup.", lambda group: group["swap_usage_bytes"]),
        family("swap_limit_bytes", "gauge", "Limit of swap (memory.swap.max).", lambda group: _limit(group["swap_max_bytes"])),
        family("oom_kills_total", "counter", "OOM kills in the cgroup, on cgroup v2 also in those below it.", lambda group: group["events"].get("oom_kill")),
        family("under_oom", "gauge", "Whether the cgroup stands at its limit and waits (cgroup v1).", lambda group: group["under_oom"]),
        family("pressure_waiting_seconds_total", "counter", "Time in which some task of the cgroup waited for memory.", stall("some")),
        family("pressure_stalled_seconds_total", "counter", "Time in which all tasks of the cgroup waited for memory.", stall("full")),
        Family(
            "memops_cgroup_memory_events_total",
            "counter",
            "Times memory.high was exceeded (high), a limit was met (max; failcnt of cgroup v1), and reclaim at it did not suffice (oom).",
            [(dict(labels, event=event), _event(group, event)) for labels, group in groups for event in EVENTS],
        ),
        Family("memops_cgroups", "gauge", "Memory cgroups that there are.", [({}, section["count"])]),
        Family("memops_cgroups_shown", "gauge", "Memory cgroups that have metrics here: those with trouble or a limit, and the largest.", [({}, len(groups))]),
    ]


def held_bytes(group):
    """What of a cgroup's usage cannot be dropped, in bytes; None where its statistics do not say."""
    stat = group["stat"]
    if group["usage_bytes"] is None or stat.get("file_bytes") is None:
        return None
    droppable = stat["file_bytes"] - (stat.get("shmem_bytes") or 0) - (dirty_bytes(group) or 0) + (stat.get("slab_reclaimable_bytes") or 0)
    return max(0, group["usage_bytes"] - max(0, droppable))


def dirty_bytes(group):
    """File data that waits for the disk or is on its way, in bytes; None where nothing says."""
    parts = [group["stat"].get(name) for name in ("file_dirty_bytes", "file_writeback_bytes")]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def of_kernel(found):
    counters = found["vmstat"]
    families = [Family("memops_vmstat_%s_total" % name, "counter", told, [({}, counters.get(name))]) for name, told in VMSTAT.items()]
    told = "vm.overcommit_memory: 0 heuristic, 1 always, 2 never beyond the commit limit."
    return families + [Family("memops_overcommit_memory", "gauge", told, [({}, found["overcommit_memory"])])]


def of_panic(panic, booted_after_panic):
    """panic: the newest, {at, reason}, or None."""
    told = "When the kernel last panicked, by what it left in pstore or /var/crash."
    seen = [({"reason": panic["reason"]}, panic["at"])] if panic else []
    return [
        Family("memops_last_panic_timestamp_seconds", "gauge", told, seen),
        Family("memops_boot_after_panic", "gauge", "Whether the boot before this one ended in a kernel panic that left a trace.", [({}, booted_after_panic)]),
    ]


def of_verdict(verdict):
    """verdict: of the last diagnosis, {at, code, confidence, kind, cause, incidents}, or None."""
    if verdict is None:
        return []
    labels = {name: verdict[name] for name in ("code", "confidence", "kind", "cause")}
    return [
        Family("memops_last_verdict_info", "gauge", "What the last diagnosis of this host said.", [(labels, 1)]),
        Family("memops_last_verdict_timestamp_seconds", "gauge", "When this host was last diagnosed.", [({}, verdict["at"])]),
        Family("memops_last_verdict_incidents", "gauge", "Incidents that the last diagnosis of this host found.", [({}, verdict["incidents"])]),
    ]


def of_run(now, seconds, unreadable, left_out):
    """What the program says of itself."""
    return [
        Family("memops_metrics_last_run_timestamp_seconds", "gauge", "When these metrics were read.", [({}, now)]),
        Family("memops_metrics_run_duration_seconds", "gauge", "How long it took to read them.", [({}, seconds)]),
        Family("memops_metrics_unreadable_sources", "gauge", "Files that could not be read, or only in part.", [({}, unreadable)]),
        Family("memops_metrics_left_out_samples", "gauge", "Samples left out because their labels were there already.", [({}, left_out)]),
    ]


def _labels(group):
    return {"cgroup": group["path"], "unit": group["unit"], "container_id": group["container_id"]}


def _limit(value):
    return value if isinstance(value, int) else None


def _event(group, event):
    if event == "max" and group["failcnt"] is not None:
        return group["failcnt"]
    return group["events"].get(event)
