"""Keeps each benchmark's last outcome in results.json, and writes docs/benchmarks.md from them."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable, Mapping

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / "results.json"
PAGE = HERE.parent / "collections/ansible_collections/memops/linux/docs/benchmarks.md"

_HEAD = """\
# Benchmarks

Written by `make bench`; do not edit. Each section is one run of one benchmark, with the machine, the command that repeats it,
and the goal. Numbers are min / **median** / max of the runs. A ratio is taken within one round, where both commands met the same
machine, so ratios carry over to other machines and absolute times do not.
"""


def keep(name: str, outcome: Mapping[str, object]) -> None:
    """Replace this benchmark's outcome and write the page anew."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    kept[name] = outcome
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    PAGE.write_text("\n".join([_HEAD, *(section(each, kept[each]) for each in _SECTIONS if each in kept)]))


def section(name: str, outcome: Mapping) -> str:
    """One benchmark's section of the page."""
    title, body = _SECTIONS[name]
    machine = outcome["machine"]
    lines = [
        f"## {title}",
        "",
        f"{outcome['date']}, `{outcome['command']}`",
        "",
        f"Machine: {machine['cores']} cores ({machine['cpu']}), {machine['ram_bytes'] / 2**30:.0f} GiB RAM, Linux {machine['kernel']},"
        f" Python {machine['python']}, ansible-core {machine['ansible_core']}. Before the start: load {machine['load_before']},"
        f" {machine['processes_before']} processes.",
        "",
        *body(outcome["result"]),
    ]
    return "\n".join(lines) + "\n"


def _fleet(result: Mapping) -> Iterable[str]:
    yield f"{result['hosts']} hosts, {result['forks']} forks, {result['rounds']} rounds, ssh connections {result['connections']}."
    yield "Each host is an sshd on a loopback address, so the hosts share the cores with the controller: time follows the CPU of both together."
    yield ""
    yield from _table(
        ["command", "seconds", "CPU s, controller", "CPU s, all hosts", "peak RSS of ansible, MB"],
        (
            [
                name,
                _runs(costs["seconds"]),
                _runs(costs["controller_cpu_seconds"]),
                _runs(costs["hosts_cpu_seconds"]),
                _runs(costs["controller_peak_rss_bytes"], 1e6, 0),
            ]
            for name, costs in result["commands"].items()
        ),
    )
    yield from _table(
        ["ratio", "of", "measured", "goal", ""],
        ([each["name"], _QUANTITIES[each["quantity"]], _runs(each, digits=2), *_against(each)] for each in result["ratios"]),
    )
    parts = result["breakdown"]
    yield f"Where one host's CPU time goes (median; Python {parts['python']} on the host, no byte code there, as nothing is installed):"
    yield ""
    for side in ("host", "controller"):
        yield from _table([f"on the {side}, for one host", "CPU ms"], ([step, f"{cpu * 1000:.1f}"] for step, cpu in parts[f"{side}_cpu_seconds"].items()))
    yield from _table(["size", "bytes"], ([what, f"{value:,.0f}"] for what, value in parts["bytes"].items()))


def _tunables(result: Mapping) -> Iterable[str]:
    yield f"{result['tunables']} sysctls on {result['hosts']} hosts, {result['forks']} forks, {result['rounds']} rounds, now and for the next boot: by the role"
    yield f"`vm_tunables`, and by `ansible.posix.sysctl` (of {result['package']}) with a task for each. Each host is an sshd on a loopback address. They share"
    yield "one kernel, so each has a /proc/sys/vm of plain files and an /etc/sysctl.d of its own. After each command every value on every host is"
    yield "compared with what was wanted."
    yield ""
    yield from _table(
        ["command", "seconds", "CPU s, controller", "CPU s, all hosts"],
        (
            [name, _runs(costs["seconds"], digits=1), _runs(costs["controller_cpu_seconds"], digits=1), _runs(costs["hosts_cpu_seconds"], digits=1)]
            for name, costs in result["commands"].items()
        ),
    )
    yield from _table(["ratio of seconds", "measured", "goal", ""], ([each["name"], _runs(each), *_against(each)] for each in result["ratios"]))


