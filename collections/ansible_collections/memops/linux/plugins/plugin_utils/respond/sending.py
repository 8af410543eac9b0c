# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sending a notice through Apprise. What goes wrong is told without the address, for an address is a secret."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable
from typing import Any

from ..report.terminal import printable

TIMEOUT_SECONDS = 30
WHY_CHARACTERS = 300


def send(urls: Iterable[str], config: str | None, title: str, text: str, kind: str) -> list[dict[str, Any]]:
    """{service, sent, why} of each address.

    urls: as Apprise takes them. config: a file of such, in Apprise's own form.
    title, text: plain text, sent as it is. kind: info, success, warning or
    failure. An address that fails is told and is no error.
    """
    urls = list(urls)
    if not urls and not config:
        return []
    try:
        import apprise
    except ImportError:
        return [_failed(None, "Apprise is not installed beside Ansible: pip install 'apprise>=2.3'")]
    told, services = [], []
    for number, url in enumerate(urls, 1):
        service = apprise.Apprise.instantiate(url)
        if service is None:
            told.append(_failed(None, f"address {number} of respond_notify_urls is none that Apprise knows"))
        else:
            services.append(service)
    if config:
        found = _configured(apprise, config)
        told += [] if found else [_failed(None, f"{config} holds no address that Apprise knows, or cannot be read")]
        services += found
    sender = apprise.Apprise()
    for service in services:
        sender.add(service)
    if services:
        outcome = sender.notify(title=title, body=text, notify_type=kind, body_format=apprise.NotifyFormat.TEXT, timeout=TIMEOUT_SECONDS)
        told += [_result(result) for result in outcome]
    return told


def _configured(apprise: Any, config: str) -> list[Any]:
    path = pathlib.Path(config).expanduser().absolute()
    return list(apprise.AppriseConfig(paths=[str(path)]).services()) if path.is_file() else []


def _result(result: Any) -> dict[str, Any]:
    if result:
        return {"service": str(result.name), "sent": True, "why": None}
    said = " ".join(str(entry.message) for entry in result.logs()) or result.status.name.lower()
    return _failed(str(result.name), said)


def _failed(service: str | None, why: str) -> dict[str, Any]:
    return {"service": service, "sent": False, "why": printable(why)[:WHY_CHARACTERS]}
