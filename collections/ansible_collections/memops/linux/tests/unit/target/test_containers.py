# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The section ``containers``: recorded answers of Docker served over a real unix socket, and engines that misbehave."""

import collections
import http.server
import json
import os
import pathlib
import shutil
import socket
import socketserver
import tempfile
import threading
import time

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import containers, engine, engine_answers, engine_socket
from ansible_collections.memops.linux.plugins.module_utils.host.engine_socket import EngineError, EngineSocket, StatusError

HOST = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hosts" / "linux-6.1-docker-api"
REQUEST = collections.namedtuple("Request", "now since budget_bytes page_bytes")(0, 0, 1 << 20, 4096)
WORKER = "1a2cf321dfbb9cf13bef24fc9230696d1712630dd1686d34da942a2caaa9b9f9"
WEB = "7f2f51385702fdf91ea3cc9f425ecae97107de130e45b97a9b39e4977e86b19c"
POD = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0f4d5c3a_7c2e_4f0e_9d6a_0123456789ab.slice/cri-containerd-%s.scope" % ("ab" * 32)


def recorded(name):
    return json.loads((HOST / "docker" / (name + ".json")).read_text())


def recorded_answers():
    answers = {"/version": recorded("version"), "/info": recorded("info")}
    listed = recorded("containers")
    for target in engine._LISTS:
        answers[target] = listed
    answers[engine._LISTS[1]] = [item for item in listed if item["State"] == "running"]
    for item in listed:
        answers["/containers/%s/json" % item["Id"]] = recorded("container-" + item["Names"][0][1:])
    return answers


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hangs up is what is tested."""


class Host:
    """A tree for ``/`` with engines behind its sockets."""

    def __init__(self, root):
        self.root = root
        self.asked = []
        self.servers = []
        self.reader = Reader(root)
        self.write("proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as handle:
            handle.write(text)

    def group(self, path):
        os.makedirs(self.root + "/sys/fs/cgroup" + path)

    def serve(self, path, handler):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        server = Server(self.root + path, handler)
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def engine(self, path, answers, chunked=False, keep_alive=True):
        """An engine that gives these answers; an answer that is an int is a status."""
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                asked.append(self.path)
                answer = answers.get(self.path, 404)
                body = json.dumps({"message": "no"} if isinstance(answer, int) else answer).encode()
                self.send_response(answer if isinstance(answer, int) else 200)
                if not keep_alive:
                    self.send_header("Connection", "close")
                if chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                    body = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (7, body[:7], len(body) - 7, body[7:])
                else:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self):
                return "unix"

            def log_message(self, *_arguments):
                pass

        self.serve(path, Handler)

    def raw(self, path, act):
        """An engine that does ``act(connection)`` with each connection."""

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                act(self.request)

        self.serve(path, Handler)

    def collect(self):
        return containers.collect(self.reader, REQUEST)

    def why(self, source):
        return [note["why"] for note in self.reader.unreadable if note["source"] == source]


@pytest.fixture
def host():
    # Not tmp_path: the path of a unix socket has at most 107 bytes.
    root = tempfile.mkdtemp(prefix="eng", dir="/tmp")
    made = Host(root)
    yield made
    for server in made.servers:
        server.shutdown()
        server.server_close()
    shutil.rmtree(root)


@pytest.mark.parametrize("chunked, keep_alive", [(False, True), (True, True), (False, False)])
def test_recorded_docker_gives_killed_containers_first_then_running_ones(host, chunked, keep_alive):
    host.engine("/run/docker.sock", recorded_answers(), chunked, keep_alive)
    for pid in ("538", "605"):
        host.write("proc/%s/cgroup" % pid, (HOST / "proc" / pid / "cgroup").read_text())
    section = host.collect()
    assert [(item["name"], item["state"], item["exit_code"]) for item in section["containers"]] == [
        ("shop-worker", "exited", 137),
        ("shop-old", "exited", 137),
        ("shop-cache", "running", None),
        ("shop-web", "running", None),
    ]
    assert section["containers"][0] == {
        "engine": "docker",
        "socket": "/run/docker.sock",
        "id": WORKER,
        "name": "shop-worker",
        "image": "shop:1",
        "state": "exited",
        "status_text": "Exited (137) 7 seconds ago",
        "exit_code": 137,
        "oom_killed": False,
        "restarts": 0,
        "started_at": "2026-11-22T22:39:09.173Z",
        "finished_at": "2026-11-22T22:39:11.624Z",
        "pid": None,
        "memory_limit_bytes": 64 << 20,
        "memory_swap_limit_bytes": 128 << 20,
        "memory_reservation_bytes": None,
        "oom_kill_disabled": None,
        "shm_bytes": 64 << 20,
        "oom_score_adj": 0,
        "pids_limit": None,
        "cgroup_parent": None,
        "cgroup": None,
        "labels": {},
    }
    web = section["containers"][3]
    assert (web["memory_limit_bytes"], web["memory_swap_limit_bytes"], web["finished_at"]) == ("max", "max", None)
    assert web["cgroup"] == "/system.slice/docker-%s.scope" % WEB
    assert section["engines"] == [
        {
            "engine": "docker",
            "socket": "/run/docker.sock",
            "version": "20.10.24+dfsg1",
            "api_version": "1.41",
            "settings": {
                "cgroup_driver": "systemd",
                "cgroup_version": 2,
                "storage_driver": "overlay2",
                "memory_limit_support": True,
                "swap_limit_support": True,
                "live_restore": False,
                "default_runtime": "runc",
                "daemon_config": None,
            },
        }
    ]
    assert host.reader.unreadable == []


def test_neither_environment_nor_command_line_of_a_container_is_kept():
    inspected = recorded("container-shop-worker")
    inspected["Config"]["Env"] = ["TOKEN=hunter2"]
    inspected["Config"]["Labels"] = {"team": "shop", "io.kubernetes.pod.name": "web-0", "com.docker.compose.service": "web"}
    found = engine_answers.container("docker", inspected, {"Command": "/bin/sh -c x", "Status": "Up"})
    assert "hunter2" not in json.dumps(found) and "/bin/sh" not in json.dumps(found)
    assert found["labels"] == {"io.kubernetes.pod.name": "web-0", "com.docker.compose.service": "web"}


def test_values_of_any_other_type_are_unknown_and_never_raise():
    assert engine_answers.container("docker", [], None) is None
    for odd in (None, 5, -5, 1.5, "x", [], {}, [1], True, "\ud800" * 400, "0001-01-01T00:00:00Z", "9999-99-99T99:99:99Z"):
        parts = ("State", "HostConfig", "Config")
        names = ("Status", "ExitCode", "StartedAt", "Pid", "Memory", "MemorySwap", "PidsLimit", "Image", "Labels", "OOMKilled")
        inspected = dict({part: dict.fromkeys(names, odd) for part in parts}, Id="x", Name=odd, RestartCount=odd)
        found = engine_answers.container("docker", inspected, odd)
        assert found["started_at"] is None
        json.dumps(found, ensure_ascii=False).encode("utf-8")
        engine_answers.settings(odd)
        engine_answers.engine(odd, "docker")
        engine_answers.daemon_config(odd)


@pytest.mark.parametrize(
    "text, utc",
    [
        ("2026-11-22T22:39:11.62485699Z", "2026-11-22T22:39:11.624Z"),
        ("2026-11-22T23:39:11.5+01:00", "2026-11-22T22:39:11.500Z"),
        ("2026-11-22T17:09:11-05:30", "2026-11-22T22:39:11.000Z"),
        ("0001-01-01T00:00:00Z", None),
        ("-62135596800", None),
    ],
)
def test_engine_times_are_utc_and_gos_zero_time_is_unknown(text, utc):
    assert engine_answers.utc(text) == utc


def test_podman_behind_dockers_socket_is_podman(host):
    answers = recorded_answers()
    answers["/version"] = {"Version": "4.9.3", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}
    host.engine("/run/podman/podman.sock", answers)
    os.symlink("podman/podman.sock", host.root + "/run/docker.sock")
    section = host.collect()
    assert [(engine["engine"], engine["socket"]) for engine in section["engines"]] == [("podman", "/run/podman/podman.sock")]
    assert {item["engine"] for item in section["containers"]} == {"podman"}


def test_what_is_not_asked_for_is_counted(host, monkeypatch):
    monkeypatch.setattr(engine, "INSPECTED", 2)
    host.engine("/run/docker.sock", dict(recorded_answers()))
    section = host.collect()
    assert len(section["containers"]) == 2
    assert host.why("containers of /run/docker.sock") == ["2 of them were not asked for"]


def test_a_container_removed_meanwhile_and_a_filter_unknown_to_the_engine_cost_nothing_else(host):
    answers = recorded_answers()
    answers["/containers/%s/json" % WORKER] = 404
    answers[engine._LISTS[0]] = 400
    host.engine("/run/docker.sock", answers)
    assert [item["name"] for item in host.collect()["containers"]] == ["shop-old", "shop-cache", "shop-web"]


def test_an_id_that_would_change_the_request_is_never_sent(host):
    answers = recorded_answers()
    answers[engine._LISTS[1]] = [{"Id": "../../secrets?x="}, {"Id": "a b\r\nX: y"}, {"Id": 5}, {}, None]
    host.engine("/run/docker.sock", answers)
    assert len(host.collect()["containers"]) == 4
    assert len([target for target in host.asked if "secrets" in target]) == 0


def test_daemon_json_gives_the_keys_that_touch_memory_and_invalid_json_is_noted(host):
    host.engine("/run/docker.sock", recorded_answers())
    host.write("etc/docker/daemon.json", '{"cgroup-parent": "containers.slice", "oom-score-adjust": -500, "log-opts": {"x": "y"}}')
    assert host.collect()["engines"][0]["settings"]["daemon_config"] == {"cgroup-parent": "containers.slice", "oom-score-adjust": -500}
    host.write("etc/docker/daemon.json", "{,}")
    assert host.collect()["engines"][0]["settings"]["daemon_config"] is None
    assert host.why("/etc/docker/daemon.json") == ["is not valid JSON"]


def test_a_docker_that_does_not_run_is_not_started_by_asking(host):
    host.engine("/run/docker.sock", recorded_answers())
    host.group("/system.slice/docker.socket")
    assert host.collect()["engines"] == [] and host.asked == []
    assert "would start it" in host.why("/run/docker.sock")[0]
    host.group("/system.slice/docker.service")
    assert len(host.collect()["engines"]) == 1


def test_podmans_service_is_started_only_on_a_host_with_memory_to_spare(host):
    host.engine("/run/podman/podman.sock", recorded_answers())
    host.group("/system.slice/ssh.service")
    host.write("proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable:   100000 kB\n")
    assert host.collect()["engines"] == [] and host.asked == []
    host.write("proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable:   900000 kB\n")
    assert len(host.collect()["engines"]) == 1


def test_containers_of_kubernetes_are_found_by_their_cgroups_alone(host):
    host.group(POD)
    host.group("/system.slice/docker-%s.scope/init.scope" % WEB)
    host.group("/machine.slice/libpod-conmon-%s.scope" % ("cd" * 32))
    host.group("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-%s.scope" % ("ef" * 32))
    host.engine("/run/docker.sock", recorded_answers())
    host.group("/system.slice/docker.service")
    section = host.collect()
    assert section["cgroup_only"] == [
        {"container_id": "ab" * 32, "runtime": "containerd", "pod_uid": "0f4d5c3a-7c2e-4f0e-9d6a-0123456789ab", "cgroup": POD},
        {
            "container_id": "ef" * 32,
            "runtime": "podman",
            "pod_uid": None,
            "cgroup": "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-%s.scope" % ("ef" * 32),
        },
    ]
    assert [item["cgroup"] for item in section["containers"] if item["id"] == WEB] == ["/system.slice/docker-%s.scope" % WEB]


def test_a_users_engine_cannot_speak_of_another_users_containers(host):
    host.group("/system.slice/docker-%s.scope" % WEB)
    host.engine("/run/user/1000/docker.sock", recorded_answers())
    section = host.collect()
    assert WEB not in [item["id"] for item in section["containers"]]
    assert [item["container_id"] for item in section["cgroup_only"]] == [WEB]


def test_what_two_engines_name_is_told_once_by_the_hosts_own(host):
    host.engine("/run/user/1000/docker.sock", recorded_answers())
    host.engine("/run/docker.sock", recorded_answers())
    section = host.collect()
    assert len(section["engines"]) == 2
    assert [item["socket"] for item in section["containers"]] == ["/run/docker.sock"] * 4


def silent(connection):
    connection.recv(65536)
    time.sleep(5)


def dripping(connection):
    connection.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


def garbage(connection):
    connection.recv(65536)
    connection.sendall(bytes(range(256)) * 300)


def endless(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n[")
    while True:
        connection.sendall(b"1," * 32768)


def endless_headers(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n" * 10000)


def answering(body, length=None):
    def act(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (length or len(body), body))

    return act


@pytest.mark.parametrize(
    "act, why",
    [
        (silent, "did not answer in time"),
        (dripping, "did not answer in time"),
        (garbage, "gave an answer that cannot be read"),
        (endless, "gave a longer answer than 4194304 bytes"),
        (endless_headers, "gave an answer that cannot be read"),
        (answering(b"[" * 200000), "gave an answer that cannot be read"),
        (answering(b"{}", 1 << 62), "broke off its answer"),
        (answering(b"\xff\xfe"), "gave an answer that cannot be read"),
        (lambda connection: connection.recv(65536), "Remote end closed connection without response"),
    ],
    ids=["silent", "dripping", "garbage", "endless", "endless headers", "deep", "short", "not text", "hangs up"],
)
def test_an_engine_that_misbehaves_is_noted_and_costs_no_more_than_a_request_may(host, monkeypatch, act, why):
    monkeypatch.setattr(engine_socket, "REQUEST_SECONDS", 0.5)
    host.raw("/run/docker.sock", act)
    started = time.monotonic()
    section = host.collect()
    assert time.monotonic() - started < 2
    assert section["containers"] == [] and section["engines"][0]["version"] is None
    assert host.why("/run/docker.sock") == [why]


def test_a_number_of_a_million_digits_is_read_as_unknown_at_once(host):
    host.raw("/run/docker.sock", answering(b'{"Version": %s}' % (b"9" * 1000000)))
    client = EngineSocket(host.reader, "/run/docker.sock", time.monotonic() + 3)
    assert client.get("/version") == {"Version": None}
    client.close()


def test_a_waiting_client_announces_itself_so_that_the_watch_does_not_take_it_for_hung(host, monkeypatch):
    monkeypatch.setattr(engine_socket, "REQUEST_SECONDS", 2.2)
    announced = []
    host.reader.announce = announced.append
    host.raw("/run/docker.sock", silent)
    client = EngineSocket(host.reader, "/run/docker.sock", time.monotonic() + 9)
    with pytest.raises(EngineError):
        client.get("/version")
    client.close()
    assert announced.count("/run/docker.sock") >= 3


def test_a_refused_request_leaves_the_client_usable_and_a_dead_socket_is_never_replaced_by_tcp(host, monkeypatch):
    host.engine("/run/docker.sock", {"/info": {"a": 1}})
    client = EngineSocket(host.reader, "/run/docker.sock", time.monotonic() + 5)
    with pytest.raises(StatusError):
        client.get("/version")
    assert client.get("/info") == {"a": 1}
    monkeypatch.setattr(socket, "create_connection", lambda *arguments, **options: pytest.fail("asked over TCP"))
    client.close()
    os.unlink(host.root + "/run/docker.sock")
    with pytest.raises(EngineError):
        client.get("/info")


def test_a_socket_that_may_not_be_used_or_that_nobody_listens_on_is_noted(host):
    os.makedirs(host.root + "/run")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(host.root + "/run/docker.sock")
    bound.close()
    assert host.collect()["engines"][0]["version"] is None
    assert host.why("/run/docker.sock") == ["Connection refused"]


def test_a_host_without_engines_and_containers_gives_empty_lists_and_no_notes(host):
    assert host.collect() == {"engines": [], "containers": [], "cgroup_only": []}
    assert host.reader.unreadable == []