def _collector(result: Mapping) -> Iterable[str]:
    costs = result["costs"]
    yield f"{result['processes']} processes, {result['cgroups']} memory cgroups ({result['cgroup_version']}), Python {result['python']}, {result['runs']} runs."
    yield "The collector alone, from source without byte code, as on a host; ansible's own part is not in it."
    yield ""
    cpu, peak = costs["cpu_seconds"], costs["peak_rss_bytes"]
    yield from _table(
        ["what", "measured", "goal", ""],
        [
            ["CPU seconds, with the import", _runs(cpu), *_goal(cpu["median"], at_most=result["goal_cpu_seconds"])],
            ["CPU seconds, gathering only", _runs(costs["gathering_cpu_seconds"]), "", ""],
            ["seconds", _runs(costs["seconds"]), "", ""],
            ["peak RSS, MB, larger of watch and worker", _runs(peak, 1e6, 1), *_goal(peak["median"] / 1e6, at_most=result["goal_peak_rss_bytes"] / 1e6)],
            ["peak RSS, MB, both added (shared pages count twice)", _runs(costs["watch_and_worker_rss_bytes"], 1e6, 1), "", ""],
            ["evidence, kB", _runs(costs["evidence_bytes"], 1e3, 0), "", ""],
            ["items dropped to fit the budgets", _runs(costs["dropped"], digits=0), "", ""],
            ["sources that could not be read", _runs(costs["unreadable"], digits=0), "", ""],
        ],
    )


def _payload(result: Mapping) -> Iterable[str]:
    yield "The file that ansible sends to a host for one run."
    yield ""
    yield from _table(
        ["what", "bytes", "goal", ""],
        [
            ["evidence_info, as sent", f"{result['evidence_info_bytes']:,}", *_goal(result["evidence_info_bytes"], at_most=result["goal_bytes"])],
            ["ping, as sent: ansible-core's own part", f"{result['ping_bytes']:,}", "", ""],
            ["the difference: this collection's part", f"{result['own_bytes']:,}", "", ""],
            [f"its source, {result['own_files']} files", f"{result['own_source_bytes']:,}", "", ""],
        ],
    )
    yield from _table(
        ["largest files", "source bytes", "as sent"], ([f"`{file['file']}`", f"{file['bytes']:,}", f"{file['sent_bytes']:,}"] for file in result["largest"])
    )


def _logs(result: Mapping) -> Iterable[str]:
    costs, over, many = result["costs"], result["over_grep"], result["folder"]
    ours, smaller, grep = costs["memops"], costs["memops, 100 MB"], costs["grep"]
    yield f"A syslog of {result['bytes'] / 1e9:g} GB and {result['lines']:,} lines of many services with {result['reports']} recorded OOM reports,"
    yield f"{result['rounds']} rounds. All {result['reports']} were found in each. grep is `LC_ALL=C grep -cE` with {result['needles']} of the same needles,"
    yield "run in turn with memops, which not only finds the lines but reads the events. The files lie in the page cache."
    yield ""
    yield from _table(
        ["what", "measured", "goal", ""],
        [
            ["grep, MB/s", _runs(grep["bytes_per_second"], 1e6, 0), "", ""],
            ["memops, finding and reading, MB/s", _runs(ours["bytes_per_second"], 1e6, 0), "", ""],
            ["memops / grep", _runs(over["bytes_per_second"]), *_goal(over["bytes_per_second"]["median"], at_least=result["goal_over_grep"])],
            ["the same with Python's start and the imports", _runs(over["whole_bytes_per_second"]), "", ""],
            ["the same per second of CPU, without them", _runs(over["bytes_per_cpu_second"]), "", ""],
            ["peak RSS, MB", _runs(ours["peak_rss_bytes"], 1e6, 1), "", ""],
            ["peak RSS for a tenth of the bytes with as many reports, MB", _runs(smaller["peak_rss_bytes"], 1e6, 1), "", ""],
            ["the one / the other", _runs(result["more_memory"]), *_goal(result["more_memory"]["median"], at_most=result["goal_more_memory"])],
        ],
    )
    yield f"A folder of {many['logs']:,} logs of {many['log_bytes'] / 1000:.0f} kB with one report each:"
    yield ""
    yield from _table(
        ["what", "measured"],
        [
            ["reading and diagnosis in one process, ms per report", _runs(many["seconds_per_report"], 1e-3, 1)],
            ["of it diagnosis, ms per report", _runs(many["diagnosing_seconds_per_report"], 1e-3, 1)],
            ["diagnose_logs.yml over all cores with the fleet's report, seconds", _runs(many["playbook_seconds"], digits=1)],
            ["CPU seconds of it", _runs(many["playbook_cpu_seconds"], digits=1)],
            ["peak RSS of its largest process, MB", _runs(many["playbook_peak_rss_bytes"], 1e6, 0)],
        ],
    )


