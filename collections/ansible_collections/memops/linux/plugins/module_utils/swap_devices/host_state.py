# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host as it is: swap in use, swap at boot, and each area that is asked for. Read only."""

import collections
import os
import re
import uuid

from ..host.large_pages import chosen
from ..host.memory import parse_meminfo
from ..host.swap import parse_swaps
from . import boot_units, file_bytes, fstab, volumes, zram_generator
from .errors import SwapError
from .sizes import MIB

#: In use now. size_bytes: with the header's page, so that it compares to a file's size. identity: as Probe.identity.
Running = collections.namedtuple("Running", "path kind size_bytes used_bytes priority identity")


class Host(collections.namedtuple("Host", "total_bytes available_bytes page_bytes kernel systemd fstab units running generator setup_texts programs")):
    """fstab: text, None where there is no such file. kernel: (major, minor). units: [boot_units.Unit].

    running: [Running], highest priority first. generator: zram_generator.Generator. setup_texts: {zram: text of our service}. programs: {name: path}.
    """


class Seen(
    collections.namedtuple(
        "Seen",
        "found size_bytes sparse mode owner header holds busy file_system free_bytes fs_bytes folder_problem leftovers"
        " running lines units algorithm algorithms volume new_uuid",
    )
):
    """One area as it is.

    found: as Probe.kind. size_bytes: of the file, device or zram's disk. holds,
    busy: of a device. leftovers: paths beside a file, which a killed run left;
    their bytes count as free where they go first. lines: numbers of fstab. units: names. volume:
    volumes.Volume or None. algorithms: what zram offers, None where not known.
    new_uuid: what a device gets if it is formatted; in fstab before it is.
    """


def host(probe):
    """Raises SwapError where /proc is not as it should be."""
    files = probe.files
    memory = parse_meminfo(files.read("/proc/meminfo") or "")
    if not memory.get("mem_total_bytes") or memory.get("mem_available_bytes") is None:
        raise SwapError("/proc/meminfo does not say MemTotal and MemAvailable, so no sum can be made")
    swaps = files.read("/proc/swaps")
    if swaps is None:
        raise SwapError("there is no /proc/swaps: this kernel has no swap, or this is a container, whose swap is the host's")
    page = probe.page_bytes()
    running = [
        Running(area["path"], area["kind"], area["size_bytes"] + page, area["used_bytes"], area["priority"], probe.identity(area["path"]))
        for area in parse_swaps(swaps)["devices"]
    ]
    release = re.match(r"(\d+)\.(\d+)", probe.kernel())
    return Host(
        total_bytes=memory["mem_total_bytes"],
        available_bytes=memory["mem_available_bytes"],
        page_bytes=page,
        kernel=(int(release.group(1)), int(release.group(2))) if release else (0, 0),
        systemd=files.exists("/run/systemd/system"),
        fstab=files.read(fstab.PATH),
        units=_units(probe),
        running=running,
        generator=zram_generator.read(probe, memory["mem_total_bytes"]),
        setup_texts={zram: files.read("%s/%s" % (boot_units.FOLDER, boot_units.setup_service(zram))) for zram in ("zram0",)},
        programs={name: probe.program(name) for name in ("modprobe", "udevadm", "zramctl", "mkswap")},
    )


def area(probe, host, wanted):
    """The Seen of one wanted area."""
    found = probe.kind(wanted.path)
    identity = probe.identity(wanted.path)
    header = probe.header(wanted.path) if found in ("file", "block") else None
    running = next((one for one in host.running if one.path == wanted.path or (identity and one.identity == identity)), None)
    size, sparse, mode, owner, holds, busy = None, False, None, None, None, None
    file_system, free, whole, problem = None, 0, 0, None
    algorithm, algorithms = None, None
    leftovers = []
    if wanted.kind == "file":
        file_system, free, whole, problem = probe.folder(wanted.path)
        if found == "file":
            size, sparse, mode, owner = probe.file_status(wanted.path)
        leftovers = [path for path in (file_bytes.beside(wanted.path, "new"), file_bytes.beside(wanted.path, "old")) if probe.kind(path) == "file"]
        free += sum(probe.file_status(path)[0] for path in leftovers)
    elif wanted.kind == "zram":
        size, algorithm, algorithms = _zram(probe, wanted.key)
        if found == "block" and size and not running:
            holds, busy = probe.holds(wanted.path), probe.busy(wanted.path)
    elif found == "block":
        size = probe.block_bytes(wanted.path)
        if not running:
            busy = probe.busy(wanted.path)
            holds = None if busy else probe.holds(wanted.path)

    def same(source):
        path = fstab.source_path(source)
        if path == wanted.path or (header and header.uuid and source == "UUID=" + header.uuid):
            return True
        return bool(identity) and probe.identity(path) == identity

    return Seen(
        found=found,
        size_bytes=size,
        sparse=sparse,
        mode=mode,
        owner=owner,
        header=header,
        holds=holds,
        busy=busy,
        file_system=file_system,
        free_bytes=free,
        fs_bytes=whole,
        folder_problem=problem,
        leftovers=leftovers,
        running=running,
        lines=[line.number for line in fstab.swap_lines(host.fstab) if same(line.source)],
        units=[unit.name for unit in host.units if unit.what and same(unit.what)],
        algorithm=algorithm,
        algorithms=algorithms,
        volume=volumes.read(probe.tools, wanted) if wanted.kind == "lv" and wanted.volume_group else None,
        new_uuid=str(uuid.uuid4()),
    )


def zram_can_be_loaded(probe):
    """Whether this kernel has zram, without loading it."""
    return probe.files.exists("/sys/module/zram") or probe.tools.ask(["modprobe", "--dry-run", "--quiet", "zram"]).status == 0


def keep_free_bytes(fs_bytes):
    """What a file system keeps when a swap file is put on it: 5 % of it, 64 MiB to 1 GiB."""
    return min(1024 * MIB, max(64 * MIB, fs_bytes // 20))


def _units(probe):
    units = {}
    for folder in boot_units.FOLDERS:
        for name in probe.names(folder, ".swap"):
            text = probe.files.read("%s/%s" % (folder, name)) if name not in units else None
            if text is not None:
                what, priority, discard = boot_units.parse(text)
                enabled = any(probe.wanted_at_boot(at, name) for at in boot_units.FOLDERS)
                units[name] = boot_units.Unit(name, "%s/%s" % (folder, name), what, priority, discard, enabled, text)
    return list(units.values())


def _zram(probe, key):
    """(disk size, algorithm, algorithms offered); Nones where there is no such device."""
    folder = "/sys/block/%s/" % key
    size = (probe.files.read(folder + "disksize") or "").strip()
    offered = probe.files.read(folder + "comp_algorithm")
    if offered is None:
        return None, None, None
    return int(size) if size.isdigit() else None, chosen(offered), [os.path.basename(name.strip("[]")) for name in offered.split()]
