# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of daemon.json and of the daemon that reads it: decided from plain data, before anything is touched."""

import collections

from . import daemon_file, daemon_keys

NEVER, IF_NEEDED, EVEN_IF_CONTAINERS_DIE = "never", "if_needed", "even_if_containers_die"
RUNNING, FILE = "running", "daemon.json"

WRITE, RELOAD, RESTART = "write", "reload", "restart"

#: path: of daemon.json. text: None where there is none. options: {key: option} that the unit gives dockerd. state: "running", "stopped" or
#: "failed". info: what /info says, {} where it does not run. cgroup_version: 1 or 2. running: names of the containers that run.
#: in_effect: {key: value} that the daemon still has while the file says otherwise. unsure: a sentence where somebody changed the file since
#: the daemon started, else None. reloaded: whether it was told to read the file as it is now.
Daemon = collections.namedtuple("Daemon", "path text options state info cgroup_version running in_effect unsure reloaded")


class DaemonPlan:
    """What a call does to daemon.json and the daemon.

    wanted: {key: value} in Docker's words. text: the file's new text. changes: [(key, old, new)] of the file. steps: [(WRITE, text), (RELOAD,), (RESTART,)].
    pending: {key: value that the daemon has until it is restarted}. unknown: those of them whose value in effect is not known.
    Else the lists of a module's result.
    """

    def __init__(self):
        self.wanted, self.text, self.changes, self.steps, self.pending, self.unknown = {}, None, [], [], {}, set()
        self.drift, self.compliant, self.refused, self.notes = [], [], [], []


def decide(wanted, daemon, restart=NEVER, remove_stale=True):
    """A DaemonPlan. wanted: {key: JSON value}; None takes the key out. Raises daemon_file.DaemonFileError."""
    plan = DaemonPlan()
    before = daemon_file.settings(daemon.text)
    wanted = collections.OrderedDict((key, daemon_keys.normal(key, value)) for key, value in wanted.items())
    if remove_stale:
        for key in daemon_keys.STALE:
            if key in before:
                wanted.setdefault(key, None)
    _translate(wanted, before, daemon, plan)
    _refuse_settings(wanted, before, daemon, plan)
    plan.wanted = wanted
    if plan.refused:
        return plan
    plan.text = daemon_file.changed(daemon.text, {key: value for key, value in wanted.items() if not _stands(key, value, before)})
    after = daemon_file.settings(plan.text)
    waiting = _compare(wanted, before, daemon, plan)
    if daemon.state == RUNNING:
        _steps(plan, waiting, after, daemon, restart)
    elif plan.changes:
        plan.steps = [(WRITE, plan.text)] + ([(RESTART,)] if daemon.state == "failed" and restart != NEVER else [])
    return plan


def _translate(wanted, before, daemon, plan):
    """With the cgroup driver cgroupfs on cgroup v1, a slice is the path of its cgroup."""
    parent = wanted.get("cgroup-parent")
    if not isinstance(parent, str) or not parent.endswith(".slice") or "/" in parent:
        return
    if _driver(wanted, before, daemon) == "cgroupfs" and daemon.cgroup_version == 1:
        wanted["cgroup-parent"] = "/" + _slice_path(parent)
        plan.notes.append(
            "cgroup-parent is %s: Docker's cgroup driver here is cgroupfs, which wants a path, and this is the cgroup of %s."
            % (wanted["cgroup-parent"], parent)
        )


def _slice_path(name):
    """Where systemd puts a slice: a-b.slice is below a.slice (systemd.slice(5))."""
    words = name[: -len(".slice")].split("-")
    return "/".join("-".join(words[: count + 1]) + ".slice" for count in range(len(words)))


def _driver(wanted, before, daemon):
    """The cgroup driver that the daemon has once it has this file."""
    exec_opts = wanted["exec-opts"] if "exec-opts" in wanted else before.get("exec-opts")
    told = daemon_keys.cgroup_driver(exec_opts)
    if told or (exec_opts is None and "exec-opts" not in wanted and "exec-opts" not in daemon.options):
        return told or daemon.info.get("CgroupDriver") or _usual_driver(daemon)
    return (daemon.info.get("CgroupDriver") if "exec-opts" in daemon.options else None) or _usual_driver(daemon)


def _usual_driver(daemon):
    return "systemd" if daemon.cgroup_version == 2 else "cgroupfs"


