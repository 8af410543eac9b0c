# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host in a folder: units with cgroups and processes, and a systemctl that reads the unit files there."""

import os

from ansible_collections.memops.linux.plugins.module_utils.changes import host_command, host_files
from ansible_collections.memops.linux.plugins.module_utils.changes.change_journal import Run
from ansible_collections.memops.linux.plugins.module_utils.unit_memory import settings, unit_files, unit_names, working

MIB = 1 << 20
PATH = ["/etc/systemd/system.control", "/run/systemd/system.control", "/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"]
DEFAULTS = {
    "OOMScoreAdjust": "0",
    "OOMPolicy": "stop",
    "MemoryMax": "infinity",
    "MemoryHigh": "infinity",
    "MemoryLow": "0",
    "MemoryMin": "0",
    "MemorySwapMax": "infinity",
    "TasksMax": "100",
    "ManagedOOMSwap": "auto",
    "ManagedOOMMemoryPressure": "auto",
    "ManagedOOMMemoryPressureLimit": "0",
    "ManagedOOMPreference": "none",
}
GROUP_FILES = {
    "memory.max": "max",
    "memory.high": "max",
    "memory.low": "0",
    "memory.min": "0",
    "memory.swap.max": "max",
    "memory.oom.group": "0",
    "memory.current": str(20 * MIB),
    "pids.max": "100",
}


class Killed(BaseException):
    """kill -9, at this moment."""


