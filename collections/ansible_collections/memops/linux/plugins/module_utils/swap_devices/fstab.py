# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""/etc/fstab: the lines of swap areas, changed one by one and the rest byte for byte (fstab(5))."""

import collections
import re

PATH = "/etc/fstab"

#: number: of the line, from 0. source: as it stands, unescaped. options: [text].
Line = collections.namedtuple("Line", "number source options")

#: Where udev links what a tag of fstab names.
TAGS = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel"}


def swap_lines(text):
    """[Line] of the file's swap areas."""
    lines = []
    for number, raw in enumerate(_split(text)):
        fields = raw.split()
        if len(fields) >= 3 and not fields[0].startswith("#") and fields[2] == "swap":
            lines.append(Line(number, _unescape(fields[0]), fields[3].split(",") if len(fields) > 3 else []))
    return lines


def is_used(text):
    """Whether the host keeps anything in this file."""
    return any(raw.split() and not raw.lstrip().startswith("#") for raw in _split(text))


def source_path(source):
    """The path that a first field stands for: ``UUID=x`` is ``/dev/disk/by-uuid/x``."""
    tag, _equals, value = source.partition("=")
    return "/dev/disk/%s/%s" % (TAGS[tag], value.strip('"')) if tag in TAGS and value else source


def priority(line):
    """The line's pri= as a number, or None."""
    for option in line.options:
        if re.match(r"^pri=\d+$", option):
            return int(option[4:])
    return None


def discard(line):
    """The line's discard as the module names it."""
    for option in line.options:
        if option == "discard":
            return "both"
        if option in ("discard=once", "discard=pages"):
            return option[8:]
    return "none"


def with_line(text, number, source, wanted_priority, wanted_discard):
    """The text with this area's line: the one of that number changed where it differs, or a new one (number None).

    wanted_priority: None leaves what stands there.
    """
    lines = _split(text)
    if number is None:
        options = _options(["sw"], wanted_priority, wanted_discard)
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        return "".join(lines) + "%s none swap %s 0 0\n" % (source, ",".join(options))
    line = next(line for line in swap_lines(text) if line.number == number)
    options = _options(line.options, wanted_priority, wanted_discard)
    if options != line.options:
        parts = re.split(r"(\s+)", lines[number])
        at = 6 if parts[0] else 8  # field, blank, field, ...; a line that begins with blanks has an empty first part
        if len(line.options) == 0:
            parts = [lines[number].rstrip("\n"), " ", ",".join(options) or "sw", "\n" if lines[number].endswith("\n") else ""]
        else:
            parts[at] = ",".join(options) or "sw"
        lines[number] = "".join(parts)
    return "".join(lines)


def without(text, numbers):
    """The text without these lines."""
    return "".join(raw for number, raw in enumerate(_split(text)) if number not in numbers)


def _options(options, wanted_priority, wanted_discard):
    kept = [option for option in options if option != "noauto"]
    if wanted_priority is not None and priority(Line(0, "", kept)) != wanted_priority:
        kept = [option for option in kept if not option.startswith("pri=")] + ["pri=%d" % wanted_priority]
    if discard(Line(0, "", kept)) != wanted_discard:
        kept = [option for option in kept if option.split("=")[0] != "discard"]
        if wanted_discard != "none":
            kept.append("discard" if wanted_discard == "both" else "discard=%s" % wanted_discard)
    return kept


def _split(text):
    return (text or "").splitlines(True)


def _unescape(field):
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), field)
