"""The monitor's protocol, against a socket that answers as QEMU does."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from lab import monitor
from lab.errors import LabError

USERNET = """Hub -1 (net):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[ESTABLISHED]   41       127.0.0.1 37581       10.0.2.15    22     0     0
  TCP[HOST_FORWARD]  14       127.0.0.1 37581       10.0.2.15    22     0     0
"""


@pytest.fixture
def qemu(tmp_path, monkeypatch):
    """Serve one conversation in a folder whose path is longer than a socket's may be; gives (folder, what was asked)."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    asked = []

    def serve(answer: dict) -> None:
        monkeypatch.chdir(folder)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(monitor.SOCKET)
        listener.listen()

        def talk() -> None:
            connection = listener.accept()[0]
            with connection, connection.makefile("rw") as stream:
                replies = [{"QMP": {}}, {"return": {}}, {"event": "RTC_CHANGE"}, answer]
                stream.write(json.dumps(replies[0]) + "\n")
                stream.flush()
                asked.append(json.loads(stream.readline()))
                stream.write(json.dumps(replies[1]) + "\n")
                stream.flush()
                asked.append(json.loads(stream.readline()))
                stream.write(json.dumps(replies[2]) + "\n" + json.dumps(replies[3]) + "\n")
            listener.close()

        threading.Thread(target=talk, daemon=True).start()

    return folder, asked, serve


def test_the_forwarded_port_is_the_one_that_qemu_listens_on(qemu):
    folder, asked, serve = qemu
    serve({"return": USERNET})

    assert monitor.forwarded_port(folder) == 37581
    assert asked[1]["arguments"] == {"command-line": "info usernet"}


def test_no_forwarded_port_is_said(qemu):
    folder, _, serve = qemu
    serve({"return": "Hub -1 (net):\n"})

    with pytest.raises(LabError, match="forwards no port"):
        monitor.forwarded_port(folder)


def test_a_refusal_is_told_in_qemu_s_words(qemu):
    folder, _, serve = qemu
    serve({"error": {"class": "GenericError", "desc": "Device 'balloon' not found"}})

    with pytest.raises(LabError, match="Device 'balloon' not found"):
        monitor.human_command(folder, "balloon 512")
