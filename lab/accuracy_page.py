"""docs/accuracy.md, from the cells that were run. Pure but for the two files."""

from __future__ import annotations

import json
import pathlib
import typing

import yaml

from . import cache, judging, platforms

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / "score.json"
NOTES = HERE / "score_notes.yml"
PAGE = HERE.parent / "collections/ansible_collections/memops/linux/docs/accuracy.md"

_HEAD = """\
# Accuracy

Written by `make lab`; do not edit. Each fault of [the catalogue](faults.md) was made by `memops.linux.memory_fault` in virtual
machines of the lab, and then `diagnose.yml` was asked, which knows nothing of what was done. Right means the verdict, the kind,
the cause and the victim's name and pid. A false alarm is a verdict of memory where memory killed nothing.

`make lab PLATFORMS=bookworm-6.1 FAULTS='memcg_anon balloon'` repeats a part of it.
"""


def load() -> dict[str, dict[str, typing.Any]]:
    """{platform: {fault: cell}}"""
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}


def keep(cell: dict[str, typing.Any]) -> None:
    """Replace this cell."""
    with cache.locked("score"):  # two runs may be at it, each with platforms of its own
        cells = load()
        cells.setdefault(cell["platform"], {})[cell["fault"]] = cell
        partial = KEPT.with_suffix(".new")
        partial.write_text(json.dumps(cells, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(KEPT)


def write(faults: typing.Mapping[str, typing.Any]) -> None:
    PAGE.write_text(page(load(), faults, yaml.safe_load(NOTES.read_text(encoding="utf-8")) if NOTES.exists() else {}), encoding="utf-8")


def page(cells: typing.Mapping[str, typing.Any], faults: typing.Mapping[str, typing.Any], notes: typing.Mapping[str, typing.Any]) -> str:
    """The page's text. notes: {platform or "all": {fault: why it is not right}}."""
    names = [name for name in platforms.names() if name in cells]
    lines = [
        _HEAD,
        "## By platform",
        "",
        "| platform | kernel | faults made | all right | verdict | kind | cause | victim | false alarms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in names:
        run = cells[name].values()
        sums = judging.totals(run)
        kernel = next((cell["kernel"] for cell in run if cell.get("kernel")), "")
        parts = [f"{sums[part][0]} of {sums[part][1]}" for part in ("verdict", "kind", "cause", "victim")]
        lines.append(f"| `{name}` | {kernel} | {sums['cells']} | {sums['all_right']} | {' | '.join(parts)} | {sums['false_alarms']} |")
    lines += [
        "",
        "## Fault by platform",
        "",
        "✓ all right, ✗ something is not (below), – cannot exist there (below), × could not be made, blank: not run. Seconds are from the",
    ]
    lines += [
        "start of the fault to the diagnosis, on emulated processors.",
        "",
        f"| fault | expected | {' | '.join(f'`{name}`' for name in names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for fault, spec in faults.items():
        lines.append(f"| `{fault}` | {_told(spec['expect'])} | {' | '.join(_mark(cells[name].get(fault), spec, name) for name in names)} |")
    lines += ["", "## What is not right", ""]
    wrong = [(name, fault, cells[name][fault]) for name in names for fault in faults if _is_wrong(cells[name].get(fault))]
    lines += [f"- `{fault}` on `{name}`: {_miss(cell)}{_note(notes, name, fault)}" for name, fault, cell in wrong] or ["Nothing."]
    lines += ["", "## What cannot be", ""]
    reasons: dict[tuple[str, str], list[str]] = {}
    for fault, spec in faults.items():
        for name, why in spec.get("not_on", {}).items():
            reasons.setdefault((fault, why), []).append(name)
    lines += [f"- `{fault}` on {', '.join(f'`{name}`' for name in where)}: {why}." for (fault, why), where in reasons.items()]
    return "\n".join(lines) + "\n"


def _told(expect: typing.Mapping[str, typing.Any]) -> str:
    if expect["kinds"]:
        return f"{' or '.join(expect['kinds'])}: {' or '.join(expect['causes']) or 'no cause can be told'}"
    return f"{expect['verdict']}{': ' + ' or '.join(expect['findings']) if expect['findings'] else ''}"


def _mark(cell: typing.Mapping[str, typing.Any] | None, spec: typing.Mapping[str, typing.Any], platform: str) -> str:
    if platform in spec.get("not_on", {}):
        return "–"
    if cell is None:
        return ""
    if cell["state"] != "diagnosed":
        return "×"
    return f"{'✓' if cell['got']['all_right'] else '✗'} {cell['seconds']:.0f} s"


def _is_wrong(cell: typing.Mapping[str, typing.Any] | None) -> bool:
    return cell is not None and (cell["state"] == "not_made" or (cell["state"] == "diagnosed" and not cell["got"]["all_right"]))


def _miss(cell: typing.Mapping[str, typing.Any]) -> str:
    if cell["state"] == "not_made":
        return f"it could not be made: {cell['why']}"
    got, expect = cell["got"], cell["expected"]
    wrong = [part for part, right in got["right"].items() if right is False]
    said = f"{got['kind']}/{got['cause']}, victim {got['victim']}" if got["kind"] else f"{got['verdict']}, findings {', '.join(got['findings']) or 'none'}"
    return f"{' and '.join(wrong)} not right; expected {_told(expect)}, got {said}"


def _note(notes: typing.Mapping[str, typing.Any], platform: str, fault: str) -> str:
    why = (notes.get(platform) or {}).get(fault) or (notes.get("all") or {}).get(fault)
    return f". {why}" if why else ""
