"""The report of a large fleet: how long making it takes and how much memory, how large the page is, and how fast it opens and filters.

The hosts are made from recorded evidence of real kernels; each has a name, times and ids of its own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import pathlib
import random
import sys
import tempfile
import time

from .measure import CannotMeasure, run, spread

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDED = ROOT / "collections/ansible_collections/memops/linux/tests/unit/fixtures/evidence"
HOSTS, INCIDENTS = 10_000, 2_000
#: Every so many hosts something has died, until there are INCIDENTS.
EACH = 6
GOAL_SECONDS, GOAL_RSS_BYTES, GOAL_OPEN_SECONDS, GOAL_FILTER_SECONDS = 60, 500_000_000, 2, 0.2
_PATIENCE_SECONDS = 60

_MAKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.memops.linux.plugins.plugin_utils.report.writing import write_report
hosts = json.load(open(sys.argv[2] + "/asked.json"))
write_report(sys.argv[2], hosts, {host: ["rack" + host[4:6]] for host in hosts})
"""


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Make the fleet's documents, then the report of it in a process of its own, then open it."""
    with tempfile.TemporaryDirectory(prefix="memops-report-") as folder:
        hit, incidents = _documents(pathlib.Path(folder))
        costs = []
        for _round in range(options.rounds):
            costs.append(run([sys.executable, "-c", _MAKE, str(ROOT / "collections"), folder]))
        page = pathlib.Path(folder) / "report.html"
        return {
            "hosts": HOSTS,
            "hit": hit,
            "incidents": incidents,
            "rounds": options.rounds,
            "seconds": spread(cost.seconds for cost in costs),
            "cpu_seconds": spread(cost.cpu_seconds for cost in costs),
            "peak_rss_bytes": spread(cost.peak_rss_bytes for cost in costs),
            "page_bytes": page.stat().st_size,
            "markdown_bytes": (pathlib.Path(folder) / "report.md").stat().st_size,
            "json_bytes": (pathlib.Path(folder) / "report.json").stat().st_size,
            "browser": _opened(page, options.rounds),
            "goals": {
                "seconds": GOAL_SECONDS,
                "peak_rss_bytes": GOAL_RSS_BYTES,
                "open_seconds": GOAL_OPEN_SECONDS,
                "filter_seconds": GOAL_FILTER_SECONDS,
            },
        }


def _documents(folder: pathlib.Path) -> tuple[int, int]:
    """Evidence and diagnoses of all hosts; how many hosts have incidents, and how many there are."""
    sys.path.insert(0, str(ROOT / "collections"))
    from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose
    from ansible_collections.memops.linux.plugins.plugin_utils.report.host_files import write_diagnosis, write_evidence

    (folder / "hosts").mkdir()
    chance = random.Random(1)
    of_incident, healthy = [], []
    for path in sorted(RECORDED.glob("*/*.json")):
        evidence = json.loads(path.read_text(encoding="utf-8"))["evidence"]
        verdict = diagnose(evidence)
        if verdict["incidents"]:
            of_incident.append(evidence)
        elif verdict["verdict"]["code"] == "healthy":
            healthy.append(evidence)
    hit = incidents = 0
    sources, calm = itertools.cycle(of_incident), itertools.cycle(healthy)
    names = [f"host{number:05d}.example.org" for number in range(HOSTS)]
    for number, name in enumerate(names):
        struck = number % EACH == 0 and incidents < INCIDENTS
        evidence = _as_of(next(sources if struck else calm), name, chance)
        hit += struck
        diagnosis = diagnose(evidence)
        incidents += len(diagnosis["incidents"])
        write_evidence(str(folder), name, evidence)
        write_diagnosis(str(folder), name, diagnosis)
    (folder / "asked.json").write_text(json.dumps(names))
    return hit, incidents


def _as_of(evidence: dict, host: str, chance: random.Random) -> dict:
    """The evidence as of another host: on another day, with other pids and sizes, so that no two pages are alike."""
    text = json.dumps({**evidence, "host": host})
    text = text.replace("2026-11-25", f"2026-11-{chance.randint(1, 28):02d}").replace("memops-fault", f"shop-{chance.randint(1, 40)}")
    return json.loads(text.replace("00kB", f"{chance.randint(10, 99)}kB"))


def _opened(page: pathlib.Path, rounds: int) -> dict[str, object]:
    """Seconds in headless Chromium, as a person meets them: until the rows stand, until a filter's rows stand, until a host stands."""
    sys.path.insert(0, str(ROOT / "tests/browser"))
    try:
        import chromium
    except ImportError as error:
        raise CannotMeasure(f"Playwright is missing: {error}; `make` installs it with the other tools") from error
    opened, filtered, shown, stalls = [], [], [], []
    try:
        with chromium.browser() as browser:
            for _round in range(rounds):
                window = browser.new_page()
                start = time.monotonic()
                window.goto(chromium.address(page))
                _until(window, "document.querySelectorAll('#table tbody th').length > 10")
                opened.append(time.monotonic() - start)
                window.evaluate("() => { window.longest = 0; new PerformanceObserver((list) => { for (const task of list.getEntries())"
                                " window.longest = Math.max(window.longest, task.duration); }).observe({ type: 'longtask' }); }")  # fmt: skip
                start = time.monotonic()
                window.locator("[name=text]").fill("host01200")
                _until(window, "document.querySelectorAll('#table tbody th').length === 1")
                filtered.append(time.monotonic() - start)
                start = time.monotonic()
                window.locator("#table tbody th a").click()
                _until(window, "document.querySelector('.host.open .chapter') !== null")
                shown.append(time.monotonic() - start)
                stalls.append(window.evaluate("window.longest") / 1000)
                window.close()
            version = browser.version
    except chromium.NoBrowser as reason:
        raise CannotMeasure(str(reason)) from reason
    return {
        "version": version,
        "open_seconds": spread(opened),
        "filter_seconds": spread(filtered),
        "host_seconds": spread(shown),
        "longest_task_seconds": spread(stalls),
    }


def _until(window, condition: str) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not window.evaluate(condition):
        if time.monotonic() > end:
            raise CannotMeasure(f"the page did not come so far in {_PATIENCE_SECONDS} s: {condition}")
        window.wait_for_timeout(5)
