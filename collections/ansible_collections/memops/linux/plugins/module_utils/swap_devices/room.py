# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what is in a swap area fits elsewhere, so that it can be turned off.

swapoff reads every page back. It must fit into memory that is available, and
into the free part of the other areas, with a margin; what is free in zram is
memory again and is not counted. Without room the host would be out of memory
in the middle of it (swapoff(8); mm/swapfile.c, try_to_unuse).
"""

from .sizes import MIB, told


def margin_bytes(text_bytes, total_bytes):
    """The margin: what is given, or 5 % of RAM and at least 64 MiB (None: not given)."""
    return text_bytes if text_bytes is not None else max(64 * MIB, total_bytes // 20)


class Room:
    """The sum, kept while areas are turned on and off in the order in which it is done.

    available_bytes: MemAvailable. running: [host_state.Running].
    """

    def __init__(self, available_bytes, running, margin):
        self.available = available_bytes
        self.free = {area.path: area.size_bytes - area.used_bytes for area in running if area.kind != "zram"}
        self.margin = margin

    def turn_on(self, path, kind, size_bytes):
        if kind != "zram":
            self.free[path] = size_bytes

    def turn_off(self, area):
        """None where it fits, and is then taken into the sum; else why not, with the sum. area: host_state.Running."""
        others = {path: free for path, free in self.free.items() if path != area.path}
        there = self.available + sum(others.values())
        if area.used_bytes and area.used_bytes + self.margin > there:
            return (
                "%s of it is in use, and with a margin of %s that needs %s elsewhere; there are %s of memory available and %s free in other swap, %s in all: "
                "%s too little. Free memory first, or add another area, and then run this again"
                % (
                    told(area.used_bytes),
                    told(self.margin),
                    told(area.used_bytes + self.margin),
                    told(self.available),
                    told(sum(others.values())),
                    told(there),
                    told(area.used_bytes + self.margin - there),
                )
            )
        self.free = others
        self.available -= area.used_bytes
        return None
