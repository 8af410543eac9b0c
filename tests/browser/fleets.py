"""Fleets for a page: every recorded fault on every recorded kernel, hosts that do harm, and more hosts than stand in a page as they are."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from ansible_collections.memops.linux.plugins.plugin_utils.comparison.document import VERDICTS
from ansible_collections.memops.linux.plugins.plugin_utils.comparison.document import comparison as compare
from ansible_collections.memops.linux.plugins.plugin_utils.report.host_files import unread_host, write_diagnosis, write_evidence, write_file
from ansible_collections.memops.linux.plugins.plugin_utils.report.page import comparison as comparison_page
from ansible_collections.memops.linux.plugins.plugin_utils.report.run_folder import open_run
from ansible_collections.memops.linux.plugins.plugin_utils.report.writing import write_report
from ansible_collections.memops.linux.tests.unit.controller.report.documents import HOSTILE, diagnosis, incident, recorded, recordings


def recorded_fleet(folder: pathlib.Path, platforms: tuple[str, ...] = ()) -> pathlib.Path:
    """A report on a host for each recording, and one host that is gone."""
    run, groups = open_run(str(folder)), {}
    for name in recordings():
        platform, fault = name.split("/")
        if not platforms or platform in platforms:
            host = f"{fault.replace('_', '-')}.{platform}"
            found, evidence = recorded(name, host)
            write_evidence(run, host, evidence)
            write_diagnosis(run, host, found)
            groups[host] = [platform]
    unread_host(run, "db-gone", "unreachable: Failed to connect to the host via ssh: No route to host")
    write_report(run, [*groups, "db-gone", "db-silent"], groups)
    return pathlib.Path(run) / "report.html"


def one_host(folder: pathlib.Path, name: str) -> pathlib.Path:
    """A report on one host alone."""
    run = open_run(str(folder))
    found, evidence = recorded(name, "web1")
    write_evidence(run, "web1", evidence)
    write_diagnosis(run, "web1", found)
    write_report(run, ["web1"])
    return pathlib.Path(run) / "report.html"


def hostile_fleet(folder: pathlib.Path) -> pathlib.Path:
    """Hosts, processes, containers, units, paths, log lines, sources and remedies that are all named to do harm."""
    run = open_run(str(folder))
    for host in (HOSTILE, "x" + HOSTILE):
        found, evidence = recorded("bookworm-6.1/host_anon_swap_full", host)
        evidence["cgroups"]["groups"] = [_poisoned(group) for group in evidence["cgroups"]["groups"]]
        found = {**_poisoned(found), "schema": found["schema"], "verdict": {**found["verdict"], "summary": HOSTILE}, "host": host}
        small = incident(HOSTILE, unit=HOSTILE, cgroup=HOSTILE, container=None, time=None)
        found["incidents"].append(_poisoned(small))
        write_evidence(run, host, evidence)
        write_diagnosis(run, host, found)
    unread_host(run, "gone" + HOSTILE, HOSTILE)
    write_report(run, [HOSTILE, "x" + HOSTILE, "gone" + HOSTILE], {HOSTILE: [HOSTILE]})
    return pathlib.Path(run) / "report.html"


def comparison(folder: pathlib.Path) -> pathlib.Path:
    """The page of before and after: a recorded host, and the same six hours later with another swappiness and no further kill."""
    _found, before = recorded("bookworm-6.1/memcg_anon", "web1")
    after = json.loads(json.dumps(before))
    after["collected_at"] = after["collected_at"].replace("T14:", "T20:")
    after["uptime_seconds"] += 6 * 3600
    after["tunables"]["values"]["vm.swappiness"] = "10"
    sides = []
    for name, evidence in (("before", before), ("after", after)):
        sides.append(open_run(str(folder / name)))
        write_evidence(sides[-1], "web1", evidence)
    path = folder / "compare.html"
    write_file(path, comparison_page.page(compare(*sides, ["web1", "gone"]), VERDICTS))
    return path


def large_fleet(folder: pathlib.Path, hosts: int = 600, hit: int = 90) -> pathlib.Path:
    """So many hosts that rows and hosts' views are made as they are needed."""
    run = open_run(str(folder))
    names = [f"host{number:04d}" for number in range(hosts)]
    found, evidence = recorded("bookworm-6.1/host_anon_swap_full")
    for number, name in enumerate(names):
        if number < hit:
            write_evidence(run, name, {**evidence, "host": name})
            write_diagnosis(run, name, {**found, "host": name})
        else:
            write_diagnosis(run, name, diagnosis(name, "healthy"))
    write_report(run, names)
    return pathlib.Path(run) / "report.html"


#: Words of our own, which no host can choose.
_CODES = frozenset(("part", "kind", "cause", "confidence", "constraint", "verdict", "severity", "scope", "time", "schema", "variable"))


def _poisoned(value: Any) -> Any:
    """The same document with every text in it made hostile; names of fields stay."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, list):
        return [_poisoned(item) for item in value]
    if isinstance(value, dict):
        return {key: item if key in _CODES else _poisoned(item) for key, item in value.items()}
    return json.loads(json.dumps(value))