def _refuse_settings(wanted, before, daemon, plan):
    def refuse(key, why):
        plan.refused.append({"key": key, "why": why})

    for key, value in wanted.items():
        why = daemon_keys.wrong(key, value) if value is not None else None
        if why:
            refuse(key, "%s: %s" % (daemon_file.json.dumps(value)[:200], why))
        elif value is not None and key in daemon.options:
            refuse(key, "dockerd's unit passes it as %s, and Docker does not start with it in both; take it out of the unit first" % daemon.options[key])
    if plan.refused:
        return
    parent = wanted.get("cgroup-parent")
    driver = _driver(wanted, before, daemon)
    why = daemon_keys.wrong_parent(parent, driver, daemon.cgroup_version) if parent else None
    if why:
        refuse("cgroup-parent", "%s: %s" % (parent, why))
    state = daemon.info.get("Swarm")
    if wanted.get("live-restore") and isinstance(state, dict) and state.get("LocalNodeState") not in (None, "", "inactive"):
        refuse("live-restore", "this host is in a swarm, and Docker does not start with live-restore in swarm mode")
    present = daemon.info.get("CgroupDriver")
    if "exec-opts" in wanted and present and driver != present and daemon.running:
        refuse(
            "exec-opts",
            "it changes the cgroup driver from %s to %s, and Docker then cannot manage the containers that run: stop %s first"
            % (present, driver, _names(daemon.running)),
        )


def _compare(wanted, before, daemon, plan):
    """The keys that the daemon does not have as they are wanted: {key: value in effect}."""
    waiting = collections.OrderedDict()
    for key, value in wanted.items():
        old = before.get(key)
        if not _stands(key, value, before):
            plan.changes.append((key, old, value))
            plan.drift.append({"key": key, "face": FILE, "wanted": value, "found": old, "where": daemon.path})
        known, effective = _in_effect(key, old, daemon)
        if daemon.state == RUNNING and key not in daemon_keys.STALE:
            if known and not daemon_keys.same(key, effective, value):
                waiting[key] = effective
                plan.drift.append({"key": key, "face": RUNNING, "wanted": value, "found": effective, "where": "dockerd"})
            elif not known and (value is not None or old is not None):
                waiting[key] = None
                plan.unknown.add(key)
                plan.drift.append({"key": key, "face": RUNNING, "wanted": value, "found": None, "where": daemon.unsure})
        if not any(face["key"] == key for face in plan.drift):
            plan.compliant.append(key)
    return waiting


def _stands(key, value, before):
    """Whether the file has the value, be it in other words (1G, 1024M)."""
    old = before.get(key)
    return daemon_file.same(old, value) or (None not in (old, value) and daemon_keys.same(key, old, value))


def _in_effect(key, in_file, daemon):
    """(whether it is known, value) that the daemon has of the key."""
    told = {"live-restore": "LiveRestoreEnabled", "debug": "Debug", "default-runtime": "DefaultRuntime"}.get(key)
    if told and daemon.info.get(told) is not None:
        return True, daemon.info[told]
    if key in daemon.in_effect:
        return True, daemon.in_effect[key]
    return daemon.unsure is None or (daemon.reloaded and daemon_keys.reloadable(key, in_file is None)), in_file


def _steps(plan, waiting, after, daemon, restart):
    by_restart = [key for key in waiting if not daemon_keys.reloadable(key, after.get(key) is None)]
    by_reload = [key for key in waiting if key not in by_restart]
    write = [(WRITE, plan.text)] if plan.changes else []
    if by_restart and restart != NEVER:
        plan.steps = _restarted(plan, write, after, daemon, restart)
        return
    plan.pending = {key: waiting[key] for key in by_restart}
    if not by_reload:
        plan.steps = write
        return
    spelled_out = collections.OrderedDict((key, daemon_keys.default_to_reload(key)) for key in by_reload if after.get(key) is None)
    spelled_out = {key: value for key, value in spelled_out.items() if value is not None}
    if spelled_out:
        plan.steps = [(WRITE, daemon_file.changed(plan.text, spelled_out)), (RELOAD,), (WRITE, plan.text)]
    else:
        plan.steps = write + [(RELOAD,)]


def _restarted(plan, write, after, daemon, restart):
    lives = bool(daemon.info.get("LiveRestoreEnabled"))
    will_live = bool(after.get("live-restore")) or "live-restore" in daemon.options
    if not daemon.running or (lives and will_live):
        return write + [(RESTART,)]
    if will_live:
        return write + [(RELOAD,), (RESTART,)]
    if lives:
        kept = daemon_file.changed(plan.text, {"live-restore": True})
        off = daemon_file.changed(plan.text, {"live-restore": False})
        return [(WRITE, kept), (RESTART,), (WRITE, off), (RELOAD,), (WRITE, plan.text)]
    if restart == EVEN_IF_CONTAINERS_DIE:
        plan.notes.append("Docker was restarted without live-restore, which ended %s." % _names(daemon.running))
        return write + [(RESTART,)]
    plan.refused.append(
        {
            "key": "restart",
            "why": "Docker would have to be restarted, and without live-restore that ends %s: set live-restore, stop them first,"
            " or say restart=%s" % (_names(daemon.running), EVEN_IF_CONTAINERS_DIE),
        }
    )
    return []


def _names(names):
    shown = sorted(names)[:10]
    return "%s%s" % (", ".join(shown), " and %d more" % (len(names) - 10) if len(names) > 10 else "")
