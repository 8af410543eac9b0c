# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The line of progress: counted across forks, said now and then, and silent for small fleets."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.report import progress


def later(folder, seconds):
    path = pathlib.Path(folder) / ".progress-told"
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_done_failed_and_left_are_counted_and_said_once_in_a_while(tmp_path):
    assert [progress.finished(str(tmp_path), number == 3, 100) for number in range(10)] == [None] * 10

    later(tmp_path, progress.SAY_EACH_SECONDS + 1)

    assert str(progress.finished(str(tmp_path), False, 100)) == "11 hosts done, 1 of them failed, 89 left"
    assert progress.finished(str(tmp_path), False, 100) is None


def test_forks_that_finish_at_the_same_time_are_all_counted(tmp_path):
    children = []
    for _fork in range(8):
        child = os.fork()
        if child == 0:
            for _host in range(50):
                progress.finished(str(tmp_path), False, 1000)
            os._exit(0)
        children.append(child)
    assert {os.waitpid(child, 0)[1] for child in children} == {0}

    later(tmp_path, progress.SAY_EACH_SECONDS + 1)

    assert progress.finished(str(tmp_path), False, 1000).done == 401


@pytest.mark.parametrize("hosts", [1, progress.HOSTS_TOLD_OF])
def test_a_small_fleet_is_not_told_and_leaves_no_file(tmp_path, hosts):
    assert progress.finished(str(tmp_path), False, hosts) is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_does_not_end_the_run(tmp_path):
    assert progress.finished(str(tmp_path / "nowhere"), False, 100) is None


def test_the_end_of_a_run_removes_what_counted(tmp_path):
    progress.finished(str(tmp_path), False, 100)

    progress.clear(str(tmp_path))

    assert list(tmp_path.iterdir()) == []
