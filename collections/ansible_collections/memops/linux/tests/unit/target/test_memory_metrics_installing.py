# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Installing the metrics: one program, one service, one timer, whole or not at all."""

import collections
import os

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes.host_command import CommandError
from ansible_collections.memops.linux.plugins.module_utils.changes.host_files import HostFiles
from ansible_collections.memops.linux.plugins.module_utils.memory_metrics import installing, packing

FOLDER = "/var/lib/prometheus/node-exporter"
WANTED = {"directory": FOLDER, "interval_seconds": 15, "cgroups": 100, "python": None}
TIMER = "memops-memory-metrics.timer"

Answer = collections.namedtuple("Answer", "status output errors")


class Systemd:
    """A systemctl that keeps whether the timer runs; ``breaks`` is the verb that fails."""

    def __init__(self, breaks=None):
        self.active = self.enabled = False
        self.asked, self.breaks = [], breaks

    def ask(self, argv, timeout_seconds=60):
        if argv[1] == "show":
            states = ("active" if self.active else "inactive", "enabled" if self.enabled else "")
            return Answer(0, "Id=%s\nActiveState=%s\nUnitFileState=%s\nNeedDaemonReload=no\n" % ((argv[-1],) + states), "")
        self.asked.append(" ".join(argv[1:]))
        if argv[1] == self.breaks:
            return Answer(1, "", "no")
        self.enabled = argv[1] == "enable" if argv[1] in ("enable", "disable") else self.enabled
        self.active = argv[1] == "restart" if argv[1] in ("restart", "disable") else self.active
        return Answer(0, "", "")

    def do(self, argv, timeout_seconds=60):
        answer = self.ask(argv)
        if answer.status:
            raise CommandError("%s failed" % " ".join(argv))
        return answer.output


@pytest.fixture
def files(tmp_path):
    for folder in ("/run/systemd/system", "/usr/bin", FOLDER):
        os.makedirs(str(tmp_path) + folder)
    open(str(tmp_path) + "/usr/bin/python3", "w").close()
    return HostFiles(str(tmp_path))


def test_a_host_without_them_gets_program_service_and_timer_and_a_second_run_changes_nothing(files):
    systemd = Systemd()
    first = installing.install(files, systemd, WANTED, False)
    assert first["changed"]
    assert (systemd.active, systemd.enabled) == (True, True)
    assert "ExecStart=/usr/bin/python3 -I %s --directory %s --cgroups 100\n" % (packing.ARCHIVE, FOLDER) in files.read(packing.SERVICE)
    assert "OnUnitActiveSec=15s\n" in files.read(packing.TIMER)
    asked = list(systemd.asked)
    assert not installing.install(files, systemd, WANTED, False)["changed"]
    assert systemd.asked == asked


def test_check_mode_says_what_it_would_do_and_does_nothing(files):
    systemd = Systemd()
    told = installing.install(files, systemd, WANTED, True)
    assert told["changed"]
    assert systemd.asked == []
    assert not files.exists(packing.ARCHIVE)
    assert not files.exists("/var/lib/memops")
    assert "# %s\n" % packing.SERVICE in told["diff"]["after"]
    assert "%s active" % TIMER in told["diff"]["after"]
    assert told["diff"] == installing.install(files, systemd, WANTED, False)["diff"]


def test_another_interval_restarts_the_timer(files):
    systemd = Systemd()
    installing.install(files, systemd, WANTED, False)
    del systemd.asked[:]
    told = installing.install(files, systemd, dict(WANTED, interval_seconds=60), False)
    assert told["changed"]
    assert "restart " + TIMER in systemd.asked
    assert "OnUnitActiveSec=15s" in told["diff"]["before"]


def test_a_timer_that_somebody_stopped_is_started_again(files):
    systemd = Systemd()
    installing.install(files, systemd, WANTED, False)
    systemd.active = False
    assert installing.install(files, systemd, WANTED, False)["changed"]
    assert systemd.active


@pytest.mark.parametrize("breaks", ["daemon-reload", "start", "enable", "restart"])
def test_where_it_fails_nothing_is_left_and_the_text_says_so(files, breaks):
    systemd = Systemd(breaks)
    with pytest.raises(installing.InstallError) as told:
        installing.install(files, systemd, WANTED, False)
    assert "systemctl %s" % breaks in str(told.value)
    assert ("All is as it was before." in str(told.value)) == (breaks != "daemon-reload")
    assert not any(files.exists(path) for path in (packing.ARCHIVE, packing.SERVICE, packing.TIMER))
    assert (systemd.active, systemd.enabled) == (False, False)


def test_where_a_renewal_fails_the_former_files_are_back(files):
    systemd = Systemd()
    installing.install(files, systemd, WANTED, False)
    former = files.read(packing.TIMER)
    systemd.breaks = "start"
    with pytest.raises(installing.InstallError):
        installing.install(files, systemd, dict(WANTED, interval_seconds=60), False)
    assert files.read(packing.TIMER) == former
    assert systemd.active


def test_absent_removes_all_that_was_installed_and_the_metrics(files):
    systemd = Systemd()
    installing.install(files, systemd, WANTED, False)
    files.write(FOLDER + "/memops.prom", "memops_cgroups 1\n")
    files.write(FOLDER + "/other.prom", "other 1\n")
    assert installing.remove(files, systemd, FOLDER, True)["changed"]
    assert files.exists(packing.ARCHIVE)
    assert installing.remove(files, systemd, FOLDER, False)["changed"]
    assert not any(files.exists(path) for path in (packing.ARCHIVE, packing.SERVICE, packing.TIMER, FOLDER + "/memops.prom"))
    assert files.exists(FOLDER + "/other.prom")
    assert not systemd.active
    assert not installing.remove(files, systemd, FOLDER, False)["changed"]


def test_a_folder_that_was_missing_is_made_and_named(files):
    wanted = dict(WANTED, directory="/var/lib/other")
    told = installing.install(files, Systemd(), wanted, False)
    assert files.exists("/var/lib/other")
    assert "--collector.textfile.directory" in told["notes"][0]
    assert told["diff"]["after"].endswith("# /var/lib/other\na folder\n")


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"directory": "relative"}, "directory: 'relative'"),
        ({"directory": "/a b"}, "directory: '/a b'"),
        ({"directory": "/a\nExecStartPre=/bin/false"}, "directory: "),
        ({"directory": "/a/%h"}, "directory: "),
        ({"directory": "/a/../b"}, "directory: "),
        ({"directory": "/a\n"}, "directory: "),
        ({"python": "/usr/bin/env python3"}, "python: "),
        ({"interval_seconds": 1}, "interval_seconds: 1 is not between 5 and 3600"),
        ({"cgroups": 100000}, "cgroups: 100000 is not between 1 and 400"),
    ],
)
def test_what_systemd_would_read_as_something_else_is_refused(files, wrong, said):
    with pytest.raises(installing.InstallError) as told:
        installing.install(files, Systemd(), dict(WANTED, **wrong), False)
    assert str(told.value).startswith(said)
    assert not files.exists(packing.SERVICE)


def test_a_host_without_systemd_is_told_so(files):
    os.rmdir(files.path("/run/systemd/system"))
    with pytest.raises(installing.InstallError) as told:
        installing.install(files, Systemd(), WANTED, False)
    assert "does not run systemd" in str(told.value)
