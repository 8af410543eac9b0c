# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Alertmanager's notifications in, one event per alert that is to be answered out.

Receiving and checking token and signature is ``eda.builtin.webhook``'s; this stands between it and the rules, and serves it, for left to
itself it keeps a client that says nothing for an hour, and one that does not end its request for ever.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import pathlib
import re
import shutil
import ssl
import sys
import time
import uuid
import zlib
from typing import Any

from aiohttp import web
from ansible_rulebook.event_source import webhook

COLLECTIONS = pathlib.Path(__file__).resolve().parents[7]
if str(COLLECTIONS) not in sys.path:  # ansible-rulebook runs a plugin as a file and knows of no collections
    sys.path.append(str(COLLECTIONS))

from ansible_collections.memops.linux.plugins.plugin_utils.eda import alerts, records, targets  # noqa: E402

DOCUMENTATION = r"""
---
short_description: Receive Alertmanager's notifications, one event per alert
description:
  - An ansible-rulebook event source. Resolved alerts, alerts without a runbook and alerts of unknown hosts are recorded and dropped.
  - An event has C(alert), C(host), C(slot), C(event) (base64 of the alert's own text, the only form in which it goes on) and
    C(meta.hosts), to which ansible-rulebook limits the playbook.
  - A notification is answered with 200 only when the rule engine has stored each of its events, so that with persistence an alert
    that was accepted is run to its end although this process dies. The source's C(feedback) has to be true for that.
options:
  port:
    description: The TCP port to listen on.
    required: true
  host:
    description: The address to listen on. Without token, HMAC and client certificates only a loopback address is taken.
    default: 127.0.0.1
  token_file:
    description: A file with the bearer token that clients have to send.
  hmac_secret_file:
    description: A file with the secret of the signature that clients have to send.
  hmac_algo:
    description: As in eda.builtin.webhook, and so are C(hmac_header) and C(hmac_format).
  certfile:
    description: The server's certificate, for TLS; C(keyfile) is its key.
  cafile:
    description: Certificates of the authorities that sign clients' certificates; a client without one is refused.
  inventory:
    description: The inventory whose hosts are answered for; read at start, when it changes, and every ten minutes.
    required: true
  runbooks:
    description: A folder with one folder per alert that has a run.yml.
    required: true
  state_dir:
    description: Where alerts.jsonl is kept, one line per alert, with what was decided.
    required: true
  at_once:
    description: How many runbooks run at the same time, never two of them for one host.
    default: 4
  host_labels:
    description: The labels that can name the host.
    default: [instance, host, hostname, node, nodename]
"""

EXAMPLES = r"""
- name: alerts
  memops.linux.alerts:
    feedback: true
    port: 5050
    token_file: /etc/memops/token
    inventory: /etc/ansible/hosts.yml
    runbooks: /opt/memops/runbooks
    state_dir: /var/lib/memops/respond
"""

logger = logging.getLogger("memops.alerts")  # a plugin that is run as a file has no name

SHORTEST_SECRET = 16
STORED_WITHIN_SECONDS = 20
ANSWERED_WITHIN_SECONDS = 1
SAID_WITHIN_SECONDS = 15
MOST_BYTES = 2**20
INVENTORY_READ_WITHIN_SECONDS = 60
INVENTORY_AGE_SECONDS = 600


