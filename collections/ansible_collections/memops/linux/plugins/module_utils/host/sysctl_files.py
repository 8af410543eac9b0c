# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which sysctl file wins: the value of each key at boot, and after ``sysctl --system``.

The two loaders differ in what comes last: systemd-sysctl reads a credential that
the machine was started with, procps reads /etc/sysctl.conf. sysctl.d(5), sysctl(8).
"""

import collections
import fnmatch
import os

#: In order of precedence: a file masks those of the same name further down.
DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
LAST_FILE = "/etc/sysctl.conf"
#: systemd.system-credentials(7); read since systemd 252.
CREDENTIAL = "/run/credentials/@system/sysctl.extra"
FILES_LIMIT = 200
FILE_LIMIT_BYTES = 256 * 1024

#: A file as read: masked says that a directory of higher rank has the same name.
File = collections.namedtuple("File", "path masked assignments")
Claim = collections.namedtuple("Claim", "name value path")
#: drop_ins: Files in the order in which they are applied. last: LAST_FILE, credential: CREDENTIAL, as File or None.
Files = collections.namedtuple("Files", "drop_ins last credential")


def read(reader):
    """The Files of this host."""
    files = []
    seen = set()
    for directory in DIRECTORIES:
        if directory == "/lib/sysctl.d" and os.path.islink(reader.path("/lib")):
            continue  # it is /usr/lib/sysctl.d again
        for name in reader.names(directory, expected=False):
            if not name.endswith(".conf"):
                continue
            if len(files) == FILES_LIMIT:
                reader.note(directory, "only the first %d sysctl files were read" % FILES_LIMIT)
                break
            path = directory + "/" + name
            # A link to /dev/null reads as empty, and so masks.
            files.append(File(path, name in seen, parse(reader.text(path, FILE_LIMIT_BYTES))))
            seen.add(name)
    files.sort(key=lambda file: file.path.rsplit("/", 1)[1])
    return Files(files, _one(reader, LAST_FILE), _one(reader, CREDENTIAL))


def _one(reader, path):
    text = reader.text(path, FILE_LIMIT_BYTES, expected=False)
    return None if text is None else File(path, False, parse(text))


def parse(text):
    """{key or glob, with dots: value} of one file; of equal keys the last counts.

    An exclusion (``-key`` without "=") stands as ``{"-key": None}``.
    """
    assignments = collections.OrderedDict()
    for line in (text or "").splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        key, equals, value = line.partition("=")
        name = normal_key(key.lstrip("-").strip())
        if not equals:
            if not key.startswith("-"):
                continue
            name = "-" + name
        assignments.pop(name, None)
        assignments[name] = " ".join(value.split()) if equals else None
    return assignments


def normal_key(key):
    """``vm/swappiness`` as ``vm.swappiness``; a dot inside a name becomes a slash, as sysctl(8) writes it."""
    key = key.strip("/")
    first_separator = next((sign for sign in key if sign in "./"), ".")
    return key if first_separator == "." else key.translate({ord("/"): ".", ord("."): "/"})


def decide(drop_ins, last, known, wanted, credential=None):
    """What each key that a file sets would become, sorted by key.

    drop_ins, last, credential: from read. known: the keys of the running kernel, which
    globs can match. wanted: called with a key; tells whether to decide it.
    [{key, value, winner: path, shadowed: [{path, value}], procps_value,
    procps_winner}]. value and winner: as systemd-sysctl applies the files at
    boot; both null where none of them sets the key, value alone is null
    where the winner excludes it. shadowed: values in sysctl.d that lose,
    the last file first, masked files at the end.
    """
    applied = [file for file in drop_ins if not file.masked]
    masked = [file for file in drop_ins if file.masked]
    boot_files = applied + ([credential] if credential else [])
    procps_files = applied + ([last] if last else [])
    decisions = []
    for key in sorted(_keys(masked + procps_files + boot_files[len(applied) :], known, wanted)):
        winner, losers = _contest(boot_files, key, known)
        procps_winner, _losers = _contest(procps_files, key, known, exclusion_unsets=False)
        lost = losers + [claim for claim in _claims(masked, key, known) if claim.value is not None]
        decisions.append(
            {
                "key": key,
                "value": winner.value,
                "winner": winner.path,
                "shadowed": [{"path": claim.path, "value": claim.value} for claim in lost],
                "procps_value": procps_winner.value,
                "procps_winner": procps_winner.path,
            }
        )
    return decisions


def _keys(files, known, wanted):
    keys = set()
    for file in files:
        for name, value in file.assignments.items():
            if value is None:
                continue  # an exclusion alone sets nothing
            if _is_glob(name):
                keys.update(key for key in known if _matches(name, key))
            else:
                keys.add(name)
    return [key for key in keys if wanted(key)]


def _contest(files, key, known, exclusion_unsets=True):
    """(the claim that wins, those that lose): a key by name beats any glob.

    exclusion_unsets: a later ``-key`` takes back an earlier ``key = value``,
    as it does for systemd; for procps it only keeps globs away.
    """
    claims = _claims(files, key, known)
    by_name = [claim for claim in claims if claim.name == key]
    by_glob = [claim for claim in claims if claim.name != key]
    if exclusion_unsets:
        last_of_glob = collections.OrderedDict()
        for claim in by_glob:
            last_of_glob.setdefault(claim.name, claim)
        by_glob = last_of_glob.values()
    else:
        by_name = [claim for claim in by_name if claim.value is not None] or by_name
    standing = by_name or [claim for claim in by_glob if claim.value is not None]
    winner = standing[0] if standing else Claim(None, None, None)
    return winner, [claim for claim in claims if claim is not winner and claim.value is not None]


def _claims(files, key, known):
    """What files say on a key, by name or by glob, the last first."""
    claims = []
    for file in files:
        for name, value in file.assignments.items():
            bare = name.lstrip("-")
            if bare == key or (key in known and _is_glob(bare) and _matches(bare, key)):
                claims.append(Claim(bare, value, file.path))
    return claims[::-1]


def concerns(name, key):
    """Whether an assignment of this name sets the key: by name, or as a glob."""
    return name == key or (_is_glob(name) and _matches(name, key))


def _is_glob(name):
    return any(sign in name for sign in "*?[")


def _matches(glob, key):
    # As in glob(7), a star does not reach across a separator.
    return glob.count(".") == key.count(".") and fnmatch.fnmatchcase(key, glob)
