# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Unit files: which one gives a setting; names, values; the unit of a running program."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes import host_files
from ansible_collections.memops.linux.plugins.module_utils.unit_memory import owning_unit, settings, unit_files, unit_names

FOLDERS = ["/etc/systemd/system.control", "/run/systemd/system.control", "/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"]
MEMORY = settings.Memory(1000 * 4096, 4096)


def host(tmp_path, texts):
    for path, text in texts.items():
        (tmp_path / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path.lstrip("/")).write_text(text)
    return host_files.HostFiles(str(tmp_path))


def found(tmp_path, texts, name="a-b.service", at_boot=False):
    texts = {path: "[Service]\nMemoryMax=%s\n" % text for path, text in texts.items()}
    fragment = "/lib/systemd/system/" + name
    read = unit_files.files_of(host(tmp_path, texts), [name, "alias.service"], FOLDERS, fragment if fragment in texts else "")
    won = unit_files.winner(read, "MemoryMax", at_boot)
    return won and won.text


UNIT, D = "/lib/systemd/system/a-b.service", "/etc/systemd/system/a-b.service.d/"


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        ({UNIT: "1G"}, "1G"),
        ({}, None),
        ({UNIT: "1G", D + "10.conf": "2G"}, "2G"),
        ({D + "90.conf": "9G", "/lib/systemd/system/a-b.service.d/95.conf": "5G"}, "5G"),
        ({D + "90.conf": "9G", "/lib/systemd/system/a-b.service.d/90.conf": "5G"}, "9G"),
        ({D + "zz-memops.conf": "1M", "/etc/systemd/system.control/a-b.service.d/50-MemoryMax.conf": "5G", D + "override.conf": "3G"}, "1M"),
        ({D + "10.conf": "1M", "/etc/systemd/system/a-.service.d/20.conf": "2M", "/etc/systemd/system/service.d/30.conf": "3M"}, "3M"),
        ({D + "10.conf": "1M", "/etc/systemd/system/a-.service.d/10.conf": "2M"}, "1M"),
        ({D + "10.conf": "1M", "/etc/systemd/system/alias.service.d/20.conf": "2M"}, "2M"),
        ({D + "10.conf": "1M", D + "20.conf.bak": "2M", D + ".30.conf": "3M"}, "1M"),
        ({D + "10.conf": "1M", D + "20.conf": ""}, ""),
    ],
)
def test_the_last_by_name_wins_and_of_one_name_the_first_folder(tmp_path, texts, text):
    assert found(tmp_path, texts) == text


def test_what_lies_in_run_does_not_count_at_boot(tmp_path):
    texts = {D + "10.conf": "1M", "/run/systemd/system.control/a-b.service.d/50-MemoryMax.conf": "2M"}
    assert found(tmp_path, texts) == "2M"
    assert found(tmp_path, texts, at_boot=True) == "1M"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Service]\nMemoryMax=1\nMemoryMax=2\n", {"MemoryMax": "2"}),
        ("[Service]\n#MemoryMax=1\n ; MemoryMax=3\n", {}),
        ("[Service]\nMemoryMax = 1G \n", {"MemoryMax": "1G"}),
        ("[Service]\nExecStart=/bin/x \\\n  MemoryMax=5\nTasksMax=4\n", {"TasksMax": "4"}),
        ("[Service]\nMemoryMax=\n", {"MemoryMax": ""}),
        (None, {}),
    ],
)
def test_assignments_of_a_unit_file(text, expected):
    assert unit_files.assignments(text) == expected


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        ("a.service", ["a.service.d", "service.d"]),
        ("a-b-c.service", ["a-b-c.service.d", "a-b-.service.d", "a-.service.d", "service.d"]),
        ("a@b-c.service", ["a@b-c.service.d", "a@.service.d", "service.d"]),
        ("-.slice", ["-.slice.d", "slice.d"]),
    ],
)
def test_folders_of_drop_ins(name, folders):
    assert unit_names.drop_in_folders(name) == folders


