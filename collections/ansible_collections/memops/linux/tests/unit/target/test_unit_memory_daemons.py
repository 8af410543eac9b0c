# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""earlyoom and systemd-oomd: their configuration, which one runs, and the way back."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.changes import host_command
from ansible_collections.memops.linux.plugins.module_utils.unit_memory import daemon_config, working
from ansible_collections.memops.linux.tests.unit.target.unit_memory_host import Host, Killed, roll_back, work

DEFAULT = '# earlyoom\nEARLYOOM_ARGS="-r 3600"\n# the end\n'
EARLYOOM = {"name": "earlyoom", "memory_percent": 5, "memory_kill_percent": 3, "avoid": ["sshd"], "prefer": ["a.b c"]}
OOMD = {"name": "systemd-oomd", "swap_used_limit": "80%", "memory_pressure_seconds": 90}


class DaemonHost(Host):
    """With systemctl's and oomctl's answers on the two daemons."""

    def __init__(self, folder, **more):
        Host.__init__(self, folder, **more)
        self.put("/etc/default/earlyoom", DEFAULT)
        self.daemons = {unit: {"enabled": False, "active": False, "masked": False} for unit in daemon_config.UNITS.values()}
        self.missing = ()

    def ask(self, argv, timeout_seconds=60):
        unit = argv[-1]
        if argv[0] == "oomctl":
            text = self.get("/etc/systemd/oomd.conf.d/zz-memops.conf") or ""
            limit = "80.00" if self.oomd_read and "80%" in text else "90.00"
            seconds = "1min 30s" if self.oomd_read and "90s" in text else "30s"
            return host_command.Answer(0, "\tSwap Used Limit: %s%%\n\tDefault Memory Pressure Duration: %s\n" % (limit, seconds), "")
        if argv[1] == "show" and unit in self.daemons and "MainPID" in argv[3] and "LoadState,UnitFileState" in argv[3]:
            blocks = []
            for one, state in self.daemons.items():
                load = "not-found" if one in self.missing else "masked" if state["masked"] else "loaded"
                words = (load, "enabled" if state["enabled"] else "disabled", "active" if state["active"] else "inactive")
                blocks.append("LoadState=%s\nUnitFileState=%s\nActiveState=%s\nMainPID=900" % words)
            return host_command.Answer(0, "\n\n".join(blocks) + "\n", "")
        if unit in self.daemons:
            self.calls.append(argv)
            if " ".join(argv[1:2]) in self.fails:
                raise self.fails[argv[1]]
            return host_command.Answer(0 if self._switch(argv[1], unit) else 3, "", "")
        return Host.ask(self, argv, timeout_seconds)

    oomd_read = False

    def _switch(self, word, unit):
        state = self.daemons[unit]
        if word == "is-active":
            return state["active"]
        if word in ("start", "restart"):
            state["active"] = True
            if unit == "earlyoom.service":
                line = next(line for line in self.get("/etc/default/earlyoom").splitlines() if line.startswith("EARLYOOM_ARGS="))
                self.put("/proc/900/cmdline", "\0".join(["/usr/bin/earlyoom"] + shell_words(line)) + "\0")
            else:
                self.oomd_read = True
        state["active"] = state["active"] and word != "stop"
        state["enabled"] = (state["enabled"] or word == "enable") and word != "disable"
        state["masked"] = (state["masked"] or word == "mask") and word != "unmask"
        return True


def shell_words(line):
    """As systemd splits the variable."""
    import shlex

    return shlex.split(line.partition("=")[2].strip('"'))


@pytest.fixture
def host(tmp_path):
    return DaemonHost(tmp_path)


def states(host):
    return {unit.partition(".")[0]: "".join(name[0] for name in ("active", "enabled", "masked") if state[name]) for unit, state in host.daemons.items()}


def test_the_chosen_one_runs_with_what_was_asked_and_the_other_cannot_start(host):
    host.daemons["systemd-oomd.service"].update(enabled=True, active=True)
    result = work(host, [], daemon=EARLYOOM)
    assert result["changed"] and states(host) == {"earlyoom": "ae", "systemd-oomd": "m"}
    line = "EARLYOOM_ARGS=\"-m 5,3 --prefer '^(a[.]b c)$' --avoid '^(sshd)$'\""
    assert host.get("/etc/default/earlyoom").splitlines() == ["# earlyoom", line, "# the end"]
    again = work(host, [], daemon=EARLYOOM)
    assert not again["changed"] and again["drift"] == []


