# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Opens what is too large for one read, under the Reader's rules."""

import os


def opened(reader, path, expected=True):
    """A descriptor that never blocks on open, or None (noted). The caller closes it."""
    return reader.descriptor(path, expected, os.O_NONBLOCK)


def status(reader, path):
    """The file's os.stat, or None; nothing is noted."""
    try:
        return os.stat(reader.path(path))
    except OSError:
        return None
