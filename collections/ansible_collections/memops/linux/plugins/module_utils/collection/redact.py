# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets are taken out where text is read, before it leaves the host.

Rather one word too many is masked than one secret let through; memory evidence
rarely hangs on a value whose name says "password". Every scan here is linear:
the text is written by whoever runs a process or logs a line on the host.
"""

import re

MASK = "[redacted]"

#: More of a command line is not looked at.
COMMAND_LINE_BYTES = 8192

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_INVISIBLE = re.compile("\x1b\\[[0-9;?]{0,16}[A-Za-z]|" + _CONTROL.pattern)

_NAME = re.compile(r"[A-Za-z0-9_.\-]+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SEPARATOR = re.compile(r"[\\\"'\]]*\s*(?:=>|:=|==?|:(?!//))\s*")
_OPENING = re.compile(r"\\*[\"'`]")
_QUOTED = {quote: re.compile(r"[^%s\\]*(?:\\.[^%s\\]*)*" % (quote, quote), re.S) for quote in "\"'`"}
_BARE = re.compile(r"(?:[^\s\"']|[\"'](?=[^\s,;)}\]]))+")
_IN_QUERY = re.compile(r"[^\s\"'<>&#]+")
_FIRST_BLANK = re.compile(r"\s")
_BLANKS = re.compile(r"\s*")
_NO_QUOTE = re.compile(r"[^\"']*")
_SCHEME = re.compile(r"(?:bearer|basic|digest|token|negotiate|apikey)\s+", re.I)

_ANYWHERE = re.compile(
    r"passw(?:or)?d|passphrase|passcode|secret|token(?!iz)|credential|pwd(?:\d|$)"
    r"|(?:api|access|private|secret|auth|account|encryption|signing|master|license|ssh)key(?!board|pad|word|stroke)"
)
_LAST_WORD = re.compile(r"(?:keys?|psk|creds?|sig|signature|passin|passout|authorization)$|.*(?:(?<!by)(?<!com)pass|auth|cookie)$")
_FILE_OR_KIND = frozenset(
    ("file", "path", "dir", "folder", "mode", "type", "ttl", "timeout", "interval", "size", "length")
    + ("policy", "plugin", "provider", "method", "algorithm", "webhook", "stdin", "prompt")
)
_NO_VALUE = frozenset(("no", "ask", "skip", "without", "disable", "allow", "max", "num"))
_OPEN_KEYS = frozenset(("public", "pub", "primary", "foreign", "partition", "sort"))
_HEADERS = frozenset(("authorization", "cookie"))

_SHAPES = re.compile(
    r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"
    r"|(?<![A-Za-z0-9])(?:gh[opsru]_|github_pat_|glpat-|xox[abeprs]-|[rs]k_live_|hvs\.|dckr_pat_|npm_|AIza)[\w-]{20,}"
)
_BEARER = re.compile(r"\bbearer\s+([^\s\"']{8,})", re.I)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_URL_RUN = re.compile(r"[^\s\"'<>]+")
_URL_USER = re.compile(r"[^/?#@:]*")
_PORT = re.compile(r"\d{0,5}(?:[/?#,]|$)")

# A short option is a secret only where the program is known: -p is a port, a
# path or a profile nearly everywhere else. mysql takes -p only with the value
# attached (else it asks), so what follows a lone -p there is a database name.
_PROGRAM = re.compile(
    r"(?<![\w.-])(?:(?P<mysql>mysql[\w-]*|mariadb[\w-]*|mariabackup|xtrabackup)|(?P<sshpass>sshpass|mongo\w*)"
    r"|(?P<redis>redis-cli|valkey-cli)|(?P<curl>curl)|(?P<ldap>ldap\w+)|(?P<samba>smb\w+))(?=\s|$)"
)
_SHORT_OPTIONS = {
    "mysql": re.compile(r"\s-p(\S+)"),
    "sshpass": re.compile(r"\s-p\s*(\S+)"),
    "redis": re.compile(r"\s-a\s+(\S+)"),
    "curl": re.compile(r"\s(?:-u|-U|--user|--proxy-user)[\s=]?[^\s:]*:(\S+)"),
    "ldap": re.compile(r"\s-w\s*(\S+)"),
    "samba": re.compile(r"\s-U\s*[^\s%]*%(\S+)"),
}

#: Every secret found here holds one of these; most lines hold none and are done.
_HINTS = (
    ("pass", "pwd", "secret", "token", "key", "cred", "auth", "cookie", "psk", "sig", "bearer", "://", "akia", "asia", "aiza")
    + ("ghp_", "gho_", "ghs_", "ghr_", "ghu_", "_pat_", "glpat-", "xox", "_live_", "hvs.", "npm_", "eyj")
    + ("mysql", "maria", "xtrabackup", "mongo", "redis", "valkey", "curl", "ldap", "smb")
)


def text(line):
    """The line (str) with each secret replaced by MASK; all else as it was.

    One line at a time: of a key block that spans several lines only the line
    that says BEGIN is known to hold a secret.
    """
    return _masked(line, _secrets(line, False))


def command_line(argv):
    """The command line as one str, from the NUL-separated bytes of /proc/PID/cmdline.

    Arguments are joined by blanks, control characters shown as "?"; an
    argument after a secret's option (``--password x``) is masked whole.
    """
    if len(argv) > COMMAND_LINE_BYTES:
        # A word cut in two may have lost what shows that it is a secret.
        argv = argv[:COMMAND_LINE_BYTES]
        argv = argv[: max(argv.rfind(b"\0"), argv.rfind(b" "), 0)]
    arguments = argv.rstrip(b"\0").decode("utf-8", "replace").split("\0")
    shown = []
    short_option = None
    before = ""
    for index, argument in enumerate(arguments):
        if _is_secret_option(before) and not argument.startswith("--"):
            spans = [(0, len(argument))]
        else:
            # A shell's script holds more than one word; a value elsewhere is all of its argument.
            whole = len(arguments) > 1 and not (before.startswith("-") and before.endswith("c"))
            spans = _secrets(argument, whole)
            if short_option:
                spans += _after_short_option(short_option, before, argument)
        shown.append(_masked(argument, spans))
        named = _PROGRAM.search(argument.rpartition("/")[2])
        if named:
            short_option = _SHORT_OPTIONS[named.lastgroup]
        before = "" if index == 0 else _INVISIBLE.sub("", argument)
    return _CONTROL.sub(lambda found: " " if found.group().isspace() else "?", " ".join(shown))


def _masked(line, spans):
    shown = []
    at = 0
    for start, end in sorted(spans):
        if end > at:
            # Spans that overlap or touch are one secret.
            if start > at or not shown:
                shown += (line[at:start], MASK)
            at = end
    return "".join(shown) + line[at:] if shown else line


def _secrets(line, whole):
    """Spans ``[(start, end)]`` of the line that hold secrets.

    Control characters are read twice: as blanks, and as if they were not
    there, so that one inside a name or a value hides nothing.
    """
    if not _CONTROL.search(line):
        folded = line.lower()
        return list(_spans(line, whole)) if any(hint in folded for hint in _HINTS) else []
    spans = list(_spans(_CONTROL.sub(" ", line), whole))
    kept = []
    origin = []
    at = 0
    for found in _INVISIBLE.finditer(line):
        kept.append(line[at:found.start()])
        origin.extend(range(at, found.start()))
        at = found.end()
    kept.append(line[at:])
    origin.extend(range(at, len(line)))
    spans += [(origin[start], origin[end - 1] + 1) for start, end in _spans("".join(kept), whole) if end > start]
    return spans


def _spans(line, whole):
    yield from _named(line, whole)
    yield from _in_urls(line)
    yield from _by_shape(line)
    programs = list(_PROGRAM.finditer(line))
    ends = [program.start() for program in programs[1:]] + [len(line)]
    for index, program in enumerate(programs):
        for found in _SHORT_OPTIONS[program.lastgroup].finditer(line, program.end(), ends[index]):
            yield found.span(1)


def _named(line, whole):
    """Values that stand after a secret's name: ``name=value``, ``"name": "value"``, ``--name value``."""
    at = 0
    blank = _FIRST_BLANK.search(line)
    first_blank = blank.start() if blank else len(line)
    while True:
        name = _NAME.search(line, at)
        if not name:
            return
        at = name.end()
        words = _words_of_secret(name.group())
        if not words:
            continue
        before = line[name.start() - 1 : name.start()]
        separator = _SEPARATOR.match(line, at)
        if separator:
            # "Memory cgroup stats for /x/token-service: anon ..." names a path.
            if before == "/" and ":" in separator.group():
                continue
            start = separator.end()
            if name.group() in ("PWD", "OLDPWD") and line.startswith("/", start):
                continue
        elif name.group().startswith("-") and line[at : at + 1].isspace():
            start = _BLANKS.match(line, at).end()
            if line.startswith("--", start):
                continue
        else:
            continue
        start, end = _value(line, start, before, separator, words, whole and name.start() < first_blank)
        if end > start:
            yield start, end
        at = max(at, end)