def test_systemd_oomd_gets_a_drop_in_and_earlyoom_ends(host):
    work(host, [], daemon=EARLYOOM)
    work(host, [], daemon=OOMD, run="two")
    assert states(host) == {"earlyoom": "", "systemd-oomd": "ae"}
    assert host.get("/etc/systemd/oomd.conf.d/zz-memops.conf").splitlines()[1:] == ["[OOM]", "SwapUsedLimit=80%", "DefaultMemoryPressureDurationSec=90s"]
    assert not work(host, [], daemon=OOMD)["changed"]


def test_all_goes_back_to_what_it_was(host):
    before = host.tree()
    host.daemons["systemd-oomd.service"].update(enabled=True, active=True)
    work(host, [], daemon=EARLYOOM)
    assert roll_back(host)["changed"]
    assert states(host) == {"earlyoom": "", "systemd-oomd": "ae"}
    after = host.tree()
    after.pop(host.files.path("/proc/900/cmdline"))
    assert after == before


def test_earlyoom_does_not_come_back_with_thresholds_by_which_it_kills_at_once(host):
    work(host, [], daemon=dict(EARLYOOM, memory_percent=50))
    work(host, [], daemon=EARLYOOM, run="two")
    host.put("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
    before = host.tree()
    said = roll_back(host)
    (left,) = said["left_alone"]
    assert left["key"] == "earlyoom.service:Configuration"
    assert "kill at once: 40 % of memory is available, below 50 %" in left["why"]
    assert not said["changed"] and host.get("/etc/default/earlyoom") == before[host.files.path("/etc/default/earlyoom")]
    assert roll_back(host, force=True)["changed"]
    assert "-m 50" in host.get("/etc/default/earlyoom")


def test_nor_does_it_take_over_again_from_systemd_oomd(host):
    work(host, [], daemon=dict(EARLYOOM, memory_percent=50))
    work(host, [], daemon=OOMD, run="two")
    host.put("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
    said = roll_back(host)
    assert {one["key"] for one in said["left_alone"]} >= {"earlyoom.service:Enabled", "systemd-oomd.service:Enabled"}
    assert states(host) == {"earlyoom": "", "systemd-oomd": "ae"}


@pytest.mark.parametrize(
    ("text", "percents"),
    [
        (None, (10, 10)),
        ('EARLYOOM_ARGS="-r 3600"\n', (10, 10)),
        ('EARLYOOM_ARGS="-m 20,5 -s 30"\n', (20, 30)),
        ("EARLYOOM_ARGS='-s15 -m5'\n# -m 90\n", (5, 15)),
        ('EARLYOOM_ARGS="-m 20"\nEARLYOOM_ARGS="-m 7 --prefer \'^(a-m 9)$\'"\n', (7, 10)),
    ],
)
def test_the_thresholds_that_a_file_gives_earlyoom(text, percents):
    assert daemon_config.earlyoom_percents(text) == percents


def test_check_mode_says_it_and_does_nothing(host):
    before = host.tree()
    said = work(host, [], daemon=EARLYOOM, check_mode=True)
    assert said["changed"] and "earlyoom.service\nenabled, running" in said["diff"]["after"]
    assert host.tree() == before and states(host) == {"earlyoom": "", "systemd-oomd": ""}


@pytest.mark.parametrize("word", ["enable", "start", "mask", "is-active"])
def test_a_failure_puts_file_and_daemons_back(host, word):
    before = host.tree()
    host.daemons["systemd-oomd.service"].update(enabled=True, active=True)

    def once(argv, timeout_seconds=60, ask=host.ask):
        try:
            return ask(argv, timeout_seconds)
        except host_command.CommandError:
            host.fails.clear()
            raise

    host.fails[word] = host_command.CommandError("it failed")
    host.ask = once
    with pytest.raises(working.WorkError, match=r"it failed. What was there before is there again"):
        work(host, [], daemon=EARLYOOM)
    after = host.tree()
    after.pop(host.files.path("/proc/900/cmdline"), None)
    assert after == before and states(host) == {"earlyoom": "", "systemd-oomd": "ae"}


@pytest.mark.parametrize("word", ["enable", "start", "mask", "stop"])
def test_killed_in_between_the_next_run_completes(host, word):
    host.daemons["systemd-oomd.service"].update(enabled=True, active=True)
    host.fails[word] = Killed()
    with pytest.raises(Killed):
        work(host, [], daemon=EARLYOOM)
    host.fails.clear()
    work(host, [], daemon=EARLYOOM, run="two")
    assert states(host) == {"earlyoom": "ae", "systemd-oomd": "m"}
    assert not work(host, [], daemon=EARLYOOM, run="three")["changed"]
    roll_back(host, "all")
    assert states(host) == {"earlyoom": "", "systemd-oomd": "ae"} and host.files.read("/etc/default/earlyoom") == DEFAULT


def test_a_running_one_with_old_arguments_is_drift_and_restarted(host):
    work(host, [], daemon=EARLYOOM)
    host.put("/proc/900/cmdline", "/usr/bin/earlyoom\0-r\0003600\0")
    seen = work(host, [], daemon=EARLYOOM, run="two")
    assert [one["face"] for one in seen["drift"]] == ["running"]
    assert ["systemctl", "restart", "--", "earlyoom.service"] in host.calls


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"cgroup": 1}, "cgroup v2, and this host counts memory by v1"),
        ({}, "there is no /proc/pressure/memory"),
    ],
)
def test_systemd_oomd_is_refused_where_it_cannot_work(tmp_path, more, why):
    host = DaemonHost(tmp_path, **more)
    host.files.remove("/proc/pressure/memory")
    with pytest.raises(working.WorkError, match=why):
        work(host, [], daemon=OOMD)
    assert states(host) == {"earlyoom": "", "systemd-oomd": ""}


