"""What the lab says when it cannot go on."""

from __future__ import annotations


class LabError(Exception):
    """Something a person can act on; the message says what."""
