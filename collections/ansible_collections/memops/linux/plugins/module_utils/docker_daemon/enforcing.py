# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of the module: read the host, decide, and change it or have it as it was."""

import collections
import json
import re

from ..changes import change_journal, host_command
from ..changes.change_journal import Change
from . import baseline_rows, container_limits, container_reading, daemon_file, daemon_plan, daemon_reading, daemon_steps
from .engine_client import ClientError

AREA = "docker_daemon"
MADE = "daemon.json"

#: settings: {key: value or None}. limits: as container_limits.decide takes them. parent: the slice that containers belong in, or None.
#: run: a change_journal.Run. The others: as the module's options.
Request = collections.namedtuple("Request", "settings limits parent service socket config_path remove_stale restart force run")
_CREDENTIALS = re.compile(r"(://)[^/@\s\"]+@")


class EnforcementError(Exception):
    """Nothing was changed, or what was changed was put back; the text says why and what to do. result: the module's, as far as it goes."""

    def __init__(self, text, result=None):
        super(EnforcementError, self).__init__(text)
        self.result = result or {}


class Decision:
    """What one call does: a DaemonPlan, a LimitPlan, the Situation they were made from, and what else to tell."""

    def __init__(self, situation, daemon, limits, left_alone=(), remove_file=False):
        self.situation, self.daemon, self.limits = situation, daemon, limits
        self.left_alone, self.remove_file = list(left_alone), remove_file

    @property
    def refused(self):
        return self.daemon.refused + self.limits.refused

    @property
    def changed(self):
        return bool(self.daemon.steps or self.limits.updates or self.remove_file)


def apply(files, request, check_mode):
    """The module's result for state=applied. Raises EnforcementError."""
    decision = decided(files, request)
    result = result_of(decision, request)
    stop_if_refused(decision, result)
    if check_mode:
        return result
    with Telling(result), files.locked(change_journal.LOCK):
        decision = decided(files, request)
        result = result_of(decision, request)
        stop_if_refused(decision, result)
        if decision.changed:
            change_journal.record(files, request.run, _changes(decision))
            carry_out(files, decision, request)
        baseline_rows.put(files, _kept(decision), decision.situation.daemon.path)
    return result


def decided(files, request, situation=None):
    """The Decision for this request. situation: where it has been read already. Raises EnforcementError."""
    try:
        situation = situation or situation_of(files, request)
        plan = daemon_plan.decide(request.settings, situation.daemon, request.restart, request.remove_stale)
        if plan.changes and not plan.refused:
            why = daemon_reading.validation(situation, plan.text)
            if why:
                plan.refused.append({"key": MADE, "why": "dockerd would not start with it: %s" % why})
    except daemon_file.DaemonFileError as error:
        raise EnforcementError("%s is not what Docker reads: %s. Nothing was changed; mend it by hand." % (situation.daemon.path, error)) from None
    except (host_command.CommandError, OSError) as error:
        raise EnforcementError(str(error)) from None
    if request.limits and situation.daemon.state != daemon_plan.RUNNING:
        limits = container_limits.LimitPlan()
        why = "Docker does not run on this host, so it has no containers to limit (%s is %s)" % (request.service, situation.daemon.state)
        limits.refused = [{"key": container_limits.key(wanted["name"]), "why": why} for wanted in request.limits]
    else:
        limits = container_limits.decide(request.limits, situation.containers, situation.host, request.force)
    return Decision(situation, plan, limits)


def situation_of(files, request):
    """The Situation of this host. Raises EnforcementError."""
    names = [limits["name"] for limits in request.limits]
    try:
        return daemon_reading.read(files, request.service, request.socket, request.config_path, names)
    except (daemon_reading.NoDockerError, host_command.CommandError, OSError, ValueError) as error:
        raise EnforcementError(str(error)) from None


def carry_out(files, decision, request):
    """Do what was decided, under the lock: all of it, or what was there is put back. Raises EnforcementError, ContainersLostError."""
    client = daemon_reading.client(files, request.socket)
    done = []
    try:
        for update in decision.limits.updates:
            done.append(update)
            _update(files, client, update, update.new, decision.situation.host)
        if decision.daemon.steps:
            daemon_steps.run(files, decision.situation, decision.daemon, request.service, request.socket)
        if decision.remove_file:
            files.remove(decision.situation.daemon.path)
    except daemon_steps.ContainersLostError:
        raise
    except (ClientError, daemon_steps.StepError, host_command.CommandError, OSError) as error:
        left = _limits_back(files, client, done, decision.situation.host)
        raise EnforcementError("%s.%s" % (str(error).rstrip("."), left)) from None


def _update(files, client, update, limits, host):
    before = container_reading.again(files, client, update.container)
    try:
        client.post("/containers/%s/update" % update.container.id, container_limits.body(limits, container_limits.current(before)))
    except ClientError as error:
        raise ClientError("container %s: %s" % (update.container.name, error)) from None
    after = container_reading.again(files, client, update.container)
    if not container_limits.holds(after, limits, host):
        raise ClientError("container %s was given its limits, but has %s" % (update.container.name, json.dumps(container_limits.current(after))))