class Inventory:
    """The inventory's hosts, read again when its files changed or have grown old."""

    def __init__(self, path: str, labels: list[str]) -> None:
        self._path = pathlib.Path(path)
        self._labels = labels
        self._lock = asyncio.Lock()
        self._hosts: targets.Hosts | None = None
        self._of: tuple = ()
        self._read_at = 0.0

    async def hosts(self) -> targets.Hosts:
        """Those of the last good reading; raises ValueError where there was none."""
        async with self._lock:
            changed = self._changed()
            if self._hosts is None or changed != self._of or time.monotonic() - self._read_at > INVENTORY_AGE_SECONDS:
                self._of, self._read_at = changed, time.monotonic()
                try:
                    self._hosts = targets.read_hosts(await self._listing(), self._labels)
                except (TimeoutError, OSError, ValueError) as error:
                    if self._hosts is None:
                        raise ValueError(f"the inventory {self._path} cannot be read: {error}") from error
                    logger.error("the inventory %s cannot be read, its hosts of before are used: %s", self._path, error)
            return self._hosts

    def _changed(self) -> tuple:
        """What differs when a file of the inventory was written, came or went."""
        files = [self._path, *sorted(self._path.rglob("*"))] if self._path.is_dir() else [self._path]
        stamps = []
        for file in files:
            try:
                stamps.append((str(file), file.stat().st_mtime_ns))
            except OSError:
                continue
        return tuple(stamps)

    async def _listing(self) -> dict:
        program = shutil.which("ansible-inventory") or str(pathlib.Path(sys.executable).with_name("ansible-inventory"))
        reader = await asyncio.create_subprocess_exec(
            program, "-i", str(self._path), "--list", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            said, told = await asyncio.wait_for(reader.communicate(), INVENTORY_READ_WITHIN_SECONDS)
        finally:
            if reader.returncode is None:
                reader.kill()
        if reader.returncode:
            raise ValueError(f"ansible-inventory -i {self._path} --list: {told.decode(errors='replace').strip()[-2000:]}")
        return json.loads(said)


class Alerts:
    """What the webhook takes for its queue: it puts notifications in, the rules get events."""

    def __init__(self, rules: Any, stored: asyncio.Queue | None, inventory: Inventory, runbooks: str, record: pathlib.Path, slots: int) -> None:
        self._rules = rules
        self._stored = stored
        self._inventory = inventory
        self._runbooks = pathlib.Path(runbooks)
        self._record = record
        self._slots = slots
        self._one_at_a_time = asyncio.Lock()
        self.cannot_store = asyncio.Event()

    async def put(self, received: dict[str, Any]) -> None:
        """Raises HTTPBadRequest for what is no notification, HTTPServiceUnavailable where an event was not stored (it is sent again)."""
        try:
            decisions = alerts.decide(received["payload"], await self._inventory.hosts(), self._has_runbook)
        except alerts.BadNotification as error:
            logger.warning("a notification was refused: %s", error)
            raise web.HTTPBadRequest(text=str(error)) from None
        for decision in decisions:
            if decision.event:
                await self._hand_on(self._event(decision))
        records.append(self._record, decisions, logger)

    def _has_runbook(self, name: str) -> bool:
        return (self._runbooks / name / "run.yml").is_file()

    def _event(self, decision: alerts.Decision) -> dict[str, Any]:
        return {
            "alert": decision.alert,
            "host": decision.host,
            "slot": zlib.crc32(decision.host.encode()) % self._slots,
            "event": decision.event,
            "meta": {"hosts": decision.host, "uuid": str(uuid.uuid4())},
        }

    async def _hand_on(self, event: dict[str, Any]) -> None:
        async with self._one_at_a_time:
            await self._rules.put(event)
            if self._stored is None:
                return
            try:
                async with asyncio.timeout(STORED_WITHIN_SECONDS):
                    while (await self._stored.get())["meta"]["uuid"] != event["meta"]["uuid"]:
                        logger.warning("an event was stored after its time")
            except TimeoutError:
                logger.error("the rule engine has not stored an event for %s within %s s", event["host"], STORED_WITHIN_SECONDS)
                self.cannot_store.set()
                raise web.HTTPServiceUnavailable(text="not stored") from None


def _secret(path: str) -> str:
    file = pathlib.Path(path)
    if file.stat().st_mode & 0o007:
        raise ValueError(f"{file} holds a secret and can be read by everybody: chmod o-rwx {file}")
    secret = file.read_text(encoding="utf-8").strip()
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"the secret in {file} has less than {SHORTEST_SECRET} characters: openssl rand -hex 32 > {file}")
    return secret


