# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Questions to a container engine over its API socket, bounded in time and size.

The other end may be hung, or any user's program (a rootless socket): it may
accept and stay silent, drip a byte a second, or never stop sending.
"""

import io
import json
import select
import socket
import time

REQUEST_SECONDS = 3
ANSWER_BYTES = 4 << 20


class EngineError(Exception):
    """The engine cannot be used; the text says why."""


class StatusError(EngineError):
    """The engine refused this request; others may succeed."""


class EngineSocket:
    """A client of one engine: ``get`` until it raises EngineError, then ``close``.

    reader: its ``announce`` is called while waiting, so that a slow engine is
        not taken for a hung collector.
    deadline: time.monotonic() after which nothing is waited for.
    """

    def __init__(self, reader, path, deadline):
        # Loaded only where there is an engine: it costs more than all else here.
        import http.client

        self._http_error = http.client.HTTPException
        self._wire = _Wire(reader, path)
        self._deadline = deadline
        self._connection = http.client.HTTPConnection("localhost")
        # Its own connect() would try TCP, also when the engine hung up in between.
        self._connection.connect = self._connect

    def get(self, target):
        """The JSON value that the engine answers to ``GET target``; any shape is possible.

        Raises StatusError for a status other than 200, else EngineError.
        """
        self._wire.allow(min(self._deadline, time.monotonic() + REQUEST_SECONDS), ANSWER_BYTES)
        try:
            self._connection.request("GET", target, headers={"Accept": "application/json"})
            response = self._connection.getresponse()
            body = bytearray()
            while True:
                # Never read(): it may ask for as much memory as a header promises.
                chunk = response.read(65536)
                if not chunk:
                    break
                body += chunk
            if response.length:
                raise EngineError("broke off its answer")
            if response.status != 200:
                raise StatusError("answered with status %d" % response.status)
            return json.loads(body.decode("utf-8"), parse_int=_integer, parse_constant=lambda name: None)
        except socket.timeout:
            raise EngineError("did not take the request in time") from None
        except OSError as error:
            raise EngineError(error.strerror or str(error)) from None
        except (self._http_error, ValueError, RecursionError):
            raise EngineError("gave an answer that cannot be read") from None

    def close(self):
        """Hang up."""
        self._connection.close()
        self._wire.hang_up()

    def _connect(self):
        self._wire.connect()
        self._connection.sock = self._wire


class _Wire:
    """What http.client takes for its socket."""

    def __init__(self, reader, path):
        self._path = reader.path(path)
        self._announce = lambda: reader.announce(path)
        self._socket = None

    def allow(self, deadline, limit_bytes):
        """Set the limits of the next request and its answer."""
        self._announce()
        self._deadline = deadline
        self._left_bytes = limit_bytes

    def connect(self):
        self.hang_up()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(REQUEST_SECONDS)
        self._socket.connect(self._path)

    def sendall(self, data):
        self._socket.sendall(data)

    def makefile(self, _mode):
        return io.BufferedReader(_Answer(self), 65536)

    def close(self):
        """Nothing: http.client closes before it has read a last answer."""

    def hang_up(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def receive_into(self, buffer):
        """Like recv_into, within the limits."""
        while True:
            self._announce()
            left_seconds = self._deadline - time.monotonic()
            if left_seconds <= 0:
                raise EngineError("did not answer in time")
            if self._left_bytes <= 0:
                raise EngineError("gave a longer answer than %d bytes" % ANSWER_BYTES)
            if select.select([self._socket], [], [], min(1, left_seconds))[0]:
                count = self._socket.recv_into(buffer)
                self._left_bytes -= count
                return count


class _Answer(io.RawIOBase):
    def __init__(self, wire):
        super(_Answer, self).__init__()
        self._wire = wire

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._wire.receive_into(buffer)


def _integer(digits):
    """An int of sane length: reading a million digits takes minutes."""
    return int(digits) if len(digits) <= 20 else None
