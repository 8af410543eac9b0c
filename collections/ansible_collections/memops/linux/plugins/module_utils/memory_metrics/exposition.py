# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prometheus' text format, in which node_exporter's textfile collector reads metrics.

It refuses a whole file for one line that it cannot read or that is there twice,
and names of cgroups are whatever a user of the host called them, so labels are
escaped and bounded here, and what would be there twice is left out and counted.
Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import collections
import re
import zlib

#: A metric: kind is "counter" or "gauge", samples are ({label: text or None}, number or None); None is left out.
Family = collections.namedtuple("Family", "name kind told samples")

LABEL_CHARACTERS = 200

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_HEAD_CHARACTERS = 150


def text(families):
    """(text, how many samples were left out because others had the same labels)."""
    lines, left_out = [], 0
    for family in families:
        told = set()
        rows = []
        for labels, value in family.samples:
            if value is None:
                continue
            head = family.name + _braced(labels)
            if head in told:
                left_out += 1
                continue
            told.add(head)
            rows.append("%s %s" % (head, _number(value)))
        if rows:
            lines.append("# HELP %s %s" % (family.name, family.told))
            lines.append("# TYPE %s %s" % (family.name, family.kind))
            lines += rows
    return "".join(line + "\n" for line in lines), left_out


def label(value):
    """A label's value as it stands between the quotes."""
    bounded = value if len(value) <= LABEL_CHARACTERS else _shortened(value)
    plain = _CONTROL.sub("\ufffd", bounded)
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _shortened(value):
    """Its beginning and its end; a sum of all of it keeps two apart that differ in between."""
    tail = value[-(LABEL_CHARACTERS - _HEAD_CHARACTERS - 12) :]
    return "%s...%08x.%s" % (value[:_HEAD_CHARACTERS], zlib.crc32(value.encode("utf-8", "surrogateescape")), tail)


def _braced(labels):
    pairs = ['%s="%s"' % (name, label(value)) for name, value in sorted(labels.items()) if value is not None]
    return "{%s}" % ",".join(pairs) if pairs else ""


def _number(value):
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, int) else repr(float(value))