def _receiving(args: dict[str, Any]) -> dict[str, Any]:
    """The webhook's arguments; raises ValueError where everybody could send alerts."""
    known = ("host", "port", "certfile", "keyfile", "cafile", "hmac_algo", "hmac_header", "hmac_format")
    receiving = {"host": "127.0.0.1", **{name: args[name] for name in known if args.get(name)}}
    if args.get("token_file"):
        receiving["token"] = _secret(args["token_file"])
        if not re.fullmatch(r"[!-~]+", receiving["token"]):
            raise ValueError(f"the token in {args['token_file']} has to be of plain characters without white space, as it travels in a header")
    if args.get("hmac_secret_file"):
        receiving["hmac_secret"] = _secret(args["hmac_secret_file"])
    if receiving.get("cafile") and not receiving.get("certfile"):
        raise ValueError("cafile, for client certificates, needs certfile and keyfile too")
    if not {"token", "hmac_secret", "cafile"} & set(receiving) and not _is_loopback(receiving["host"]):
        raise ValueError(f"nobody proves who they are and {receiving['host']} is not a loopback address: set token_file, hmac_secret_file or cafile")
    return receiving


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@web.middleware
async def whole_in_time(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        async with asyncio.timeout(SAID_WITHIN_SECONDS):
            await request.read()
    except TimeoutError:
        logger.warning("%s has not ended its request within %s s", request.remote, SAID_WITHIN_SECONDS)
        response = web.Response(status=408, text="the request came too slowly")
        response.force_close()
        return response
    return await handler(request)


async def _serve(taken: Alerts, receiving: dict[str, Any]) -> None:
    """eda.builtin.webhook's handler and checks, the token's before the body is read."""
    checks: list[Any] = [whole_in_time]
    if "token" in receiving:
        checks.insert(0, webhook.bearer_auth)
    if "hmac_secret" in receiving:
        checks.append(webhook.hmac_verify)
    app = web.Application(middlewares=checks, client_max_size=MOST_BYTES)
    app[webhook.queue_key] = taken
    app[webhook.token_key] = receiving.get("token", "")
    app[webhook.hmac_secret_key] = receiving.get("hmac_secret", "").encode()
    app[webhook.hmac_algo_key] = receiving.get("hmac_algo", "sha256")
    app[webhook.hmac_header_key] = receiving.get("hmac_header", "x-hub-signature-256")
    app[webhook.hmac_format_key] = receiving.get("hmac_format", "hex")
    app.add_routes(webhook.routes)
    tls = None
    if "certfile" in receiving:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=receiving.get("cafile"))
        tls.load_cert_chain(receiving["certfile"], receiving.get("keyfile"))
        tls.verify_mode = ssl.CERT_REQUIRED if "cafile" in receiving else ssl.CERT_NONE
    runner = web.AppRunner(app, keepalive_timeout=SAID_WITHIN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, receiving["host"], receiving["port"], ssl_context=tls).start()
        await asyncio.Future()
    finally:
        await runner.cleanup()


async def main(queue: Any, args: dict[str, Any]) -> None:
    """Serve until cancelled. ansible-rulebook gives the queue to the rules, and ``eda_feedback_queue`` where feedback is true."""
    receiving = _receiving(args)
    inventory = Inventory(args["inventory"], list(args.get("host_labels") or targets.HOST_LABELS))
    hosts = await inventory.hosts()
    record = pathlib.Path(args["state_dir"]) / "alerts.jsonl"
    logger.info("answers for %d hosts, listens on %s port %s", len(hosts.limits), receiving["host"], receiving["port"])
    taken = Alerts(queue, args.get("eda_feedback_queue"), inventory, args["runbooks"], record, int(args.get("at_once") or 4))
    serving = asyncio.create_task(_serve(taken, receiving))
    broken = asyncio.create_task(taken.cannot_store.wait())
    try:
        await asyncio.wait({serving, broken}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(ANSWERED_WITHIN_SECONDS if broken.done() else 0)
    finally:
        broken.cancel()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    if serving.done() and not serving.cancelled():
        serving.result()
    raise RuntimeError("events cannot be stored (see above: a full disk?). H2 does not open its file again by itself, so this ends and has to be started again")
