# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""report.html from plain view data: one file, nothing from the network."""

from __future__ import annotations

import functools
import itertools
import json
import pathlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import jinja2
from markupsafe import Markup

from .. import glossary
from ..pictures import kills_over_time
from ..view.covering import command
from ..view.figure import Figure
from ..view.host import host_view
from . import page_rows
from .escaping import data_block, policy, shown
from .packing import Packer

TEMPLATES = pathlib.Path(__file__).parents[1] / "templates"
#: Up to this many hosts' views stand in the page as they are; of more each is packed and unpacked when it is opened.
HOSTS_AS_THEY_ARE = 60
GROUPS_SHOWN = 30
#: So many views are held at once, to find what all of them begin with.
VIEWS_COMPARED = 8


@functools.cache
def environment() -> jinja2.Environment:
    """Escapes each value, whatever it is; a name that a template lacks is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.tests["figure"] = lambda value: isinstance(value, Figure)
    made.tests["pair"] = lambda value: isinstance(value, tuple) and not isinstance(value, Figure)
    made.filters["tojson_text"] = lambda value: json.dumps(value, ensure_ascii=False)
    made.globals["anchor"] = glossary.anchor
    return made


@functools.cache
def asset(name: str) -> Markup:
    """The style sheet or the script, as it stands in the page."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def host_html(diagnosis: dict[str, Any], evidence: dict[str, Any] | None, anchor: str, single: bool = False) -> Markup:
    """One host's part of the page."""
    return Markup(environment().get_template("host.html.j2").render(view=host_view(diagnosis, evidence, anchor), single=single))


def is_packed(anchors: Collection[str]) -> bool:
    """Whether so many hosts' views are packed."""
    return len(anchors) > HOSTS_AS_THEY_ARE


def page(report: dict[str, Any], run_folder: str, anchors: dict[str, str], views: Iterable[tuple[str, Markup]]) -> Iterator[str]:
    """The page in pieces, as they come.

    report: of ``fleet.report_document``. run_folder: for the command that applies
    remedies. anchors: host -> its anchor, of those that have a view; views: (anchor, HTML) of these.
    """
    single = len(report["hosts"]) == 1 and bool(anchors)
    packed = is_packed(anchors)
    style, script = asset("page.css"), asset("page.js")
    data, static_rows = page_rows.data(report, anchors), page_rows.static(report, anchors)
    return (
        environment()
        .get_template("report.html.j2")
        .generate(
            report=report,
            title=f"Memory diagnosis of {report['hosts'][0]['host'] if single else str(report['asked']) + ' hosts'}",
            policy=Markup(policy(style, script)),
            style=style,
            script=script,
            single=single,
            lead=page_rows.lead(report),
            columns=page_rows.COLUMNS,
            causes=sorted({row["cause"] for row in report["hosts"] if row["cause"]}),
            groups=data["groups"],
            static_rows=static_rows,
            anchors=anchors,
            groups_shown=GROUPS_SHOWN,
            command=command(run_folder, [item["variable"] for item in report["remedies"]["variables"]]),
            kills=kills_over_time.picture(report["kills"]),
            views=() if packed else (html for _anchor, html in views),
            entries=glossary.ENTRIES,
            data=data_block({**data, "single": single, "views": bool(anchors)}),
            packed=_packed(views) if packed else None,
        )
    )


def _packed(views: Iterable[tuple[str, Markup]]) -> Iterator[Markup]:
    """The packed views as a JSON document, in pieces: {"start": base64, "views": {anchor: base64}}."""
    views = iter(views)
    examples = list(itertools.islice(views, VIEWS_COMPARED))
    packer = Packer(str(html) for _anchor, html in examples)
    yield Markup(f'{{"start":"{packer.start}","views":{{')
    comma = ""
    for source in (examples, views):
        for anchor, html in source:
            yield Markup(f'{comma}"{anchor}":"{packer.pack(html)}"')
            comma = ","
    yield Markup("}}")
