# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM: what there is of a volume and its group, and how it is made, extended and reduced (lvs(8), lvcreate(8), lvextend(8), lvreduce(8))."""

import collections

from .errors import SwapError
from .sizes import round_up

#: size_bytes: None where there is no such volume. extent_bytes: what sizes are rounded up to.
Volume = collections.namedtuple("Volume", "size_bytes free_bytes extent_bytes")

_REPORT = ["--noheadings", "--units", "b", "--nosuffix", "--separator", "|"]


def read(tools, wanted):
    """The Volume, or a SwapError where the group is not there or LVM is not."""
    answer = tools.ask(["vgs"] + _REPORT + ["-o", "vg_free,vg_extent_size", wanted.volume_group])
    if answer.status:
        raise SwapError("%s: the volume group %s cannot be read: %s" % (wanted.key, wanted.volume_group, answer.errors.strip()[-300:]))
    free, extent = _numbers(answer.output)
    answer = tools.ask(["lvs"] + _REPORT + ["-o", "lv_size", "%s/%s" % (wanted.volume_group, wanted.name)])
    size = _numbers(answer.output)[0] if answer.status == 0 and answer.output.strip() else None
    return Volume(size, free, extent)


def rounded(volume, size_bytes):
    return round_up(size_bytes, volume.extent_bytes)


def create(tools, wanted, size_bytes):
    tools.do(["lvcreate", "--yes", "--wipesignatures", "y", "--size", "%db" % size_bytes, "--name", wanted.name, wanted.volume_group], 300)


def remove(tools, wanted):
    tools.do(["lvremove", "--yes", "%s/%s" % (wanted.volume_group, wanted.name)], 300)


def extend(tools, wanted, size_bytes):
    tools.do(["lvextend", "--size", "%db" % size_bytes, "%s/%s" % (wanted.volume_group, wanted.name)], 300)


def reduce(tools, wanted, size_bytes):
    tools.do(["lvreduce", "--force", "--yes", "--size", "%db" % size_bytes, "%s/%s" % (wanted.volume_group, wanted.name)], 300)


def _numbers(text):
    return [int(float(part)) for part in text.strip().splitlines()[0].split("|")]
