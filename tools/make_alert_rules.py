"""Write the Prometheus rules from runbooks/alerts/catalogue.yml.

``make alert-rules`` writes runbooks/alerts/memory.rules.yml and, beside it, the
tables in README.md and metrics.md; a test fails when they are stale. A site makes rules
of its own with other values::

    tools/make_alert_rules.py --set memory_low=0.05 --set HostMemoryLow.for=10m --values site.yml --output memory.rules.yml
"""

from __future__ import annotations

import argparse
import pathlib
import re
import sys
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.memops.linux.plugins.module_utils.memory_metrics import families  # noqa: E402

FOLDER = ROOT / "runbooks/alerts"
SEVERITIES = ("critical", "warning", "info")
_PLACE = re.compile(r"@([\w.]+)@")
_DURATION = re.compile(r"(\d+(ms|[smhdwy]))+$")
_MARKS = ("<!-- made by make alert-rules -->", "<!-- end -->")


class Unusable(Exception):
    """A value that a site gave cannot be used; the text says which and why."""


def catalogue() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "catalogue.yml").read_text())


def alerts(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [alert for group in told["groups"] for alert in group["alerts"]]


def values(told: dict[str, Any], changed: dict[str, Any]) -> dict[str, str]:
    """{name: value as text} of all variables and thresholds; ``changed`` are a site's own.

    ``AlertName.for`` and ``AlertName.severity`` are names too. Raises Unusable
    for a name that is not there, and for a value of another sort than ours.
    """
    ours: dict[str, Any] = {name: spec["value"] for name, spec in told["variables"].items()}
    for alert in alerts(told):
        ours |= {name: spec["value"] for name, spec in alert["thresholds"].items()}
        ours |= {f"{alert['alert']}.for": alert["for"], f"{alert['alert']}.severity": alert["severity"]}
    for name, value in changed.items():
        if name not in ours:
            raise Unusable(f"{name}: there is no such variable; see {FOLDER.relative_to(ROOT)}/README.md")
        _check(name, ours[name], value)
        ours[name] = value
    return {name: str(value) for name, value in ours.items()}


def _check(name: str, ours: Any, value: Any) -> None:
    if isinstance(ours, str) and _DURATION.match(ours):
        if not _DURATION.match(str(value)):
            raise Unusable(f"{name}: {value!r} is no duration such as {ours}")
    elif isinstance(ours, (int, float)):
        if not re.match(r"\d+(\.\d+)?$", str(value)):
            raise Unusable(f"{name}: {value!r} is no number")
    elif name.endswith(".severity"):
        if value not in SEVERITIES:
            raise Unusable(f"{name}: {value!r} is none of {', '.join(SEVERITIES)}")
    elif not re.match(r"[^\"\\@{}\s]+$", str(value)):
        raise Unusable(f'{name}: {value!r} may hold no blank and none of "\\@{{}}')


def rules(told: dict[str, Any], changed: dict[str, Any] | None = None) -> dict[str, Any]:
    """The rules file as data."""
    filled = values(told, changed or {})

    def fill(text: str) -> str:
        return _PLACE.sub(lambda place: filled[place.group(1)], text).strip()

    def rule(alert: dict[str, Any]) -> dict[str, Any]:
        name = alert["alert"]
        return {
            "alert": name,
            "expr": fill(alert["expr"]),
            "for": filled[f"{name}.for"],
            "labels": {"severity": filled[f"{name}.severity"], "source": "memops"},
            "annotations": {
                "summary": fill(alert["summary"]),
                "description": fill(alert["description"]),
                "runbook_url": f"{filled['runbook_base_url'].rstrip('/')}/{name}/README.md",
            },
        }

    return {"groups": [{"name": group["name"], "rules": [rule(alert) for alert in group["alerts"]]} for group in told["groups"]]}


def rules_text(told: dict[str, Any], changed: dict[str, Any] | None = None) -> str:
    text = yaml.dump(rules(told, changed), Dumper=_Dumper, sort_keys=False, width=150, allow_unicode=True)
    return "# Written by tools/make_alert_rules.py from runbooks/alerts/catalogue.yml; change that instead.\n" + text


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines stay so; lists are indented, as yamllint wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None))


def table(told: dict[str, Any]) -> str:
    lines = ["| alert | severity | it needs | for | because |", "|---|---|---|---|---|"]
    for alert in alerts(told):
        name = alert["alert"]
        lines.append(f"| [{name}](../{name}/README.md) | {alert['severity']} | {alert['needs']} | {alert['for']} | {alert['for_why']} |")
    lines += ["", "| variable | value | of | because |", "|---|---|---|---|"]
    lines += [f"| `{name}` | `{spec['value']}` | all | {spec['why']} |" for name, spec in told["variables"].items()]
    for alert in alerts(told):
        lines += [f"| `{name}` | `{spec['value']}` | {alert['alert']} | {spec['why']} |" for name, spec in alert["thresholds"].items()]
    return "\n".join(lines)


def metrics_table() -> str:
    """What the role memory_metrics writes."""
    verdict = dict.fromkeys(("at", "code", "confidence", "kind", "cause", "incidents"))
    found = {"cgroups": {"groups": [], "count": 0}, "vmstat": {}, "overcommit_memory": 0, "panic": None, "booted_after_panic": False, "verdict": verdict}
    lines = ["| metric | type | |", "|---|---|---|"]
    return "\n".join(lines + [f"| `{one.name}` | {one.kind} | {one.told} |" for one in families.of_host(found) + families.of_run(0, 0, 0, 0)])


def renewed(page: str, made: str) -> str:
    """The page with the table renewed between its marks."""
    before, _mark, rest = page.partition(_MARKS[0])
    _old, _mark, after = rest.partition(_MARKS[1])
    return f"{before}{_MARKS[0]}\n{made}\n{_MARKS[1]}{after}"


def pages() -> dict[pathlib.Path, str]:
    """Each written file's path and text."""
    told = catalogue()
    made = {FOLDER / "memory.rules.yml": rules_text(told)}
    for name, lines in (("README.md", table(told)), ("metrics.md", metrics_table())):
        made[FOLDER / name] = renewed((FOLDER / name).read_text(), lines)
    return made


def main(arguments: list[str]) -> str | None:
    parser = argparse.ArgumentParser(description="Write Prometheus rules from the catalogue of alerts.")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another value of a variable, ALERT.for or ALERT.severity")
    parser.add_argument("--values", type=pathlib.Path, help="a YAML file of NAME: VALUE")
    parser.add_argument("--output", type=pathlib.Path, help="write only the rules, to this file")
    told = parser.parse_args(arguments)
    changed = yaml.safe_load(told.values.read_text()) or {} if told.values else {}
    changed |= dict(word.partition("=")[::2] for word in told.set)
    if changed and not told.output:
        return "with values of your own, say --output: the files here keep the defaults"
    try:
        written = {told.output: rules_text(catalogue(), changed)} if told.output else pages()
    except Unusable as error:
        return str(error)
    for path, text in written.items():
        path.write_text(text)
        print(path)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
