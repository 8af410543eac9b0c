# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests to the Docker engine over its API socket, those that change something too."""

import http.client
import json
import socket

ANSWER_BYTES = 8 << 20


class ClientError(Exception):
    """The engine cannot be reached, or did not do what it was asked; the text says what it said."""

    def __init__(self, text, status=None):
        super(ClientError, self).__init__(text)
        self.status = status


class EngineClient:
    """A client of the engine behind one socket of the host. timeout_seconds: for each request."""

    def __init__(self, path, timeout_seconds=30):
        self._path = path
        self._timeout_seconds = timeout_seconds

    def get(self, target):
        """The JSON value that it answers to ``GET target``. Raises ClientError."""
        return self._json(self._ask("GET", target, None))

    def get_lines(self, target):
        """The JSON values of an answer that is a stream of them, such as /events with an end. Raises ClientError."""
        return [self._json(line) for line in self._ask("GET", target, None).splitlines() if line.strip()]

    def post(self, target, value):
        """The JSON value that it answers to ``POST target`` with this value. Raises ClientError."""
        return self._json(self._ask("POST", target, json.dumps(value)) or "null")

    def _ask(self, method, target, body):
        connection = _Connection(self._path, self._timeout_seconds)
        try:
            connection.request(method, target, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            data = response.read(ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise ClientError("Docker does not answer on %s: %s" % (self._path, getattr(error, "strerror", None) or error)) from None
        finally:
            connection.close()
        if len(data) > ANSWER_BYTES:
            raise ClientError("Docker's answer is longer than %d bytes" % ANSWER_BYTES)
        text = data.decode("utf-8", "replace")
        if not 200 <= response.status < 300:
            raise ClientError(_message(text) or "status %d" % response.status, response.status)
        return text

    @staticmethod
    def _json(text):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ClientError("Docker gave an answer that cannot be read") from None


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout_seconds):
        super(_Connection, self).__init__("localhost", timeout=timeout_seconds)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _message(text):
    try:
        return str(json.loads(text)["message"])[:1000]
    except (ValueError, KeyError, TypeError):
        return text.strip()[:1000]