def _value(line, start, before, separator, words, whole):
    opening = _OPENING.match(line, start)
    if opening:
        start = opening.end()
        quote = opening.group()
        end = line.find(quote, start) if len(quote) > 1 else _QUOTED[quote].match(line, start).end()
        return start, len(line) if end < 0 else end
    if before and before in "\"'" and separator and not separator.group().startswith(before):
        end = line.find(before, start)
        return start, len(line) if end < 0 else end
    if separator and ":" in separator.group() and words[-1] in _HEADERS:
        return start, _NO_QUOTE.match(line, start).end()
    if before and before in "?&":
        found = _IN_QUERY.match(line, start)
        return start, found.end() if found else start
    if whole:
        return start, len(line)
    scheme = _SCHEME.match(line, start)
    found = _BARE.match(line, scheme.end() if scheme else start)
    return start, found.end() if found else start


def _words_of_secret(name):
    """The words of a name (lower case) if it names a secret, else None."""
    words = [word.lower() for word in _PARTS.findall(name)]
    if not words or words[-1] in _FILE_OR_KIND or not _NO_VALUE.isdisjoint(words[:-1]):
        return None
    if _ANYWHERE.search("".join(words)):
        return words
    if len(words) > 1 and words[-1] == "key" and words[-2] in _OPEN_KEYS:
        return None
    return words if _LAST_WORD.match(words[-1]) else None


