# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Logs cut in all ways, and what a cut log may say at most."""

from __future__ import annotations

import random

from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.case import KERNEL_OOM_KINDS
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.diagnose import diagnose_events
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.host_facts import HostFacts
from ansible_collections.memops.linux.plugins.plugin_utils.events.kernel import read_kernel
from ansible_collections.memops.linux.plugins.plugin_utils.events.model import Line

ORDER = (None, "possible", "probable", "certain")


def incidents(lines):
    return diagnose_events(HostFacts({}), read_kernel(lines), [])["incidents"]


def cut(lines, seed):
    """A slice of the log, some lines of it dropped, some cut short at their end; which, the seed says."""
    dice = random.Random(seed)
    kept = list(lines)
    for way in dice.sample(("front", "back", "drop", "block", "ends", "width"), dice.choice((1, 1, 1, 2, 3))):
        if not kept:
            break
        at = dice.randrange(len(kept))
        if way == "front":
            kept = kept[at:]
        elif way == "back":
            kept = kept[:at]
        elif way == "drop":
            lost = set(dice.sample(range(len(kept)), min(len(kept), dice.choice((1, 2, 3, 10)))))
            kept = [line for number, line in enumerate(kept) if number not in lost]
        elif way == "block":
            kept = kept[:at] + kept[at + dice.randrange(1, 20) :]
        elif way == "ends":
            for number in dice.sample(range(len(kept)), min(len(kept), dice.choice((1, 2, 5, 30)))):
                kept[number] = shortened(kept[number], dice.randrange(1, 30))
        else:
            width = dice.choice((60, 80, 100, 132))
            kept = [Line(line.text[:width], line.time, line.where, line.uptime_seconds) for line in kept]
    return kept


def shortened(line, characters):
    return Line(line.text[:-characters], line.time, line.where, line.uptime_seconds)


def held(incident):
    """{cause: confidence} of all that an incident's rules concluded."""
    leading = {incident["cause"]: incident["confidence"]} if incident["cause"] else {}
    return {other["cause"]: other["confidence"] for other in incident["contributing"]} | leading


def _may_be(other, incident, pid):
    """By the victim; where the cut log names none, by the kind, of which the OOM killer's are one."""
    if pid is not None:
        return pid in [(victim or {}).get("pid") for victim in (other["victim"], *other["also_killed"])]
    kinds = {other["kind"], incident["kind"]}
    return len(kinds) == 1 or kinds <= KERNEL_OOM_KINDS


def surer_than_the_whole(whole, part):
    """What a cut log says with more certainty than the whole one; empty if the property holds."""
    found = []
    for incident in part:
        pid = (incident["victim"] or {}).get("pid")
        same = [other for other in whole if _may_be(other, incident, pid)]
        surest = max((ORDER.index(other["confidence"]) for other in same), default=None)
        if surest is None:
            continue
        if ORDER.index(incident["confidence"]) > surest:
            found.append((pid, incident["kind"], incident["cause"], incident["confidence"]))
        for cause, confidence in held(incident).items():
            known = [ORDER.index(held(other)[cause]) for other in same if cause in held(other)]
            # What the whole log does not say at all, a part of it must not be certain of.
            if ORDER.index(confidence) > max(known, default=ORDER.index("probable")):
                found.append((pid, incident["kind"], cause, confidence))
    return found
