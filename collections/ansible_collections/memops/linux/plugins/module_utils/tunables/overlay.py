# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host's files as they would be after a change, for those who read them: nothing is written."""

import os


class Overlay:
    """A Reader of the same files, but for some whose text is another."""

    def __init__(self, reader, texts):
        """texts: {path: text, or None for a file that would be gone}."""
        self._reader = reader
        self._texts = {os.path.realpath(reader.path(path)): text for path, text in texts.items()}
        self._paths = tuple(texts.items())

    def text(self, path, *limits, **expected):
        real = os.path.realpath(self._reader.path(path))
        return self._texts[real] if real in self._texts else self._reader.text(path, *limits, **expected)

    def names(self, folder, expected=True):
        names = set(self._reader.names(folder, expected))
        for path, text in self._paths:
            if os.path.dirname(path) == folder:
                (names.discard if text is None else names.add)(os.path.basename(path))
        return sorted(names)

    def path(self, path):
        return self._reader.path(path)

    def note(self, source, why):
        self._reader.note(source, why)