def _pressure(result: Mapping) -> Iterable[str]:
    yield "evidence_info through ansible, on a virtual machine of the lab that is short of memory; its processor is"
    yield f"{'emulated' if result['accelerator'] == 'tcg' else 'virtual'}, so seconds are long. The workload is what `memops.linux.memory_fault` made."
    yield ""
    rows = []
    for case in result["cases"]:
        seconds, peak = case["seconds"], case["peak_rss_bytes"] / 1e6
        rows.append([f"{case['kernel']}: {case['what']}", "seconds, all of the task", f"{seconds:.1f}", *_goal(seconds, at_most=result["goal_seconds"])])
        rows.append(["", "seconds of it collecting", f"{case['collecting_seconds']:.1f}", "", ""])
        rows.append(["", "peak RSS of the collector, MB", f"{peak:.1f}", *_goal(peak, at_most=result["goal_peak_rss_bytes"] / 1e6)])
        rows.append(["", "sections that came back", f"{case['sections']} of {case['of_sections']}", "", ""])
        rows.append(["", "processes that the kernel killed meanwhile", f"{case['kills']}", *_goal(case["kills"], at_most=0)])
    yield from _table(["the host", "what", "measured", "goal", ""], rows)


def _report(result: Mapping) -> Iterable[str]:
    goals, browser = result["goals"], result["browser"]
    yield f"{result['hosts']:,} hosts, {result['hit']:,} of them with {result['incidents']:,} incidents of recorded evidence; {result['rounds']} rounds."
    yield f"One process reads the hosts' documents and writes report.json, report.md and report.html; then Chromium {browser['version']} opens the page"
    yield "without a window and without a GPU."
    yield ""
    yield from _table(
        ["what", "measured", "goal", ""],
        [
            ["making it, seconds", _runs(result["seconds"], digits=1), *_goal(result["seconds"]["median"], at_most=goals["seconds"])],
            ["CPU seconds of it", _runs(result["cpu_seconds"], digits=1), "", ""],
            [
                "peak RSS, MB",
                _runs(result["peak_rss_bytes"], 1e6, 0),
                *_goal(result["peak_rss_bytes"]["median"] / 1e6, at_most=goals["peak_rss_bytes"] / 1e6),
            ],
            ["report.html, MB", f"{result['page_bytes'] / 1e6:.1f}", "", ""],
            ["report.json, MB", f"{result['json_bytes'] / 1e6:.1f}", "", ""],
            ["report.md, MB", f"{result['markdown_bytes'] / 1e6:.1f}", "", ""],
            ["opening it, seconds until rows stand", _runs(browser["open_seconds"]), *_goal(browser["open_seconds"]["median"], at_most=goals["open_seconds"])],
            [
                "filtering, seconds from the key until the rows stand",
                _runs(browser["filter_seconds"]),
                *_goal(browser["filter_seconds"]["median"], at_most=goals["filter_seconds"]),
            ],
            ["opening a host, seconds", _runs(browser["host_seconds"]), "", ""],
            ["longest time without an answer to a key meanwhile, seconds", _runs(browser["longest_task_seconds"]), "", ""],
        ],
    )


_SECTIONS = {
    "fleet": ("A fleet", _fleet),
    "tunables": ("Tunables on a fleet", _tunables),
    "collector": ("A crowded host", _collector),
    "pressure": ("A host short of memory", _pressure),
    "payload": ("What is sent to a host", _payload),
    "logs": ("Saved logs", _logs),
    "report": ("The report of a large fleet", _report),
}

_QUANTITIES = {
    "seconds": "seconds",
    "controller_cpu_seconds": "CPU of the controller",
    "hosts_cpu_seconds": "CPU of the hosts",
    "cpu_seconds": "CPU of both",
}


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(' --- ' for _ in head)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _runs(values: Mapping[str, float], unit: float = 1, digits: int = 2) -> str:
    low, middle, high = (f"{values[which] / unit:,.{digits}f}" for which in ("min", "median", "max"))
    return f"{low} / **{middle}** / {high}"


def _against(ratio: Mapping) -> list[str]:
    return _goal(ratio["median"], **ratio["goal"]) if ratio["goal"] else ["", ""]


def _goal(value: float, at_most: float | None = None, at_least: float | None = None) -> list[str]:
    if at_most is not None:
        return [f"≤ {at_most:,g}", "met" if value <= at_most else "not met"]
    return [f"≥ {at_least:,g}", "met" if value >= at_least else "not met"]
