# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All that the page shows of one host, as plain data."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...diagnosis.case import KERNEL_OOM_KINDS, MEMORY_KINDS
from ...diagnosis.wording import size
from ..pictures import cgroup_levels, free_blocks, memory_bar, sampled, task_bars, zone_bars
from ..pictures.picture import Picture
from . import words
from .figure import Figure, quote_of
from .story import Chapter, chapters, of_finding

#: Of one host this many different incidents are told whole; the others are rows of a table.
INCIDENTS_TOLD = 12
INCIDENTS_LISTED = 200


class Quoted(NamedTuple):
    """A quote with the places that rest on it: (anchor's end, words)."""

    text: str
    where: str
    time: str | None
    cited_by: tuple[tuple[str, str], ...]


class Fact(NamedTuple):
    """A line of an incident's head. values: (text, term of the glossary, number of a quote)."""

    name: str
    values: tuple[tuple[str, str | None, int | None], ...]


class Item(NamedTuple):
    """An incident or a finding. anchor: unique on the page; from_run: the older run it was kept from when runs were merged."""

    anchor: str
    title: str
    facts: tuple[Fact, ...]
    chapters: tuple[Chapter, ...]
    pictures: tuple[Picture, ...]
    contributing: tuple[dict[str, Any], ...]
    remedies: tuple[dict[str, Any], ...]
    reference: str | None
    quotes: tuple[Quoted, ...]


def host_view(diagnosis: dict[str, Any], evidence: dict[str, Any] | None, anchor: str) -> dict[str, Any]:
    """{anchor, host, verdict, facts, incidents, others, left_out, findings, sampled, unreadable, dropped} of one host.

    evidence: of the same host, where the run kept it; levels of cgroups, pressure
    and reclaim come from there.
    """
    told = words.told(diagnosis, INCIDENTS_TOLD)
    told_ids = {id(incident) for incident in told}
    others = [incident for incident in diagnosis["incidents"] if id(incident) not in told_ids]
    groups = None if evidence is None else {group["path"]: group for group in ((evidence.get("cgroups") or {}).get("groups") or [])}
    return {
        "anchor": anchor,
        "host": diagnosis["host"],
        "verdict": diagnosis["verdict"],
        "facts": _host_facts(diagnosis),
        "incidents": [_incident(incident, f"{anchor}i{number}", groups) for number, incident in enumerate(told)],
        "others": [_other(incident) for incident in others[:INCIDENTS_LISTED]],
        "left_out": max(0, len(others) - INCIDENTS_LISTED),
        "findings": [_finding(finding, f"{anchor}f{number}") for number, finding in enumerate(diagnosis["findings"])],
        "sampled": None if evidence is None else _sampled(evidence, f"{anchor}e"),
        "unreadable": diagnosis["unreadable"],
        "dropped": diagnosis["dropped"],
        "notes": diagnosis.get("notes") or [],
    }


def _host_facts(diagnosis: dict[str, Any]) -> list[tuple[str, str]]:
    known = [
        ("kernel", (diagnosis["kernel"] or {}).get("release")),
        ("RAM", size(diagnosis["ram_bytes"]) if diagnosis["ram_bytes"] else None),
        ("examined", words.moment(diagnosis["collected_at"])),
        ("kernel log from", words.moment(diagnosis["log_from"])),
        ("asked for since", words.moment(diagnosis["since"])),
    ]
    return [(name, value) for name, value in known if value]


def _incident(incident: dict[str, Any], anchor: str, groups: dict[str, dict[str, Any]] | None) -> Item:
    quotes = [dict(quote) for quote in incident["quotes"]]
    story = chapters(incident)
    pictures = _pictures(incident, groups, quotes)
    return Item(
        anchor,
        title_of(incident),
        _facts(incident),
        tuple(story),
        pictures,
        tuple(incident["contributing"]),
        tuple(incident["remedies"]),
        incident["reference"],
        _quoted(quotes, story, pictures, incident["contributing"]),
    )


def title_of(incident: dict[str, Any]) -> str:
    """Who, where and what, in one line."""
    who, where = words.concerned(incident), words.place(incident)
    text = words.KINDS[incident["kind"]]
    if who:
        text = f"{who}{f' in {where}' if where and where != who else ''}. {text}"
    return text


