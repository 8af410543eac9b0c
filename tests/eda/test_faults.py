"""What breaks while alerts are answered, and what then becomes of the alerts that were accepted."""

from __future__ import annotations

import pathlib
import signal
import time

import pytest
from eda.service import firing
from eda.small_disk import SmallDisk


def test_an_alert_that_was_accepted_is_run_although_the_service_is_killed_at_once(services, figure):
    """In the second after the answer H2, as ansible-rulebook opens it, has the event in memory alone."""
    service = services({f"web{number}": {} for number in range(3)})
    service.runbook("HostOomKill", "sleep 1")
    for number in range(3):
        service.start()
        assert service.send([firing("HostOomKill", f"web{number}:9100")]) == 200
        service.stop(signal.SIGKILL)
    service.start()
    service.until(lambda: len(service.runs()) == 3, "all three runs")
    figure("`kill -9` right after the answer 200, before the runbook began, 3 times", "each runbook was run after the restart")


def test_a_runbook_that_was_cut_off_by_a_kill_is_run_again_with_those_that_waited(services, figure):
    service = services({f"web{number}": {} for number in range(8)}, AT_ONCE=2)
    service.runbook("HostOomKill", "sleep 3")
    service.start()
    assert service.send([firing("HostOomKill", f"web{number}:9100") for number in range(8)]) == 200
    service.until(lambda: service.runs(), "the first run's end")
    ended = sum(service.runs().values())
    service.stop(signal.SIGKILL)
    assert ended < 8
    service.settings["THROTTLE"] = "20 minutes"  # which makes the rulebook another: what is stored is run all the same
    service.start()
    service.until(lambda: len(service.runs()) == 8, "all eight runs")
    assert len(service.alerts()) == 8
    figure("`kill -9` in mid-run, 8 runbooks accepted, 2 at a time", f"{ended} had ended; after the restart all others were run to their end")


def test_what_was_answered_before_a_kill_is_not_run_again_within_the_throttle(service):
    service.start()
    service.send([firing("HostOomKill", "web1:9100")])
    service.until(lambda: service.runs() and "PLAY RECAP" in service.said(), "the run")
    time.sleep(1)  # for ansible-rulebook to note its end
    service.stop(signal.SIGKILL)
    service.start()
    service.send([firing("HostOomKill", "web1:9100"), firing("HostOomKill", "db1:9100")])
    service.until(lambda: service.runs()["db1.example.com", "HostOomKill"], "the other host's run")
    assert service.runs()["web1", "HostOomKill"] == 1


def test_a_runbook_that_hangs_is_ended_at_its_limit_with_all_its_processes_and_the_next_one_runs(services, figure):
    service = services(RUN_LIMIT=5, AT_ONCE=1)
    mark = f"{time.time_ns() % 10**9 + 10**9}"
    service.runbook("HostOomKill", f"sleep {mark}")
    service.runbook("HostMemoryLow")
    service.start()
    service.send([firing("HostOomKill", "web1:9100"), firing("HostMemoryLow", "web1:9100")])
    service.until(lambda: sleeping(mark), "the runbook hangs")
    service.until(lambda: service.runs(), "the next runbook's run")
    assert service.runs() == {("web1", "HostMemoryLow"): 1}
    assert "the runbook was ended at its limit of 5 s" in service.said()
    assert not sleeping(mark)
    figure("a runbook that hangs, with a limit of 5 s", "ended, none of its processes left, the next one for that host was run")


def sleeping(mark: str) -> list[str]:
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if process.read_bytes().split(b"\0")[:2] == [b"sleep", mark.encode()]:
                found.append(process.parent.name)
        except OSError:
            continue
    return found


def test_two_services_never_work_with_the_same_folder(service, services):
    service.start()
    other = services(name="other", STATE_DIR=service.state, RUNBOOKS=service.runbooks, INVENTORY=service.inventory)
    other.start(wait=False)
    assert other.process.wait(60) == 2
    assert "another service works with" in other.said()
    assert service.is_open()


@pytest.mark.skipif(pathlib.Path("/proc/self/uid_map").read_text().split()[:2] != ["0", "0"], reason="mounting takes root")
def test_on_a_full_disk_nothing_is_accepted_and_with_room_again_nothing_was_lost(services, figure):
    service = services({f"web{number}": {} for number in range(3)})
    service.runbook("HostOomKill", "sleep 2")
    service.state.mkdir()
    disk = service.folder / "disk"
    disk.mkdir()
    # A mount that only the service and the process that keeps it see.
    service.prefix = ["nsenter", "--mount", "--target", "", "--"]
    keeper = SmallDisk(disk)
    try:
        service.prefix[3] = str(keeper.process.pid)
        service.settings["STATE_DIR"] = disk
        service.state = pathlib.Path(f"/proc/{keeper.process.pid}/root{disk}")
        service.start()
        assert service.send([firing("HostOomKill", "web0:9100")]) == 200
        keeper.fill(service.state)
        assert service.send([firing("HostOomKill", "web1:9100")]) == 503
        assert service.process.wait(60) == 1, "it ends, for H2 closed its file for good: systemd starts it again"
        assert "has to be started again" in service.said()
        service.stop()
        service.start(wait=False)
        assert service.process.wait(60) != 0, "and ends again as long as the disk is full"
        service.stop()
        keeper.free(service.state)
        service.start()
        service.until(lambda: service.runs()["web0", "HostOomKill"], "the run of what was accepted before")
        assert service.send([firing("HostOomKill", "web1:9100")]) == 200, "Alertmanager sends again what was answered with 503"
        service.until(lambda: service.runs()["web1", "HostOomKill"], "its run")
    finally:
        service.stop()
        keeper.end()
    figure("the service's disk is full", "503, which Alertmanager sends again, and the service ends to be restarted; with room again nothing was lost")
