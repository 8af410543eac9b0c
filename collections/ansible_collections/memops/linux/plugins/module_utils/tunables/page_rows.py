# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rows of the host's page: what each tunable is, why, and what it can do."""

import json

from ..changes import baseline_page
from . import kept

UNTIL_BOOT = "nothing: it holds until the next boot"


def rows(files, after, plan, catalogue, reason, persist):
    """The rows as they are after the plan, by key.

    after: the Kept. A row whose value stays keeps its reason, so that a run
    that changes nothing does not change the page.
    """
    former = {row.key: row for row in _former(files)}
    found = {}
    for key, value in plan.wanted.items():
        entry = catalogue[key]
        why = former[key].why if key in former and former[key].value == value else _why(entry, plan.sums.get(key), reason)
        where = (kept.SYSCTL_FILE if entry["kind"] == "sysctl" else kept.TMPFILES_FILE) if persist else UNTIL_BOOT
        found[key] = baseline_page.Row(key, value, entry["default"], why, entry["danger"], entry["reference"], where)
    pairs = {catalogue[key].get("pair") for key in found}
    for key, row in former.items():  # of earlier runs, whose entries this one need not have been given
        if key not in found and key not in pairs:
            found[key] = row
    return [found[key] for key in sorted(found)]


def rows_without(files, after, plan, catalogue):
    """The same after a rollback: what is not kept any more is not told any more."""
    found = []
    for row in _former(files):
        value = kept.value_of(after, row.key, catalogue[row.key]) if row.key in catalogue else row.value
        if value is not None:
            found.append(row._replace(value=value))
        elif row.where == UNTIL_BOOT and row.key not in plan.wanted:
            found.append(row)
    return found


def _former(files):
    try:
        return [baseline_page.Row(**row) for row in json.loads(files.read(baseline_page.ROWS % "tunables") or "[]")]
    except (ValueError, TypeError):
        return []


def differ(files, new):
    """Whether the page would be written again."""
    return _former(files) != new or (bool(new) and not files.exists(baseline_page.PAGE))


def _why(entry, told, reason):
    parts = [entry["meaning"].rstrip(".") + "."]
    if entry.get("from"):
        parts.append("Wanted by %s." % entry["from"])
    if told:
        parts.append(told + ".")
    parts.append("Reason given: %s." % reason.rstrip("."))
    return " ".join(parts)
