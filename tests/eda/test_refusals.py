"""Who may send alerts and what is taken: everything else is refused and logged, and the service goes on."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl

import pytest
from eda.certificates import client_context, make_certificates
from eda.service import Service, firing

GOOD = json.dumps({"alerts": [firing("HostOomKill", "web1:9100")]}).encode()
SECRET = "a secret that both sides know"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def signed(body, secret=SECRET):
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


@pytest.fixture(scope="module")
def with_token(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("token"), {"web1": {}})
    service.runbook("HostOomKill")
    yield service.start()
    service.stop()


@pytest.fixture(scope="module")
def with_hmac(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hmac")
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "secret").chmod(0o600)
    service = Service(folder, {"web1": {}}, HMAC_SECRET_FILE=folder / "secret")
    service.runbook("HostOomKill")
    yield service.start()
    service.stop()


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (GOOD, {}, 401),
        (GOOD, bearer("wrong"), 401),
        (GOOD, bearer(""), 401),
        (GOOD, {"Authorization": "Basic YWRtaW46YWRtaW4="}, 401),
        (GOOD, {"Authorization": "Bearer"}, 401),
        (b"x" * (2**20 + 1), None, 413),
        (b"{" * 100_000, None, 400),
        (b'{"alerts": [', None, 400),
        (b"", None, 400),
        (b"[]", None, 400),
        (b"{}", None, 400),
        (b'{"alerts": "all"}', None, 400),
        (json.dumps({"alerts": [{}] * 2001}).encode(), None, 400),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_with_a_token_what_is_not_proved_or_no_notification_is_refused_and_logged(with_token, body, headers, status):
    logged = with_token.said().count(f'"POST /alerts HTTP/1.1" {status} ')
    assert with_token.send(body, headers) == status
    with_token.until(lambda: with_token.said().count(f'"POST /alerts HTTP/1.1" {status} ') == logged + 1, "a line in the log")
    assert not with_token.alerts()


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"[" * 100_000, b'{"alerts": [{"labels": 1e999}]}'], ids=["not UTF-8", "deep", "infinity"])
def test_a_body_that_json_itself_stumbles_over_leaves_the_service_up(with_token, body):
    assert with_token.send(body) in (200, 400, 500)
    assert with_token.is_open()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 400), ({"X-Hub-Signature-256": "sha256=00"}, 401), (signed(GOOD, "another secret of another side"), 401), (signed(GOOD + b" "), 401)],
)
def test_with_hmac_what_is_not_signed_with_the_secret_is_refused(with_hmac, headers, status):
    assert with_hmac.send(GOOD, headers) == status
    assert not with_hmac.alerts()


def test_after_all_that_good_alerts_are_answered(with_token, with_hmac):
    for service, headers in ((with_token, None), (with_hmac, signed(GOOD))):
        assert service.send(GOOD, headers) == 200
        service.until(lambda service=service: service.runs() == {("web1", "HostOomKill"): 1}, "the run")


@pytest.mark.parametrize("proved_by", ["token", "hmac"])
def test_clients_that_never_end_what_they_say_are_let_go_and_keep_nobody_else_waiting(services, figure, tmp_path, proved_by):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    service = services(**{"HMAC_SECRET_FILE": secret} if proved_by == "hmac" else {})
    service.runbook("HostOomKill")
    service.start()
    headers = b"POST /alerts HTTP/1.1\r\nHost: x\r\n"
    body = b"Content-Length: 1000\r\nContent-Type: application/json\r\n\r\n{"
    proof = f"Authorization: Bearer {service.token}\r\n".encode() if proved_by == "token" else b"X-Hub-Signature-256: sha256=00\r\n"
    half_said = [b"", headers, headers + b"X-Slow: ", headers + body, headers + proof + body]
    clients = []
    try:
        for number in range(300):
            clients.append(socket.create_connection(("127.0.0.1", service.port)))
            clients[-1].sendall(half_said[number % len(half_said)])
        assert service.send(GOOD, None if proved_by == "token" else signed(GOOD)) == 200
        service.until(lambda: service.runs(), "the run of a good alert meanwhile")
        for client in clients:
            client.settimeout(90)
            while client.recv(65536):
                pass
    finally:
        for client in clients:
            client.close()
    assert "has not ended its request within" in service.said()
    figure("300 clients that never end their request", "all let go after at most 30 s; a good alert meanwhile is answered and run")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def test_with_client_certificates_who_has_none_of_our_authority_is_refused(services, certificates):
    service = services(CERTFILE=certificates / "server.pem", KEYFILE=certificates / "server.key", CAFILE=certificates / "ca.pem")
    service.runbook("HostOomKill")
    service.start()
    for nobody in (None, "stranger"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            service.send(GOOD, {}, tls=client_context(certificates, nobody))
    with pytest.raises((OSError, ValueError)):
        service.send(GOOD, {})
    assert not service.alerts()
    assert service.send(GOOD, {}, tls=client_context(certificates, "client")) == 200
    service.until(lambda: service.runs(), "the run")


def test_with_tls_and_a_token_the_token_never_travels_in_clear(services, certificates):
    service = services(CERTFILE=certificates / "server.pem", KEYFILE=certificates / "server.key")
    service.runbook("HostOomKill")
    service.start()
    tls = client_context(certificates)
    assert service.send(GOOD, bearer("wrong"), tls=tls) == 401
    assert service.send(GOOD, tls=tls) == 200
    assert service.token not in service.said()
