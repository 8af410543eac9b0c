# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The text of daemon.json: what it sets, and the same text with other settings.

What is not asked for keeps its place, its order and its bytes. Docker takes an
empty file as one without settings; a byte order mark is Docker's to judge
(daemon/config/config.go), so it is kept.
"""

import collections
import json
import re

MARK = "\ufeff"

_SPACE = re.compile(r"[ \t\r\n]*")
#: start, end: of the member, from its name's quote to behind its value. value_start: where the value begins.
_Member = collections.namedtuple("_Member", "name value start value_start end")


class DaemonFileError(Exception):
    """The file cannot be understood; the text names line and column, and what to do."""


def settings(text):
    """What the text sets: an OrderedDict by key. text: None or "" for no file. Raises DaemonFileError."""
    return collections.OrderedDict((member.name, member.value) for member in _members(text or ""))


def changed(text, wanted):
    """The text with other settings; only what has another value is touched.

    text: None or "" for no file. wanted: {key: JSON value}; None removes the key. Raises DaemonFileError.
    """
    text = text or ""
    for key, value in wanted.items():
        members = _members(text)
        found = [member for member in members if member.name == key]
        if found and value is None:
            text = _without(text, members, members.index(found[0]))
        elif found and not same(found[0].value, value):
            text = text[: found[0].value_start] + _written(value, _style(text, members)) + text[found[0].end :]
        elif not found and value is not None:
            text = _with(text, members, key, value)
    return text


def same(one, other):
    """Whether two JSON values are the same; 1 and true are not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _members(text):
    at = _after_space(text, 1 if text.startswith(MARK) else 0)
    if at == len(text):
        return []
    if text[at] != "{":
        raise _error(text, at, "there must be an object, in braces")
    members, seen = [], set()
    at = _after_space(text, at + 1)
    while text[at : at + 1] != "}" or members:
        member = _member(text, at)
        if member.name in seen:
            raise _error(text, at, "%s stands there twice, and Docker takes the second; remove one of them" % json.dumps(member.name))
        seen.add(member.name)
        members.append(member)
        at = _after_space(text, member.end)
        if text[at : at + 1] == "}":
            break
        if text[at : at + 1] != ",":
            raise _error(text, at, "a comma or the closing brace is missing")
        at = _after_space(text, at + 1)
    end = _after_space(text, at + 1)
    if end != len(text):
        raise _error(text, end, "there is more after the closing brace")
    return members


def _member(text, start):
    name, end = _value(text, start)
    if not isinstance(name, str):
        raise _error(text, start, "a key in double quotes is missing")
    colon = _after_space(text, end)
    if text[colon : colon + 1] != ":":
        raise _error(text, colon, "a colon is missing")
    value_start = _after_space(text, colon + 1)
    value, end = _value(text, value_start)
    return _Member(name, value, start, value_start, end)


def _value(text, at):
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise _error(text, error.pos, error.msg[:1].lower() + error.msg[1:]) from None
    except (ValueError, RecursionError):
        raise _error(text, at, "this is no JSON value that Docker reads") from None


def _refuse(name):
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=collections.OrderedDict, parse_constant=_refuse)


def _after_space(text, at):
    return _SPACE.match(text, at).end()


def _error(text, at, why):
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return DaemonFileError("line %d, column %d: %s" % (line, column, why))


_Style = collections.namedtuple("_Style", "newline indent")


def _style(text, members):
    """How the file is written: the text between two members, or None for newline where all stand on one line."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if not members:
        return _Style(newline, "  ")
    before = text[text.rfind("{", 0, members[0].start) + 1 : members[0].start]
    if "\n" not in before:
        return _Style(None, "")
    return _Style(newline, before[before.rfind("\n") + 1 :])


def _written(value, style):
    if style.newline is None:
        return json.dumps(value)
    # An indent that is no whitespace cannot occur here, and one of no characters would put all on one line.
    return json.dumps(value, indent=style.indent or "  ").replace("\n", style.newline + style.indent)


def _with(text, members, key, value):
    style = _style(text, members)
    member = "%s: %s" % (json.dumps(key), _written(value, style))
    if members:
        gap = text[text.rfind("{", 0, members[0].start) + 1 : members[0].start] if len(members) == 1 else _gap(text, members)
        if style.newline is None:
            gap = gap or ("" if len(members) > 1 else " ")
        return text[: members[-1].end] + "," + gap + member + text[members[-1].end :]
    if not text.strip(MARK + " \t\r\n"):
        mark = MARK if text.startswith(MARK) else ""
        return mark + "{" + style.newline + style.indent + member + style.newline + "}" + style.newline
    opening, closing = text.index("{"), text.rindex("}")
    return text[: opening + 1] + style.newline + style.indent + member + style.newline + text[closing:]


def _gap(text, members):
    between = text[members[-2].end : members[-1].start]
    return between[between.index(",") + 1 :]


def _without(text, members, index):
    if len(members) == 1:
        opening, closing = text.rindex("{", 0, members[0].start), _after_space(text, members[0].end)
        return text[: opening + 1] + text[closing:]
    if index:
        return text[: members[index - 1].end] + text[members[index].end :]
    return text[: members[0].start] + text[members[1].start :]
