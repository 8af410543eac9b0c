# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Start ansible-rulebook with rulebooks/alerts.yml: alerts run runbooks. Settings are RESPOND_* in the environment, see README.md."""

from __future__ import annotations

import fcntl
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import sys
from typing import NamedTuple

import yaml

HERE = pathlib.Path(__file__).resolve().parent
COLLECTIONS = HERE.parents[4]
LIMITED = HERE / "limited"
RULEBOOK = HERE / "rulebooks" / "alerts.yml"
# Of the database: all who share an identity share what is stored, and one of them is active.
PERSISTENCE_ID = "memops-respond"
# So many that ansible-rulebook takes every event at once; how many runbooks run at the same time is RESPOND_AT_ONCE.
MOST_WAITING = "100000"
# ansible-rulebook makes an address for H2 of the path. Without the first of these H2 says that an event is stored up to a second before
# it is in the file, and a kill in that second loses an accepted alert. The second: no file of stack traces, which each start would add to.
H2_OPTIONS = ";WRITE_DELAY=0;TRACE_LEVEL_FILE=0"


class CannotStart(Exception):
    """With the next step in its text."""


class Settings(NamedTuple):
    """RESPOND_* as it was set, or its default. Paths are absolute."""

    inventory: pathlib.Path
    runbooks: pathlib.Path
    state_dir: pathlib.Path
    report_dir: pathlib.Path
    listen: str
    port: int
    throttle: str
    run_limit: int
    at_once: int
    host_labels: list[str]
    token_file: pathlib.Path | None
    hmac_secret_file: pathlib.Path | None
    certfile: pathlib.Path | None
    keyfile: pathlib.Path | None
    cafile: pathlib.Path | None
    database_file: pathlib.Path | None


def read_settings(environment: dict[str, str], is_root: bool) -> Settings:
    """Raises CannotStart for what is missing or wrong."""

    def text(name: str, default: str = "") -> str:
        return environment.get(f"RESPOND_{name}", "").strip() or default

    def path(name: str, default: str = "") -> pathlib.Path | None:
        value = text(name, default)
        return pathlib.Path(value).expanduser().absolute() if value else None

    def number(name: str, default: int, least: int, most: int) -> int:
        value = text(name, str(default))
        if not value.isdecimal() or not least <= int(value) <= most:
            raise CannotStart(f"RESPOND_{name}={value} is no whole number from {least} to {most}")
        return int(value)

    def existing(name: str, what: str, default: str = "") -> pathlib.Path:
        value = path(name, default)
        if value is None or not value.exists():
            raise CannotStart(f"RESPOND_{name} has to name {what}" + (f"; there is no {value}" if value else ""))
        return value

    state_dir = path("STATE_DIR", "/var/lib/memops/respond" if is_root else "~/.local/state/memops")
    throttle = text("THROTTLE", "10 minutes")
    if not re.fullmatch(r"[1-9][0-9]* (second|minute|hour)s?", throttle):
        raise CannotStart(f"RESPOND_THROTTLE={throttle} is not of the form `10 minutes` (seconds, minutes, hours)")
    return Settings(
        inventory=existing("INVENTORY", "the inventory of the hosts that alerts are about"),
        runbooks=existing("RUNBOOKS", "the folder with one folder per alert that has a run.yml"),
        state_dir=state_dir,
        report_dir=path("REPORT_DIR", str(state_dir / "reports")),
        listen=text("LISTEN", "127.0.0.1"),
        port=number("PORT", 5050, 1, 65535),
        throttle=throttle,
        run_limit=number("RUN_LIMIT", 900, 1, 86400),
        at_once=number("AT_ONCE", 4, 1, 100),
        host_labels=[label for label in text("HOST_LABELS").split(",") if label],
        token_file=path("TOKEN_FILE"),
        hmac_secret_file=path("HMAC_SECRET_FILE"),
        certfile=path("CERTFILE"),
        keyfile=path("KEYFILE"),
        cafile=path("CAFILE"),
        database_file=path("DATABASE_FILE"),
    )


def programs(environment: dict[str, str]) -> tuple[str, str]:
    """ansible-rulebook and ansible-playbook, those beside this Python first. Raises CannotStart with how to install what is not there."""
    beside = str(pathlib.Path(sys.executable).parent)
    search = os.pathsep.join([beside, environment.get("PATH", os.defpath)])
    java = shutil.which("java", path=os.path.join(environment["JAVA_HOME"], "bin") if environment.get("JAVA_HOME") else search)
    if not java:
        raise CannotStart("there is no Java: install a run-time of version 17 or newer (Debian: apt-get install openjdk-17-jre-headless)")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if not version or int(version[1]) < 17:
        raise CannotStart(f"{java} is not Java 17 or newer ({told.splitlines()[0] if told else 'it says nothing'}): install one, or set JAVA_HOME")
    if not shutil.which("ansible-playbook", path=str(LIMITED)):
        raise CannotStart(f"{LIMITED}/ansible-playbook is no program that can be run (is its file system mounted noexec?): chmod +x")
    if not shutil.which("timeout", path=search):
        raise CannotStart("there is no timeout, of GNU coreutils, which ends a runbook that hangs")
    found = [shutil.which(name, path=search) for name in ("ansible-rulebook", "ansible-playbook")]
    if not found[0]:
        raise CannotStart(f"there is no ansible-rulebook: {sys.executable} -m pip install 'ansible-rulebook==1.3.2'")
    if not found[1]:
        raise CannotStart(f"there is no ansible-playbook: {sys.executable} -m pip install ansible-core")
    return found[0], found[1]


