# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The program that runs on the host every few seconds: reads once, and replaces the metrics file."""

import argparse
import contextlib
import os
import time

from ..collection.reading import Reader
from . import exposition, families, reading

NAME = "memops.prom"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="memory_metrics", description="Write memory metrics for node_exporter's textfile collector.")
    parser.add_argument("--directory", required=True, help="where node_exporter reads text files")
    parser.add_argument("--cgroups", type=int, default=100, help="how many cgroups are shown at most")
    parser.add_argument("--root", default="/", help="a folder that stands for /")
    told = parser.parse_args(arguments)
    try:
        write(told.directory, metrics(Reader(told.root), told.cgroups))
    except OSError as error:
        return "%s/%s could not be written: %s" % (told.directory, NAME, error.strerror or error)
    return None


def metrics(reader, at_most):
    """The whole file's text."""
    began, now = time.monotonic(), time.time()
    text, left_out = exposition.text(families.of_host(reading.collect(reader, now, at_most)))
    seconds = round(time.monotonic() - began, 6)
    return text + exposition.text(families.of_run(round(now, 3), seconds, len(reader.unreadable), left_out))[0]


def write(folder, text):
    """Replace the file as a whole. The folder may belong to node_exporter's user, so no link there is followed. Raises OSError."""
    temporary = "%s/.%s.new" % (folder, NAME)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode("utf-8", "replace"))
            os.fchmod(stream.fileno(), 0o644)
        os.rename(temporary, "%s/%s" % (folder, NAME))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
