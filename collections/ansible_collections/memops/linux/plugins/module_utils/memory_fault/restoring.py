# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Undo what a fault did. Each change is noted before it is made, so that a fault that was killed leaves nothing behind.

Run as a program it undoes all: systemd does that when the fault's unit ends, however it ends.
"""

import json
import os
import shutil
import signal
import subprocess
import time

from . import places

#: What a diagnosis still wants to see after the event.
EVIDENCE = ("container", "image", "folder")
#: Writing one of these sets the other to 0, and 0 cannot be written back.
PARTNER = {"vm.overcommit_kbytes": "vm.overcommit_ratio"}


def note(verb, **what):
    """Write down how to undo what is about to be done."""
    with open(places.JOURNAL, "a") as journal:
        journal.write(json.dumps([verb, what]) + "\n")


def notes():
    """What is noted, [(verb, {argument: value})], oldest first."""
    found = []
    for line in (places.read(places.JOURNAL) or "").splitlines():
        try:
            found.append(tuple(json.loads(line)))
        except ValueError:
            pass  # cut off: what it was to announce never began
    return found


def restore(keep=()):
    """Undo all, newest first, but the verbs of ``keep``. Gives what did not work, as sentences."""
    failed, kept = [], []
    for verb, what in reversed(notes()):
        if verb in keep:
            kept.insert(0, (verb, what))
            continue
        try:
            _UNDO[verb](**what)
        except (OSError, subprocess.SubprocessError) as error:
            kept.insert(0, (verb, what))
            failed.append("%s of %s could not be undone: %s" % (verb, ", ".join(str(value) for value in what.values()), error))
    if kept:
        places.write(places.JOURNAL + ".new", "".join(json.dumps(one) + "\n" for one in kept))
        os.rename(places.JOURNAL + ".new", places.JOURNAL)
    elif os.path.exists(places.JOURNAL):
        os.unlink(places.JOURNAL)
    return failed


def _sysctl(name, value, partner_value=None):
    if name in PARTNER and value == "0":
        name, value = PARTNER[name], partner_value
    places.write(places.sysctl_path(name), value)


def _swap(path):
    if any(line.split()[0] == path for line in (places.read("/proc/swaps") or "").splitlines()):
        _command("swapoff", path)
    _file(path)


def _file(path):
    if os.path.exists(path):
        os.unlink(path)


def _folder(path):
    if os.path.isdir(path):
        shutil.rmtree(path)


def _mount(path):
    if os.path.ismount(path):
        _command("umount", path)
    if os.path.isdir(path):
        os.rmdir(path)


def _remount(path, option):
    _command("mount", "-o", "remount,%s" % option, path)


def _unit(unit):
    _command("systemctl", "stop", unit)


def _container(name):
    _command("docker", "rm", "--force", "--volumes", name, accept="No such container")


def _image(name):
    _command("docker", "image", "rm", "--force", name, accept="No such image")


def _cgroup(path, remove):
    """Kill all that is in it; by hand, for on a host without memory no program starts."""
    for _attempt in range(100):
        members = (places.read(path + "/cgroup.procs") or "").split()
        for pid in members:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass
        if not members:
            break
        time.sleep(0.1)
    if remove and os.path.isdir(path):
        for _attempt in range(50):
            try:
                os.rmdir(path)
                return
            except OSError:
                time.sleep(0.1)
        os.rmdir(path)


def _process(pid, started):
    if start_time(pid) == started:
        os.kill(pid, signal.SIGKILL)


def start_time(pid):
    """In clock ticks since boot: with the pid it names one process. None where it is gone."""
    stat = places.read("/proc/%d/stat" % pid)
    return int(stat.rpartition(")")[2].split()[19]) if stat else None


def _command(*words, **options):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    said = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode and not (options.get("accept") and options["accept"] in said):
        raise OSError("%s: %s" % (" ".join(words), said))


_UNDO = {
    "sysctl": _sysctl,
    "swap": _swap,
    "file": _file,
    "folder": _folder,
    "mount": _mount,
    "remount": _remount,
    "unit": _unit,
    "container": _container,
    "image": _image,
    "cgroup": _cgroup,
    "process": _process,
}


def main():
    state = places.load_state()
    if not notes() or state is None:
        return  # all is done, and whoever asked for it may be removing our folder
    failed = restore()
    state["not_restored"] = failed
    if state.get("phase") not in ("failed", "ended"):
        state["phase"] = "ended"
    state["cleaned"] = not failed
    places.save_state(state)


if __name__ == "__main__":
    main()
