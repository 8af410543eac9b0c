"""A PostgreSQL server of Debian's, with a folder of its own, on loopback."""

from __future__ import annotations

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest
from eda.service import free_port


class Postgres:
    """A database `respond` and its owner `memops`; the server refuses to be root, so it runs as nobody then."""

    def __init__(self) -> None:
        programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        if not programs:
            pytest.fail("there is no PostgreSQL here: `make respond-tests-setup` installs it, as root, by apt-get")
        self._programs, self.port, self.password = programs[-1], free_port(), "of this test alone"
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="memops-postgres-"))
        secret = self._folder / "password"
        secret.write_text(self.password)
        self._user = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for path in (self._folder, secret):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        self._run("initdb", "--username=memops", f"--pwfile={secret}", "--auth=scram-sha-256", "--no-sync", "--locale=C", "--encoding=UTF8")
        self.start()
        self._run("createdb", "--host=127.0.0.1", f"--port={self.port}", "--username=memops", "respond")

    def _run(self, program: str, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "PGDATA": str(self._folder / "data"), "PGPASSWORD": self.password, "LC_ALL": "C"}
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, env=environment, cwd=self._folder, check=True, stdout=subprocess.DEVNULL, timeout=120, **self._user)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "start", "--wait", f"--log={self._folder / 'log'}", f"--options={options}")

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def end(self) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self._folder)
