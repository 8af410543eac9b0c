# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carry out a decision, all or nothing: files, systemd's own memory of them, the running kernel."""

import collections
import os

from ..changes import host_command
from . import daemons, deciding, host_units, unit_files
from .settings import in_kernel, same, shown_value, to_kernel, value


class ApplyError(Exception):
    """It could not be done; the text says what failed, and whether all is as it was."""


def carry_out(files, commands, about, decision):
    """Do it, and look whether it has come about. Raises ApplyError when it has not, and then has put back what was there."""
    texts = deciding.texts_of(decision)
    done = []
    try:
        for path, (_old, new) in texts.items():
            done.append(path)
            _put(files, path, new)
        _reload(files, commands, about, decision, texts)
        for name in decision.idle:
            commands.do(["systemctl", "start", "--", name])
        _set_running(files, commands, about, decision.steps)
        _switch(files, commands, about, decision.file_steps, decision.switches)
        wrong = _wrong(files, commands, about, decision.steps) + daemons.wrong(commands, decision.switches)
        if wrong:
            raise ApplyError("%s did not come about" % "; ".join(wrong))
    except (OSError, ValueError, ApplyError, host_command.CommandError, host_units.UnitError) as error:
        raise ApplyError("%s. %s" % (error, _restored(files, commands, about, decision, {path: texts[path][0] for path in done}))) from None


def _put(files, path, text):
    if text is None:
        files.remove(path)
        _drop_folder(files, os.path.dirname(path))
    else:
        files.write(path, text)


def _drop_folder(files, folder):
    if folder.endswith(".d"):
        try:
            os.rmdir(files.path(folder))
        except OSError:
            pass  # there are other drop-ins in it


def _reload(files, commands, about, decision, texts):
    """systemd reads its files again, which also sets what it finds changed in the cgroups; only where that is needed."""
    stale = any(drift["face"] == "manager" for drift in decision.drift)
    if texts or stale:
        kept = _set_by_others(files, about)
        commands.do(["systemctl", "daemon-reload"], 180)
        _give_back(files, kept)


def _switch(files, commands, about, file_steps, switches):
    if file_steps or switches:
        kept = _set_by_others(files, about)
        daemons.carry_out(files, commands, file_steps, switches)
        _give_back(files, kept)


def _set_by_others(files, about):
    """Limits of swap that container engines wrote past systemd, which a reload would set to what systemd thinks (moby#51446): {path: text}."""
    if about.cgroup != 2:
        return {}
    kept = {}
    for folder, _folders, names in os.walk(files.path(host_units.ROOT)):
        base = os.path.basename(folder)
        if base.endswith(".scope") and base.startswith(("docker-", "libpod-", "cri-containerd-", "crio-")) and "memory.swap.max" in names:
            path = folder[len(files.path("")) :] + "/memory.swap.max"
            kept[path] = files.read(path)
    return kept


def _give_back(files, kept):
    for path, text in kept.items():
        try:
            if files.read(path) not in (text, None):
                files.write_in_place(path, text)
        except OSError:
            pass  # the container ended meanwhile


def _by_unit(steps):
    several = collections.OrderedDict()
    for step in steps:
        several.setdefault(step.unit.name, []).append(step)
    return several


def _target(step, unit, about):
    """What is to run, of a Unit read after the reload; None where nothing can be said."""
    if step.running != deciding.FOLLOW:
        return step.running
    shown = shown_value(step.property, unit.shown.get(step.property, ""))
    if shown is None or step.property == "OOMScoreAdjust":
        return shown
    return in_kernel(step.property, shown, about.memory)


def _set_running(files, commands, about, steps):
    """Set what a reload leaves: scores of processes that run already, and what somebody wrote into a cgroup by hand."""
    fresh = host_units.units(files, commands, about, list(_by_unit(steps)))
    for name, several in _by_unit(steps).items():
        unit = fresh[name]
        for step in several:
            target = _target(step, unit, about)
            if target is None:
                continue
            if step.property == "OOMScoreAdjust":
                _score(files, unit, step.found, target)
            elif step.property in unit.kernel and unit.kernel[step.property] != target:
                files.write_in_place(host_units.kernel_file(about, unit.group, step.property), to_kernel(target, about.cgroup))


def _score(files, unit, former, target):
    """All processes that have what the main one had; those that chose their own keep it. The main one last: it tells a later run what was there."""
    if not unit.processes:
        return
    former = next(iter(unit.processes.values())) if former is None else former
    for pid, score in reversed(list(unit.processes.items())):
        if score == former and score != target:
            try:
                files.write_in_place("/proc/%d/oom_score_adj" % pid, str(target))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile


def _wrong(files, commands, about, steps):
    """What is not as it should be, as sentences."""
    fresh = host_units.units(files, commands, about, list(_by_unit(steps)))
    wrong = []
    for step in steps:
        unit = fresh[step.unit.name]
        key = deciding.key_of(unit.name, step.property)
        if step.text is not None and unit.ours.get(step.property) != step.text:
            wrong.append("%s in %s" % (key, unit_files.drop_in(unit.name)))
        elif step.text is not None and not same(
            step.property, shown_value(step.property, unit.shown.get(step.property, "")), value(step.property, step.text, about.memory), about.memory
        ):
            wrong.append("%s (systemd has %s, not %s)" % (key, unit.shown.get(step.property), step.text))
        target = _target(step, unit, about)
        has = next(iter(unit.processes.values()), None) if step.property == "OOMScoreAdjust" else unit.kernel.get(step.property)
        if target is not None and has is not None and has != target:
            wrong.append("%s (it is %s, not %s)" % (key, has, target))
    return wrong


def _restored(files, commands, about, decision, texts):
    """Put back what was there; the sentence that tells of it."""
    failed = []
    try:
        _switch(files, commands, about, *daemons.back(decision.file_steps, decision.switches))
    except (OSError, ValueError, host_command.CommandError) as error:
        failed.append(str(error))
    for path, text in reversed(list(texts.items())):
        try:
            _put(files, path, text)
        except OSError as error:
            failed.append("%s: %s" % (path, error))
    try:
        if texts:
            kept = _set_by_others(files, about)
            commands.do(["systemctl", "daemon-reload"], 180)
            _give_back(files, kept)
        back = [step._replace(running=step.found, found=deciding.expected(step, about)) for step in decision.steps if step.found is not None]
        _set_running(files, commands, about, back)
    except (OSError, ValueError, host_command.CommandError, host_units.UnitError) as error:
        failed.append(str(error))
    if failed:
        return "Not all could be put back: %s" % "; ".join(failed)
    return "What was there before is there again"