class Host:
    """``systemctl`` as the module calls it, on files below a folder."""

    def __init__(self, folder, cgroup=2, lacking=()):
        self.files = host_files.HostFiles(str(folder))
        self.cgroup, self.lacking = cgroup, lacking
        self.pids, self.states = {}, {}
        self.calls = []
        #: what is done at a command that begins with these words: raise Killed, or CommandError
        self.fails = {}
        self.loaded = {}
        self.reload_sets_cgroups = True
        self.put("/run/systemd/system/.here", "")
        self.put("/proc/pressure/memory", "")
        self.put("/proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 800000 kB\nSwapTotal: 100000 kB\nSwapFree: 100000 kB\n")
        if cgroup == 2:
            self.put("/sys/fs/cgroup/cgroup.controllers", "memory pids\n")

    def put(self, path, text):
        target = self.files.path(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w") as stream:
            stream.write(text)

    def get(self, path):
        text = self.files.read(path)
        return text if text is None else text.strip()

    def unit(self, name, pids=(), above="system.slice", text="[Service]\n", running=True, score=0):
        """A unit with its file, its cgroup and its processes, the first of them the main one."""
        self.put("/lib/systemd/system/" + name, text)
        group = unit_names.slice_path(name) if name.endswith(".slice") else unit_names.slice_path(above) + "/" + name
        self.states[name] = {"group": group if running else "", "above": above}
        self.pids[name] = list(pids)
        for pid in pids:
            self.put("/proc/%d/oom_score_adj" % pid, "%d\n" % score)
        if running:
            self.group(group, pids)
        self._load()
        return group

    def group(self, group, pids=()):
        if self.cgroup == 2:
            for name, text in GROUP_FILES.items():
                self.put("/sys/fs/cgroup%s/%s" % (group, name), text + "\n")
            self.put("/sys/fs/cgroup%s/memory.stat" % group, "anon 1\nactive_file %d\ninactive_file %d\n" % (5 * MIB, 5 * MIB))
            self.put("/sys/fs/cgroup%s/cgroup.procs" % group, "".join("%d\n" % pid for pid in pids))
        else:
            self.put("/sys/fs/cgroup/memory%s/memory.limit_in_bytes" % group, "9223372036854771712\n")
            self.put("/sys/fs/cgroup/memory%s/memory.usage_in_bytes" % group, "%d\n" % (20 * MIB))
            self.put("/sys/fs/cgroup/systemd%s/cgroup.procs" % group, "".join("%d\n" % pid for pid in pids))

    def score(self, pid):
        return int(self.get("/proc/%d/oom_score_adj" % pid))

    def tree(self):
        """All files that a change could touch, but for the journal."""
        found = {}
        for top in ("/etc", "/sys", "/proc", "/lib", "/run"):
            for folder, _folders, names in os.walk(self.files.path(top)):
                for name in names:
                    with open(os.path.join(folder, name)) as stream:
                        found[os.path.join(folder, name)] = stream.read().strip()
        return {path: text for path, text in found.items() if not path.endswith("BASELINE.md")}

    def do(self, argv, timeout_seconds=60):
        answer = self.ask(argv, timeout_seconds)
        if answer.status:
            raise host_command.CommandError("%s failed" % " ".join(argv))
        return answer.output

    def ask(self, argv, timeout_seconds=60):
        self.calls.append(argv)
        said = " ".join(argv)
        for words, failure in list(self.fails.items()):
            if said.startswith(words):
                raise failure
        if said == "systemctl --version":
            return host_command.Answer(0, "systemd 252 (252.38)\n+PAM\n", "")
        if said == "systemctl show --no-pager --property=UnitPath":
            return host_command.Answer(0, "UnitPath=%s\n" % " ".join(PATH), "")
        if said == "systemctl daemon-reload":
            self._load()
            if self.reload_sets_cgroups:
                self._set_cgroups()
        if argv[:2] == ["systemctl", "show"]:
            return host_command.Answer(0, "\n\n".join(self._shown(name) for name in argv[argv.index("--") + 1 :]) + "\n", "")
        if argv[1] == "list-units":
            return host_command.Answer(0, "".join("%s loaded active\n" % name for name in self.states), "")
        if argv[1] == "start" and argv[-1].endswith(".slice"):
            self.states[argv[-1]] = {"group": unit_names.slice_path(argv[-1]), "above": "-.slice"}
            self.group(unit_names.slice_path(argv[-1]))
            self._load()
            self._set_cgroups()
        return host_command.Answer(0, "", "")

    def _fragment(self, name):
        for folder in PATH:
            if self.files.exists("%s/%s" % (folder, name)):
                return "%s/%s" % (folder, name)
        return ""

    def _load(self):
        for name in self.states:
            read = unit_files.files_of(self.files, [name], PATH, self._fragment(name))
            self.loaded[name] = {setting: unit_files.winner(read, setting, False) for setting in DEFAULTS}

    def _value(self, name, setting):
        won = self.loaded.get(name, {}).get(setting)
        text = won.text if won and won.text else DEFAULTS[setting]
        memory = settings.Memory(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_PAGE_SIZE"))
        value = settings.value(setting, text + ("%" if setting.endswith("Limit") and text.isdigit() else ""), memory)
        return settings.in_kernel(setting, value, memory) if settings.SETTINGS[setting].sort == "memory" else value

    def _set_cgroups(self):
        for name, state in self.states.items():
            for setting in DEFAULTS:
                one = settings.SETTINGS[setting]
                base = one.v2 if self.cgroup == 2 else one.v1
                if not state["group"] or not base:
                    continue
                path = "/sys/fs/cgroup%s%s/%s" % ("" if self.cgroup == 2 else "/memory", state["group"], base)
                if self.files.exists(path):
                    value = self._value(name, setting)
                    value = (1 if value == "kill" else 0) if setting == "OOMPolicy" else value
                    self.put(path, settings.to_kernel(value, 2) + "\n")

    def _shown(self, name):
        state = self.states.get(name)
        if not state and not name.endswith(".slice"):
            return "Id=%s\nLoadState=not-found\nActiveState=inactive\nMainPID=0" % name
        state = state or {"group": "", "above": "-.slice"}
        lines = [
            "Id=" + name,
            "Names=" + name,
            "LoadState=loaded",
            "ActiveState=%s" % ("active" if state["group"] else "inactive"),
            "FragmentPath=" + self._fragment(name),
            "ControlGroup=" + state["group"],
            "MainPID=%d" % (self.pids.get(name) or [0])[0],
            "Transient=no",
        ]
        if name.endswith(".service"):
            lines.append("Slice=" + state["above"])
        for setting in DEFAULTS:
            if name.rpartition(".")[2] in settings.SETTINGS[setting].kinds and setting not in self.lacking:
                value = self._value(name, setting)
                lines.append("%s=%s" % (setting, value * ((1 << 32) - 1) // 10000 + (value > 0) if setting.endswith("PressureLimit") else value))
        return "\n".join(lines)


def work(host, units, check_mode=False, run="one", **given):
    """What the module would give. Raises WorkError."""
    arguments = {"units": units, "daemon": None, "state": "applied", "force": False, "rollback_run": "last", "rollback_keys": []}
    arguments.update(given)
    return working.work(host.files, host, arguments, Run(run, working.AREA, "baseline", None, None), check_mode)


def roll_back(host, rollback_run="last", run="back", **given):
    return work(host, [], run=run, state="rolled_back", rollback_run=rollback_run, **given)