def _facts(incident: dict[str, Any]) -> tuple[Fact, ...]:
    facts = []
    if incident["cause"]:
        facts.append(Fact("cause", ((incident["cause"], f"cause {incident['cause']}", None), (incident["confidence"], incident["confidence"], None))))
    else:
        facts.append(Fact("cause", (("cannot tell", None, None),)))
    if incident["time"]:
        facts.append(Fact("when (UTC)", ((words.moment(incident["time"]), None, quote_of(incident, "trigger")),)))
    else:
        facts.append(Fact("when", (("the log has no clock", None, None),)))
    if incident["repeats"] > 1:
        facts.append(Fact("how often", ((f"{incident['repeats']} times like this on this host", None, None),)))
    container = incident["container"]
    if container:
        image = f" of image {container['image']}" if container["image"] else ""
        facts.append(Fact("container", ((f"{container['name'] or container['id'][:12]}{image}", None, None),)))
    if incident["unit"]:
        facts.append(Fact("unit", ((incident["unit"], None, None),)))
    if incident["constraint"]:
        facts.append(Fact("constraint", ((incident["constraint"], f"constraint {incident['constraint']}", quote_of(incident, "trigger")),)))
    facts += _request(incident)
    if incident["missing"]:
        facts.append(Fact("missing in the log", ((", ".join(incident["missing"]), None, None),)))
    if incident.get("from_run"):
        facts.append(Fact("kept from an older run", ((incident["from_run"], None, None),)))
    return tuple(facts)


def _request(incident: dict[str, Any]) -> list[Fact]:
    trigger, allocation = incident["trigger"], incident["allocation"]
    if trigger is None or trigger["gfp_mask"] is None:
        return []
    line = quote_of(incident, "trigger")
    flags = [(flag, flag, None) for flag in trigger["gfp_flags"]]
    facts = [Fact("gfp mask", ((trigger["gfp_mask"], "gfp mask", line), *flags))]
    if trigger["order"] is not None:
        pieces = f" ({size(allocation['size_bytes'])} in one piece)" if allocation and allocation["size_bytes"] else ""
        facts.append(Fact("order", ((f"{trigger['order']}{pieces}", "order", line),)))
    return facts


def _pictures(incident: dict[str, Any], groups: dict[str, dict[str, Any]] | None, quotes: list[dict[str, Any]]) -> tuple[Picture, ...]:
    """Those that can mean something for this kind of incident; what the log lacks for one of them it says itself."""
    if incident["kind"] not in MEMORY_KINDS:
        return ()
    levels = cgroup_levels.picture(incident, groups, quotes)
    if incident["kind"] not in KERNEL_OOM_KINDS and incident["kind"] != "page_allocation_failure":
        return (levels,) if levels else ()
    failed = incident["kind"] == "page_allocation_failure"
    drawn = (memory_bar.picture(incident), None if failed else task_bars.picture(incident), zone_bars.picture(incident), free_blocks.picture(incident), levels)
    return tuple(picture for picture in drawn if picture is not None)


def _quoted(quotes: list[dict[str, Any]], story: list[Chapter], pictures: tuple[Picture, ...], contributing: list[dict[str, Any]]) -> tuple[Quoted, ...]:
    """The quotes with the places that rest on each, in the page's order."""
    cited: dict[int, dict[str, str]] = {}
    number = 0
    for chapter in story:
        for step in chapter.steps:
            number += 1
            for quote in step.quotes:
                cited.setdefault(quote, {})[f"s{number}"] = f"step {number}"
    for picture in pictures:
        for row in picture.rows:
            for cell in row.cells:
                figure = cell[1] if isinstance(cell, tuple) and not isinstance(cell, Figure) else cell
                if isinstance(figure, Figure) and figure.quote is not None:
                    cited.setdefault(figure.quote, {})[picture.name] = picture.title
    for place, other in enumerate(contributing):
        for step in other["because"]:
            for quote in step["quotes"]:
                cited.setdefault(quote, {})[f"o{place}"] = other["cause"]
    return tuple(Quoted(quote["text"], quote["where"], words.moment(quote["time"]), tuple(cited.get(index, {}).items())) for index, quote in enumerate(quotes))


def _other(incident: dict[str, Any]) -> tuple[str, ...]:
    cells = (words.moment(incident["time"]), incident["kind"], incident["cause"] or "cannot tell", words.concerned(incident), words.place(incident))
    return tuple(cell or "-" for cell in cells)


def _finding(finding: dict[str, Any], anchor: str) -> Item:
    story = of_finding(finding)
    facts = (Fact("cause it would be", ((finding["cause"], f"cause {finding['cause']}", None),)), Fact("severity", ((finding["severity"], None, None),)))
    return Item(anchor, finding["summary"], facts, tuple(story), (), (), tuple(finding["remedies"]), None, _quoted(finding["quotes"], story, (), []))


def _sampled(evidence: dict[str, Any], anchor: str) -> Item | None:
    if "pressure" not in evidence and "memory" not in evidence:
        return None
    quotes: list[dict[str, Any]] = []
    pictures = (sampled.pressure(evidence, quotes), sampled.reclaim(evidence, quotes))
    return Item(anchor, "When it was examined", (), (), pictures, (), (), None, _quoted(quotes, [], pictures, []))
