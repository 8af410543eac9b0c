# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values that follow from the host: ``4% of memory``, ``sqrt rule, at least 1% of memory, at most 1G``.

    value   := base [", at least" amount] [", at most" amount]
    base    := amount | "sqrt rule" | "keep" | word
    amount  := number [K M G T] | number "% of memory" | number "% of memory without huge pages"

A number without a letter is in the tunable's own unit, one with a letter is a
size in bytes (powers of 1024). ``keep`` alone means that the tunable is not
managed; with a bound, the value stays unless the bound moves it.
"""

import collections
import re

LENGTH_LIMIT = 200
#: Units that an amount of memory can be converted to, in bytes; huge pages have the host's size.
MEMORY_UNITS = {"bytes": 1, "kB": 1024, "huge_pages": None}
RULES = {"sqrt rule": "vm.min_free_kbytes"}
SUFFIXES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
MEMORY, MEMORY_WITHOUT_HUGE_PAGES = "memory", "memory without huge pages"

#: base: an Amount, "keep", the name of a rule, or None for a word. word: text of a choice. at_least, at_most: Amount or None.
Expression = collections.namedtuple("Expression", "base word at_least at_most")
#: number: int, or float for a share. unit: "own", "bytes", or of what it is a percentage.
Amount = collections.namedtuple("Amount", "number unit")

_NUMBER = re.compile(r"(-?[0-9]{1,20})\s*(?:([kmgt])(?:i?b)?)?$", re.ASCII)
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s*%\s*of\s+(?:the\s+)?(memory(?: without huge pages)?)$", re.ASCII)


class ExpressionError(ValueError):
    """Not a value that this tunable can have; the text says what is allowed."""


def parse(value, entry):
    """The Expression for a wanted value; entry: of the catalogue. Raises ExpressionError, whose text says what is allowed."""
    if isinstance(value, bool):
        if entry["type"] != "switch":
            raise ExpressionError(allowed(entry))
        return Expression(None, "Y" if value else "N", None, None)
    if not isinstance(value, (int, str)):
        raise ExpressionError(allowed(entry))
    text = " ".join(str(value).split()) if len(str(value)) <= LENGTH_LIMIT else ""
    if text.lower() == "keep":
        return Expression("keep", None, None, None)
    if entry["type"] == "integer":
        return _parse_number(text.lower(), entry)
    if entry["type"] == "switch":
        word = {"y": "Y", "yes": "Y", "on": "Y", "true": "Y", "1": "Y", "n": "N", "no": "N", "off": "N", "false": "N", "0": "N"}.get(text.lower())
    else:
        word = text if text in entry["values"] else None
    if word is None:
        raise ExpressionError(allowed(entry))
    return Expression(None, word, None, None)


def allowed(entry):
    """What the tunable can be, as a clause."""
    if entry["type"] == "switch":
        return "it may be Y or N"
    if entry["type"] == "choice":
        return "it may be one of %s" % ", ".join(entry["values"])
    low, high = entry["range"]
    text = "it may be a whole number from %d to %d" % (low, high)
    if high >= 1 << 62:
        text = "it may be a whole number from %d up" % low
    if entry["unit"] in MEMORY_UNITS:
        text += " (%s), a size such as 64M, or a share such as 4%% of memory" % entry["unit"].replace("_", " ")
    return text + ("; %s" % entry["hint"] if entry.get("hint") else "")


def _parse_number(text, entry):
    parts = [part.strip() for part in text.split(",")]
    bounds = {}
    for part in parts[1:]:
        for name in ("at least", "at most"):
            if part.startswith(name + " ") and name not in bounds:
                bounds[name] = _amount(part[len(name) :].strip(), entry)
                break
        else:
            raise ExpressionError(allowed(entry))
    if parts[0] in RULES:
        if RULES[parts[0]] != entry["key"]:
            raise ExpressionError("%s is for %s" % (parts[0], RULES[parts[0]]))
        base = parts[0]
    elif parts[0] == "keep":
        base = "keep"
    else:
        base = _amount(parts[0], entry)
        if base.unit == "own" and not bounds and not entry["range"][0] <= base.number <= entry["range"][1]:
            raise ExpressionError(allowed(entry))
    return Expression(base, None, bounds.get("at least"), bounds.get("at most"))


def _amount(text, entry):
    number = _NUMBER.match(text)
    if number:
        if not number.group(2):
            return Amount(int(number.group(1)), "own")
        if entry["unit"] in MEMORY_UNITS and int(number.group(1)) >= 0:
            return Amount(int(number.group(1)) * SUFFIXES[number.group(2)], "bytes")
    share = _SHARE.match(text)
    if share and entry["unit"] in MEMORY_UNITS and float(share.group(1)) <= 100:
        return Amount(float(share.group(1)), share.group(2))
    raise ExpressionError(allowed(entry))


def is_unmanaged(expression):
    return expression.base == "keep" and not expression.at_least and not expression.at_most