def test_one_that_would_kill_at_once_is_refused_with_the_sum(host):
    host.put("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 40 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
    with pytest.raises(working.WorkError, match="4 % of memory is available, below 5 %"):
        work(host, [], daemon=EARLYOOM)


def test_one_that_is_not_installed_is_refused_and_foretold_in_check_mode(host):
    host.missing = ("earlyoom.service",)
    with pytest.raises(working.WorkError, match="earlyoom is not installed"):
        work(host, [], daemon=EARLYOOM)
    assert work(host, [], daemon=EARLYOOM, check_mode=True)["changed"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"memory_percent": 0}, "from 1 to 99"),
        ({"memory_kill_percent": 6}, "never ask before it kills"),
        ({"memory_percent": None}, "needs memory_percent"),
        ({"avoid": ["a.b c"]}, "at once: a.b c"),
        ({"avoid": ["$(reboot)"]}, "no name of a process"),
        ({"avoid": ["a' --prefer 'b"]}, "no name of a process"),
        ({"avoid": ["a\nEVIL=1"]}, "no name of a process"),
        ({"avoid": ["a|b"]}, "no name of a process"),
        ({"avoid": ["0123456789abcdef"]}, "at most 15"),
        ({"swap_used_limit": "90%"}, "earlyoom has no swap_used_limit"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_touched(host, more, why):
    before = host.tree()
    with pytest.raises(working.WorkError, match=why):
        work(host, [], daemon=dict(EARLYOOM, **more))
    assert host.tree() == before and states(host) == {"earlyoom": "", "systemd-oomd": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, 'EARLYOOM_ARGS="-m 5"\n'),
        ("A=1", 'A=1\nEARLYOOM_ARGS="-m 5"\n'),
        ("#EARLYOOM_ARGS=x\n", '#EARLYOOM_ARGS=x\nEARLYOOM_ARGS="-m 5"\n'),
        ('A=1\nEARLYOOM_ARGS="-r 1 \\\n -m 3"\nB=2\nEARLYOOM_ARGS=z', 'A=1\nEARLYOOM_ARGS="-m 5"\nB=2\n'),
    ],
)
def test_all_else_in_earlyoom_s_file_stays(text, expected):
    assert daemon_config.earlyoom_file(text, ["-m", "5"]) == expected


@pytest.mark.parametrize("word", ["enable", "unmask", "stop", "daemon-reload", "start"])
def test_a_rollback_that_was_killed_is_completed_by_the_next(host, word):
    host.daemons["systemd-oomd.service"].update(enabled=True, active=True)
    work(host, [], daemon=EARLYOOM)
    host.fails["systemctl daemon-reload" if word == "daemon-reload" else word] = Killed()
    with pytest.raises(Killed):
        roll_back(host, "one")
    host.fails.clear()
    result = roll_back(host, "one", run="back2")
    assert result["left_alone"] == [] and states(host) == {"earlyoom": "", "systemd-oomd": "ae"}
    assert host.files.read("/etc/default/earlyoom") == DEFAULT


def test_a_slice_marked_for_a_daemon_that_does_not_run_is_said(host):
    host.unit("system.slice", above="-.slice", text="[Slice]\n")
    wanted = [{"name": "system.slice", "managed_oom_swap": "kill"}]
    assert work(host, wanted, check_mode=True)["notes"] == ["systemd-oomd does not run, so nothing acts on ManagedOOM of system.slice yet."]
    assert work(host, wanted, daemon=OOMD, check_mode=True)["notes"] == []
