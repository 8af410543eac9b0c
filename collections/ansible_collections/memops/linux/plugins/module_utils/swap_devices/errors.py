# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the swap module says when it cannot do, or will not do, what is asked."""


class SwapError(Exception):
    """Something a person can act on; the message names the area or file, the sum, and the next step."""