def variables(settings: Settings, database: dict[str, object]) -> dict[str, object]:
    """What rulebooks/alerts.yml asks for, and where ansible-rulebook stores events."""
    named = {f"respond_{name}": str(value) for name, value in settings._asdict().items() if value and isinstance(value, pathlib.Path | str)}
    named |= {"respond_port": settings.port, "respond_at_once": settings.at_once, "respond_host_labels": settings.host_labels}
    stored = database or {"drools_db_file_path": str(settings.state_dir / "events" / "h2") + H2_OPTIONS}
    # Another throttle or a new version of the rulebook: what is stored is run, by the new rules.
    return named | stored | {"drools_overwrite_if_rulebook_changes": True}


def read_database(file: pathlib.Path | None) -> dict[str, object]:
    """The settings of a PostgreSQL server out of a YAML file: host, port, name, user, password, sslmode, sslrootcert, sslcert, sslkey."""
    if file is None:
        return {}
    if file.stat().st_mode & 0o007:
        raise CannotStart(f"{file} holds a password and can be read by everybody: chmod o-rwx {file}")
    said = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(said, dict) or not {"host", "port", "name"} <= set(said):
        raise CannotStart(f"{file} has to give at least host, port and name of the PostgreSQL database, as YAML")
    return {f"drools_{'' if key.startswith('ssl') else 'db_'}{key}": value for key, value in said.items()}


def prepare(settings: Settings, database: dict[str, object]) -> pathlib.Path:
    """The state folder with what ansible-rulebook is started with; a token where nothing else was set that clients have to prove."""
    run = settings.state_dir / "run"
    for folder in (settings.state_dir, run, settings.state_dir / "events", settings.report_dir):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (settings.token_file or settings.hmac_secret_file or settings.cafile):
        token = settings.state_dir / "token"
        if not token.exists():
            _write(token, secrets.token_hex(32) + "\n")
        settings = settings._replace(token_file=token)
        print(f"memops: clients have to send the token in {token}", flush=True)
    rulebook = yaml.safe_load(RULEBOOK.read_text(encoding="utf-8"))
    rulebook[0]["rules"][0]["throttle"]["once_within"] = settings.throttle
    _write(run / "alerts.yml", yaml.safe_dump(rulebook, sort_keys=False))
    _write(run / "variables.yml", yaml.safe_dump(variables(settings, database)))
    _collect_inventory(settings.inventory, run / "inventory")
    return run


def _collect_inventory(inventory: pathlib.Path, folder: pathlib.Path) -> None:
    """A folder of links: ansible-rulebook copies the inventory before each run, and of a single file it would leave group_vars behind."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    if inventory.is_dir():
        sources = list(inventory.iterdir())
    else:
        sources = [inventory, *(path for path in (inventory.parent / "group_vars", inventory.parent / "host_vars") if path.is_dir())]
    for source in sources:
        (folder / source.name).symlink_to(source)


def _write(path: pathlib.Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def lock(state_dir: pathlib.Path) -> int:
    """H2 is opened without a lock of its own: two services of one folder would destroy what is stored. Held until the process ends."""
    held = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"another service works with {state_dir}: stop it, or set another RESPOND_STATE_DIR") from None
    os.set_inheritable(held, True)
    return held


def child_environment(environment: dict[str, str], settings: Settings, ansible_playbook: str) -> dict[str, str]:
    path = [str(LIMITED), str(pathlib.Path(sys.executable).parent), environment.get("PATH", os.defpath)]
    known = environment.get("ANSIBLE_COLLECTIONS_PATH", "~/.ansible/collections:/usr/share/ansible/collections")
    return {
        **environment,
        # The runbooks read these three: a run's own folder is gone after it.
        "RESPOND_INVENTORY": str(settings.inventory),
        "RESPOND_REPORT_DIR": str(settings.report_dir),
        "RESPOND_STATE_DIR": str(settings.state_dir),
        "PATH": os.pathsep.join(path),
        "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{known}",
        "ANSIBLE_NOCOLOR": "1",  # ansible-runner gives it a terminal, the service's log is none
        "MEMOPS_RUN_LIMIT": str(settings.run_limit),
        "MEMOPS_ANSIBLE_PLAYBOOK": ansible_playbook,
    }


def main() -> int:
    environment = dict(os.environ)
    try:
        settings = read_settings(environment, os.geteuid() == 0)
        rulebook, playbook = programs(environment)
        database = read_database(settings.database_file)
        run = prepare(settings, database)
        lock(settings.state_dir)
    except CannotStart as error:
        print(f"memops: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"memops: {error.filename}: {error.strerror}. RESPOND_STATE_DIR names the folder of the service", file=sys.stderr)
        return 2
    command = [rulebook, "--rulebook", str(run / "alerts.yml"), "--vars", str(run / "variables.yml"), "--inventory", str(run / "inventory")]
    command += ["--persistence-id", PERSISTENCE_ID, "--id", socket.gethostname(), "--max-concurrent-actions", MOST_WAITING, "--verbose"]
    command += ["--shutdown-delay", "10"]  # what does not end in that time is run again at the next start
    os.chdir(run)
    if database:
        from active_node import run_while_active  # psycopg is needed for several nodes alone

        return run_while_active(command, child_environment(environment, settings, playbook), database)
    os.execve(rulebook, command, child_environment(environment, settings, playbook))
    return 1


if __name__ == "__main__":
    sys.exit(main())
