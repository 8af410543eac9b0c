"""What the tests of respond.yml share: an alert as it comes in, a server that is told, and the document that a run leaves."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import jsonschema
from checkout import COLLECTION

SCHEMA = json.loads((COLLECTION / "docs/schemas/response-1.schema.json").read_text())


def event(**alert: Any) -> str:
    """What the rulebook gives the playbook of an alert."""
    return base64.b64encode(json.dumps(alert).encode()).decode()


def response(reports: pathlib.Path, host: str) -> dict[str, Any]:
    """The newest run's response for this host, held against its schema."""
    document = json.loads((reports / "latest/hosts" / host / "response.json").read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


@contextlib.contextmanager
def listener(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A web server on loopback; its address for Apprise, and what it was told."""
    told: list[dict[str, Any]] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_unused):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/secret-token", told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
