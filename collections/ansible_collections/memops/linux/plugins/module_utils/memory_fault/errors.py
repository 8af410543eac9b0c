# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fault says when it cannot be made."""


class FaultError(Exception):
    """Something a person can act on; the message says what."""
