# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""/etc/memops/BASELINE.md: what is set on this host, for the person who logs in at night.

Each area (a module) keeps its rows in a file of its own; the page is made from
all of them, so that the order in which areas are applied does not matter.
"""

import collections
import json

PAGE = "/etc/memops/BASELINE.md"
ROWS = "/var/lib/memops/baseline/%s.json"

#: Title of each area, in the page's order.
AREAS = collections.OrderedDict(
    [
        ("tunables", "Kernel tunables"),
        ("swap", "Swap"),
        ("docker_daemon", "Docker"),
        ("unit_memory", "Who dies first: units of systemd"),
    ]
)

#: All are text; where: the file that makes it last. default: the kernel's or the program's own; "" where there is none.
Row = collections.namedtuple("Row", "key value default why danger reference where")


def write(files, area, rows):
    """Keep the area's rows and make the page again; True if either changed. No rows at all in any area: the page is removed. Raises OSError."""
    text = json.dumps([row._asdict() for row in rows], indent=1) + "\n" if rows else None
    path = ROWS % area
    changed = _put(files, path, text, 0o600)
    return _put(files, PAGE, page(_kept(files)), 0o644) or changed


def page(areas):
    """The page's text; None where nothing is set. areas: {area: [Row]}."""
    if not any(areas.values()):
        return None
    lines = [
        "# The memory baseline of this host",
        "",
        "Set by memops. Change it in the inventory, not here: the next run would set it back.",
        "What was changed when, and by which run: `/var/lib/memops/changes.jsonl`. To take it back: `ansible-playbook memops.linux.rollback`.",
    ]
    for area, title in AREAS.items():
        if not areas.get(area):
            continue
        lines += ["", "## " + title]
        for row in areas[area]:
            lines += ["", "### `%s` = `%s`" % (_plain(row.key), _plain(row.value)), ""]
            told = [("Default", row.default), ("Why", row.why), ("Danger", row.danger), ("Reference", row.reference), ("Kept by", row.where)]
            lines += ["- %s: %s" % (name, _plain(text)) for name, text in told if text]
    return "\n".join(lines) + "\n"


def _kept(files):
    areas = {}
    for area in AREAS:
        try:
            areas[area] = [Row(**row) for row in json.loads(files.read(ROWS % area) or "[]")]
        except (ValueError, TypeError):
            areas[area] = []  # not ours any more; that area's next run writes it again
    return areas


def _put(files, path, text, mode):
    if files.read(path) == text:
        return False
    if text is None:
        return files.remove(path)
    if mode == 0o600:
        files.private_folder(path.rsplit("/", 1)[0])
    files.write(path, text, mode)
    return True


def _plain(text):
    """One line, without what Markdown or a terminal would act on: names can come from anybody."""
    return "".join(sign if sign.isprintable() and sign not in "`<>" else " " for sign in str(text))
