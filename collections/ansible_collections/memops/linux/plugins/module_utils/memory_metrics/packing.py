# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files that are installed: the program as one archive, and systemd's units for it."""

import io
import re
import zipfile

from ..collection import reading as collection_reading
from ..host import cgroup_owner, cgroup_v1, cgroup_v2, cgroups, pressure, vmstat
from . import exposition, families, panics, program, reading

ARCHIVE = "/usr/local/lib/memops/memory_metrics.pyz"
SERVICE = "/etc/systemd/system/" + reading.UNIT
TIMER = "/etc/systemd/system/memops-memory-metrics.timer"

#: All that program imports of this collection.
_MODULES = (collection_reading, cgroup_owner, cgroup_v1, cgroup_v2, cgroups, pressure, vmstat, exposition, families, panics, program, reading)
_MAIN = "import sys\n\nfrom memops.memory_metrics.program import main\n\nsys.exit(main())\n"
#: Of the oldest that a zip file can have, so that equal sources make equal archives.
_DATE = (1980, 1, 1, 0, 0, 0)

_SERVICE = """\
# Installed by memops.linux.memory_metrics; changes here are overwritten.
[Unit]
Description=Memory metrics for node_exporter
Documentation=https://memops.example/memops

[Service]
Type=oneshot
ExecStart={python} -I {archive} --directory {directory} --cgroups {cgroups}
TimeoutStartSec=120
# Where memory is short, this is what can be done without.
OOMScoreAdjust=500
MemoryMax=128M
Nice=5
# Only what goes wrong is worth a line every few seconds.
LogLevelMax=warning
SyslogLevel=err
CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH
NoNewPrivileges=yes
PrivateDevices=yes
PrivateNetwork=yes
PrivateTmp=yes
ProtectHome=yes
ProtectSystem=strict
ReadWritePaths=-{directory}
RestrictAddressFamilies=AF_UNIX
SystemCallArchitectures=native
"""

_TIMER = """\
# Installed by memops.linux.memory_metrics; changes here are overwritten.
[Unit]
Description=Memory metrics for node_exporter, every {interval_seconds} s

[Timer]
OnActiveSec=1s
OnUnitActiveSec={interval_seconds}s
AccuracySec=1s

[Install]
WantedBy=timers.target
"""

_PATH = re.compile(r"/[\w.+/-]*\w\Z", re.ASCII)


def files(directory, interval_seconds, cgroups, python):
    """{path: text} of what is installed; the archive's bytes as surrogateescape text, as HostFiles takes them."""
    told = {"directory": directory, "interval_seconds": interval_seconds, "cgroups": cgroups, "python": python, "archive": ARCHIVE}
    return {
        ARCHIVE: archive().decode("utf-8", "surrogateescape"),
        SERVICE: _SERVICE.format(**told),
        TIMER: _TIMER.format(**told),
    }


def is_plain(path):
    """Whether a path can stand in a unit as it is: absolute, with nothing in it that systemd would read as more than a name."""
    return bool(_PATH.match(path)) and "/../" not in path


def archive():
    """The program's archive as bytes, from the sources that this module came with."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as packed:
        _add(packed, "__main__.py", _MAIN)
        _add(packed, "memops/__init__.py", "")
        folders = set()
        for module in _MODULES:
            folder, name = module.__name__.split(".")[-2:]
            if folder not in folders:
                folders.add(folder)
                _add(packed, "memops/%s/__init__.py" % folder, "")
            _add(packed, "memops/%s/%s.py" % (folder, name), module.__loader__.get_source(module.__name__))
    return stream.getvalue()


def _add(packed, name, text):
    packed.writestr(zipfile.ZipInfo(name, _DATE), text.encode("utf-8"))
