# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host in a folder with a Docker that answers on its socket, as far as the module speaks to it, for the tests of docker_daemon."""

import http.server
import json
import socketserver
import threading
import time
import urllib.parse

from ansible_collections.memops.linux.plugins.module_utils.changes import host_command
from ansible_collections.memops.linux.plugins.module_utils.changes.host_command import Answer

KNOWN = {"live-restore", "default-shm-size", "cgroup-parent", "log-opts", "debug", "shutdown-timeout"}
RELOADED = {"live-restore", "default-shm-size", "debug", "shutdown-timeout"}
MIB = 1 << 20


class Killed(BaseException):
    """The module's process is gone."""


class DockerHost:
    """calls: what systemctl was asked for. effect: the settings that dockerd has. die_at: the count of writes and calls at which all ends."""

    def __init__(self, folder):
        self.folder, self.path = folder, "/etc/docker/daemon.json"
        self.calls, self.effect, self.containers, self.events = [], {}, {}, []
        self.active, self.pid, self.validates, self.refuses_start, self.deaf = True, 100, True, False, False
        self.socket = str(folder / "docker.sock")
        self.put("/proc/meminfo", "MemTotal: 1048576 kB\nSwapTotal: 0 kB\n")
        self.put("/proc/stat", "btime %d\n" % (time.time() - 1000))
        self.put("/proc/sys/kernel/random/boot_id", "boot\n")
        self.put("/sys/fs/cgroup/cgroup.controllers", "memory\n")
        self._begin()

    def put(self, path, text):
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def text(self):
        target = self.folder / self.path.lstrip("/")
        return target.read_text() if target.exists() else None

    def add(self, name, memory=0, swap=0, used=MIB):
        pid = 1000 + len(self.containers)
        ident = "%064x" % pid
        self.containers[name] = {"Id": ident, "Pid": pid, "Memory": memory, "MemorySwap": swap}
        self.put("/proc/%d/cgroup" % pid, "0::/system.slice/docker-%s.scope\n" % ident)
        self.put("/sys/fs/cgroup/system.slice/docker-%s.scope/memory.current" % ident, str(used))
        self.put("/sys/fs/cgroup/system.slice/docker-%s.scope/memory.stat" % ident, "anon %d\n" % used)
        self._limit(name)

    def ask(self, argv, timeout_seconds=60):
        if "--validate" in argv:
            if not self.validates:
                return Answer(125, "", "unknown flag: --validate\nSee 'dockerd --help'.\n")
            with open(argv[-1]) as stream:
                unknown = set(json.loads(stream.read() or "{}")) - KNOWN
            return Answer(1, "", "unable to configure: %s" % unknown) if unknown else Answer(0, "configuration OK", "")
        if argv[0] == "journalctl":
            return Answer(0, "level=error msg=because\n", "")
        self.calls.append(argv[1])
        return {"show": self._show, "reload": self._reload, "restart": self._restart, "reset-failed": lambda: Answer(0, "", "")}[argv[1]]()

    def do(self, argv, timeout_seconds=60):
        answer = self.ask(argv)
        if answer.status:
            raise host_command.CommandError("%s failed" % argv[1])
        return answer.output

    def steps(self):
        return [call for call in self.calls if call != "show"]

    def _show(self):
        unit = {
            "LoadState": "loaded",
            "ActiveState": "active" if self.active else "inactive",
            "MainPID": str(self.pid if self.active else 0),
            "ExecStart": "{ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS ; ignore_errors=no ; start_time=[n/a] }",
            "EnvironmentFiles": "/etc/default/docker (ignore_errors=yes)",
        }
        return Answer(0, "".join("%s=%s\n" % item for item in unit.items()), "")

    def _settings(self):
        return json.loads(self.text() or "{}")

    def _reload(self):
        if not self.deaf:
            self.effect.update((key, value) for key, value in self._settings().items() if key in RELOADED)
            self.events.append({"Action": "reload", "time": time.time()})
        return Answer(0, "", "")

    def _restart(self):
        settings = self._settings()
        if set(settings) - KNOWN or (self.refuses_start and "cgroup-parent" in settings):
            self.active = False
            return Answer(1, "", "Job for docker.service failed")
        if not (self.effect.get("live-restore") and settings.get("live-restore")):
            for container in self.containers.values():
                container["Pid"] = 0
        self.effect = settings
        self._begin()
        return Answer(0, "", "")

    def _begin(self):
        self.active, self.pid = True, self.pid + 1
        ticks = 100 * 1000  # 1000 s after boot, which is now
        self.put("/proc/%d/stat" % self.pid, "%d (dockerd) S %s %d 0\n" % (self.pid, " ".join(["0"] * 18), ticks))
        self.put("/proc/%d/cmdline" % self.pid, "/usr/sbin/dockerd\0-H\0fd://\0")

    def _limit(self, name):
        container = self.containers[name]
        limit = container["Memory"]
        path = "/sys/fs/cgroup/system.slice/docker-%s.scope/memory.max" % container["Id"]
        self.put(path, "%d\n" % limit if 0 < limit < 1 << 60 else "max\n")

    def answer(self, target, body):
        """(status, value or list of values for a stream)."""
        path, _mark, _query = target.partition("?")
        if path == "/info":
            return 200, {"LiveRestoreEnabled": bool(self.effect.get("live-restore")), "CgroupDriver": "systemd", "SwapLimit": True, "Debug": False}
        if path == "/events":
            return 200, [event for event in self.events if event["time"] >= float(urllib.parse.parse_qs(target.partition("?")[2])["since"][0])]
        if path == "/containers/json":
            return 200, {"list": [{"Id": one["Id"]} for one in self.containers.values() if one["Pid"]]}
        name = urllib.parse.unquote(path.split("/")[2])
        found = [(key, one) for key, one in self.containers.items() if name in (key, one["Id"])]
        if not found:
            return 404, {"message": "No such container"}
        name, container = found[0]
        if path.endswith("/update"):
            if body["Memory"] < 6 * MIB:
                return 400, {"message": "Minimum memory limit allowed is 6MB"}
            container.update(Memory=body["Memory"], MemorySwap=body["MemorySwap"])
            self._limit(name)
            return 200, {"Warnings": None}
        state = {"Running": bool(container["Pid"]), "Pid": container["Pid"], "StartedAt": "t"}
        config = {"Memory": container["Memory"], "MemorySwap": container["MemorySwap"]}
        return 200, {"Id": container["Id"], "Name": "/" + name, "State": state, "HostConfig": config}

    def serve(self):
        """Listen; the server, to be shut down."""
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self._reply(None)

            def do_POST(self):
                self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"])).decode()))

            def _reply(self, body):
                status, value = host.answer(self.path, body)
                lines = value if isinstance(value, list) else [value.get("list", value)]
                data = "\n".join(json.dumps(line) for line in lines).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_words):
                pass

            def address_string(self):
                return "socket"

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        server = Server(self.socket, Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server
