# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Of several nodes with one PostgreSQL server, one runs at a time: the one that holds an advisory lock there.

ansible-rulebook makes each process that starts the leader; two at the same time would both run what is stored.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import psycopg

LOCK = 0x6D656D6F7073  # "memops"
EVERY_SECONDS = 2
# A node without its server ends after at most EVERY + NOTICED + ENDED seconds; the server gives the lock on after GIVEN_ON, later than that.
NOTICED_SECONDS = 6
ENDED_SECONDS = 5
GIVEN_ON = "-c tcp_keepalives_idle=12 -c tcp_keepalives_interval=4 -c tcp_keepalives_count=3"


def run_while_active(command: Sequence[str], environment: Mapping[str, str], database: Mapping[str, object]) -> int:
    """Wait for the lock, run the command, end it when the lock may be lost. Gives the command's status, or 1: start it again."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    waits = False
    while True:
        try:
            connection = _connect(database)
            if connection.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone()[0]:
                return _run(command, environment, connection)
            connection.close()
            state = "waits: another node is active"
        except psycopg.Error as error:
            state = f"waits: the database cannot be reached: {error}"
        if not waits or "reached" in state:
            print(f"memops: {state}", flush=True)
        waits = True
        time.sleep(EVERY_SECONDS)


def _connect(database: Mapping[str, object]) -> psycopg.Connection:
    names = {"drools_db_host": "host", "drools_db_port": "port", "drools_db_name": "dbname", "drools_db_user": "user", "drools_db_password": "password"}
    names |= {f"drools_{name}": name for name in ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword")}
    said = {name: database[key] for key, name in names.items() if key in database}
    return psycopg.connect(
        **said, autocommit=True, connect_timeout=NOTICED_SECONDS, tcp_user_timeout=NOTICED_SECONDS * 1000, options=GIVEN_ON, application_name="memops-respond"
    )


def _run(command: Sequence[str], environment: Mapping[str, str], connection: psycopg.Connection) -> int:
    print("memops: this node is active", flush=True)
    child = subprocess.Popen(command, env=dict(environment), preexec_fn=_die_with_parent)
    try:
        while True:
            try:
                return child.wait(EVERY_SECONDS)
            except subprocess.TimeoutExpired:
                connection.execute("select 1")
    except psycopg.Error as error:
        print(f"memops: the database is lost, another node may be active now: {error}", flush=True)
        return 1
    finally:
        _end(child)


def _die_with_parent() -> None:
    """Who is killed loses the lock, and the command must not go on without it."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _end(child: subprocess.Popen) -> None:
    child.terminate()
    try:
        child.wait(ENDED_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
