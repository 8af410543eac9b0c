# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Doing what was planned: all of it, or nothing."""

import errno

from . import host as hosts
from .outliving import outliving

#: Newer kernels set zswap up when it is enabled for the first time. Where a SIGKILL to the writer cuts that short, they
#: refuse to try again before the next boot (mm/zswap.c: zswap_setup, ZSWAP_INIT_FAILED; seen on 7.2).
SET_UP_ONCE = "zswap.enabled"


class TunableError(Exception):
    """The host did not take what was planned; the text names the key or file, says what is true now, and the next step."""


def carry_out(files, reader, values, texts, catalogue, before, partly=()):
    """Write the values, look whether they hold, then write the files. Raises TunableError, and then all is as before, or it says what is not.

    values: {key: (old, new)} in order. texts: {path: (old, new)}. before: {key:
    text} of all. partly: keys of which less than wanted is good enough. Files come last, so that a value
    that a host does not survive is not there again after its reset.
    """
    written, replaced = [], []
    try:
        for key, (old, new) in values.items():
            written.append((key, old))
            _write(files, key, new, catalogue[key])
        for key, (_old, new) in values.items():
            if key not in partly:
                _look(reader, key, new, catalogue[key])
        for path, (old, new) in texts.items():
            replaced.append((path, old))
            _replace(files, path, new)
    except (OSError, TunableError) as error:
        raise TunableError("%s. %s" % (_told(error), _restore(files, reader, written, replaced, catalogue, before))) from error


def _write(files, key, value, entry):
    path = hosts.path_of(key, entry)
    try:
        if key == SET_UP_ONCE and value == "Y":
            outliving(lambda: files.write_in_place(path, value + "\n"))
        else:
            files.write_in_place(path, value + "\n")
    except OSError as error:
        if key == SET_UP_ONCE and error.errno == errno.ENODEV:
            why = "%s: this kernel could not set zswap up (dmesg says why), and does not try again before the next boot; leave it out until then"
            raise TunableError(why % key) from error
        raise TunableError("%s: the kernel did not take %s (%s: %s)" % (key, value, path, error.strerror)) from error


def _look(reader, key, wanted, entry):
    found = _found(reader, key, entry)
    if found == wanted:
        return
    if key == "vm.nr_hugepages":
        raise TunableError(
            "%s: the kernel found only %s of %s pages in one piece. Reserve them early after a boot, want fewer, or take what there is with force"
            % (key, found, wanted)
        )
    raise TunableError("%s: it is %s after %s was written" % (key, found, wanted))


def _found(reader, key, entry):
    return hosts.shown(reader.text(hosts.path_of(key, entry), 4096), entry)


def _replace(files, path, text):
    try:
        if text is None:
            files.remove(path)
        else:
            files.write(path, text)
    except OSError as error:
        raise TunableError("%s could not be written: %s" % (path, error.strerror or error)) from error


def _restore(files, reader, written, replaced, catalogue, before):
    """Put back what was there; a sentence on how that went."""
    failed = []
    for path, old in reversed(replaced):
        try:
            _replace(files, path, old)
        except TunableError as error:
            failed.append(str(error))
    for key, old in reversed(written):
        entry = catalogue[key]
        partner = entry.get("pair")
        # The other one of a pair comes back with it: 0 is no value to write.
        key, old = (partner, before.get(partner)) if partner and old == "0" else (key, old)
        if old is None:
            continue
        try:
            if _found(reader, key, catalogue[key]) != old:
                _write(files, key, old, catalogue[key])
            _look(reader, key, old, catalogue[key])
        except TunableError as error:
            failed.append(str(error))
    if failed:
        return "Not all could be put back: %s" % "; ".join(failed)
    return "All is as it was before"


def _told(error):
    return str(error) if isinstance(error, TunableError) else error.strerror or str(error)
