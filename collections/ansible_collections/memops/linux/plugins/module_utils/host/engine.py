# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One container engine asked over its socket: its settings and its containers."""

import json
import re

from . import engine_answers
from .engine_socket import EngineError, EngineSocket, StatusError

INSPECTED = 200

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}$")
_DAEMON_JSON = "/etc/docker/daemon.json"
#: In this order; the first two find what matters among thousands of dead ones.
_LISTS = (
    "/containers/json?all=1&limit=%d&filters=%%7B%%22exited%%22%%3A%%5B%%22137%%22%%5D%%7D" % INSPECTED,
    "/containers/json",
    "/containers/json?all=1&limit=%d" % INSPECTED,
)


def ask(reader, path, kind, deadline):
    """(engine, [container], {id}): what one engine says until it fails."""
    version = info = None
    listed, found = {}, []
    client = EngineSocket(reader, path, deadline)
    try:
        version = client.get("/version")
        kind = engine_answers.engine(version, kind)[0]
        info = client.get("/info")
        for target in _LISTS:
            for item in _list(client, target):
                listed.setdefault(item["Id"], item)
        for container_id in list(listed)[:INSPECTED]:
            container = _inspect(client, kind, container_id, listed[container_id])
            if container:
                found.append(dict(container, socket=path))
    except EngineError as error:
        reader.note(path, str(error))
    finally:
        client.close()
    count = info.get("Containers") if isinstance(info, dict) else None
    left_out = max(count if isinstance(count, int) else 0, len(listed)) - len(found)
    if left_out > 0:
        reader.note("containers of " + path, "%d of them were not asked for" % left_out)
    name, engine_version, api_version = engine_answers.engine(version, kind)
    engine = {"engine": name, "socket": path, "version": engine_version, "api_version": api_version}
    engine["settings"] = engine_answers.settings(info)
    engine["settings"]["daemon_config"] = _daemon_config(reader) if path.endswith("run/docker.sock") else None
    return engine, found, set(listed)


def _list(client, target):
    try:
        answer = client.get(target)
    except StatusError:
        return []  # an engine without this filter
    if not isinstance(answer, list):
        raise EngineError("gave an answer that cannot be read")
    return [item for item in answer if isinstance(item, dict) and isinstance(item.get("Id"), str) and _ID.match(item["Id"])]


def _inspect(client, kind, container_id, listed):
    try:
        found = engine_answers.container(kind, client.get("/containers/%s/json" % container_id), listed)
    except StatusError:
        return None  # removed meanwhile
    return found if found and found["id"] == container_id else None


def _daemon_config(reader):
    text = reader.text(_DAEMON_JSON, expected=False)
    if text is None:
        return None
    try:
        return engine_answers.daemon_config(json.loads(text, parse_constant=lambda name: None))
    except (ValueError, RecursionError):
        reader.note(_DAEMON_JSON, "is not valid JSON")
        return None
