# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The free pages of each zone against its watermarks, and what had to stay free for this request."""

from __future__ import annotations

from typing import Any

from ...diagnosis.wording import size
from ..view.figure import Figure, bytes_of, quote_of
from . import svg
from .picture import Head, Picture, Row

TITLE = "Free memory against the watermarks"
#: A zone with much more free than its high watermark would hide the watermarks.
_SCALE_OF_HIGH = 2.0
_VERDICTS = {
    "below_min": "at its end",
    "no_block": "only smaller pieces",
    "enough": "enough",
    "not_allowed": "not for this request",
    "unknown": "not known",
}


def picture(incident: dict[str, Any]) -> Picture | None:
    """A bar for each zone; None for incidents to which zones do not matter."""
    if incident["kind"] == "memcg_oom":
        return None
    zones = incident.get("zones") or []
    judged = {(zone["node"], zone["zone"]): zone for zone in (incident["allocation"] or {}).get("zones", [])}
    if not zones:
        return Picture(
            "zones", TITLE, "The log does not show the zones." if "zones" in incident else "This run was made before zones were kept; diagnose again."
        )
    rows = tuple(_row(incident, zone, judged.get((zone["node"], zone["zone"]))) for zone in zones)
    return Picture(
        "zones",
        TITLE,
        "Below min only the kernel's own emergencies are served; kswapd works from low up to high.",
        (
            Head("zone", "zone"),
            Head("free", css="wide"),
            Head("free", sign=svg.swatch("c-level"), css="number"),
            Head("min", "watermark min", svg.tick_swatch("t-min"), "number"),
            Head("low", "watermark low", svg.tick_swatch("t-low"), "number"),
            Head("high", "watermark high", svg.tick_swatch("t-high"), "number"),
            Head("must stay", "lowmem_reserve", svg.tick_swatch("t-stay"), "number"),
            Head("for this request"),
        ),
        rows,
    )


def _row(incident: dict[str, Any], zone: dict[str, Any], judged: dict[str, Any] | None) -> Row:
    source = f"zone.{zone['node']}.{zone['zone']}"
    stays = judged["must_stay_bytes"] if judged and judged["verdict"] != "not_allowed" else None
    scale = max(min(zone["free_bytes"], _SCALE_OF_HIGH * zone["high_bytes"]), 1.15 * zone["high_bytes"], 1.1 * (stays or 0), 1)
    shapes = [svg.block(0, 1, "c-back"), svg.block(0, zone["free_bytes"] / scale, "c-level")]
    marks = [("min_bytes", "t-min"), ("low_bytes", "t-low"), ("high_bytes", "t-high")]
    shapes += [svg.tick(zone[name] / scale, css) for name, css in marks]
    if stays is not None:
        shapes.append(svg.tick(stays / scale, "t-stay"))
    if zone["free_bytes"] > scale:
        shapes.append(svg.label(0.97, 11.5, "»", "on c-level-word"))
    figures = [bytes_of(incident, source, zone[name]) for name in ("free_bytes", "min_bytes", "low_bytes", "high_bytes")]
    stay = None if stays is None else Figure(size(stays), quote_of(incident, source))
    return Row(
        [f"{zone['zone']}, node {zone['node']}", svg.picture(shapes), *figures, stay, _VERDICTS.get(judged["verdict"], judged["verdict"]) if judged else None]
    )