def test_dashes_nest_slices():
    assert unit_names.slice_path("a-b-c.slice") == "/a.slice/a-b.slice/a-b-c.slice"
    assert unit_names.slice_path("-.slice") == "" and unit_names.slice_above("a.slice") == "-.slice" and unit_names.slice_above("-.slice") is None


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MemoryMax", "536870912", 536870912),
        ("MemoryMax", "512M", 536870912),
        ("MemoryMax", "2G", 2 << 30),
        ("MemoryMax", "infinity", "infinity"),
        ("MemoryMax", "25%", 250 * 4096),
        ("MemoryMax", "0.15%", 4096),
        ("MemoryMax", "", None),
        ("OOMScoreAdjust", "-1000", -1000),
        ("TasksMax", "infinity", "infinity"),
        ("ManagedOOMMemoryPressureLimit", "55.5%", 5550),
        ("OOMPolicy", "kill", "kill"),
    ],
)
def test_values(name, text, value):
    assert settings.value(name, text, MEMORY) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("MemoryMax", "512m"), ("MemoryMax", "-1"), ("MemoryMax", "1e9"), ("MemoryMax", "100.01%"), ("OOMScoreAdjust", "1.5"), ("OOMPolicy", "die")],
)
def test_values_that_are_none(name, text):
    with pytest.raises(ValueError):
        settings.value(name, text, MEMORY)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MemoryMax", "18446744073709551615", "infinity"),
        ("MemoryMax", "524288000", 524288000),
        ("ManagedOOMMemoryPressureLimit", "2383706849", 5550),
        ("ManagedOOMMemoryPressureLimit", "0", 0),
        ("OOMPolicy", "", None),
    ],
)
def test_what_systemctl_show_prints(name, text, value):
    assert settings.shown_value(name, text) == value


def test_the_kernel_counts_whole_pages():
    assert settings.same("MemoryMax", 5000, 4096, MEMORY) and not settings.same("MemoryMax", 9000, 4096, MEMORY)
    assert settings.kernel_value("MemoryMax", "9223372036854771712\n") == "infinity"


def processes(tmp_path, groups):
    texts = {}
    for pid, (comm, group) in groups.items():
        texts["/proc/%d/comm" % pid], texts["/proc/%d/cgroup" % pid] = comm + "\n", group
    return host(tmp_path, texts)


V2 = "0::/system.slice/%s\n"


@pytest.mark.parametrize(
    "groups",
    [
        {1: ("java", V2 % "db.service"), 2: ("java", V2 % "db.service"), 3: ("sh", V2 % "x.service")},
        {1: ("java", V2 % "db.service/worker")},
        {1: ("java", "12:memory:/system.slice/x.service\n1:name=systemd:/system.slice/db.service\n0::/\n")},
    ],
)
def test_the_unit_of_a_program_is_found(tmp_path, groups):
    assert owning_unit.find(processes(tmp_path, groups), "java") == "db.service"


def test_a_name_that_the_kernel_cut_is_found(tmp_path):
    assert owning_unit.find(processes(tmp_path, {1: ("systemd-journal", V2 % "systemd-journald.service")}), "systemd-journald") == "systemd-journald.service"


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        ({}, "no process of this name"),
        ({1: ("java", V2 % "a.service"), 2: ("java", V2 % "b.service")}, "more than one place .*a.service; b.service"),
        ({1: ("java", "0::/user.slice/user-1000.slice/session-3.scope\n")}, "belongs to no service, but to session-3.scope"),
        ({1: ("java", "0::/system.slice/docker-%s.scope\n" % ("ab" * 32))}, "runs in container abababababab"),
        ({1: ("java", "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n")}, "a user's own service manager"),
        ({1: ("java", "0::/\n")}, "belongs to no service, but to no unit at all"),
        ({1: ("java", V2 % "a.service"), 2: ("java", "0::/\n")}, "more than one place"),
    ],
)
def test_a_program_without_one_unit_of_its_own_is_refused_with_the_reason(tmp_path, groups, why):
    (tmp_path / "proc").mkdir(exist_ok=True)
    with pytest.raises(ValueError, match=why):
        owning_unit.find(processes(tmp_path, groups), "java")