def _limits_back(files, client, done, host):
    if not done:
        return ""
    failed = []
    for update in reversed(done):
        try:
            client.post("/containers/%s/update" % update.container.id, container_limits.body(update.old, update.new))
        except ClientError as error:
            failed.append("%s (%s)" % (update.container.name, error))
    if failed:
        return " The former limits of these could not be put back: %s." % ", ".join(failed)
    return " The containers' former limits were put back."


def _changes(decision):
    changes = []
    daemon = decision.daemon
    if daemon.changes and decision.situation.daemon.text is None:
        changes.append(Change(MADE, None, "made"))
    changes += [Change(key, old, new) for key, old, new in daemon.changes]
    for update in decision.limits.updates:
        old, new = (dict(limits, id=update.container.id) for limits in (update.old, update.new))
        changes.append(Change(container_limits.key(update.container.name), old, new))
    return changes


def _kept(decision):
    """{key: value} that holds now and was asked for."""
    kept = collections.OrderedDict(decision.daemon.wanted)
    kept.update((container_limits.key(name), memory) for name, memory in decision.limits.held.items())
    return kept


def stop_if_refused(decision, result):
    """Raises EnforcementError where anything is refused."""
    if decision.refused:
        raise EnforcementError("Refused, and nothing was changed: %s." % "; ".join("%(key)s: %(why)s" % one for one in decision.refused), result)


class Telling:
    """Turns what stops a change into an EnforcementError with the result."""

    def __init__(self, result):
        self._result = dict(result, changed=False)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _trace):
        if isinstance(error, EnforcementError):
            error.result = error.result or self._result
        elif isinstance(error, daemon_steps.ContainersLostError):
            raise EnforcementError(str(error), dict(self._result, changed=True)) from None
        elif isinstance(error, (OSError, ValueError, host_command.CommandError, ClientError)):
            raise EnforcementError(str(error), self._result) from None


def result_of(decision, request):
    """The module's result, as it is in check mode too."""
    situation, daemon, limits = decision.situation, decision.daemon, decision.limits
    notes = daemon.notes + limits.notes
    if situation.left_out:
        notes.append("%d containers that run were not looked at." % situation.left_out)
    if situation.link:
        notes.append("%s is a link; what it leads to, %s, is what is changed." % (situation.daemon.path, situation.link))
    if situation.daemon.state != daemon_plan.RUNNING and daemon.changes and daemon_plan.RESTART not in [step[0] for step in daemon.steps]:
        notes.append("Docker does not run (%s); it has this when it is started." % situation.daemon.state)
    if daemon.pending:
        notes.append("Docker has these only after a restart: %s." % ", ".join(sorted(daemon.pending)))
    changes = [] if decision.refused else [dict(change._asdict()) for change in _changes(decision) if change.key != MADE]
    found = container_limits.findings(situation.containers, situation.host, request.parent)
    return {
        "changed": decision.changed and not decision.refused,
        "diff": _diff(decision),
        "changes": changes,
        "drift": daemon.drift + limits.drift,
        "compliant": daemon.compliant + limits.compliant,
        "refused": decision.refused,
        "left_alone": decision.left_alone,
        "unsupported": limits.unsupported,
        "notes": notes,
        "restart_needed": bool(daemon.pending),
        "restart_needed_by": sorted(daemon.pending),
        "restarted": any(step[0] == daemon_plan.RESTART for step in daemon.steps) and not decision.refused,
        "reloaded": any(step[0] == daemon_plan.RELOAD for step in daemon.steps) and not decision.refused,
        "container_findings": found,
        "config_path": situation.daemon.path,
        "docker_version": situation.daemon.info.get("ServerVersion"),
    }


def _diff(decision):
    before, after = [], []
    if not decision.refused:
        daemon = decision.situation.daemon
        if decision.daemon.changes or decision.remove_file:
            header = "# %s\n" % daemon.path
            before.append(header + (_lines(daemon.text) if daemon.text is not None else ""))
            after.append(header + ("" if decision.remove_file else _lines(decision.daemon.text)))
        running = [face for face in decision.daemon.drift if face["face"] == daemon_plan.RUNNING and face["key"] not in decision.daemon.pending]
        if running:
            before.append("# running\n" + "".join("%s: %s\n" % (face["key"], json.dumps(face["found"])) for face in running))
            after.append("# running\n" + "".join("%s: %s\n" % (face["key"], json.dumps(face["wanted"])) for face in running))
        for update in decision.limits.updates:
            for parts, limits in ((before, update.old), (after, update.new)):
                parts.append("# container %s\n%s\n" % (update.container.name, json.dumps(limits, sort_keys=True)))
    return {"before": "".join(before), "after": "".join(after)}


def _lines(text):
    text = _CREDENTIALS.sub(r"\1***@", text)
    return text if not text or text.endswith("\n") else text + "\n"