def _is_secret_option(argument):
    return argument.startswith("-") and bool(_NAME.fullmatch(argument)) and bool(_words_of_secret(argument))


def _after_short_option(option, before, argument):
    """Spans in an argument that is, or follows, a short option with a secret."""
    for lead in (" ", " %s " % before):
        found = option.match(lead + argument)
        if found and found.start(1) >= len(lead):
            return [(found.start(1) - len(lead), len(argument))]
    return []


def _in_urls(line):
    """Passwords of ``scheme://user:password@host``, and ``https://token@host``."""
    for run in _URL_RUN.finditer(line):
        word = run.group()
        last = word.rfind("@")
        at = word.find("://")
        while 0 <= at < last:
            user_at = at + 3
            user_end = _URL_USER.match(word, user_at).end()
            mark = word[user_end : user_end + 1]
            if mark == "@" and word[max(0, at - 5) : at].lower().endswith(("http", "https")):
                yield run.start() + user_at, run.start() + user_end
            elif mark == ":" and user_end < last and word[user_at] != "[" and not _PORT.match(word, user_end + 1):
                # To the last @: some clients take / and @ in a password as they are.
                yield run.start() + user_end + 1, run.start() + last
                break
            at = word.find("://", user_end)


def _by_shape(line):
    """Secrets that show what they are: known prefixes, JSON web tokens, private keys."""
    for found in _SHAPES.finditer(line):
        yield found.span()
    for found in _BEARER.finditer(line):
        yield found.span(1)
    if "eyJ" in line:
        for run in _NAME.finditer(line):
            at = _jwt(run.group())
            if at is not None:
                yield run.start() + at, run.end()
    begin = _PRIVATE_KEY.search(line)
    while begin:
        end = line.find("-----END", begin.end())
        end = len(line) if end < 0 else end
        yield begin.end(), end
        begin = _PRIVATE_KEY.search(line, end)


def _jwt(word):
    """Where a JSON web token (``eyJ....x.y``) begins in the word, or None."""
    begin = 0
    parts = word.split(".")
    for index, part in enumerate(parts[:-1]):
        at = part.find("eyJ")
        if at >= 0 and len(part) - at > 12 and len(parts[index + 1]) > 9 and not part[at - 1 : at].isalnum():
            return begin + at
        begin += len(part) + 1
    return None
